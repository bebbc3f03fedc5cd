"""A page for a figure: the title and a legend at its top, notes at its bottom, room for panels between them."""

import textwrap
from collections.abc import Sequence
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from transferkit.figures.compose import DPI, PAGE_WIDTH
from transferkit.figures.style import INK, QUIET, SMALL_SIZE, TITLE_SIZE

LEFT = 0.012  # of the page's width
NOTE_WIDTH = 104  # characters
LINE = 0.16  # inches: the height of a line of notes


def page(
    height: float, title: str, notes: Sequence[str], entries: Sequence[Artist] = (), *, compress: bool = False
) -> Figure:
    """An empty page, PAGE_WIDTH x `height` inches, whose subplots keep clear of the title, the legend and the notes.

    `compress` moves panels of a fixed aspect together.
    """
    figure = Figure(figsize=(PAGE_WIDTH, height), dpi=DPI, facecolor="white")
    figure.suptitle(title, x=LEFT, y=1 - 0.08 / height, ha="left", va="top", fontsize=TITLE_SIZE, color=INK)
    if entries:
        figure.legend(
            handles=list(entries), loc="upper left", bbox_to_anchor=(0.006, 1 - 0.34 / height), ncols=len(entries),
            fontsize=SMALL_SIZE, frameon=False, handlelength=1.9, handleheight=1.0, columnspacing=2, borderaxespad=0,
        )  # fmt: skip
    figure.text(LEFT, 0.06 / height, _wrapped(notes), va="bottom", fontsize=SMALL_SIZE, color=QUIET)
    above, below = head(entries), foot(notes)
    layout: Literal["compressed", "constrained"] = "compressed" if compress else "constrained"
    figure.set_layout_engine(layout, rect=(0, below / height, 1, 1 - (above + below) / height))
    return figure


def head(entries: Sequence[Artist] = ()) -> float:
    """Inches that the title and the legend take."""
    return 0.66 if entries else 0.4


def foot(notes: Sequence[str]) -> float:
    """Inches that the notes take."""
    return 0.12 + LINE * len(_wrapped(notes).splitlines())


def _wrapped(notes: Sequence[str]) -> str:
    return "\n".join(line for note in notes for line in textwrap.wrap(note, NOTE_WIDTH))
