"""The photographs of `photos` cut into tiles, as picture files in one folder each: an example of a folder of one's own.

Tiles do not overlap, so that a tile held out shows a place that no training tile shows.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.regions import PHOTOS, Photo
from transferkit.disk import atomic

NATURAL = "tiles-natural.txt"  # beside the folder, which holds pictures only


def write_tiles(folder: Path) -> Path:
    """Write PHOTOGRAPH/ROW-COLUMN.png for every tile, and the natural ones' names beside the folder; the folder.

    A tile is a square of half the side that views of its photograph span in `photos`, in pixels. What is there
    already is not written again. Raises DataError as `Photo.read`, StoreError when the folder cannot be written.
    """
    for photo in PHOTOS:
        _write(folder / photo.name, photo)
    names = [photo.name for photo in PHOTOS if photo.natural]
    atomic.write_bytes(folder.parent / NATURAL, "\n".join([*names, ""]).encode())
    return folder


def _write(folder: Path, photo: Photo) -> None:
    side = photo.side // 2
    pixels = photo.read().astype(np.uint8).transpose(1, 2, 0)
    for row in range(pixels.shape[0] // side):
        for column in range(pixels.shape[1] // side):
            path = folder / f"{row:02}-{column:02}.png"
            if not path.exists():
                tile = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
                buffer = io.BytesIO()
                Image.fromarray(tile).save(buffer, "PNG")
                atomic.write_bytes(path, buffer.getvalue())
