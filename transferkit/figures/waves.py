"""The filters of conv1 as waves: which way they run, how fine they are, and their power spectra."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray

from transferkit.figures.first_layer import check_any
from transferkit.figures.page import page
from transferkit.figures.style import EDGE_WIDTH, INK, SMALL_SIZE

_PER_ROW = 4  # panels side by side
_TURNS = (0, 45, 90, 135, 180)  # degrees that carry a picture of their stripes
_NYQUIST = 0.5  # cycles per pixel
_SPECTRUM_SIDE = 64  # at least so many frequencies each way
_DECADES = 3  # of power that are told apart

Floats = NDArray[np.floating]


def draw_orientations(tables: Mapping[str, pd.DataFrame], title: str = "Which way the Gabors run") -> Figure:
    """Half a polar plot per network: orientation against spatial frequency, 1 / wavelength, of its Gabors.

    tables: by network, as of `first_layer.fit_table`. An angle is drawn as it is seen on a tile; the rim is the next
    tenth of a cycle per pixel beyond the finest. Raises UsageError when there is no network, or one without filters.
    """
    check_any(tables)
    gabors = {name: _gabors(table) for name, table in tables.items()}
    rim = max([math.ceil(10 * rows["frequency"].max()) / 10 for rows in gabors.values() if len(rows)], default=_NYQUIST)
    notes = (
        "Angle: the direction across the stripes, as on a tile. Distance from the middle: cycles per pixel, "
        f"to {rim:.1f}; no grid of pixels holds finer waves than {_NYQUIST}. One marker per Gabor, n of them.",
    )
    columns, rows = _layout(len(tables))
    figure = page(0.95 + rows * {1: 3.4, 2: 2.4, 3: 1.75}.get(columns, 1.55) + 0.35, title, notes)
    scale, axes = Normalize(0.5, 1), []
    for index, (name, chosen) in enumerate(gabors.items(), start=1):
        ax = cast(PolarAxes, figure.add_subplot(rows, columns, index, projection="polar"))
        _dress_half(ax, rim)
        ax.scatter(
            np.radians(chosen["theta_deg"]), chosen["frequency"], c=chosen["r2"], norm=scale, cmap="cividis_r",
            s=26, edgecolors=INK, linewidths=0.7, clip_on=False, zorder=3,
        )  # fmt: skip
        _name(ax, name, f"n = {len(chosen)} of {len(tables[name])} filters" if len(chosen) else "no Gabors")
        axes.append(ax)
    _add_bar(figure, axes, "R\N{SUPERSCRIPT TWO} of the fit")
    return figure


def describe_orientations(tables: Mapping[str, pd.DataFrame]) -> str:
    """Alternative text of the orientations; arguments and errors as for `draw_orientations`."""
    check_any(tables)
    panels = [f"{name}: {_told_waves(_gabors(table), len(table))}." for name, table in tables.items()]
    return " ".join(["Orientation against spatial frequency of the Gabors of conv1, a panel per network.", *panels])


def draw_spectra(weights: Mapping[str, Floats], title: str = "The waves that conv1 passes on") -> Figure:
    """The mean power spectrum of all filters of each network, on one scale, zero frequency in the middle.

    weights: by network, float filters x 3 x k x k; each filter is scaled to unit energy, so that white noise has a
    power of 1 at every frequency. Errors as for `draw_orientations`.
    """
    check_any(weights)
    spectra = {name: mean_spectrum(filters) for name, filters in weights.items()}
    notes = (
        "Each filter has an energy of 1, its three channels added up: white noise would be 1 everywhere. "
        "Half of the power lies within the dashed circle.",
    )
    columns, rows = _layout(len(weights))
    figure = page(0.8 + rows * (0.45 + 5.6 / max(columns, 2)) + 0.5, title, notes)
    top = max(float(power.max()) for power in spectra.values())
    scale = LogNorm(max(min(float(power.min()) for power in spectra.values()), top / 10**_DECADES), top)
    axes = [figure.add_subplot(rows, columns, index) for index in range(1, len(spectra) + 1)]
    for index, (ax, (name, power)) in enumerate(zip(axes, spectra.items(), strict=True)):
        _draw_spectrum(ax, power, scale)
        _name(ax, name, f"n = {len(weights[name])}, half within {_half_power(power):.2f}")
        ax.set_yticks((-0.5, 0, 0.5), labels=None if index % columns == 0 else ["", "", ""])
    axes[0].set_ylabel("Downwards (cycles per pixel)", fontsize=SMALL_SIZE, color=INK)
    axes[0].set_xlabel("To the right (cycles per pixel)", fontsize=SMALL_SIZE, color=INK)
    _add_bar(figure, axes, "Mean power, 1: as white noise")
    return figure


def describe_spectra(weights: Mapping[str, Floats]) -> str:
    """Alternative text of the spectra; arguments and errors as for `draw_spectra`."""
    check_any(weights)
    panels = []
    for name, filters in weights.items():
        power = mean_spectrum(filters)
        panels.append(
            f"{name}, {len(filters)} filters: half of the power lies within {_half_power(power):.2f} cycles per pixel, "
            f"at its highest it is {power.max():.1f} times that of white noise."
        )
    return " ".join(["Mean power spectra of the filters of conv1, a panel per network.", *panels])


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


def _gabors(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[table["kind"] == "gabor"]
    return rows.assign(frequency=1 / rows["wavelength_px"])


def _told_waves(gabors: pd.DataFrame, filters: int) -> str:
    if gabors.empty:
        return f"no Gabors among {filters} filters"
    frequency, nearest = gabors["frequency"], (gabors["theta_deg"] / 45).round().astype(int) % 4
    turns = ", ".join(f"{int((nearest == step).sum())} near {45 * step}" for step in range(4))
    return (
        f"{len(gabors)} Gabors among {filters} filters, at {frequency.min():.2f} to {frequency.max():.2f} cycles per "
        f"pixel (median {frequency.median():.2f}); by direction in degrees, {turns}"
    )


def _layout(count: int) -> tuple[int, int]:
    """Columns and rows of panels."""
    columns = min(count, _PER_ROW)
    return columns, -(-count // columns)


def _name(ax: Axes, name: str, below: str) -> None:
    ax.set_title(f"{name}\n{below}", fontsize=SMALL_SIZE, color=INK, linespacing=1.3)


def _add_bar(figure: Figure, axes: Sequence[Axes], label: str) -> None:
    for artist in (axes[0].collections or axes[0].images)[-1:]:
        bar = figure.colorbar(artist, ax=list(axes), location="bottom", shrink=0.5, aspect=34, pad=0.06)
        bar.set_label(label, fontsize=SMALL_SIZE, color=INK)
        bar.ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)


def _dress_half(ax: PolarAxes, rim: float) -> None:
    """0 degrees at the left, 90 above: a wave towards the lower right, 45, is also one from the upper left."""
    ax.set_theta_zero_location("W")
    ax.set_theta_direction(-1)
    ax.set_thetamin(0)
    ax.set_thetamax(180)
    ax.set_rlim(0, rim)
    ax.set_rticks(np.arange(0.1, rim + 0.01, 0.1 if rim < 0.35 else 0.2), labels=[])
    ax.set_xticks(np.radians(_TURNS), labels=[])
    ax.grid(color="#d0d0d0", linewidth=0.7)
    y, x = np.mgrid[-10:10.5:0.5, -10:10.5:0.5]
    for turn in _TURNS:
        theta = math.radians(turn)
        stripes = np.where(x**2 + y**2 <= 100, np.cos(0.75 * (x * math.cos(theta) + y * math.sin(theta))), np.nan)
        picture = OffsetImage(stripes, zoom=0.12, cmap="gray", interpolation="bilinear")
        ax.add_artist(AnnotationBbox(picture, (theta, 1.16 * rim), frameon=False, annotation_clip=False, pad=0))


def _draw_spectrum(ax: Axes, power: NDArray[np.float64], scale: LogNorm) -> None:
    step = 1 / len(power)
    low, high = -0.5 - step / 2, 0.5 - step / 2
    ax.imshow(power, norm=scale, cmap="cividis", extent=(low, high, high, low), interpolation="nearest")
    turn, radius = np.linspace(0, 2 * np.pi, 200), _half_power(power)
    ring = radius * np.cos(turn), radius * np.sin(turn)
    ax.plot(*ring, color="#000000", linewidth=2 * EDGE_WIDTH)
    ax.plot(*ring, color="#ffffff", linewidth=EDGE_WIDTH, linestyle=(0, (3, 2)))
    ax.set_xticks((-0.5, 0, 0.5))
    ax.set(xlim=(low, high), ylim=(high, low))
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)


def _half_power(power: NDArray[np.float64]) -> float:
    """The radius, in cycles per pixel, within which half of the power lies."""
    along = np.arange(-(len(power) // 2), len(power) - len(power) // 2) / len(power)
    radius = np.hypot(along[:, None], along).ravel()
    order = radius.argsort(kind="stable")
    total = power.ravel()[order].cumsum()
    return float(radius[order][np.searchsorted(total, total[-1] / 2)])
