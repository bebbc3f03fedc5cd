"""The command line: `python -m data_prep photos|shapeworld`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from data_prep.catalogue import prepare
from data_prep.prepared import CONTACT_SHEET, Arguments, Tell
from transferkit.errors import TransferkitError, UsageError
from transferkit.manifest import Manifest
from transferkit.work import find_work_folder

PURPOSES = {
    "photos": "80 places in real photographs that come with scikit-image and scikit-learn; nothing is downloaded",
    "shapeworld": "80 drawn classes made of known parts, so that the distance of two tasks can be set",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare one data set. Returns 0 when done, 1 when it failed, 2 for wrong usage."""
    options = parser().parse_args(arguments)
    try:
        _prepare(options.name, options.out, Arguments(options.seed, options.train, options.valid), options.force)
    except TransferkitError as problem:
        if options.debug:
            raise
        print(f"data_prep: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, UsageError) else 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of every command, for `main` and for whoever checks a command line."""
    top = argparse.ArgumentParser(prog="python -m data_prep", description="Prepare a data set.")
    names = top.add_subparsers(dest="name", required=True, metavar="NAME", title="data sets")
    for name, purpose in PURPOSES.items():
        command = names.add_parser(name, help=purpose, description=f"{purpose}.")
        command.add_argument("--out", type=Path, help="folder to write (default: data/NAME in the work folder)")
        command.add_argument("--seed", type=int, default=0, help="the same seed gives the same bytes (default: 0)")
        command.add_argument("--train", type=int, default=320, help="training images of each class (default: 320)")
        command.add_argument("--valid", type=int, default=80, help="validation images of each class (default: 80)")
        command.add_argument("--force", action="store_true", help="replace a data set that is there")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return top


def _prepare(name: str, out: Path | None, arguments: Arguments, force: bool) -> None:
    folder = (out or find_work_folder() / "data" / name).expanduser().absolute()
    with _progress(name) as tell:
        manifest, drawn = prepare(name, folder, arguments, force=force, tell=tell)
    _report(folder, manifest, drawn)


@contextmanager
def _progress(name: str) -> Iterator[Tell]:
    """A bar on a terminal, else a line for each quarter that is done."""
    if not sys.stderr.isatty():
        yield lambda done, total: _echo_quarter(name, done, total)
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"drawing {name}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _echo_quarter(name: str, done: int, total: int) -> None:
    if done * 4 // total > (done - 1) * 4 // total:
        print(f"drawing {name}: {100 * done // total} %", file=sys.stderr, flush=True)


def _report(folder: Path, manifest: Manifest, drawn: bool) -> None:
    natural = sum(one.natural for one in manifest.classes)
    classes = len(manifest.classes)
    size = f"{manifest.image_size} x {manifest.image_size} pixels"
    state = "prepared" if drawn else "already prepared with these arguments, nothing to do"
    print(f"{manifest.name}: {state}")
    print(f"folder: {folder}")
    print(f"images: {manifest.train[1]} to train, {manifest.valid[1] - manifest.valid[0]} to validate, {size}")
    print(f"classes: {classes} ({classes - natural} man-made, {natural} natural)")
    print(f"validation: {manifest.validation}")
    print(f"contact sheet: {folder / CONTACT_SHEET}")


if __name__ == "__main__":
    sys.exit(main())
