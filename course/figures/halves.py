"""The two halves of a split, side by side: some of their classes, with a few images of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from transferkit.figures.picture import PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import INK, SMALL_SIZE, label
from transferkit.figures.words import listed

_COLUMNS, _GAP, _NAME = 2, 10, 13  # classes side by side; pixels of an image between them, and for a name


@dataclass(frozen=True)
class HalfSheet:
    """A half: its name, a line about it, and some classes with images, uint8 classes x views x 3 x H x W."""

    name: str
    counts: str
    classes: tuple[str, ...]
    images: np.ndarray


def halves(sheets: Sequence[HalfSheet], title: str) -> Picture:
    """Half A and half B side by side; every class is a row of images under its name."""
    notes = ["A few classes of each half, a few training images of each; classes in the order of the data set."]
    montages = [_montage(sheet.images) for sheet in sheets]
    tall = max(len(montage) for montage in montages)
    inches = PAGE_WIDTH / sum(montage.shape[1] + 2 * _GAP for montage in montages)
    figure = page(head() + foot(notes) + tall * inches + 0.35, title, notes)
    panels = figure.subplots(1, len(sheets), gridspec_kw={"wspace": 0.06})
    for ax, sheet, montage in zip(panels, sheets, montages, strict=True):
        ax.imshow(montage, interpolation="nearest")
        ax.set_axis_off()
        label(ax, title=f"half {sheet.name}: {sheet.counts}")
        _name_classes(ax, sheet)
    sentences = (f"Half {sheet.name}: {sheet.counts}, among them {listed(sheet.classes)}." for sheet in sheets)
    return Picture(figure, f"{title}: images of some classes of each half. {' '.join(sentences)}")


def _montage(images: np.ndarray) -> np.ndarray:
    """All classes in _COLUMNS columns on white, H x W x 3, with room for a name above each."""
    count, views, _, height, width = images.shape
    wide, high = views * width + _GAP, height + _NAME
    sheet = np.full((-(-count // _COLUMNS) * high, _COLUMNS * wide - _GAP, 3), 255, np.uint8)
    for place, row in enumerate(images):
        top, left = _corner(place, wide, high)
        sheet[top + _NAME : top + high, left : left + views * width] = np.hstack(row.transpose(0, 2, 3, 1))
    return sheet


def _corner(place: int, wide: int, high: int) -> tuple[int, int]:
    return place // _COLUMNS * high, place % _COLUMNS * wide


def _name_classes(ax: Axes, sheet: HalfSheet) -> None:
    _, views, _, height, width = sheet.images.shape
    for place, name in enumerate(sheet.classes):
        top, left = _corner(place, views * width + _GAP, height + _NAME)
        ax.text(left, top + _NAME - 2, name, fontsize=SMALL_SIZE - 2, color=INK, va="bottom")
