"""The command line: `python -m data_prep NAME`, where NAME is one of `catalogue.PURPOSES`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_prep.catalogue import DEFAULTS, PURPOSES, READ, RENDERED, Inputs, list_pictures, prepare, prepare_listing
from data_prep.contact_sheet import count_escaped
from data_prep.listing import Fitting, counted
from data_prep.pictures import SQUARINGS
from data_prep.progress import showing
from data_prep.rendering import CHANGED, SET_ASIDE, Arguments
from transferkit.disk.prepared import CONTACT_SHEET, Manifest, find_work_folder
from transferkit.errors import TransferkitError, UsageError
from transferkit.hardware import usable_cores

SIZES = {"imagenet": 128}  # the others have 48, which the small network reads
LINKED = ("tinyimagenet", "imagenet", "folder")
SINGLE = ("cifar100",)  # its pictures need no decoding, so this process reads them


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare one data set. Returns 0 when done, 1 when it failed, 2 for wrong usage, 130 when interrupted."""
    options = parser().parse_args(arguments)
    try:
        _prepare(options)
    except TransferkitError as problem:
        if options.debug:
            raise
        print(f"data_prep: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, UsageError) else 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what is downloaded and packed.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m data_prep", description="Prepare a data set.")
    names = top.add_subparsers(dest="name", required=True, metavar="NAME", title="data sets")
    for name, purpose in PURPOSES.items():
        command = names.add_parser(name, help=purpose, description=f"{purpose}.")
        command.add_argument("--out", type=Path, help="folder to write (default: data/NAME in the work folder)")
        if name in RENDERED:
            _add_rendered_options(command, DEFAULTS.get(name, Arguments()))
        else:
            _add_read_options(command, name)
        command.add_argument("--force", action="store_true", help="replace an existing data set")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return top


def _add_rendered_options(command: argparse.ArgumentParser, usual: Arguments) -> None:
    helps = {
        "seed": "the same seed gives the same bytes",
        "train": "training images of each class",
        "valid": "validation images of each class",
    }
    for name, purpose in helps.items():
        value = getattr(usual, name)
        command.add_argument(f"--{name}", type=int, default=value, help=f"{purpose} (default: {value})")


def _add_read_options(command: argparse.ArgumentParser, name: str) -> None:
    size, needed = SIZES.get(name, 48), name in ("imagenet", "folder")
    if name == "tiles":
        command.set_defaults(path=None)
    else:
        command.add_argument(
            "--from", type=Path, dest="path", required=needed, metavar="PATH", help="the files you have"
        )
    command.add_argument("--size", type=int, default=size, help=f"side of the images in pixels (default: {size})")
    command.add_argument(
        "--shape",
        choices=SQUARINGS,
        default="crop",
        help="crop to the middle square, or squash all of it (default: crop)",
    )
    if name not in SINGLE:
        command.add_argument("--workers", type=int, help="processes (default: one per CPU core)")
    if name in LINKED:
        command.add_argument("--follow-links", action="store_true", help="read what links lead to, wherever it is")
    if name == "imagenet":
        command.add_argument("--devkit", type=Path, metavar="PATH", help="ILSVRC2012_devkit_t12, needed if val is flat")
    if name == "folder":
        command.add_argument(
            "--valid-share",
            type=float,
            default=0.2,
            metavar="SHARE",
            help="share held out for validation (default: 0.2)",
        )
        command.add_argument("--nested", action="store_true", help="a class may hold its pictures in further folders")
        command.add_argument("--natural", type=Path, metavar="FILE", help="names of the natural classes, one a line")


def _prepare(options: argparse.Namespace) -> None:
    own = options.path.resolve().name if options.name == "folder" else options.name
    folder = (options.out or find_work_folder() / "data" / own).expanduser().absolute()
    if options.name in READ:
        manifest, new = _read(options, folder)
    else:
        arguments = Arguments(options.seed, options.train, options.valid)
        with showing(f"drawing {options.name}", "classes") as tell:
            manifest, new = prepare(options.name, folder, arguments, force=options.force, tell=tell)
    _report(folder, manifest, new)


def _read(options: argparse.Namespace, folder: Path) -> tuple[Manifest, bool]:
    fitting = Fitting(options.size, options.shape)
    names = ("valid_share", "natural", "devkit", "follow_links", "nested")
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    inputs = Inputs(options.path, find_work_folder() / "downloads", **given)
    with showing(f"fetching {options.name}", "bytes") as tell:
        listing = list_pictures(options.name, folder.name, inputs, tell)
    print(f"classes found: {counted(listing)}", *listing.told, sep="\n", flush=True)
    workers = 1 if options.name in SINGLE else usable_cores() if options.workers is None else options.workers
    with showing(f"packing {folder.name} (processes: {workers})", "images") as tell:
        return prepare_listing(folder, listing, fitting, workers, force=options.force, tell=tell)


def _report(folder: Path, manifest: Manifest, new: bool) -> None:
    natural = sum(one.natural for one in manifest.classes)
    classes = len(manifest.classes)
    size = f"{manifest.image_size} x {manifest.image_size} pixels"
    state = "prepared" if new else "already prepared with these arguments, nothing to do"
    print(f"{manifest.name}: {state}")
    print(f"folder: {folder}")
    print(f"images: {manifest.train[1]} to train, {manifest.valid[1] - manifest.valid[0]} to validate, {size}")
    print(f"classes: {classes} ({_kinds(classes - natural, natural)})")
    print(f"source: {manifest.source}")
    print(f"validation: {manifest.validation}")
    for doubt in manifest.doubts:
        print(f"doubt: {doubt}")
    for name in (SET_ASIDE, CHANGED):
        if (folder / name).is_file():
            print(f"{name.partition('.')[0].replace('_', ' ')}: {folder / name}")
    escaped = count_escaped(manifest)
    codes = f" ({escaped} names as codes: no font here has their letters)" if escaped else ""
    print(f"contact sheet: {folder / CONTACT_SHEET}{codes}")


def _kinds(man_made: int, natural: int) -> str:
    if man_made and natural:
        return f"{man_made} man-made, {natural} natural"
    return "kinds not distinguished, so no split 'natural'"


if __name__ == "__main__":
    sys.exit(main())
