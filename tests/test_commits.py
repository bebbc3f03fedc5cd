"""A change is measured on what is committed: each commit by its own code, in turns, every time from nothing."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.commits import measure

LIBRARY = """
import json, sys
from pathlib import Path
name = sys.argv[sys.argv.index("--runs") + 1]
preset = sys.argv[sys.argv.index("--preset") + 1]
assert Path("work/data/photos").exists()
folder = Path("work/runs/photos") / (name + "-random0-seed0")
folder.mkdir(parents=True)  # there must be none
with Path("calls").open("a") as calls:
    calls.write(preset + chr(10))
receipt = {"times": {"seconds": SPEED}, "log": [{"top1": SPEED / 100}], "device_name": "a chip",
           "setting": {"precision": "float32"}, "versions": {"torch": "2"}}
(folder / "receipt.json").write_text(json.dumps(receipt))
"""
DATA = "from pathlib import Path\nPath('work/data/photos').mkdir(parents=True)\n"


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of a library, which says that it takes 20 seconds and then 10."""
    folder = tmp_path / "repository"
    for package, main in (("data_prep", DATA), ("transferkit", LIBRARY)):
        (folder / package).mkdir(parents=True)
        (folder / package / "__main__.py").write_text(main)
    git(folder, "init", "--quiet")
    for speed in (20, 10):
        (folder / "transferkit" / "__main__.py").write_text(f"SPEED = {speed}\n{LIBRARY}")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", f"takes {speed}")
    return folder


def test_commits_take_turns_and_are_measured_by_their_own_code(repository: Path, tmp_path: Path) -> None:
    rows = measure(repository, ["HEAD~1", "HEAD"], "baseA", 2, tmp_path / "scratch")
    assert list(rows["seconds"]) == [20, 10, 20, 10]
    assert list(rows["turn"]) == [1, 1, 2, 2]
    assert list(rows["top1"]) == [0.2, 0.1, 0.2, 0.1]
    assert rows["commit"].nunique() == 2
    assert (tmp_path / "scratch" / "0" / "calls").read_text().split() == ["smoke", "quick", "quick"]


def test_what_is_no_commit_is_refused_before_anything_is_trained(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure(repository, ["HEAD", "neverwas"], "baseA", 1, tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()
