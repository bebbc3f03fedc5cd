"""Who handed in what, however the folder looks."""

from pathlib import Path

import pytest

from course.grading.submissions import MOST_FILES, find_submissions, printable
from transferkit.errors import UsageError


def found(folder: Path, lesson: str = "04") -> dict[str, str]:
    return {one.student: one.path.name if one.path else "" for one in find_submissions(folder, lesson)}


def hand_in(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_a_file_per_student_a_folder_per_student_and_the_layout_of_nbgrader(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada.ipynb", "ben/04_chop.ipynb", "cy/lesson04/chop.ipynb", "cy/lesson05/chop.ipynb", "notes.txt")
    (tmp_path / "dee").mkdir()
    assert found(tmp_path) == {"ada": "ada.ipynb", "ben": "04_chop.ipynb", "cy": "chop.ipynb", "dee": ""}


def test_the_lessons_number_chooses_among_several(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/04_chop.ipynb", "ada/05_figure2.ipynb", "ada/104.ipynb", "ada/.ipynb_checkpoints/04.ipynb")
    assert found(tmp_path) == {"ada": "04_chop.ipynb"}
    assert found(tmp_path, "05") == {"ada": "05_figure2.ipynb"}


def test_where_nothing_chooses_each_has_its_row(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/one.ipynb", "ada/two.ipynb")
    assert found(tmp_path) == {"ada/one.ipynb": "one.ipynb", "ada/two.ipynb": "two.ipynb"}


def test_two_of_the_same_name_get_distinct_names(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada.ipynb", "ada/04.ipynb")
    assert found(tmp_path) == {"ada.ipynb": "ada.ipynb", "ada/04.ipynb": "04.ipynb"}


def test_links_to_folders_and_folders_without_end_are_not_followed(tmp_path: Path) -> None:
    hand_in(tmp_path, "class/ada/04.ipynb", "other/04.ipynb", "class/deep/a/b/c/d/04.ipynb")
    (tmp_path / "class" / "link").symlink_to(tmp_path / "other")
    (tmp_path / "class" / "ada" / "link").symlink_to(tmp_path / "other")
    hand_in(tmp_path, *(f"class/many/{index:05}.txt" for index in range(MOST_FILES)), "class/many/99999.ipynb")
    assert found(tmp_path / "class") == {"ada": "04.ipynb", "deep": "", "many": ""}


def test_names_are_printable_whatever_they_are(tmp_path: Path) -> None:
    hand_in(tmp_path, "a\nb\u202e.ipynb")
    assert list(found(tmp_path)) == ["a\\x0ab\\x202e"]
    assert printable("Zoë Łuk 王") == "Zoë Łuk 王"


def test_no_folder_and_nothing_in_it_is_wrong_usage(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="give the folder that holds the submitted notebooks"):
            find_submissions(folder, "04")
