"""The command line: `python -m data_prep photos|shapeworld`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from data_prep.catalogue import prepare
from data_prep.prepared import CONTACT_SHEET, Arguments, Tell
from transferkit.errors import TransferkitError, UsageError
from transferkit.manifest import Manifest
from transferkit.work import find_work_folder

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)

Out = Annotated[Path | None, typer.Option(help="Folder to write; default: data/NAME in the work folder.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same bytes.")]
Train = Annotated[int, typer.Option(help="Training images of each class.")]
Valid = Annotated[int, typer.Option(help="Validation images of each class.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a data set that is there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command()
def photos(
    out: Out = None, seed: Seed = 0, train: Train = 320, valid: Valid = 80, force: Force = False, debug: Debug = False
) -> None:
    """80 places in real photographs that come with scikit-image and scikit-learn; nothing is downloaded."""
    with _told(debug):
        _prepare("photos", out, Arguments(seed, train, valid), force)


@app.command()
def shapeworld(
    out: Out = None, seed: Seed = 0, train: Train = 320, valid: Valid = 80, force: Force = False, debug: Debug = False
) -> None:
    """80 drawn classes made of known parts, so that the distance of two tasks can be set."""
    with _told(debug):
        _prepare("shapeworld", out, Arguments(seed, train, valid), force)


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
        typer.echo(f"drawing {name}: {100 * done // total} %", err=True)


def _report(folder: Path, manifest: Manifest, drawn: bool) -> None:
    natural = sum(one.natural for one in manifest.classes)
    classes = len(manifest.classes)
    size = f"{manifest.image_size} x {manifest.image_size} pixels"
    state = "prepared" if drawn else "already prepared with these arguments, nothing to do"
    typer.echo(f"{manifest.name}: {state}")
    typer.echo(f"folder: {folder}")
    typer.echo(f"images: {manifest.train[1]} to train, {manifest.valid[1] - manifest.valid[0]} to validate, {size}")
    typer.echo(f"classes: {classes} ({classes - natural} man-made, {natural} natural)")
    typer.echo(f"validation: {manifest.validation}")
    typer.echo(f"contact sheet: {folder / CONTACT_SHEET}")


@contextmanager
def _told(debug: bool) -> Iterator[None]:
    """Turn an error that a user can mend into one sentence on stderr and exit code 1, or 2 for wrong usage."""
    try:
        yield
    except TransferkitError as problem:
        if debug:
            raise
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2 if isinstance(problem, UsageError) else 1) from None


def main() -> None:
    """Run the command line; exit code 0: done, 1: failed, 2: wrong usage."""
    known = [command.callback.__name__ for command in app.registered_commands if command.callback]
    asked = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if not asked.startswith("-") and asked not in known:
        typer.echo(f"error: '{asked}' is no data set: choose {', '.join(known)}.", err=True)
        sys.exit(2)
    app(prog_name="python -m data_prep")


if __name__ == "__main__":
    main()
