"""What units answer to: the patches of images that they answer most, and one picture on its way through the layers."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.special import softmax

from transferkit.errors import UsageError
from transferkit.figures.picture import PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import INK, QUIET, SMALL_SIZE, TEXT_SIZE
from transferkit.figures.words import listed

MOST_ROWS, ROWS, MOST_NETWORKS, NAMED = 32, 8, 4, 3  # units on a page, by default; networks; classes of each
_CELL, _THUMB, _GAP, _LABELS = 0.62, 0.36, 0.06, 1.5  # inches
_LEFT, _TOP, _STRIP, _STEP, _BAR = 0.6, 1.25, 0.36, 0.56, 0.2  # inches

Floats = NDArray[np.floating]
Corner = tuple[float, float]


def responses(
    table: pd.DataFrame, images: NDArray[np.uint8], classes: Sequence[str], units: Collection[int] | None, name: str
) -> Picture:
    """The images that units answer most, a row per unit, best first: the patch that it sees, and where that is.

    table: from `activations.favourites`; images: uint8 N x 3 x H x H, with the name of each one's class; units: those
    to show of every layer; None: those whose answers vary most, ROWS in all. Raises UsageError for a unit that a layer
    has not, and for none or more than MOST_ROWS in all layers together.
    """
    table = table.assign(kind=np.asarray(classes)[table["image"]])
    few = max(1, ROWS // table["layer"].nunique())
    rows = [own for _, layer in table.groupby("layer", sort=False) for own in rows_of(layer, units, few)]
    if not 0 < len(rows) <= MOST_ROWS:
        raise UsageError(f"{len(rows)} units of all layers do not fit on a page: name 1 to {MOST_ROWS}.")
    cut = [bool(own["side"].iloc[0] < 0.9 * images.shape[-1]) for own in rows]
    notes = [
        f"A row shows those of {len(images):,} validation images that a unit answers most, best first."
        + " Each is cut to what the unit sees; the frame below says where that is." * any(cut),
        f"This many of a unit's best are of one class, on average over all units of a layer: {alike(table)}.",
    ]
    tops = np.cumsum([0.0, *(_CELL + 2 * _GAP + (_THUMB + _GAP) * framed for framed in cut)])
    figure, ax = canvas(tops[-1], f"What units of {name} answer", notes)
    words = [f"The images that units of {name} answer most."]
    for own, top, framed in zip(rows, tops[:-1], cut, strict=True):
        title, said = f"{own['layer'].iloc[0]} unit {own['unit'].iloc[0]}", _in_words(own)
        write(ax, (0.1, top + 0.12), title, bold=True)
        for line, each in enumerate(said, start=1):
            write(ax, (0.1, top + 0.12 + 0.14 * line), each, 24)
        places = own.loc[own["answer"] > own["least"], ["image", "left", "top", "right", "bottom"]].to_numpy()
        for place, (image, *box) in enumerate(places):
            draw_patch(
                ax, images[image].transpose(1, 2, 0), box, (_LABELS + place * (_CELL + _GAP), top + _GAP), framed
            )
        words.append(f"{title} {', '.join(said)}.")
    return Picture(figure, " ".join([*words, notes[-1]]))


def passage(
    networks: Sequence[tuple[str, Mapping[str, Floats], Sequence[str]]], picture: NDArray[np.uint8], name: str
) -> Picture:
    """A picture on its way through networks, side by side: the strongest maps of each layer, and the likeliest classes.

    networks: for each its title, its answers from `activations.layer_answers`, and the names of its classes; picture:
    uint8 3 x H x H, as they read it. Raises UsageError for none or more than MOST_NETWORKS networks.
    """
    if not 0 < len(networks) <= MOST_NETWORKS:
        raise UsageError(f"{len(networks)} networks do not fit side by side: name 1 to {MOST_NETWORKS}.")
    *layers, last = networks[0][1]
    side, width, end = picture.shape[-1], (PAGE_WIDTH - _LEFT) / len(networks), _TOP + len(layers) * _STEP
    notes = [
        "Each layer: its strongest maps, dark where it answers least and bright where most; a full layer is one strip "
        "with a bar for each unit. Last: the likeliest classes. Their probabilities add up to 1 over the classes that "
        "the network knows, so a picture of none of these gets them too."
    ]
    figure, ax = canvas(end + (NAMED + 0.5) * _BAR, "A picture from layer to layer", notes)
    _show(ax, picture.transpose(1, 2, 0), (_LEFT, 0), 0.9)
    write(ax, (_LEFT + 1, 0.35), name, 80)
    write(ax, (_LEFT + 1, 0.5), f"its middle square, {side} x {side} pixels, as the networks read it")
    for row, layer in enumerate([*layers, last]):
        write(ax, (0.1, _TOP + row * _STEP + (_BAR if layer == last else _STRIP) / 2), layer)
    words = [f"{name}, its middle square at {side} by {side} pixels, from layer to layer."]
    for left, (title, answers, classes) in zip(_LEFT + width * np.arange(len(networks)), networks, strict=True):
        write(ax, (left, _TOP - 0.16), title, bold=True)
        told = [
            f"{layer} {_draw_layer(ax, answers[layer], (left, _TOP + row * _STEP), width - 0.15)}"
            for row, layer in enumerate(layers)
        ]
        ending = _draw_classes(ax, answers[last], classes, (left, end), width - 0.15)
        words.append(f"{title}: {'; '.join(told)}; {last} gives {listed(ending)}.")
    return Picture(figure, " ".join([*words, "The picture may be of none of these classes."]))


def rows_of(layer: pd.DataFrame, units: Collection[int] | None, few: int) -> list[pd.DataFrame]:
    """The rows of each unit that is to be shown of a layer: of those named, or of the `few` whose answers vary most."""
    spread = layer.groupby("unit")["spread"].first()
    if units is None:
        units = sorted(spread.sort_values(ascending=False, kind="stable").index[:few])
    if unknown := [unit for unit in units if unit not in spread.index]:
        last = spread.index[-1]
        raise UsageError(f"{layer['layer'].iloc[0]} has no unit {unknown[0]}: choose whole numbers from 0 to {last}.")
    return [layer[layer["unit"] == unit] for unit in dict.fromkeys(units)]


def alike(table: pd.DataFrame) -> str:
    """By layer: how many of a unit's best images are of the class that most of them are of, on average, in words."""
    counts = table[table["answer"] > table["least"]].groupby(["layer", "unit", "kind"], sort=False).size()
    most = counts.groupby(["layer", "unit"], sort=False).max().groupby("layer", sort=False).mean()
    return listed([f"{layer} {mean:.1f}" for layer, mean in most.items()])


