"""How long the tests take: the slowest ones as a table, and the files that are quick enough for `make check`.

make test                       # writes work/tests.xml
python -m benchmarks.suite      # reads it; rewrites suite.csv, slowest.csv and the table in contributing.md
python -m benchmarks.suite --quick    # prints the test files for `make check`
"""

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd

from course.book.markers import fill
from transferkit.disk import atomic
from transferkit.errors import UsageError

ROOT = Path(__file__).parents[1]
FILES = Path(__file__).parent / "results" / "suite.csv"
SLOW = Path(__file__).parent / "results" / "slowest.csv"
PAGE = ROOT / "course" / "contributing.md"
SLOWEST = 20
BUDGET = 12.0  # worker-seconds of the tests in `make check`; to collect them takes longer than to run them


def read_seconds(report: Path) -> pd.DataFrame:
    """The tests of a report in JUnit's format, slowest first: file, test and seconds, set-up included."""
    if not report.exists():
        raise UsageError(f"there is no report {report}: run 'make test' first, which writes it.")
    cases = ET.parse(report).getroot().iter("testcase")
    rows = [
        (f"{case.attrib['classname'].replace('.', '/')}.py", case.attrib["name"], round(float(case.attrib["time"]), 2))
        for case in cases
    ]
    table = pd.DataFrame(rows, columns=["file", "test", "seconds"])
    return table.sort_values(["seconds", "file", "test"], ascending=[False, True, True], ignore_index=True)


def by_file(seconds: pd.DataFrame) -> pd.DataFrame:
    """How many tests each file has, and how many seconds they take."""
    return seconds.groupby("file", as_index=False).agg(tests=("test", "size"), seconds=("seconds", "sum")).round(2)


def slowest_rows(slowest: pd.DataFrame, files: pd.DataFrame) -> str:
    """The slowest tests, and all together."""
    lines = ["| test | file | seconds |", "|---|---|---|"]
    for test, file, spent in slowest[["test", "file", "seconds"]].to_numpy().tolist():
        name = test.split("[")[0].removeprefix("test_").replace("_", " ")
        lines += [f"| {name} | {file} | {spent:.1f} |"]
    total = f"{files['tests'].sum():,} tests, {files['seconds'].sum() / 60:.1f} minutes of one worker"
    return "\n".join([*lines, "", f"All together: {total}."])


def quick_files(files: pd.DataFrame, budget: float = BUDGET) -> list[str]:
    """The test files with the most tests a second whose seconds fit into the budget, by name."""
    ordered = files.assign(each=files["seconds"] / files["tests"]).sort_values("each")
    return sorted(ordered.loc[ordered["seconds"].cumsum() <= budget, "file"])


def main() -> None:
    """Write the table from the last report, or print the quick files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="print the test files for make check")
    parser.add_argument("--report", type=Path, default=ROOT / "work" / "tests.xml", help="what pytest wrote")
    chosen = parser.parse_args()
    if chosen.quick:
        there = [name for name in quick_files(pd.read_csv(FILES)) if (ROOT / name).exists()]
        sys.stdout.write("\n".join([*there, ""]))
        return
    seconds = read_seconds(chosen.report)
    slowest, files = seconds.head(SLOWEST), by_file(seconds)
    atomic.write_bytes(SLOW, slowest.to_csv(index=False).encode())
    atomic.write_bytes(FILES, files.to_csv(index=False).encode())
    page = fill(PAGE.read_text(encoding="utf-8"), {"suite": slowest_rows(slowest, files)})
    atomic.write_bytes(PAGE, page.encode())


if __name__ == "__main__":
    main()
