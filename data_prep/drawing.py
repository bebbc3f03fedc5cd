"""Draw a figure many times at random positions, sizes, turns and colours, over clutter and under an occluder."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from data_prep.pictures import Images
from data_prep.rendering import IMAGE_SIZE
from data_prep.shapes import Field, Floats

Canvas = npt.NDArray[np.float32]  # N x 3 x 48 x 48, 0 to 255 or a little beyond

RADIUS: Final = (13.0, 19.0)  # of the outline, in pixels
PART_SIZE: Final = 0.48  # of the outline's radius
SHIFT: Final = 4.0  # largest shift across and down, in pixels
TURN: Final = 20.0  # largest turn, in degrees
CLUTTER: Final = 3  # strokes behind the figure
OCCLUDED: Final = 0.4  # chance of a stroke over it
TONES: Final = (30.0, 95.0, 160.0, 225.0)  # gray values of the four tones of a figure, in random order
TINT: Final = 32.0  # standard deviation of a tone's channels, in gray values
NOISE: Final = 10.0  # largest standard deviation of the noise, in gray values


@dataclass(frozen=True)
class Figure:
    """A textured outline with a small textured part at `place`; the unit is the outline's radius."""

    outline: Field
    texture: Field
    part: Field
    part_texture: Field
    place: tuple[float, float]


def draw_figures(figure: Figure, count: int, generator: np.random.Generator) -> Images:
    """`count` drawings: uint8, count x 3 x 48 x 48."""
    canvas = _background(count, generator)
    for _ in range(CLUTTER):
        _paint(canvas, _stroke(count, (0.7, 2.0), generator), _any_colour(count, generator))
    radius, u, v = _frame(count, generator)
    tones = _tones(count, generator)
    cover = _cover(figure.outline(u, v, generator), radius)
    _paint(canvas, cover, _mix(figure.texture(u, v, generator), tones[0], tones[1]))
    u, v = (u - figure.place[0]) / PART_SIZE, (v - figure.place[1]) / PART_SIZE
    cover = _cover(figure.part(u, v, generator), radius * PART_SIZE)
    _paint(canvas, cover, _mix(figure.part_texture(u, v, generator), tones[2], tones[3]))
    occluder = _stroke(count, (1.0, 2.5), generator) * (generator.random((count, 1, 1)) < OCCLUDED)
    _paint(canvas, occluder, _any_colour(count, generator))
    noise = generator.standard_normal(canvas.shape, dtype=np.float32)
    canvas += noise * generator.uniform(0, NOISE, (count, 1, 1, 1)).astype(np.float32)
    return np.asarray(np.clip(np.rint(canvas), 0, 255), dtype=np.uint8)


def _frame(count: int, generator: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """The radius of each figure (count x 1 x 1) and every pixel's coordinates u, v in units of it, v downwards."""
    radius = RADIUS[0] * (RADIUS[1] / RADIUS[0]) ** generator.random((count, 1, 1))
    turn = np.deg2rad(generator.uniform(-TURN, TURN, (count, 1, 1)))
    x, y = _pixels()
    x = x - generator.uniform(-SHIFT, SHIFT, (count, 1, 1))
    y = y - generator.uniform(-SHIFT, SHIFT, (count, 1, 1))
    cosine, sine = np.cos(turn) / radius, np.sin(turn) / radius
    return radius, cosine * x + sine * y, cosine * y - sine * x


def _pixels() -> tuple[Floats, Floats]:
    """How far each pixel lies to the right of the middle (1 x 1 x 48) and below it (1 x 48 x 1)."""
    line = np.arange(IMAGE_SIZE, dtype=np.float64) - (IMAGE_SIZE - 1) / 2
    return line[None, None, :], line[None, :, None]


def _cover(distance: Floats, unit: Floats) -> Floats:
    """The fraction of each pixel that lies inside, given the signed distance in units of `unit` pixels."""
    return np.clip(0.5 - distance * unit, 0, 1)


def _stroke(count: int, width: tuple[float, float], generator: np.random.Generator) -> Floats:
    """The cover (count x 48 x 48) of one straight stroke per image; `width` bounds half its width in pixels."""
    x, y = _pixels()
    middle = generator.uniform(-IMAGE_SIZE / 2, IMAGE_SIZE / 2, (2, count, 1, 1))
    angle = generator.uniform(0, np.pi, (count, 1, 1))
    length = generator.uniform(4, 16, (count, 1, 1))
    along = np.cos(angle) * (x - middle[0]) + np.sin(angle) * (y - middle[1])
    across = np.cos(angle) * (y - middle[1]) - np.sin(angle) * (x - middle[0])
    far = np.hypot(np.maximum(np.abs(along) - length, 0), across)
    return np.asarray(np.clip(0.5 + generator.uniform(*width, (count, 1, 1)) - far, 0, 1))


def _tones(count: int, generator: np.random.Generator) -> Canvas:
    """Four colours for each image, with different grays: 4 x count x 3 x 1 x 1."""
    grays = generator.permuted(np.tile(TONES, (count, 1)), axis=1).T[:, :, None, None, None]
    return (grays + generator.normal(0, TINT, (len(TONES), count, 3, 1, 1))).astype(np.float32)


def _any_colour(count: int, generator: np.random.Generator) -> Canvas:
    return generator.uniform(0, 255, (count, 3, 1, 1)).astype(np.float32)


def _mix(share: Floats, first: Canvas, second: Canvas) -> Canvas:
    return np.asarray(first + share.astype(np.float32)[:, None] * (second - first))


def _paint(canvas: Canvas, cover: Floats, colour: Canvas) -> None:
    """Lay a colour over the canvas, in place, as far as `cover` (N x 48 x 48, 0 to 1) says."""
    canvas += cover.astype(np.float32)[:, None] * (colour - canvas)


def _background(count: int, generator: np.random.Generator) -> Canvas:
    """1/f noise between two random colours of each image."""
    down, across = np.fft.fftfreq(IMAGE_SIZE)[:, None], np.fft.rfftfreq(IMAGE_SIZE)[None]
    weight = 1 / np.maximum(np.hypot(down, across), 1 / IMAGE_SIZE)
    spectrum = np.fft.rfft2(generator.standard_normal((count, IMAGE_SIZE, IMAGE_SIZE))) * weight
    field = np.fft.irfft2(spectrum, s=(IMAGE_SIZE, IMAGE_SIZE))
    field /= field.std(axis=(1, 2), keepdims=True)
    return _mix(0.5 + 0.2 * field, _any_colour(count, generator), _any_colour(count, generator))
