"""Every process of a user finds the same work folder, wherever it runs."""

from pathlib import Path

import pytest

from transferkit.disk.prepared import find_work_folder
from transferkit.errors import UsageError


@pytest.mark.parametrize("named", ["work", "./work", "../shared work", "a/b", ".", " "])
def test_a_relative_work_folder_is_refused_with_the_whole_path_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRANSFERKIT_WORK", named)
    with pytest.raises(UsageError, match=r"every notebook would seek beside itself: write the whole path") as refusal:
        find_work_folder()
    assert f"TRANSFERKIT_WORK is '{named}'" in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_a_whole_path_and_one_from_home_are_the_same_folder_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for named in (str(tmp_path / "mine"), "~/mine"):
        monkeypatch.setenv("TRANSFERKIT_WORK", named)
        for place in (tmp_path, Path("/")):
            monkeypatch.chdir(place)
            assert find_work_folder() == tmp_path / "mine"
