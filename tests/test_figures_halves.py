"""The halves of a split: every class shown stands under its name, with its own images."""

import numpy as np

from course.figures import HalfSheet, halves

IMAGES = np.random.default_rng(0).integers(0, 250, (5, 3, 3, 48, 48), dtype=np.uint8)
SHEETS = (
    HalfSheet("A", "3 man-made classes, 2 natural ones", ("axe", "bell", "cup", "dove", "elm"), IMAGES),
    HalfSheet("B", "1 man-made classes, 0 natural ones", ("fan",), IMAGES[:1, :2]),
)


def test_every_class_stands_under_its_name_with_its_images() -> None:
    for ax, sheet in zip(halves(SHEETS, "Two halves").figure.axes, SHEETS, strict=True):
        assert [text.get_text() for text in ax.texts] == list(sheet.classes)
        assert ax.get_title(loc="left") == f"half {sheet.name}: {sheet.counts}"
        montage = np.asarray(ax.images[0].get_array())
        for text, row in zip(ax.texts, sheet.images, strict=True):
            left, below = (int(number) for number in text.get_position())
            first = montage[below + 2 : below + 50, left : left + 48]
            assert (first == row[0].transpose(1, 2, 0)).all()


def test_the_alternative_text_names_both_halves_and_the_picture_is_the_same_twice() -> None:
    picture = halves(SHEETS, "Two halves")
    assert "Half A: 3 man-made classes, 2 natural ones, among them axe, bell, cup, dove and elm." in picture.alt
    assert "Half B: 1 man-made classes, 0 natural ones, among them fan." in picture.alt
    assert picture.png() == halves(SHEETS, "Two halves").png()
