"""`tiles`: the photographs of `photos` cut into tiles, one folder each, as an example of your own pictures.

Tiles do not overlap, so a tile that is held out shows a place that no training tile shows.
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.regions import PHOTOS, Photo
from transferkit.disk import atomic

NATURAL = "tiles-natural.txt"  # beside the folder, which holds pictures only


def write_tiles(folder: Path) -> Path:
    """Write PHOTOGRAPH/ROW-COLUMN.png for every tile, and beside the folder a list of natural ones; return the folder.

    The side of a tile is half the pixels that a view of its photograph spans in `photos`. What was written to its end
    is not written again. Raises DataError as `Photo.read` does, StoreError when the folder cannot be written.
    """
    listed = folder.parent / NATURAL
    atomic.sweep_partials(folder.parent)
    if not (folder.is_dir() and listed.is_file()):
        with atomic.new_folder(folder) as partial:
            for photo in PHOTOS:
                _write(partial / photo.name, photo)
            os.sync()  # once: to force 2,000 files to the disk one by one takes a minute
        names = [photo.name for photo in PHOTOS if photo.natural]
        atomic.write_bytes(listed, "\n".join([*names, ""]).encode())
    return folder


def _write(folder: Path, photo: Photo) -> None:
    side = photo.side // 2
    folder.mkdir()
    pixels = photo.read().astype(np.uint8).transpose(1, 2, 0)
    for row in range(pixels.shape[0] // side):
        for column in range(pixels.shape[1] // side):
            tile = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
            Image.fromarray(tile).save(folder / f"{row:02}-{column:02}.png")
