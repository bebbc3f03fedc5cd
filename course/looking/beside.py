"""The patches that units answer most, of several networks or of one on both halves, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course.looking.activations import favourites, sample_half
from course.looking.features import alike, canvas, draw_patch, rows_of, write
from course.looking.pictures import MOST_IMAGES, open_network
from transferkit.errors import UsageError
from transferkit.figures import Picture
from transferkit.figures.picture import PAGE_WIDTH
from transferkit.figures.words import listed
from transferkit.session import FIRST_SPLIT
from transferkit.training.machine import threads
from transferkit.training.study import Study
from transferkit.treatments import HALVES, Half, Run, parse_run

MOST_COLUMNS, MOST_ROWS = 3, 24
_LEFT, _TOP, _CELL, _CAPTION, _GAP, _BETWEEN = 0.6, 0.26, 0.46, 0.19, 0.04, 0.16  # inches


@dataclass(frozen=True)
class Column:
    """What one network answers to images of one half, uint8 N x 3 x H x H; `table` is of `activations.favourites`."""

    title: str
    network: str
    table: pd.DataFrame
    images: NDArray[np.uint8]


def beside(
    study: Study, shown: Sequence[Run | str | tuple[Run | str, Half]], layers: Sequence[str], units: int = 2,
    split: str = FIRST_SPLIT, seed: int = 0,
) -> Picture:  # fmt: skip
    """The patches that units of these layers answer most, a column for each of `shown`, `units` rows to a layer.

    A column is a run, on validation images of its own target half, or a pair of a run and a half; "untrained" is baseA
    before its training. Units are those whose answers vary most in the first column of a network, no two of them with
    one favourite class as long as there are others; its other columns show the same units. Raises
    UsageError for too many columns or rows and for an unknown layer or half.

    >>> course.beside(study, ["baseA", "baseB"], ["conv2", "fc7"]).alt[:36]
    'The images that units answer most. b'
    """
    if not (0 < len(shown) <= MOST_COLUMNS and 0 < len(layers) * units <= MOST_ROWS):
        raise UsageError(
            f"{len(shown)} columns of {len(layers) * units} rows do not fit on a page: name 1 to {MOST_COLUMNS} "
            f"networks, and layers of 1 to {MOST_ROWS} units in all."
        )
    pairs = [(one[0], one[1]) if isinstance(one, tuple) else (one, None) for one in shown]
    base = parse_run("baseA", split, seed)
    with threads(study.setting.threads):
        columns = [_column(study, run, half, base, layers) for run, half in pairs]
    return _draw(columns, layers, units)


def _column(study: Study, run: Run | str, half: Half | None, base: Run, layers: Sequence[str]) -> Column:
    name, run, network = open_network(study, run, base)
    half = run.target if half is None else half
    if half not in HALVES:
        raise UsageError(f"'{half}' is no half: choose {listed(HALVES)}.")
    sample = sample_half(study, run.split, half, MOST_IMAGES)
    infos, indices = study.prepared.manifest.classes, study.prepared.split(run.split).classes(half)
    kinds = np.array([infos[index].name for index in indices])
    table = favourites(network, sample.images, layers)
    table = table.assign(kind=kinds[sample.labels.numpy()[table["image"]]])
    return Column(f"{name}, images of half {half}", name, table, sample.images.numpy())


def _draw(columns: Sequence[Column], layers: Sequence[str], units: int) -> Picture:
    width, row = (PAGE_WIDTH - _LEFT) / len(columns), _CELL + _CAPTION
    height = _TOP + len(layers) * (units * row + _BETWEEN)
    notes = [
        "A row: the validation images that one unit answers most, best first, cut to what it sees. Shown are the units "
        "whose answers vary most, each with another favourite class.",
        "Of a unit's eight best images, this many are of one class, on average over all units of the layer:",
        *(f"{column.title}: {alike(column.table)}." for column in columns),
    ]
    figure, ax = canvas(height, "What units answer most", notes)
    tops = _TOP + np.arange(len(layers)) * (units * row + _BETWEEN)
    for layer, top in zip(layers, tops, strict=True):
        write(ax, (0.1, top + _CELL / 2), layer, bold=True)
    words, chosen = [], dict[tuple[str, str], list[int]]()
    for left, column in zip(_LEFT + width * np.arange(len(columns)), columns, strict=True):
        write(ax, (left, 0.06), column.title, bold=True)
        for layer, top in zip(layers, tops, strict=True):
            own = column.table[column.table["layer"] == layer]
            key = column.network, layer
            chosen[key] = chosen.get(key) or liveliest(own, units)
            rows = rows_of(own, chosen[key], units)
            said = [
                _draw_row(ax, one, column.images, (left, top + place * row), width) for place, one in enumerate(rows)
            ]
            words.append(f"{column.title}, {layer}: {'; '.join(said)}.")
    return Picture(figure, " ".join(["The images that units answer most.", *words, *notes[1:]]))


def liveliest(layer: pd.DataFrame, count: int) -> list[int]:
    """The `count` units of a layer whose answers vary most, one for each favourite class before any second ones.

    layer: the rows of `activations.favourites` of one layer, with the `kind` of each image.
    """
    units = layer.groupby("unit").agg(spread=("spread", "first"), kind=("kind", lambda kinds: kinds.mode()[0]))
    units = units.sort_values("spread", ascending=False, kind="stable")
    units["turn"] = units.groupby("kind").cumcount()
    return [int(unit) for unit in units.sort_values("turn", kind="stable").index[:count]]


def _draw_row(ax: Axes, own: pd.DataFrame, images: NDArray[np.uint8], corner: tuple[float, float], width: float) -> str:
    """Draw as many of a unit's favourites as fit into the width, and a line about all of them below; that line."""
    best = own[own["answer"] > own["least"]]
    fit = int((width - _GAP) // (_CELL + _GAP))
    for place, (image, *box) in enumerate(best[["image", "left", "top", "right", "bottom"]].to_numpy()[:fit]):
        across = corner[0] + place * (_CELL + _GAP)
        draw_patch(ax, images[image].transpose(1, 2, 0), box, (across, corner[1]), framed=False, side=_CELL)
    count, kind = max(((count, kind) for kind, count in best["kind"].value_counts().items()), default=(0, "nothing"))
    said = f"unit {own['unit'].iloc[0]}" + (f", {count} of {len(best)} of {kind}" if count else ", silent")
    write(ax, (corner[0], corner[1] + _CELL + 0.08), said, int(15 * width))
    return said
