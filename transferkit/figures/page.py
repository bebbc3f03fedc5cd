"""A page for a figure: title and legend at its top, notes at its bottom, room between them; and its way to a file."""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from transferkit import atomic
from transferkit.figures.style import INK, QUIET, SMALL_SIZE, TITLE_SIZE

DPI = 200
PAGE_WIDTH = 7.0  # inches
LEFT = 0.012  # of the page's width
NOTE_WIDTH = 104  # characters
LINE = 0.16  # inches: the height of a line of notes or of the legend


def page(
    height: float, title: str, notes: Sequence[str], entries: Sequence[Any] = (), *, rows: int = 1,
    compress: bool = False,
) -> Figure:  # fmt: skip
    """An empty page, PAGE_WIDTH x `height` inches, whose subplots keep clear of the title, the legend and the notes.

    The legend's entries, labelled artists, stand in `rows`; `compress` moves panels of a fixed aspect together.
    """
    figure = Figure(figsize=(PAGE_WIDTH, height), dpi=DPI, facecolor="white")
    figure.suptitle(title, x=LEFT, y=1 - 0.08 / height, ha="left", va="top", fontsize=TITLE_SIZE, color=INK)
    if entries:
        figure.legend(
            handles=list(entries), loc="upper left", bbox_to_anchor=(0.006, 1 - 0.34 / height),
            ncols=-(-len(entries) // rows), fontsize=SMALL_SIZE, labelcolor=INK, frameon=False, handlelength=2.3,
            handleheight=1.0, columnspacing=1.8, borderaxespad=0,
        )  # fmt: skip
    figure.text(LEFT, 0.06 / height, _wrapped(notes), va="bottom", fontsize=SMALL_SIZE, color=QUIET)
    above, below = head(entries, rows), foot(notes)
    layout: Literal["compressed", "constrained"] = "compressed" if compress else "constrained"
    figure.set_layout_engine(layout, rect=(0, below / height, 1, 1 - (above + below) / height))
    return figure


def head(entries: Sequence[Artist] = (), rows: int = 1) -> float:
    """Inches that the title and the legend take."""
    return 0.5 + LINE * rows if entries else 0.4


def foot(notes: Sequence[str]) -> float:
    """Inches that the notes take."""
    return 0.12 + LINE * len(_wrapped(notes).splitlines())


def to_png(figure: Figure, alt: str) -> bytes:
    """The figure as a PNG at DPI; the same figure gives the same bytes.

    `alt` and the figure's title stand in the file as "Description" and "Title".
    """
    _settle(figure)
    buffer = io.BytesIO()
    metadata = {"Title": figure.get_suptitle() or "conv1", "Description": alt, "Software": None}
    figure.savefig(buffer, format="png", dpi=DPI, metadata=metadata)
    return buffer.getvalue()


def save(figure: Figure, path: Path, alt: str) -> None:
    """Write the figure as PNG, whole or not at all. Raises StoreError when `path` cannot be written."""
    atomic.write_bytes(path, to_png(figure, alt))


def _settle(figure: Figure) -> None:
    """Lay the figure out for good: the layout's solver differs by rounding from call to call, and so would pixels."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        ax.set_position(Bbox(ax.get_position(original=True).get_points().round(6)))


def _wrapped(notes: Sequence[str]) -> str:
    return "\n".join(line for note in notes for line in textwrap.wrap(note, NOTE_WIDTH))