def _in_words(own: pd.DataFrame) -> list[str]:
    """What a unit sees, how it answers, and what most of its best images are of."""
    best, side = own[own["answer"] > own["least"]], own["side"].iloc[0]
    if best.empty:
        return [f"sees {side} x {side} pixels", "answers nothing"]
    count, kind = max((count, kind) for kind, count in best["kind"].value_counts().items())
    answers = f"answers {best['answer'].iloc[0]:.2f} to {best['answer'].iloc[-1]:.2f}"
    return [f"sees {side} x {side} pixels", answers, f"{count} of {len(best)}: {kind}"]


def draw_patch(
    ax: Axes, image: NDArray[np.uint8], box: Sequence[int], corner: Corner, framed: bool, side: float = _CELL
) -> None:
    """Draw what a unit sees of an image, H x H x 3; if `framed`, below it the image with a frame around that."""
    left, top, right, bottom = box
    scale, below = _THUMB / len(image), corner[1] + side + _GAP
    unit = side / max(right - left, bottom - top)
    _show(ax, image[top:bottom, left:right], corner, unit * (right - left), unit * (bottom - top))
    if framed:
        _show(ax, image, (corner[0], below), _THUMB)
        place, size = (corner[0] + scale * left, below + scale * top), (scale * (right - left), scale * (bottom - top))
        ax.add_patch(Rectangle(place, *size, fill=False, edgecolor="#d1495b", linewidth=1.2))


def _draw_layer(ax: Axes, answers: Floats, corner: Corner, width: float) -> str:
    """Draw the strongest maps of a layer, units x h x w, in a strip; how many answer, and which most, in words."""
    peaks, step = answers.max(axis=(1, 2)), _STRIP + 0.03
    order = np.argsort(-peaks, kind="stable")
    look: dict[str, Any] = {
        "cmap": "magma",
        "vmin": min(0.0, float(answers.min())),
        "vmax": max(float(peaks.max()), 1e-9),
    }
    if answers[0].size == 1:
        _show(ax, answers[:, 0].T, corner, width, _STRIP, **look)
    else:
        for place, unit in enumerate(order[: int(width / step)]):
            _show(ax, answers[unit], (corner[0] + place * step, corner[1]), _STRIP, **look)
    said = f"{int((peaks > 0).sum())} of {len(peaks)} answer"
    write(ax, (corner[0], corner[1] + _STRIP + 0.07), said)
    return f"{said}, most unit {listed(order[:3].tolist())}"


def _draw_classes(ax: Axes, logits: Floats, classes: Sequence[str], corner: Corner, width: float) -> list[str]:
    """Draw a bar for each of the likeliest classes; their probabilities and names."""
    shares = softmax(logits.ravel().astype(float))[: len(classes)]
    likeliest = np.argsort(-shares, kind="stable")[:NAMED]
    words = [f"{100 * shares[index]:.1f} % {classes[index]}" for index in likeliest]
    for row, (share, said) in enumerate(zip(shares[likeliest], words, strict=True)):
        place = (corner[0], corner[1] + row * _BAR)
        ax.add_patch(Rectangle(place, width * share, 0.8 * _BAR, facecolor="#9ecae9", linewidth=0))
        write(ax, (place[0] + 0.04, place[1] + 0.4 * _BAR), said, int(14 * width))
    return words


def canvas(height: float, title: str, notes: Sequence[str]) -> tuple[Figure, Axes]:
    """A page with one Axes between its title and its notes, whose units are inches, from the top down."""
    total = height + head() + foot(notes)
    figure = page(total, title, notes)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, foot(notes) / total, 1, height / total), xlim=(0, PAGE_WIDTH), ylim=(height, 0))
    ax.set_axis_off()
    return figure, ax


def _show(ax: Axes, pixels: NDArray[Any], corner: Corner, width: float, height: float = 0.0, **look: Any) -> None:
    """Draw pixels into a box, by default a square."""
    extent = (corner[0], corner[0] + width, corner[1] + (height or width), corner[1])
    ax.imshow(pixels, extent=extent, aspect="auto", interpolation="nearest", **look)


def write(ax: Axes, place: Corner, words: str, room: int = 99, *, bold: bool = False) -> None:
    """Write a line of at most `room` characters, a title if `bold`."""
    look: dict[str, Any] = {"fontsize": SMALL_SIZE - 1, "color": QUIET}
    look = {"fontsize": TEXT_SIZE, "color": INK, "weight": "bold"} if bold else look
    ax.text(*place, words if len(words) <= room else f"{words[: room - 1]}…", va="center", parse_math=False, **look)
