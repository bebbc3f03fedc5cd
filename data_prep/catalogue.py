"""The data sets there are, and how each is prepared."""

from pathlib import Path

from data_prep.prepared import Arguments, Rendered, Tell, check_replaceable, find_prepared, silent, write
from transferkit import atomic
from transferkit.errors import UsageError
from transferkit.manifest import Manifest

RENDERED = ("photos", "shapeworld")


def get_rendered(name: str, arguments: Arguments) -> Rendered:
    """The rendered data set called `name`. Raises UsageError with the names there are."""
    if name == "photos":
        from data_prep import photos  # only here: SciPy takes a while to import

        return photos.rendered(arguments)
    if name == "shapeworld":
        from data_prep import shapeworld

        return shapeworld.rendered(arguments)
    raise UsageError(f"'{name}' is no data set that can be rendered: choose {' or '.join(RENDERED)}.")


def prepare(
    name: str, folder: Path, arguments: Arguments, *, force: bool = False, tell: Tell = silent
) -> tuple[Manifest, bool]:
    """Prepare `name` in `folder`, unless that is done: its manifest, and whether anything was drawn.

    `force` replaces an older data set there; `tell` hears of the progress. What killed writers left beside
    `folder` is removed. Raises DataError when `folder` holds something else, StoreError when it cannot be written.
    """
    rendered = get_rendered(name, arguments)
    atomic.sweep_partials(folder.parent)
    if force:
        check_replaceable(folder)
    elif found := find_prepared(folder, name, arguments):
        return found, False
    return write(folder, rendered, arguments, tell), True
