"""Answers to the exercises of lesson 01, right and wrong."""

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.filters import gabor_kernel

from course.exercises.planted.answer import Planted

Array = NDArray[np.float64]


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "gabor": Planted(
            right=(gabor_in_torch, gabor_by_pixels),
            wrong={
                "from the corner": lambda side, *numbers: gabor_by_pixels(2 * side - 1, *numbers)[
                    side - 1 :, side - 1 :
                ],
                "from half a pixel beside the middle": gabor_beside_the_middle,
                "degrees as radians": lambda side, theta, wavelength, phase, size: gabor_by_pixels(
                    side, np.degrees(theta), wavelength, np.degrees(phase), size
                ),
                "along the stripes": lambda side, theta, *rest: gabor_by_pixels(side, theta - 90, *rest),
                "rows and columns swapped": lambda *numbers: gabor_by_pixels(*numbers).T,
                "the wavelength as a frequency": lambda side, theta, wavelength, *rest: gabor_by_pixels(
                    side, theta, 1 / wavelength, *rest
                ),
                "an envelope without its 2": lambda side, theta, wavelength, phase, size: gabor_by_pixels(
                    side, theta, wavelength, phase, size / np.sqrt(2)
                ),
                "no envelope": lambda side, theta, wavelength, phase, size: gabor_by_pixels(
                    side, theta, wavelength, phase, 1e6
                ),
                "the sine": lambda side, theta, wavelength, phase, size: gabor_by_pixels(
                    side, theta, wavelength, phase - 90, size
                ),
                "scaled to a largest value of 1": lambda *numbers: (
                    (tile := gabor_by_pixels(*numbers)) / abs(tile).max()
                ),
                "normed as skimage's": gabor_of_skimage,
                "half a turn is the same": lambda side, theta, *rest: gabor_by_pixels(side, theta % 180, *rest),
                "the phase as it is": lambda side, theta, wavelength, phase, size: gabor_by_pixels(
                    side, theta, wavelength, np.degrees(phase), size
                ),
                "rows upwards": lambda side, theta, *rest: gabor_by_pixels(side, -theta, *rest),
            },
        ),
        "fit_wave": Planted(
            right=(fit_by_normal_equations, fit_by_search),
            wrong={
                "the other sign of the phase": lambda *given: (fit_by_normal_equations(*given)[0], -_phase(*given)),
                "the phase in radians": lambda *given: (
                    fit_by_normal_equations(*given)[0],
                    float(np.radians(_phase(*given))),
                ),
                "without the envelope": lambda tile, theta, wavelength, size: fit_by_normal_equations(
                    tile, theta, wavelength, 1e6
                ),
                "the peak as amplitude": lambda tile, *rest: (float(abs(tile).max()), _phase(tile, *rest)),
                "the cosine alone": lambda tile, *rest: (fit_by_normal_equations(tile, *rest)[0], 0.0),
                "half the amplitude": lambda *given: (fit_by_normal_equations(*given)[0] / 2, _phase(*given)),
                "phase of the other stripe": lambda *given: (fit_by_normal_equations(*given)[0], _phase(*given) + 180),
                "the phase first": lambda *given: fit_by_normal_equations(*given)[::-1],
                "a negative amplitude": lambda *given: (-fit_by_normal_equations(*given)[0], _phase(*given) + 180),
                "stripes turned": lambda tile, theta, *rest: fit_by_normal_equations(tile, theta + 90, *rest),
            },
        ),
    }


def gabor_in_torch(side: int, theta_deg: float, wavelength_px: float, phase_deg: float, size_px: float) -> torch.Tensor:
    """With tensors."""
    line = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    y, x = torch.meshgrid(line, line, indexing="ij")
    theta, phase = torch.deg2rad(torch.tensor([theta_deg, phase_deg], dtype=torch.float64))
    envelope = torch.exp(-(x.square() + y.square()) / (2 * size_px**2))
    return envelope * torch.cos(2 * torch.pi * (x * theta.cos() + y * theta.sin()) / wavelength_px + phase)


def gabor_by_pixels(side: int, theta_deg: float, wavelength_px: float, phase_deg: float, size_px: float) -> Array:
    """Pixel by pixel."""
    tile, middle, theta = np.zeros((side, side)), (side - 1) / 2, np.deg2rad(theta_deg)
    for row in range(side):
        for column in range(side):
            x, y = column - middle, row - middle
            turn = (x * np.cos(theta) + y * np.sin(theta)) / wavelength_px + phase_deg / 360
            tile[row, column] = np.exp(-(x * x + y * y) / size_px**2 / 2) * np.cos(2 * np.pi * turn)
    return tile


def gabor_beside_the_middle(side: int, *numbers: float) -> Array:
    """Wrong: takes the middle to be at side / 2."""
    larger = gabor_by_pixels(side + 1, *numbers)
    return larger[:-1, :-1]


def gabor_of_skimage(side: int, theta_deg: float, wavelength_px: float, phase_deg: float, size_px: float) -> Array:
    """Wrong: has another size, and is divided by the area of its envelope."""
    kernel = gabor_kernel(  # type: ignore[no-untyped-call]
        1 / wavelength_px, np.radians(theta_deg), sigma_x=size_px, sigma_y=size_px, offset=np.radians(phase_deg)
    )
    return np.asarray(np.real(kernel))


def fit_by_normal_equations(tile: Array, theta_deg: float, wavelength_px: float, size_px: float) -> tuple[float, float]:
    """By hand."""
    cosine, sine = (gabor_by_pixels(len(tile), theta_deg, wavelength_px, phase, size_px).ravel() for phase in (0, -90))
    gram = np.array([[cosine @ cosine, cosine @ sine], [cosine @ sine, sine @ sine]])
    even, odd = np.linalg.solve(gram, [cosine @ tile.ravel(), sine @ tile.ravel()])
    return float(np.hypot(even, odd)), float(np.degrees(np.arctan2(-odd, even)))


def fit_by_search(tile: Array, theta_deg: float, wavelength_px: float, size_px: float) -> tuple[float, float]:
    """Over all phases, in steps of a twentieth of a degree."""
    patterns = [gabor_by_pixels(len(tile), theta_deg, wavelength_px, phase, size_px).ravel() for phase in (0, 90)]
    phases = np.radians(np.arange(0, 360, 0.05))
    waves = np.outer(np.cos(phases), patterns[0]) + np.outer(np.sin(phases), patterns[1])
    amplitudes = waves @ tile.ravel() / np.square(waves).sum(axis=1)
    misses = np.square(amplitudes[:, None] * waves - tile.ravel()).sum(axis=1) + 1e9 * (amplitudes < 0)
    best = int(misses.argmin())
    return float(amplitudes[best]), float(np.degrees(phases[best]))


def _phase(tile: Array, theta_deg: float, wavelength_px: float, size_px: float) -> float:
    return fit_by_normal_equations(tile, theta_deg, wavelength_px, size_px)[1]
