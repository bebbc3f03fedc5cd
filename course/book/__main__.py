"""`make book`: executes the lessons and builds them and the pages of course/ into a web site that needs no network.

    python -m course.book [--preset quick] [-p NAME VALUE] [--out work/book]

writes OUT/html/index.html. `python -m transferkit batch` executes the lessons, and repeats none that are done.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from course.batch.parameters import Parameter, declared, parse, read_code
from course.batch.records import NOTEBOOK
from course.batch.tasks import find_notebooks
from course.book.stage import Executed, stage
from course.errors import BatchError
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import TransferkitError, UsageError

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the book; 0 if it is built, 1 if not, 2 for wrong usage; one sentence says why."""
    options = _parser().parse_args(arguments)
    out = (options.out or find_work_folder() / "book").absolute()
    try:
        notebooks = find_notebooks([options.notebooks])
        given = {"preset": options.preset} | dict(options.parameter)
        _refuse_unknown(dict(options.parameter), notebooks)
        page = build(execute(notebooks, given, out, options.workers), out)
    except TransferkitError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2 if isinstance(problem, UsageError) else 1
    sys.stdout.write(f"wrote {page}\n")
    return 0


def execute(notebooks: Sequence[Path], given: Mapping[str, str], out: Path, workers: int | None) -> list[Executed]:
    """Run the notebooks as a batch into `out`, each with the given parameters that it declares.

    Raises BatchError unless all of them run to their end.
    """
    grid = {path.stem: _known(path, given) for path in notebooks}
    atomic.write_bytes(out / "grid.yaml", json.dumps(grid).encode())  # JSON is YAML
    folder = out / "executed"
    command = [sys.executable, "-m", "transferkit", "batch", *map(str, notebooks), "--grid", str(out / "grid.yaml")]
    command += ["--out", str(folder), *(["--workers", str(workers)] if workers else [])]
    if subprocess.run(command, check=False).returncode:
        raise BatchError(f"the book was not built: its lessons did not run, {folder / 'report.html'} may say why.")
    with (folder / "report.csv").open() as file:
        rows = {Path(row["notebook"]).stem: row for row in csv.DictReader(file)}
    return [Executed(path, folder / rows[path.stem]["folder"] / NOTEBOOK, _note(rows[path.stem])) for path in notebooks]


def build(lessons: Sequence[Executed], out: Path) -> Path:
    """Lay out and build the site as OUT/html; return the path of its first page.

    Raises BatchError if Sphinx complains about anything; an older site then stays as it was.
    """
    atomic.sweep_partials(out)  # left by a build that was killed
    with atomic.new_folder(out / "source") as source:
        stage(lessons, source)
    with atomic.new_folder(out / "html") as html:
        command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--fresh-env"]
        command += ["-c", str(ROOT / "course" / "book"), "-d", str(out / "doctrees"), str(out / "source"), str(html)]
        if subprocess.run(command, check=False, cwd=ROOT).returncode:
            raise BatchError("the book was not built: mend what Sphinx names above, and run the same command again.")
    return out / "html" / "index.html"


def _refuse_unknown(given: Mapping[str, str], notebooks: Sequence[Path]) -> None:
    known = {name for path in notebooks for name in _declared(path)}
    if strange := sorted(given.keys() - known):
        raise UsageError(f"no lesson has a parameter '{strange[0]}': they know {', '.join(sorted(known))}.")


def _declared(path: Path) -> dict[str, Parameter]:
    return declared(read_code(nbformat.read(path, as_version=4)))


def _known(path: Path, given: Mapping[str, str]) -> dict[str, object]:
    parameters = _declared(path)
    return {name: parse(parameters[name], text) for name, text in given.items() if name in parameters}


def _note(row: Mapping[str, str]) -> str:
    settings = f" with {row['parameters']}" if row["parameters"] else ""
    tried = re.search(r"\bpreset\b\W+smoke\b", row["parameters"])
    warning = (
        " At smoke, networks are trained for seconds: the pictures only show that the lesson runs, and contradict its "
        "text. Kept results are on the page about the evidence."
    )
    return f"Executed{settings} on {row['device']}, {row['started'][:10]}.{warning if tried else ''}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course.book", description="Build the book of the course.")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", help="a folder of lessons")
    parser.add_argument("--preset", default="quick", help="smoke, quick or class")
    parser.add_argument(
        "-p", dest="parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a parameter for every lesson that has it",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, help="how many lessons run at a time")
    parser.add_argument("--out", type=Path, help="output folder (default: book/ in the work folder)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
