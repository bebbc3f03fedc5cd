"""`photos`: 80 classes of 48 x 48 pixels; each class is random views of one place in a real photograph.

The construction is that of Dosovitskiy et al., "Discriminative unsupervised feature learning with exemplar
convolutional neural networks" (arXiv 1406.6909). Nothing is downloaded: the photographs come with the
wheels of scikit-image and scikit-learn.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from data_prep.pictures import Images
from data_prep.regions import PHOTOS, Photo
from data_prep.rendering import IMAGE_SIZE, Arguments, Rendered
from transferkit.disk.prepared import ClassInfo, Part
from transferkit.hardware import usable_cores
from transferkit.randomness import generator_from

Floats = npt.NDArray[np.floating]
Room = tuple[tuple[int, int], tuple[int, int]]  # pixels to the left and right of a place, and above and below it

SOURCE = (
    "Regions of 14 photographs in the wheels of scikit-image 0.26 (coffee, rocket, motorcycle, brick, astronaut, "
    "camera, chelsea, hubble, ihc, retina, grass, gravel) and scikit-learn 1.9 (china, flower)."
)
VALIDATION = (
    "validation images are new random views of the same regions of the same photographs, drawn from another random "
    "stream: they measure recognition of known places seen anew, they do not measure generalisation to new objects."
)
LEVELS = 4  # blurs of each photograph
MEANS = (20.0, 215.0)  # bounds of a view's mean gray value, so that none is all black or all white


@dataclass(frozen=True)
class Variation:
    """How far a view may stray from its place; lengths are fractions of the view's side."""

    shift: float = 0.325
    zoom: float = 1.55  # scales are log-uniform between 1 / zoom and zoom
    turn: float = 32.5  # degrees to either side
    brightness: float = 0.16  # fractions of the full range
    contrast: tuple[float, float] = (0.5, 1.25)
    saturation: tuple[float, float] = (0.45, 1.2)  # 0 is gray, 1 the photograph's own colours
    cast: float = 0.225  # each channel is multiplied by 1 - cast to 1 + cast
    noise: float = 0.06  # largest standard deviation


def rendered(arguments: Arguments, variation: Variation = Variation()) -> Rendered:
    """The data set, ready to draw; a photograph is read when the first of its classes is drawn."""
    places = [(photo, word) for photo in PHOTOS for word in photo.places]
    classes = tuple(ClassInfo(f"{photo.name}-{word}", photo.natural) for photo, word in places)
    read = lru_cache(maxsize=usable_cores())(Photo.read)

    @lru_cache(maxsize=usable_cores())  # each thread draws both parts of a class one after the other
    def around(label: int) -> tuple[Floats, Room]:
        photo, word = places[label]
        pixels, place = read(photo), photo.places[word]
        return neighbourhood(pixels, place, photo.side, variation), room_around(pixels, place)

    def draw(label: int, part: Part, count: int) -> Images:
        generator = generator_from("photos", arguments.seed, label, part)
        seen = views(*around(label), places[label][0].side, count, variation, generator)
        return colour(seen, variation, generator)

    return Rendered("photos", classes, SOURCE, VALIDATION, draw)


def neighbourhood(photo: Floats, place: tuple[int, int], side: int, variation: Variation) -> Floats:
    """Everything that views of `place` can see, at LEVELS increasing blurs: 3 x LEVELS x reach x reach, 0 to 255.

    Level k suits the k-th of LEVELS ranges of scale, so that a distant view does not alias. Beyond its border the
    photograph is mirrored, for the blurs; no view shows that.
    """
    steps = side / IMAGE_SIZE * variation.zoom ** (2 * (np.arange(LEVELS) + 0.5) / LEVELS - 1)
    blurs = 0.5 * np.sqrt(np.maximum(steps**2 - 1, 0))  # in pixels of the photograph
    farthest = max(np.sqrt(0.5) + variation.shift, np.sqrt(2))  # a view moved inwards ends a diagonal from its place
    reach = int(np.ceil(side * variation.zoom * farthest + 3 * blurs[-1]))
    columns, rows = (
        np.pad(np.arange(length), reach, mode="symmetric")[start : start + 2 * reach + 1]
        for length, start in zip(photo.shape[:0:-1], place, strict=True)
    )
    crop = photo[:, rows[:, None], columns]
    return np.stack([ndimage.gaussian_filter(crop, (0, blur, blur), truncate=3.0) for blur in blurs], axis=1)


