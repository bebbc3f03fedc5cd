"""Can the fit of Gabors be trusted? Try it on planted Gabors under noise and on noise alone, and time it."""

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
    """One row per question, with COLUMNS: how often planted Gabors are found, how seldom noise is, and how fast.

    Filters have SIDE x SIDE pixels. Shares are in per cent, the time is in seconds for TIMED planted filters.
    """
    generator = generator_from("calibration", seed)
    planted = [_random_gabor(generator) for _ in range(PLANTED)]
    started = time.perf_counter()
    fits = fit_filters(np.stack([_under_noise(gabor, generator) for gabor in planted]))
    seconds = (time.perf_counter() - started) * TIMED / PLANTED
    noise = fit_filters(generator.normal(size=(n_noise, 3, SIDE, SIDE)))
    rows = [
        (
            "planted Gabors called Gabors",
            _percent([fit.kind == "gabor" for fit in fits]),
            "most: some show one stripe",
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
            "white noise called Gabor or blob",
            _percent([fit.kind != "neither" for fit in noise]),
            "at most 5 %",
            n_noise,
        ),
        (f"time for {TIMED} filters", f"{seconds:.1f} s", "at most 3 s", TIMED),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


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
