"""The data sets there are, and how each is prepared: drawn here, or read from files that the user has or fetches."""

from dataclasses import dataclass
from pathlib import Path

from data_prep.listing import Fitting, Listing
from data_prep.prepared import Arguments, Rendered, Tell, check_replaceable, find_prepared, silent, write
from transferkit.disk import atomic
from transferkit.disk.prepared import Manifest
from transferkit.errors import UsageError

RENDERED = ("photos", "shapeworld")
READ = ("cifar100", "tinyimagenet", "imagenet", "folder", "tiles")


@dataclass(frozen=True)
class Origin:
    """Where the pictures of a data set come from, and the options of the data sets that have some.

    `path` None: from the published archive, fetched into `downloads` if need be.
    """

    path: Path | None
    downloads: Path
    valid_share: float = 0.2  # of folder
    natural: Path | None = None  # of folder
    devkit: Path | None = None  # of imagenet


def get_rendered(name: str, arguments: Arguments) -> Rendered:
    """The rendered data set called `name`. Raises UsageError with the names there are."""
    if name == "photos":
        from data_prep import photos  # only here: SciPy takes a while to import

        return photos.rendered(arguments)
    if name == "shapeworld":
        from data_prep import shapeworld

        return shapeworld.rendered(arguments)
    if name in READ:
        raise UsageError(f"'{name}' is not prepared yet: run 'python -m data_prep {name}' first.")
    raise UsageError(f"'{name}' is no data set that can be rendered: choose {' or '.join(RENDERED)}.")


def prepare(
    name: str, folder: Path, arguments: Arguments, *, force: bool = False, tell: Tell = silent
) -> tuple[Manifest, bool]:
    """Prepare `name` in `folder`, unless that is done: its manifest, and whether anything was drawn.

    `force` replaces an older data set there; `tell` hears of the progress. What killed writers left beside
    `folder` is removed. Raises DataError when `folder` holds something else, StoreError when it cannot be written.
    """
    rendered = get_rendered(name, arguments)
    if found := _find(folder, name, arguments.as_mapping(), force):
        return found, False
    return write(folder, rendered, arguments, tell), True


def list_pictures(kind: str, name: str, origin: Origin, tell: Tell = silent) -> Listing:
    """The pictures of the data set `kind`, to be called `name`; `tell` hears of the bytes that are fetched.

    Raises UsageError when `origin` lacks a path that is needed, DataError when the files are not as they should be.
    """
    from data_prep import cifar100, folder, imagenet, tiles, tinyimagenet
    from data_prep.download import fetch

    if kind == "cifar100":
        return cifar100.list_cifar100(origin.path or fetch(cifar100.ARCHIVE, origin.downloads, tell), name)
    if kind == "tinyimagenet":
        return tinyimagenet.list_tiny_imagenet(origin.path or fetch(tinyimagenet.ARCHIVE, origin.downloads, tell), name)
    if kind == "tiles":
        pictures = tiles.write_tiles(origin.downloads.parent / "pictures" / "tiles")
        return folder.list_folder(pictures, name, natural=pictures.parent / tiles.NATURAL)
    if origin.path is None:
        raise UsageError(f"{kind} needs --from PATH: the folder that holds the pictures.")
    if kind == "imagenet":
        return imagenet.list_imagenet(origin.path, name, origin.devkit)
    return folder.list_folder(origin.path, name, origin.valid_share, origin.natural)


def prepare_listing(
    folder: Path, listing: Listing, fitting: Fitting, workers: int, *, force: bool = False, tell: Tell = silent
) -> tuple[Manifest, bool]:
    """Pack the pictures of `listing` into `folder`, unless that is done, by so many processes. Else as `prepare`."""
    from data_prep.packing import arguments_of, write_listing

    if found := _find(folder, listing.name, arguments_of(listing, fitting), force):
        return found, False
    return write_listing(folder, listing, fitting, workers, tell), True


def _find(folder: Path, name: str, arguments: dict[str, int | float | str | bool], force: bool) -> Manifest | None:
    atomic.sweep_partials(folder.parent)
    if not force:
        return find_prepared(folder, name, arguments)
    check_replaceable(folder)
    return None
