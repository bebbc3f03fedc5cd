"""What a fresh clone takes is measured on what is committed, and kept once per kind of machine."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.fresh_clone import measure, replace_row
from course.book.tables import fresh_clone_rows

MAKEFILE = """
.venv/installed:
\tmkdir .venv && printf 12345 > .venv/package
figures:
\tmkdir -p work/figures/photos && printf 'run,top1\\nbaseA,.5\\nbaseB,.6\\n' > work/figures/photos/grid.csv
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    committing = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "as it is"]
    for arguments in (["add", "Makefile"], committing):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def test_installing_and_figures_are_measured_in_a_clone(repository: Path, tmp_path: Path) -> None:
    (repository / "work").mkdir()  # not committed: the clone must not see it
    taken = measure(repository, tmp_path / "clone")
    assert taken["venv_bytes"] == 5
    assert taken["networks"] == 2
    assert taken["work_bytes"] == len("run,top1\nbaseA,.5\nbaseB,.6\n")
    assert 0 <= taken["install_seconds"] < 60 > taken["figures_seconds"]


def test_a_target_that_fails_is_not_measured(repository: Path, tmp_path: Path) -> None:
    (repository / "Makefile").write_text("figures:\n\tfalse\n")
    commit(repository)
    with pytest.raises(subprocess.CalledProcessError):
        measure(repository, tmp_path / "clone")


def test_a_machine_has_one_row() -> None:
    def row(precision: str, date: str) -> dict[str, object]:
        machine = {"date": date, "device": "a chip", "precision": precision, "cores": 2, "python": "3", "torch": "2"}
        taken = {"install_seconds": 65, "venv_bytes": 5.8e9, "figures_seconds": 600, "work_bytes": 2.6e8}
        return machine | taken | {"networks": 72}

    rows = pd.DataFrame()
    for precision, date in (("float32", "1 May"), ("bfloat16", "2 May"), ("float32", "3 May")):
        rows = replace_row(rows, row(precision, date))
    assert rows["date"].tolist() == ["2 May", "3 May"]
    assert fresh_clone_rows(rows).splitlines()[-1] == (
        "| 2 cores of a chip, float32, Python 3, torch 2, 3 May | 1 min 5 s, 5.8 GB | "
        "10 min 0 s for 72 networks, 260 MB in `work/` |"
    )
