"""Textures: each pixel's mix of two tones, from 0 (the first) to 1 (the second).

Man-made textures are hard and straight, natural ones soft and warped. Every function takes coordinates `u`, `v`
(arrays N x H x W in units of the outline's radius) and a generator, and returns N x H x W.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from data_prep.shapes import Field, Floats

HARD = 4.0  # slope of an edge between two tones


def stripes(wave: float) -> Field:
    """Hard upright stripes, `wave` radians of phase for each unit of length."""
    return lambda u, v, generator: _hard(np.sin(_jitter(u, wave, generator) * u + _phase(u, generator)))


def checks(wave: float) -> Field:
    """Hard checks, like a chessboard."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        pace = _jitter(u, wave, generator)
        return _hard(1.5 * np.sin(pace * u + _phase(u, generator)) * np.sin(pace * v + _phase(u, generator)))

    return value


def crossed_lines(wave: float) -> Field:
    """Thin straight lines that cross."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        pace = _jitter(u, wave, generator)
        lines = np.maximum(np.cos(pace * u + _phase(u, generator)), np.cos(pace * v + _phase(u, generator)))
        return _hard(lines - 0.6)

    return value


def zigzag(wave: float) -> Field:
    """Hard lines that turn back and forth at right angles."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        pace = _jitter(u, wave, generator)
        turns = np.arcsin(np.sin(pace * 0.6 * u + _phase(u, generator))) / 0.6
        return _hard(np.sin(pace * v + turns + _phase(u, generator)))

    return value


def ripples(wave: float) -> Field:
    """Soft level waves."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        _, warped = _warp(u, v, generator)
        return _soft(np.sin(_jitter(u, wave, generator) * warped + _phase(u, generator)))

    return value


def spots(wave: float) -> Field:
    """Soft round spots, not quite in rows."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        across, down = _warp(u, v, generator)
        pace = _jitter(u, wave, generator)
        return _soft(np.cos(pace * across + _phase(u, generator)) + np.cos(pace * down + _phase(u, generator)) - 0.5)

    return value


def rings(wave: float) -> Field:
    """Soft rings around a point, like a tree's."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        across, down = _warp(u, v, generator)
        centre = generator.uniform(-0.4, 0.4, (2, len(u), 1, 1))
        return _soft(np.sin(_jitter(u, wave, generator) * np.hypot(across - centre[0], down - centre[1])))

    return value


def veins(wave: float) -> Field:
    """Thin soft branches that fan out from below."""

    def value(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        across, down = _warp(u, v, generator)
        angle = np.arctan2(across, 1.6 - down)
        return 1 - np.abs(np.sin(1.1 * _jitter(u, wave, generator) * angle + _phase(u, generator))) ** 0.5

    return value


def plain(tone: float) -> Field:
    """One tone everywhere."""
    return lambda u, v, _: np.full_like(u, tone)


TEXTURES: Final[Mapping[str, Mapping[str, Field]]] = {
    "man-made": {"stripes": stripes(9.0), "checks": checks(7.0), "grid": crossed_lines(8.0), "zigzag": zigzag(9.0)},
    "natural": {"ripples": ripples(8.0), "spots": spots(8.0), "rings": rings(9.0), "veins": veins(9.0)},
}

PART_TEXTURES: Final[Mapping[str, Mapping[str, Field]]] = {
    "man-made": {"flat": plain(0.0), "halved": lambda u, v, _: _hard(6 * v)},
    "natural": {"even": plain(0.0), "shaded": lambda u, v, _: np.clip(0.5 + 0.5 * v, 0, 1)},
}


def _hard(wave: Floats) -> Floats:
    return np.clip(0.5 + HARD * wave, 0, 1)


def _soft(wave: Floats) -> Floats:
    return 0.5 + 0.5 * np.clip(wave, -1, 1)


def _jitter(u: Floats, wave: float, generator: np.random.Generator) -> Floats:
    return wave * generator.uniform(0.85, 1.15, (len(u), 1, 1))


def _phase(u: Floats, generator: np.random.Generator) -> Floats:
    return generator.uniform(0, 2 * np.pi, (len(u), 1, 1))


def _warp(u: Floats, v: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    across = u + 0.16 * np.sin(2.7 * v + _phase(u, generator))
    return across, v + 0.16 * np.sin(2.7 * across + _phase(u, generator))
