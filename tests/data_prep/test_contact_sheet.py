"""Names on a contact sheet are never empty boxes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from data_prep import contact_sheet
from data_prep.contact_sheet import count_escaped, letter, write_contact_sheet
from transferkit.disk.prepared import IMAGES, LABELS, ClassInfo, Manifest


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without fonts of its own."""
    monkeypatch.setattr(contact_sheet, "_machines_fonts", tuple)


@pytest.mark.usefixtures("no_other_fonts")
@pytest.mark.parametrize(
    ("name", "written"),
    [("dog", "dog"), ("Пёс", "Пёс"), ("chien à poil", "chien à poil"), ("Σκύλος", "Σκύλος"),
     ("日本", "7: \\u65e5\\u672c"), ("cat 猫", "7: cat \\u732b"), ("🐕", "7: \\U0001f415")],
)  # fmt: skip
def test_a_name_is_written_in_a_font_that_has_its_letters_or_in_codes(name: str, written: str) -> None:
    lettering = letter(name, 13, "7: ")
    assert lettering.text == written
    assert lettering.escaped == (name != written)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8))
def test_no_letter_is_drawn_as_a_box(name: str) -> None:
    lettering = letter(name, 13)
    box = bytes(lettering.font.getmask("\U0010ffff"))
    assert all(bytes(lettering.font.getmask(one)) != box for one in lettering.text)
    assert lettering.text == (name.encode("ascii", "backslashreplace").decode() if lettering.escaped else name)


def sheet_of(folder: Path, names: list[str]) -> tuple[Manifest, np.ndarray]:
    """The contact sheet of one black image a class."""
    np.save(folder / IMAGES, np.zeros((len(names), 3, 8, 8), np.uint8))
    np.save(folder / LABELS, np.arange(len(names)))
    manifest = Manifest("mine", tuple(ClassInfo(name, False) for name in names), 8, (0, len(names)), (0, 0), "", "", {})
    write_contact_sheet(folder, manifest, folder / "sheet.png")
    return manifest, np.asarray(Image.open(folder / "sheet.png").convert("L"))


@pytest.mark.usefixtures("no_other_fonts")
def test_the_heading_says_that_names_stand_there_in_codes(tmp_path: Path) -> None:
    plain, sheet = sheet_of(tmp_path, ["dog", "Пёс"])
    coded, other = sheet_of(tmp_path, ["dog", "猫"])
    assert (count_escaped(plain), count_escaped(coded)) == (0, 1)
    heading = slice(contact_sheet.FRAME, contact_sheet.FRAME + contact_sheet.TITLE), slice(300, None)
    assert sheet[heading].min() == 255
    assert other[heading].min() < 128


def test_a_long_name_stays_above_its_own_images(tmp_path: Path) -> None:
    _, sheet = sheet_of(tmp_path, ["w" * 200, "b"])
    top = contact_sheet.FRAME + contact_sheet.TITLE
    block = contact_sheet.FRAME + contact_sheet.VIEWS * contact_sheet.TILE
    assert sheet[top : top + contact_sheet.NAME - 2, block + 2 : block + contact_sheet.GAP - 2].min() == 255
