"""The filters of conv1 as waves: which way they run, how fine they are, and their power spectra."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm, Normalize
from matplotlib.image import AxesImage
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray

from course.figures.comparison import check_any
from transferkit.figures.picture import PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import EDGE_WIDTH, INK, QUIET, SMALL_SIZE
from transferkit.figures.words import number
from transferkit.gabor.fit import GOOD_FIT

_DISCS_PER_ROW, _SPECTRA_PER_ROW = 3, 4
_AROUND, _BAR = 1.03, 0.68  # inches: above and below a half disc, and for the colour bar
_RING_SIZE = 7.5  # points
_TURNS = (0, 45, 90, 135, 180)  # degrees that carry a picture of their stripes
_NYQUIST = 0.5  # cycles per pixel
_TICK = (0.03, 0.13)  # of the rim: from where to where the tick of an edge goes
_R2 = "R\N{SUPERSCRIPT TWO} of the fit"
_TITLE: Mapping[str, Any] = MappingProxyType({"fontsize": SMALL_SIZE, "color": INK, "linespacing": 1.3})
_DECADES = 3  # of power that are told apart
_SPECTRUM_SIDE = 64  # the least number of frequencies each way

Floats = NDArray[np.floating]


def orientations(tables: Mapping[str, pd.DataFrame], title: str = "Which way the Gabors run") -> Picture:
    """Half a polar plot per network: orientation against spatial frequency, 1 / wavelength, of its Gabors.

    tables: by network, from `kinds.fit_table`. An angle is drawn as it is seen on a tile; the rim is the next
    twentieth of a cycle per pixel beyond the finest. Edges, which have no wavelength, are ticks near the middle.
    Raises UsageError when there is no network, or no filter in one.
    """
    check_any(tables)
    gabors = {name: _gabors(table) for name, table in tables.items()}
    rim = max([math.ceil(20 * rows["frequency"].max()) / 20 for rows in gabors.values() if len(rows)], default=_NYQUIST)
    notes = (
        "Angle: the direction across the stripes, as on a tile. Distance from the middle: cycles per pixel, "
        f"to {rim:g}; no grid of pixels holds finer waves than {_NYQUIST}. One marker per Gabor. "
        "Ticks near the middle: edges, which have no wavelength.",
    )
    columns = 2 if len(tables) == 2 * 2 else min(len(tables), _DISCS_PER_ROW)
    across = PAGE_WIDTH / columns
    radius = min(1.4, 0.4 * across)
    down = radius + _AROUND
    height = head() + -(-len(tables) // columns) * down + _BAR + foot(notes)
    figure = page(height, title, notes)
    figure.set_layout_engine("none")
    for index, (name, chosen) in enumerate(gabors.items()):
        left, below = (index % columns + 0.5) * across - radius, height - head() - (index // columns + 1) * down + 0.3
        # matplotlib puts the half disc in the middle of a square box
        box = (left / PAGE_WIDTH, (below - radius / 2) / height, 2 * radius / PAGE_WIDTH, 2 * radius / height)
        ax = cast(PolarAxes, figure.add_axes(box, projection="polar"))
        _dress_half(ax, rim, 1 + 0.14 / radius)
        dots = ax.scatter(
            np.radians(chosen["theta_deg"]), chosen["frequency"], c=chosen["r2"], norm=Normalize(GOOD_FIT, 1),
            cmap="cividis_r", s=20, edgecolors=INK, linewidths=0.7, clip_on=False, zorder=3,
        )  # fmt: skip
        edges = tables[name].query("kind == 'edge'")["theta_deg"]
        ax.vlines(np.radians(edges), *(rim * np.array(_TICK)), color=INK, linewidth=1.2, zorder=2)
        many = f"{number(len(chosen), 'Gabor')}, {number(len(edges), 'edge')}"
        ax.set_title(f"{name}\n{many} of {len(tables[name])} filters", y=0.75, pad=21, **_TITLE)
    box = (0.3, (foot(notes) + 0.42) / height, 0.4, 0.1 / height)
    _dress_bar(figure.colorbar(dots, cax=figure.add_axes(box), orientation="horizontal"), _R2)
    panels = [f"{name}: {_told_waves(rows, tables[name])}." for name, rows in gabors.items()]
    opening = "Orientation against spatial frequency of the Gabors of conv1, a panel per network."
    return Picture(figure, " ".join([opening, *panels]))


def spectra(weights: Mapping[str, Floats], title: str = "The waves that conv1 passes on") -> Picture:
    """The mean power spectrum of all filters of each network, on one scale, zero frequency in the middle.

    weights: by network, float filters x 3 x k x k; each filter is scaled to unit energy, so that white noise has a
    power of 1 at every frequency. Errors as for `orientations`.
    """
    check_any(weights)
    powers = {name: mean_spectrum(filters) for name, filters in weights.items()}
    sentences = ["Mean power spectra of the filters of conv1, a panel per network."]
    notes = (
        "Axes: cycles per pixel, zero in the middle. Each filter has an energy of 1, its channels added up: white "
        "noise would be 1 everywhere. Half of the power lies within the dashed circle.",
    )
    columns = min(len(weights), _SPECTRA_PER_ROW)
    rows = -(-len(weights) // columns)
    figure = page(1.75 + rows * (0.5 + min(2.6, 5.6 / columns)), title, notes, compress=True)
    top = max(float(power.max()) for power in powers.values()) or 1.0
    lowest = min(float(power.min()) for power in powers.values())
    scale = LogNorm(min(max(lowest, top / 10**_DECADES), top / 2), top)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax in grid.flat[len(powers) :]:
        ax.set_axis_off()
    for ax, (name, power) in zip(grid.flat, powers.items(), strict=False):
        filters, half = len(weights[name]), half_power(power)
        image = _draw_spectrum(ax, power, half, scale)
        ax.set_title(f"{name}\nn = {filters} filters\nhalf within {half:.2f}", **_TITLE)
        sentences.append(
            f"{name}, {filters} filters: half of the power lies within {half:.2f} cycles per pixel, "
            f"at its highest it is {power.max():.1f} times that of white noise."
        )
    grid[0, 0].set_ylabel("down", fontsize=SMALL_SIZE, color=INK)
    grid[-1, 0].set_xlabel("to the right", fontsize=SMALL_SIZE, color=INK)
    bar = figure.colorbar(image, ax=grid, location="bottom", shrink=0.5 if columns > 2 else 0.9, aspect=34, pad=0.03)
    _dress_bar(bar, "Mean power (1: that of white noise)")
    bar.ax.xaxis.set_major_formatter("{x:g}")
    return Picture(figure, " ".join(sentences))


def mean_spectrum(filters: Floats) -> NDArray[np.float64]:
    """Mean over filters, float filters x 3 x k x k of unit energy each, of their power, float64 s x s.

    Zero frequency stands at [s // 2, s // 2], steps are 1 / s cycles per pixel; s is k, at least 64.
    """
    values = filters.astype(np.float64)
    energy = np.square(values).sum(axis=(1, 2, 3), keepdims=True)
    values /= np.sqrt(np.where(energy > 0, energy, 1))
    side = max(_SPECTRUM_SIDE, values.shape[-1])
    power = np.square(np.abs(np.fft.fft2(values, s=(side, side)))).sum(axis=1).mean(axis=0)
    return np.asarray(np.fft.fftshift(power))


def half_power(power: NDArray[np.float64]) -> float:
    """The radius, in cycles per pixel, within which half of the power lies."""
    along = np.arange(-(len(power) // 2), len(power) - len(power) // 2) / len(power)
    radius = np.hypot(along[:, None], along).ravel()
    order = radius.argsort(kind="stable")
    total = power.ravel()[order].cumsum()
    return float(radius[order][np.searchsorted(total, total[-1] / 2)])


def _gabors(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[table["kind"] == "gabor"]
    return rows.assign(frequency=1 / rows["wavelength_px"])


def _told_waves(gabors: pd.DataFrame, table: pd.DataFrame) -> str:
    filters, edges = len(table), number(int((table["kind"] == "edge").sum()), "edge")
    if gabors.empty:
        return f"no Gabors and {edges} among {filters} filters"
    frequency, nearest = gabors["frequency"], (gabors["theta_deg"] / 45).round().astype(int) % 4
    turns = ", ".join(f"{int((nearest == step).sum())} near {45 * step}" for step in range(4))
    return (
        f"{number(len(gabors), 'Gabor')} and {edges} among {filters} filters; the Gabors at {frequency.min():.2f} to "
        f"{frequency.max():.2f} cycles per pixel (median {frequency.median():.2f}), by direction in degrees {turns}"
    )


def _dress_bar(bar: Colorbar, label: str) -> None:
    bar.set_label(label, fontsize=SMALL_SIZE, color=INK)
    bar.ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)


def _dress_half(ax: PolarAxes, rim: float, beyond: float) -> None:
    """0 degrees at the left, 90 above: a wave towards the lower right, 45, is also one from the upper left.

    Pictures of the stripes stand `beyond` rims from the middle.
    """
    ax.set_theta_zero_location("W")
    ax.set_theta_direction(-1)
    ax.set_thetamin(0)
    ax.set_thetamax(180)
    ax.set_rlim(0, rim)
    rings = np.arange(1, 10) * (0.05 if rim < 0.16 else 0.1 if rim < 0.41 else 0.2)
    rings = rings[rings < rim + 0.01]
    ax.set_rticks(rings, labels=[])
    for ring in rings[rings < 0.97 * rim]:  # the note tells the rim, where a picture stands
        word: dict[str, Any] = {"xytext": (0, -4), "textcoords": "offset points", "ha": "center", "va": "top"}
        ax.annotate(f"{ring:g}", (np.pi, ring), fontsize=_RING_SIZE, color=QUIET, **word)
    ax.set_xticks(np.radians(_TURNS), labels=[])
    ax.grid(color="#d0d0d0", linewidth=0.7)
    y, x = np.mgrid[-10:10.5:0.5, -10:10.5:0.5]
    for turn in _TURNS:
        theta = math.radians(turn)
        stripes = np.where(x**2 + y**2 <= 100, np.cos(0.75 * (x * math.cos(theta) + y * math.sin(theta))), np.nan)
        picture = OffsetImage(stripes, zoom=0.2, cmap="gray", interpolation="bilinear")
        ax.add_artist(AnnotationBbox(picture, (theta, beyond * rim), frameon=False, annotation_clip=False, pad=0))


def _draw_spectrum(ax: Axes, power: NDArray[np.float64], radius: float, scale: LogNorm) -> AxesImage:
    """The spectrum, and a circle of this radius, in cycles per pixel."""
    step = 1 / len(power)
    low, high = -0.5 - step / 2, 0.5 + step / 2
    closed = np.pad(power, ((0, 1), (0, 1)), mode="wrap")  # -0.5 and 0.5 cycles per pixel are the same wave
    image = ax.imshow(closed, norm=scale, cmap="cividis", extent=(low, high, high, low), interpolation="nearest")
    turn = np.linspace(0, 2 * np.pi, 200)
    ring = radius * np.cos(turn), radius * np.sin(turn)
    ax.plot(*ring, color="#000000", linewidth=2 * EDGE_WIDTH)
    ax.plot(*ring, color="#ffffff", linewidth=EDGE_WIDTH, linestyle=(0, (3, 2)))
    ax.set(xlim=(low, high), ylim=(high, low), xticks=(-0.5, 0, 0.5), yticks=(-0.5, 0, 0.5))
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    return image
