"""The data sets there are, and how each is prepared."""

from pathlib import Path

from data_prep.prepared import Recipe, Rendered, Tell, check_replaceable, find_prepared, silent, write
from transferkit.errors import UsageError
from transferkit.manifest import Manifest

RENDERED = ("photos", "shapeworld")


def get_rendered(name: str, recipe: Recipe) -> Rendered:
    """The rendered data set called `name`. Raises UsageError with the names there are."""
    if name == "photos":
        from data_prep import photos  # only here: SciPy takes a while to import

        return photos.rendered(recipe)
    if name == "shapeworld":
        from data_prep import shapeworld

        return shapeworld.rendered(recipe)
    raise UsageError(f"'{name}' is no data set that can be rendered: choose {' or '.join(RENDERED)}.")


def prepare(
    name: str, folder: Path, recipe: Recipe, *, force: bool = False, tell: Tell = silent
) -> tuple[Manifest, bool]:
    """Prepare `name` in `folder`, unless that is done: its manifest, and whether anything was drawn.

    `force` replaces an older data set there; `tell` hears of the progress. Raises DataError when
    `folder` holds something else, StoreError when it cannot be written.
    """
    rendered = get_rendered(name, recipe)
    if force:
        check_replaceable(folder)
    elif found := find_prepared(folder, name, recipe):
        return found, False
    return write(folder, rendered, recipe, tell), True
