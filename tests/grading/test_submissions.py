"""Who handed in what, however the folder looks."""

import os
from pathlib import Path

import pytest

from course.grading.submissions import MOST_FILES, find_submissions, printable
from transferkit.errors import UsageError


def found(folder: Path, lesson: str = "04") -> dict[str, str]:
    """By student, the name of the file that is read, or else why none is."""
    submissions = find_submissions(folder, lesson).submissions
    return {one.student: one.path.name if one.path else one.why for one in submissions}


def notes(folder: Path) -> dict[str, str]:
    return {one.student: one.note for one in find_submissions(folder, "04").submissions}


def hand_in(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_a_file_per_student_a_folder_per_student_and_the_layout_of_nbgrader(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada.ipynb", "ben/04_chop.ipynb", "cy/lesson04/chop.ipynb", "cy/lesson05/chop.ipynb")
    (tmp_path / "dee").mkdir()
    assert found(tmp_path) == {"ada": "ada.ipynb", "ben": "04_chop.ipynb", "cy": "chop.ipynb", "dee": ""}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("ada.IPYNB", "ada"), ("ada.ipynb.json", "ada"), ("ada.b.Ipynb.TXT", "ada.b"), ("ada.json", "ada"),
        ("notes.txt", "notes"), ("grades.csv", "grades.csv"), ("ada", "ada"),
        (os.fsdecode(b"a\xff.ipynb"), "a\\xdcff"),
        ("ada.ipynb.pdf", "ada.ipynb.pdf"), (".ipynb", ""),
    ],
)  # fmt: skip
def test_every_file_is_read_as_somebodys(tmp_path: Path, name: str, student: str) -> None:
    hand_in(tmp_path, "zoe.ipynb", name)
    assert found(tmp_path) == {"zoe": "zoe.ipynb"} | ({student: name} if student else {})
    assert find_submissions(tmp_path, "04").aside == (() if student else (name,))


@pytest.mark.parametrize(
    ("name", "student", "why"),
    [
        ("ada.zip", "ada", "an archive: unpack it into a folder ada/"),
        ("ada.tar.GZ", "ada", "an archive: unpack it into a folder ada/"),
        ("ada.py", "ada", "a Python file: ask for the notebook"),
        ("ada/04.zip", "ada", "no notebook, but 04.zip"),
        ("ada/a/b/c/d/04.ipynb", "ada", "no notebook, but a/b/c/d/, which lies too deep"),
        ("ada/a/notes.md", "ada", "no notebook, but a/notes.md"),
    ],
)
def test_what_cannot_be_a_notebook_has_a_row_with_the_reason(tmp_path: Path, name: str, student: str, why: str) -> None:
    hand_in(tmp_path, name)
    assert why in found(tmp_path)[student]


def test_the_lessons_number_chooses_among_several_and_the_others_are_named(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/04_chop.ipynb", "ada/05_figure2.ipynb", "ada/104.ipynb", "ada/.ipynb_checkpoints/04.ipynb")
    assert found(tmp_path) == {"ada": "04_chop.ipynb"}
    assert notes(tmp_path) == {"ada": "not looked at: 05_figure2.ipynb, 104.ipynb."}
    assert found(tmp_path, "05") == {"ada": "05_figure2.ipynb"}


def test_where_nothing_chooses_each_has_its_row_and_is_called_one_of_several(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/one.ipynb", "ada/two.ipynb.txt")
    assert found(tmp_path) == {"ada/one.ipynb": "one.ipynb", "ada/two.ipynb.txt": "two.ipynb.txt"}
    assert set(notes(tmp_path).values()) == {"one of 2 submissions of ada: decide which counts."}


@pytest.mark.parametrize("pair", [("ada.ipynb", "ada/04.ipynb"), ("ada.ipynb", "Ada.IPYNB"), ("ada.ipynb", "ada.json")])
def test_two_submissions_of_one_student_are_called_so_under_distinct_names(
    tmp_path: Path, pair: tuple[str, str]
) -> None:
    hand_in(tmp_path, *pair, "ben.ipynb")
    assert found(tmp_path) == {one: Path(one).name for one in pair} | {"ben": "ben.ipynb"}
    assert {note.lower() for student, note in notes(tmp_path).items() if student != "ben"} == {
        "one of 2 submissions of ada: decide which counts."
    }


def test_three_of_one_student_however_they_lie(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada/one.ipynb", "ada/two.ipynb", "ada.zip")
    assert list(found(tmp_path)) == ["ada/one.ipynb", "ada/two.ipynb", "ada.zip"]
    assert set(notes(tmp_path).values()) == {"one of 3 submissions of ada: decide which counts."}


def test_names_that_look_the_same_are_numbered(tmp_path: Path) -> None:
    hand_in(tmp_path, "a\n.ipynb", "a\\x0a.ipynb")
    assert sorted(found(tmp_path)) == ["a\\x0a.ipynb", "a\\x0a.ipynb (2)"]


def test_links_and_folders_without_end_are_not_followed_and_are_told(tmp_path: Path) -> None:
    hand_in(tmp_path, "class/ada/04.ipynb", "other/04.ipynb", "class/deep/a/b/c/d/04.ipynb", "class/ben/notes.txt")
    for link in ("link", "ada/link", "ben/link", "file.ipynb"):
        (tmp_path / "class" / link).symlink_to(tmp_path / "other" / ("04.ipynb" if "." in link else ""))
    hand_in(tmp_path, *(f"class/many/{index:05}.txt" for index in range(MOST_FILES)), "class/many/99999.ipynb")
    told = found(tmp_path / "class")
    assert told.pop("many").startswith(f"the folder holds no notebook, but more than {MOST_FILES} files")
    assert told == {
        "ada": "04.ipynb",
        "ben": "the folder holds no notebook, but link, a link, notes.txt.",
        "deep": "the folder holds no notebook, but a/b/c/d/, which lies too deep.",
        "file": "it is a link.",
        "link": "it is a link.",
    }


def test_names_are_printable_whatever_they_are(tmp_path: Path) -> None:
    hand_in(tmp_path, "a\nb\u202e.ipynb")
    assert list(found(tmp_path)) == ["a\\x0ab\\x202e"]
    assert printable("Zoë Łuk 王") == "Zoë Łuk 王"


def test_what_systems_leave_behind_is_listed(tmp_path: Path) -> None:
    hand_in(tmp_path, "ada.ipynb", ".DS_Store", "Thumbs.db", "__MACOSX/x")
    assert find_submissions(tmp_path, "04").aside == (".DS_Store", "Thumbs.db", "__MACOSX")


def test_no_folder_and_nothing_in_it_is_wrong_usage(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="give the folder that holds the submitted notebooks"):
            find_submissions(folder, "04")
