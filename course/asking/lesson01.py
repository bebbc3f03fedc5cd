"""How the exercises of lesson 01 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.forms import array, numbers

NUMBERS = ("theta_deg", "wavelength_px", "phase_deg", "size_px")


def ask_gabor(answer: Any, given: Mapping[str, Any]) -> object:
    """The tile, float64 side x side."""
    tile = answer(given["side"], *(given[name] for name in NUMBERS))
    return None if tile is None else array(tile).astype(float)


def ask_fit_wave(answer: Any, given: Mapping[str, Any]) -> object:
    """Amplitude and phase."""
    fitted = answer(given["tile"].copy(), *(given[name] for name in NUMBERS if name in given))
    return None if fitted is None else numbers(fitted, 2)
