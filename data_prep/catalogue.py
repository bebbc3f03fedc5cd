"""All data sets, and how each is prepared: drawn here, or read from files that the user has or that are fetched."""

from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.listing import Fitting, Listing
from data_prep.progress import Tell, silent
from data_prep.rendering import Arguments, Rendered, check_replaceable, find_prepared, write
from transferkit.disk import atomic
from transferkit.disk.prepared import Manifest
from transferkit.errors import DataError, UsageError
from transferkit.splits import check_enough

PURPOSES = {
    "photos": "80 places in photographs that come with scikit-image and scikit-learn; nothing is downloaded",
    "views": "photos with four times as many views of each place, for clean filters (the preset filters)",
    "shapeworld": "80 drawn classes made of known parts, so that you can set how far apart two tasks are",
    "cifar100": "100 classes of 32 pixels; downloads 169 MB, or takes cifar-100-python.tar.gz",
    "tinyimagenet": "200 classes of 64 pixels; downloads 248 MB, or takes tiny-imagenet-200.zip",
    "imagenet": "the 1000 classes of ILSVRC 2012, from a folder that holds train and val",
    "folder": "your own pictures, from any folder that holds one folder per class",
    "tiles": "the photographs of photos cut into tiles: an example of such a folder; nothing is downloaded",
}
RENDERED = ("photos", "views", "shapeworld")
DEFAULTS = {"views": Arguments(train=640)}  # of drawn data sets, where they are not the usual ones
READ = ("cifar100", "tinyimagenet", "imagenet", "folder", "tiles")


@dataclass(frozen=True)
class Inputs:
    """Where the pictures of a data set come from, and further options of some data sets.

    Without a `path`, they come from the published archive, which is fetched into `downloads` if it is not there.
    """

    path: Path | None
    downloads: Path
    valid_share: float = 0.2  # of folder
    natural: Path | None = None  # of folder
    devkit: Path | None = None  # of imagenet
    follow_links: bool = False  # of imagenet, tinyimagenet and folder
    nested: bool = False  # of folder


def get_rendered(name: str, arguments: Arguments) -> Rendered:
    """The drawn data set called `name`. Raises UsageError for other names."""
    if name in ("photos", "views"):
        from data_prep import photos  # here, because SciPy takes a while to import

        return replace(photos.rendered(arguments), name=name)
    if name == "shapeworld":
        from data_prep import shapeworld

        return shapeworld.rendered(arguments)
    if name in READ:
        raise UsageError(f"'{name}' is not prepared yet: run 'python -m data_prep {name}' first.")
    raise UsageError(f"'{name}' is not a data set that can be drawn: choose {', '.join(RENDERED)}.")


def prepare(
    name: str, folder: Path, arguments: Arguments, *, force: bool = False, tell: Tell = silent
) -> tuple[Manifest, bool]:
    """Draw `name` into `folder` unless it is there; return its manifest and whether anything was drawn.

    `force` replaces an older data set; `tell` is called with the progress. What killed processes left beside `folder`
    is removed. Raises DataError when `folder` holds something else, StoreError when it cannot be written.
    """
    rendered = get_rendered(name, arguments)
    if found := _find(folder, name, arguments.as_mapping(), force):
        return found, False
    return write(folder, rendered, arguments, tell), True


def list_pictures(kind: str, name: str, inputs: Inputs, tell: Tell = silent) -> Listing:
    """The pictures of the data set `kind`, under the name `name`; `tell` is called with the bytes fetched.

    Raises UsageError when `inputs` lacks a path that is needed, DataError when files are missing or wrong.
    """
    from data_prep import cifar100, folder, imagenet, tiles, tinyimagenet
    from data_prep.download import fetch

    if kind == "cifar100":
        return cifar100.list_cifar100(inputs.path or fetch(cifar100.ARCHIVE, inputs.downloads, tell), name)
    if kind == "tinyimagenet":
        path = inputs.path or fetch(tinyimagenet.ARCHIVE, inputs.downloads, tell)
        return tinyimagenet.list_tiny_imagenet(path, name, follow_links=inputs.follow_links)
    if kind == "tiles":
        pictures = tiles.write_tiles(inputs.downloads.parent / "pictures" / "tiles")
        return folder.list_folder(pictures, name, natural=pictures.parent / tiles.NATURAL)
    if inputs.path is None:
        raise UsageError(f"{kind} needs --from PATH: the folder that holds the pictures.")
    if kind == "imagenet":
        return imagenet.list_imagenet(inputs.path, name, inputs.devkit, follow_links=inputs.follow_links)
    reading = folder.Reading(inputs.follow_links, inputs.nested)
    return folder.list_folder(inputs.path, name, inputs.valid_share, inputs.natural, reading)


def prepare_listing(
    folder: Path, listing: Listing, fitting: Fitting, workers: int, *, force: bool = False, tell: Tell = silent
) -> tuple[Manifest, bool]:
    """Pack the pictures of `listing` into `folder` by `workers` processes; otherwise as `prepare`.

    Raises DataError for fewer than 2 classes too. Two or three can only be studied undivided (the split "whole").
    """
    from data_prep.packing import arguments_of, write_listing

    try:
        check_enough(len(listing.classes), halves=1)
    except DataError as problem:
        names = ", ".join(one.name for one in listing.classes)
        raise DataError(f"{problem} Found as classes: {'; '.join([names, *listing.told])}.") from None
    if found := _find(folder, listing.name, arguments_of(listing, fitting), force):
        return found, False
    return write_listing(folder, listing, fitting, workers, tell), True


def _find(folder: Path, name: str, arguments: dict[str, int | float | str | bool], force: bool) -> Manifest | None:
    atomic.sweep_partials(folder.parent)
    if not force:
        return find_prepared(folder, name, arguments)
    check_replaceable(folder)
    return None
