"""Figure 1 of Yosinski et al. 2014: the treatments as a diagram drawn from the plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle

from transferkit.errors import UsageError
from transferkit.figures.picture import PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import INK, QUIET, SMALL_SIZE, STYLES, TEXT_SIZE
from transferkit.figures.words import listed
from transferkit.treatments import LAYERS, MADE, Run, Source, halves_of

_STEP, _WIDE, _TALL = 1.0, 0.84, 0.5  # of a column: from layer to layer, and the size of its rectangle
_ROW = 0.82  # from row to row; _GROUP more before a base and before random filters
_GROUP = 0.42
_ABOVE, _BELOW = 0.37, 0.22  # for the layers' names, and below the last row
_INSET = 0.1  # of a row: above its rectangles
_HATCH = "#8a8a8a"
_LEFT, _RIGHT = 1.75, 3.2  # columns for names and arrows, and for what a row is


_LOOKS: dict[Source, dict[str, Any]] = {  # layers trained on a half, told apart in colour and in grey
    "A": {"label": "trained on half A", "facecolor": "#f6b98c"},
    "B": {"label": "trained on half B", "facecolor": "#9ecae9", "hatch": "///"},
    "T": {"label": "trained on all classes", "facecolor": "#9ecae9", "hatch": "///"},
    "P": {"label": "given weights", "facecolor": "#bfe7db", "hatch": "--"},
    "R": {"label": "random, untrained", "facecolor": "#f2f2f2", "hatch": "..."},
}
_MADE: dict[str, Any] = {"label": "made without training", "facecolor": "#cfe8cf", "hatch": "xx"}


@dataclass(frozen=True)
class Layer:
    """One rectangle: the data its weights were trained on, in order, and whether it is copied and frozen."""

    name: str
    data: tuple[Source, ...]
    copied: bool
    frozen: bool


def layers_of(run: Run) -> tuple[Layer, ...]:
    """The eight layers of a network, from conv1 up."""
    below = [Layer(name, (run.source or run.target, run.target)[: 1 + run.finetune], True, not run.finetune)
             for name in LAYERS[: run.n]]  # fmt: skip
    return (*below, *(Layer(name, (run.target,), False, False) for name in LAYERS[run.n :]))


def figure1(runs: Sequence[Run], title: str = "What is copied, frozen and trained") -> Picture:
    """Figure 1: one row per run, below the base it copies from; a rectangle per layer, a lock where it is frozen.

    `runs` are of one split and seed, for instance `plan("random0", [0], ["B3B", "B3B+", "A3B", "A3B+", "R3B"])`.
    Raises UsageError when there is none, or when they are of several splits or seeds.

    >>> tk.figure1(tk.plan("random0", seeds=[0], labels=["A3B", "R3B"])).figure.get_suptitle()
    'What is copied, frozen and trained'
    """
    rows = _arrange(runs)
    notes = (
        "One rectangle per layer, lettered by the half its weights were trained on; two letters: on one, then on the "
        "other. Lock: frozen. Arrows: copied weights; what is not copied starts from new random weights.",
    )
    heights = _heights(rows)
    used = {source for run in rows for layer in layers_of(run) for source in layer.data}
    looks = [*(look for source, look in _LOOKS.items() if source in used), *[_MADE] * bool(used & {*MADE})]
    entries = [Patch(edgecolor=_HATCH, linewidth=0.6, **look) for look in looks]
    columns = _LEFT + len(LAYERS) * _STEP + _RIGHT
    inches = PAGE_WIDTH / columns
    lowest = heights[-1] + _INSET + _TALL + _BELOW
    tall = lowest + _ABOVE
    figure = page(head(entries) + foot(notes) + tall * inches, title, notes, entries)
    figure.set_layout_engine("none")
    page_height = figure.get_figheight()
    ax = figure.add_axes((0, foot(notes) / page_height, 1, tall * inches / page_height))
    ax.set(xlim=(-_LEFT, columns - _LEFT), ylim=(lowest, -_ABOVE))
    ax.set_axis_off()
    for index, name in enumerate(LAYERS):
        ax.text(index + _WIDE / 2, -0.06, name, ha="center", va="bottom", fontsize=SMALL_SIZE, color=INK)
    for run, height in zip(rows, heights, strict=True):
        _draw_row(ax, run, height + _INSET)
    _draw_copies(ax, rows, heights)
    return Picture(figure, " ".join(["A row of eight layers per network.", *map(_in_words, rows)]))


def _in_words(run: Run) -> str:
    if run.source is None:
        return f"{run.label}: all layers trained on half {run.target}."
    copied = "conv1" if run.n == 1 else f"conv1 to {LAYERS[run.n - 1]}"
    origin = {"R": "random, untrained", "P": "given"}.get(str(run.source), f"copied from base{run.source}")
    if run.source in MADE:
        origin = f"of {MADE[run.source]}"
    fate = "trained on with the rest" if run.finetune else "frozen"
    return f"{run.label}: {copied} {origin} and {fate}; the layers above trained on half {run.target}."


def _arrange(runs: Sequence[Run]) -> list[Run]:
    """Each base followed by its copies, in the order given; random filters last."""
    if not runs:
        raise UsageError("there is no network to draw: give at least one run, for instance those of `plan`.")
    if len({(run.split, run.seed) for run in runs}) > 1:
        splits = listed(sorted({f"{run.split} seed {run.seed}" for run in runs}))
        raise UsageError(f"the runs are of {splits}: a diagram shows one split and seed, choose one.")
    order: dict[Source, int] = {
        source: place for place, source in enumerate(dict.fromkeys(run.source or run.target for run in runs))
    }
    order |= dict.fromkeys([*MADE, "P", "R"], len(order) + 1)
    return sorted(runs, key=lambda run: (order[run.source or run.target], run.source is not None))


def _heights(rows: Sequence[Run]) -> list[float]:
    heights: list[float] = []
    halves = halves_of(rows[0].split)
    for index, run in enumerate(rows):
        apart = run.source is None or (run.source not in halves and rows[index - 1].source in (None, *halves))
        heights.append(heights[-1] + _ROW + _GROUP * apart if heights else 0.0)
    return heights


def _draw_row(ax: Axes, run: Run, top: float) -> None:
    middle = top + _TALL / 2
    ax.text(-_LEFT + 0.1, middle, run.label, va="center", fontsize=TEXT_SIZE, color=INK, weight="bold")
    for index, layer in enumerate(layers_of(run)):
        _draw_layer(ax, layer, index * _STEP, top)
    label = f"{run.treatment}: {STYLES[run.treatment].meaning}"
    ax.text(len(LAYERS) + 0.1, middle - 0.14, label, va="center", fontsize=SMALL_SIZE, color=INK)
    trained = f"trained and tested on half {run.target}"
    ax.text(len(LAYERS) + 0.1, middle + 0.17, trained, va="center", fontsize=SMALL_SIZE - 0.5, color=QUIET)


def _draw_layer(ax: Axes, layer: Layer, left: float, top: float) -> None:
    share = _WIDE / len(layer.data)
    for place, source in enumerate(layer.data):
        corner = (left + place * share, top)
        ax.add_patch(Rectangle(corner, share, _TALL, edgecolor=_HATCH, linewidth=0, **_LOOKS.get(source, _MADE)))
    ax.add_patch(Rectangle((left, top), _WIDE, _TALL, fill=False, edgecolor=INK, linewidth=0.9, gid=layer.name))
    middle = (left + _WIDE * (0.32 if layer.frozen else 0.5), top + _TALL / 2)
    paper = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0}
    ax.text(*middle, ", ".join(layer.data), ha="center", va="center", fontsize=SMALL_SIZE, color=INK, bbox=paper)
    if layer.frozen:
        _draw_padlock(ax, (left + 0.7 * _WIDE, top + _TALL / 2), 0.3)


def _draw_copies(ax: Axes, rows: Sequence[Run], heights: Sequence[float]) -> None:
    """From below the copied layers of each base, an arrow into each network that copies them."""
    places = dict(zip(rows, heights, strict=True))
    for base in [run for run in rows if run.source is None]:
        copies = [run for run in rows if run.source_base == base and run.source not in MADE]
        if not copies:
            continue
        below = places[base] + _INSET + _TALL + 0.13
        lane = -0.42
        deepest = max(places[run] for run in copies) + _INSET + _TALL / 2
        most = max(run.n for run in copies)
        reach = most - 1 + _WIDE
        line: dict[str, Any] = {"color": INK, "linewidth": 1.0, "solid_capstyle": "butt"}
        ax.plot([0, 0, reach, reach], [below - 0.08, below, below, below - 0.08], **line)
        ax.plot([0, lane, lane], [below, below, deepest], **line)
        for run in copies:
            middle = places[run] + _INSET + _TALL / 2
            arrow = FancyArrowPatch(
                (lane, middle), (-0.02, middle), arrowstyle="-|>", mutation_scale=9, color=INK, linewidth=1.0,
                shrinkA=0, shrinkB=0, gid=f"{base.label} to {run.label}",
            )  # fmt: skip
            ax.add_patch(arrow)


def _draw_padlock(ax: Axes, middle: tuple[float, float], size: float) -> None:
    """Draw a closed padlock, `size` high, around `middle`; both in data units of an Axes with y downwards."""
    (x, y), radius, top = middle, 0.24 * size, middle[1] - 0.02 * size
    body = (x - 0.36 * size, top), 0.72 * size, 0.52 * size
    ax.add_patch(Rectangle(*body, facecolor=INK, edgecolor=INK, linewidth=0.6, zorder=4, gid="lock"))
    angle = np.linspace(np.pi, 0, 24)
    arc = zip(x + radius * np.cos(angle), y - radius * (1 + np.sin(angle)), strict=True)
    ax.plot(*zip((x - radius, top), *arc, (x + radius, top), strict=True), color=INK, linewidth=1.3, zorder=4)
