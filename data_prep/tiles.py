"""`tiles`: the photographs of `photos` cut into tiles, one folder each, as an example of your own pictures.

Tiles do not overlap, so a tile that is held out shows a place that no training tile shows.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.regions import PHOTOS, Photo
from transferkit.disk import atomic

NATURAL = "tiles-natural.txt"  # beside the folder, which holds pictures only


def write_tiles(folder: Path) -> Path:
    """Write PHOTOGRAPH/ROW-COLUMN.png for every tile, and beside the folder a list of natural ones; return the folder.

    The side of a tile is half the pixels that a view of its photograph spans in `photos`. Existing tiles are not
    written again. Raises DataError as `Photo.read` does, StoreError when the folder cannot be written.
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
                Image.fromarray(tile).save(buffer := io.BytesIO(), "PNG")
                atomic.write_bytes(path, buffer.getvalue())