def room_around(photo: Floats, place: tuple[int, int]) -> Room:
    """How many pixels of the photograph there are to each side of a place."""
    (x, y), (height, width) = place, photo.shape[1:]
    return (x, width - 1 - x), (y, height - 1 - y)


def views(
    levels: Floats, room: Room, side: int, count: int, variation: Variation, generator: np.random.Generator
) -> Floats:
    """`count` random views of a neighbourhood: count x 3 x 48 x 48, 0 to 255.

    A view that would reach beyond the photograph is drawn from those places that keep it inside.
    """
    power = generator.uniform(-1, 1, count)
    angle = np.deg2rad(generator.uniform(-variation.turn, variation.turn, count))[:, None, None]
    mirror = generator.choice((-1.0, 1.0), (count, 1, 1))
    span = side * variation.zoom ** power[:, None, None]  # pixels of the photograph across the view
    half = span / 2 * (np.abs(np.cos(angle)) + np.abs(np.sin(angle)))  # of the upright square around the turned view
    shift = np.stack([_shift(variation.shift * span, half, along, generator) for along in room])
    grid = (np.arange(IMAGE_SIZE) - (IMAGE_SIZE - 1) / 2) / IMAGE_SIZE
    across, down = span * mirror * grid, span * grid[:, None]
    middle = (levels.shape[-1] - 1) / 2
    x = np.cos(angle) * across - np.sin(angle) * down + shift[0] + middle
    y = np.sin(angle) * across + np.cos(angle) * down + shift[1] + middle
    seen = np.empty((count, 3, IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32)
    level = ((power + 1) / 2 * LEVELS).astype(int)
    for index in np.unique(level):
        here = level == index
        where = np.stack([y[here], x[here]])
        for channel in range(3):
            seen[here, channel] = ndimage.map_coordinates(
                levels[channel, index], where, order=1, mode="nearest", output=np.float32
            )
    return seen


def _shift(largest: Floats, half: Floats, room: tuple[int, int], generator: np.random.Generator) -> Floats:
    """Shifts of views along one axis, uniform between those that keep a view of this `half` width in the photograph."""
    inside = np.minimum(half, sum(room) / 2)  # a view wider than the photograph stays in its middle
    low, high = (np.clip(end, inside - room[0], room[1] - inside) for end in (-largest, largest))
    return generator.uniform(low, high)


def colour(images: Floats, variation: Variation, generator: np.random.Generator) -> Images:
    """Random saturation, colour cast, contrast, brightness and noise of each image: count x 3 x 48 x 48, as bytes."""
    count = len(images)

    def draw(low: float, high: float, channels: int = 1) -> Floats:
        return generator.uniform(low, high, (count, channels, 1, 1)).astype(np.float32)

    gray = images.mean(axis=1, keepdims=True)
    tinted = (gray + draw(*variation.saturation) * (images - gray)) * draw(1 - variation.cast, 1 + variation.cast, 3)
    mean = tinted.mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
    brightness = 255 * draw(-variation.brightness, variation.brightness)
    noise = 255 * draw(0, variation.noise) * generator.standard_normal(images.shape, dtype=np.float32)
    varied = (tinted - mean) * draw(*variation.contrast) + np.clip(mean + brightness, *MEANS) + noise
    return np.asarray(np.clip(np.rint(varied), 0, 255), dtype=np.uint8)
