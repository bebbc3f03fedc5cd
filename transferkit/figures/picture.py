"""A picture: a figure with its alternative text; and the page it is drawn on, with title, legend and notes."""

import io
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from transferkit.disk import atomic
from transferkit.errors import UsageError
from transferkit.figures.style import INK, LEGEND, QUIET, SMALL_SIZE, TITLE_SIZE

DPI = 200
LARGE = 1_000_000  # bytes: only a sheet of photographs is larger without loss
METADATA = {"png": "Description", "svg": "Description", "pdf": "Subject"}  # what holds the alternative text
DATED = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}  # what would differ between two equal pictures
PAGE_WIDTH = 7.0  # inches
LEFT = 0.012  # of the page's width
NOTE_WIDTH = 104  # characters
LINE = 0.16  # inches: the height of a line of notes or of the legend


def page(
    height: float, title: str, notes: Sequence[str], entries: Sequence[Any] = (), *, rows: int = 1,
    compress: bool = False,
) -> Figure:  # fmt: skip
    """An empty page, PAGE_WIDTH x `height` inches, whose subplots keep clear of the title, the legend and the notes.

    The legend's entries, labelled artists, stand in `rows`; `compress` moves panels of a fixed aspect together. An
    empty note takes no line.
    """
    figure = Figure(figsize=(PAGE_WIDTH, height), dpi=DPI, facecolor="white")
    figure.suptitle(title, x=LEFT, y=1 - 0.08 / height, ha="left", va="top", fontsize=TITLE_SIZE, color=INK)
    if entries:
        figure.legend(
            handles=list(entries), loc="upper left", bbox_to_anchor=(0.006, 1 - 0.34 / height),
            ncols=-(-len(entries) // rows), handlelength=2.3, handleheight=1.0, columnspacing=1.8, borderaxespad=0,
            **LEGEND,
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


@dataclass(frozen=True)
class Png:
    """A PNG with its alternative text, `width` CSS pixels wide, which shows itself in every front end of Jupyter.

    JupyterLab and nbconvert take the HTML, since only there the `<img>` keeps its alternative text. What keeps pictures
    as files (the batch, the book) takes the PNG, whose metadata hold it.
    """

    png: bytes
    alt: str
    width: int = 800

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        source = f"data:image/webp;base64,{b64encode(_to_webp(self.png)).decode()}"
        html = f'<img src="{source}" alt="{escape(self.alt)}" width="{self.width}" style="max-width:100%;height:auto">'
        bundle = {"image/png": b64encode(self.png).decode(), "text/html": html, "text/plain": self.alt}
        return bundle, {"image/png": {"alt": self.alt, "width": self.width}}


@dataclass(frozen=True)
class Picture:
    """A figure with its alternative text. It shows itself in a notebook, `width` CSS pixels wide.

    >>> tk.figure2(table).figure.get_suptitle()
    'How transferable are the features?'
    """

    figure: Figure
    alt: str
    width: int = 800

    def png(self) -> Png:
        """The picture as a PNG at DPI; the same figure gives the same bytes. Its metadata hold title and text."""
        return Png(self._file("png"), self.alt, self.width)

    def save(self, path: Path | str) -> Path:
        """Write the picture as PNG, SVG or PDF, by the ending of `path`, whole or not at all; return the path.

        Raises UsageError for another ending, and StoreError when `path` cannot be written.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in METADATA:
            raise UsageError(f"'{path.name}' cannot be written: let the name end in .png, .svg or .pdf.")
        atomic.write_bytes(path, self._file(kind))
        return path

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        return self.png()._repr_mimebundle_()

    def _file(self, kind: str) -> bytes:
        _settle(self.figure)
        buffer = io.BytesIO()
        metadata = {"Title": self.figure.get_suptitle() or "conv1", METADATA[kind]: self.alt, DATED[kind]: None}
        with rc_context({"svg.hashsalt": "transferkit"}):
            self.figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
        return buffer.getvalue()


def _to_webp(png: bytes) -> bytes:
    """The same pixels in a third of the bytes, so that a notebook that holds both is not twice as large."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.save(buffer := io.BytesIO(), "WEBP", lossless=True, method=2)
        if len(buffer.getvalue()) > LARGE:
            picture.save(buffer := io.BytesIO(), "WEBP", quality=90)
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Lay the figure out for good: the layout's solver differs by rounding from call to call, and so would pixels."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        ax.set_position(Bbox(ax.get_position(original=True).get_points().round(6)))


def _wrapped(notes: Sequence[str]) -> str:
    return "\n".join(line for note in notes for line in textwrap.wrap(note, NOTE_WIDTH))
