"""Can the fit of Gabors be trusted? Try it on planted Gabors, on patterns that are none and on noise, and time it."""

import time
from collections.abc import Iterable

import numpy as np
import pandas as pd

from transferkit.gabor import FilterFit, Gabor, fit_filters
from transferkit.randomness import generator_from

SIDE = 11  # pixels, as in the paper's conv1
PLANTED = 300  # Gabors
NOISE_SHARE = 0.25  # root mean square of the noise over that of the planted Gabor
TIMED = 96  # filters: the paper's conv1 has 96
COLUMNS = ("question", "measured", "wanted", "n")


def calibrate(n_noise: int = 1000, seed: int = 0) -> pd.DataFrame:
    """One row per question, with COLUMNS: how often planted Gabors are found, how seldom what is none, and how fast.

    Filters have SIDE x SIDE pixels. Shares are in per cent, the time is in seconds for TIMED planted filters.
    """
    generator = generator_from("calibration", seed)
    planted = [_random_gabor(generator) for _ in range(PLANTED)]
    started = time.perf_counter()
    fits = fit_filters(np.stack([_under_noise(gabor, generator) for gabor in planted]))
    seconds = (time.perf_counter() - started) * TIMED / PLANTED
    noise = fit_filters(generator.normal(size=(n_noise, 3, SIDE, SIDE)))
    others = fit_filters(np.stack(list(patterns_of_no_kind(SIDE).values())))
    rows = [
        (
            "planted Gabors called Gabors",
            _percent([fit.kind == "gabor" for fit in fits]),
            "most: some show one stripe or an edge",
            PLANTED,
        ),
        (
            "their orientation within 3 degrees",
            _percent(map(_same_orientation, planted, fits)),
            "at least 95 %",
            PLANTED,
        ),
        ("their wavelength within 5 %", _percent(map(_same_wavelength, planted, fits)), "at least 95 %", PLANTED),
        (
            "ramps, corners, plaids called Gabor or blob",
            _percent([fit.kind != "neither" for fit in others]),
            "none",
            len(others),
        ),
        (
            "white noise called Gabor, edge or blob",
            _percent([fit.kind != "neither" for fit in noise]),
            "at most 5 %",
            n_noise,
        ),
        (f"time for {TIMED} filters", f"{seconds:.1f} s", "at most 3 s", TIMED),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def patterns_of_no_kind(side: int) -> dict[str, np.ndarray]:
    """Filters, float 3 x side x side by name, in which a person sees neither a Gabor or edge nor a blob."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    wave_x, wave_y = (np.cos(4 * np.pi * along / side) for along in (x, y))
    planes = {
        "corner": np.where((x > 0) & (y > 0), 3.0, -1.0),
        "saddle": x * y,
        "plaid": wave_x + wave_y,
        "checkerboard": wave_x * wave_y,
        "ramp": x,
        "slanting ramp": x + y,
        "bright ramp": x + 0.7 * side,
        "one colour": np.ones((side, side)),
        "one pixel": np.where(np.hypot(x - x[0, side // 2], y - y[side // 2, 0]) < 1, 1.0, 0.0),
        "two pixels": np.where(y == y[side // 2, 0], np.sign(x - 0.1) * (np.abs(x - 0.1) < 1), 0.0),
        "long bar": np.exp(-np.square(x)),
        "slanting bar": np.exp(-np.square(x + y)),
        "cross": np.exp(-np.square(x)) + np.exp(-np.square(y)),
        "ring": np.exp(-np.square(np.hypot(x, y) - side / 3)),
    }
    colours = {"grey": np.ones(3), "red": np.array([1.0, 0.0, 0.0]), "red-green": np.array([1.0, -0.9, 0.1])}
    return {
        f"{tint} {name}": colour[:, None, None] * plane
        for name, plane in planes.items()
        for tint, colour in colours.items()
    }


def _random_gabor(generator: np.random.Generator) -> Gabor:
    """A Gabor whose tile shows its parameters: a good part of one cycle and of the envelope lies on it."""
    wavelength = generator.uniform(3, SIDE)
    size = wavelength * generator.uniform(0.35, 0.6)
    colour = generator.normal(size=3)
    x, y = generator.uniform(-SIDE / 8, SIDE / 8, size=2)
    return Gabor(
        x_px=x, y_px=y, theta_deg=generator.uniform(0, 180), wavelength_px=wavelength,
        phase_deg=generator.uniform(0, 360), size_px=min(size, SIDE / 3), aspect=generator.uniform(0.7, 1.5),
        red=colour[0], green=colour[1], blue=colour[2], amplitude=1 / float(np.linalg.norm(colour)),
    )  # fmt: skip


def _under_noise(gabor: Gabor, generator: np.random.Generator) -> np.ndarray:
    signal = gabor.draw(SIDE)
    noisy: np.ndarray = signal + generator.normal(
        0, NOISE_SHARE * float(np.sqrt(np.square(signal).mean())), signal.shape
    )
    return noisy


def _same_orientation(gabor: Gabor, fit: FilterFit) -> bool:
    difference = abs(gabor.theta_deg - fit.gabor.theta_deg) % 180
    return min(difference, 180 - difference) <= 3


def _same_wavelength(gabor: Gabor, fit: FilterFit) -> bool:
    return abs(fit.gabor.wavelength_px / gabor.wavelength_px - 1) <= 0.05


def _percent(answers: Iterable[bool]) -> str:
    return f"{100 * np.mean(list(answers)):.1f} %"
