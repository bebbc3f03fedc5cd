"""Outlines as signed distances, negative inside, in the units of the coordinates, which run from -1 to 1.

Every function takes coordinates `u`, `v` (arrays N x H x W, v downwards) and a generator for what varies between
images, and returns N x H x W.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Field = Callable[[Floats, Floats, np.random.Generator], Floats]


def polygon(corners: int, radius: float) -> Field:
    """A regular polygon with one corner at the top."""

    def distance(u: Floats, v: Floats, _: np.random.Generator) -> Floats:
        angles = np.pi / 2 + np.pi * (2 * np.arange(corners) + 1) / corners
        sides = [np.cos(angle) * u - np.sin(angle) * v for angle in angles]
        return np.asarray(np.maximum.reduce(sides) - radius * np.cos(np.pi / corners))

    return distance


def box(width: float, height: float) -> Field:
    """A rectangle with these half-sides."""
    return lambda u, v, _: np.maximum(np.abs(u) - width, np.abs(v) - height)


def cross(arm: float, length: float) -> Field:
    """Two bars of half-width `arm` and half-length `length`, at right angles."""
    return lambda u, v, _: np.minimum(
        np.maximum(np.abs(u) - arm, np.abs(v) - length), np.maximum(np.abs(u) - length, np.abs(v) - arm)
    )


def star(points: int, radius: float, inner: float) -> Field:
    """A star with one point at the top; `inner` is the radius of the corners between the points."""
    half = np.pi / points
    normal = np.array([inner * np.sin(half), radius - inner * np.cos(half)])
    normal /= np.hypot(*normal)

    def distance(u: Floats, v: Floats, _: np.random.Generator) -> Floats:
        angle = np.abs((np.arctan2(u, -v) + half) % (2 * half) - half)
        far = np.hypot(u, v)
        return np.asarray(far * np.cos(angle) * normal[0] + far * np.sin(angle) * normal[1] - radius * normal[0])

    return distance


def ring(radius: float, width: float) -> Field:
    """A circle's line of half-width `width`."""
    return lambda u, v, _: np.abs(np.hypot(u, v) - radius) - width


def lobes(count: int, radius: float, depth: float, wobble: float = 0.05) -> Field:
    """A closed Fourier curve with `count` lobes; its other harmonics differ between images."""

    def distance(u: Floats, v: Floats, generator: np.random.Generator) -> Floats:
        angle = np.arctan2(u, -v)
        edge = 1 + depth * np.cos(count * angle)
        for harmonic in range(1, 5):
            size = generator.normal(0, wobble, (len(u), 1, 1))
            edge += size * np.cos(harmonic * angle + generator.uniform(0, 2 * np.pi, (len(u), 1, 1)))
        return np.asarray(np.hypot(u, v) - radius * edge)

    return distance


def ellipse(width: float, height: float) -> Field:
    """An ellipse with these half-axes; this is the distance near its edge, elsewhere only its sign is right."""
    return lambda u, v, _: (np.hypot(u / width, v / height) - 1) * min(width, height)


def crescent(radius: float) -> Field:
    """A disc with a bite from the right."""
    return lambda u, v, _: np.maximum(np.hypot(u, v) - radius, 0.8 * radius - np.hypot(u - 0.55 * radius, v))


def two_discs(radius: float) -> Field:
    """Two discs, one above the other."""
    return lambda u, v, _: np.hypot(u, np.abs(v) - 0.6) - radius


def three_discs(radius: float) -> Field:
    """Three discs around an empty middle."""
    return lambda u, v, _: np.minimum(np.hypot(u, v + 0.65), np.hypot(np.abs(u) - 0.6, v - 0.45)) - radius


OUTLINES: Final[Mapping[str, Mapping[str, Field]]] = {
    "man-made": {
        "triangle": polygon(3, 1.35),
        "square": box(0.86, 0.86),
        "cross": cross(0.4, 1.1),
        "star": star(5, 1.3, 0.6),
        "bar": box(0.55, 1.2),
    },
    "natural": {
        "pebble": ellipse(0.85, 1.1),
        "bean": lobes(2, 0.9, 0.35),
        "trefoil": lobes(3, 0.95, 0.3),
        "clover": lobes(4, 0.98, 0.3),
        "bloom": lobes(7, 1.0, 0.2),
    },
}

PARTS: Final[Mapping[str, Mapping[str, Field]]] = {
    "man-made": {
        "rod": box(0.35, 1.1),
        "ring": ring(0.75, 0.28),
        "plus": cross(0.3, 1.0),
        "diamond": polygon(4, 1.1),
        "frame": lambda u, v, _: np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.75) - 0.25,
    },
    "natural": {
        "bud": ellipse(0.95, 0.95),
        "seed": ellipse(0.45, 1.2),
        "crescent": crescent(1.1),
        "pair": two_discs(0.5),
        "triad": three_discs(0.45),
    },
}
