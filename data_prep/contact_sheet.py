"""A contact sheet of a prepared data set: some images of every class, with names."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from transferkit.disk import atomic
from transferkit.disk.prepared import IMAGES, LABELS, Manifest

VIEWS, COLUMNS, TILE, GUTTER = 7, 4, 48, 2  # images a class, classes side by side, pixels of and between images
NAME, GAP, TITLE, FRAME = 16, 14, 44, 24  # heights and distances in pixels


def write_contact_sheet(folder: Path, manifest: Manifest, path: Path) -> None:
    """Write the PNG `path` with evenly spaced training images of every class, man-made above natural.

    Its alt text is in the PNG's "Description". Raises StoreError, and leaves `path` unchanged, when the disk is full
    or not writable.
    """
    groups = [(title, [i for i, one in enumerate(manifest.classes) if one.natural == kind])
              for title, kind in ((" man-made", False), (" natural", True))]  # fmt: skip
    both = all(labels for _, labels in groups)
    rows = [-(-len(labels) // COLUMNS) for _, labels in groups]
    block = VIEWS * TILE, NAME + TILE + GAP
    size = (2 * FRAME + COLUMNS * (block[0] + GAP) - GAP,
            2 * FRAME + sum(TITLE + count * block[1] + GAP for count in rows if count))  # fmt: skip
    sheet = Image.new("RGB", size, "white")
    top = FRAME
    for (title, labels), count in zip(groups, rows, strict=True):
        if labels:
            heading = f"{manifest.name}: {len(labels)}{title if both else ''} classes"
            _draw_group(sheet, top, heading, labels, folder, manifest)
            top += TITLE + count * block[1] + GAP
    about = PngInfo()
    about.add_text("Title", f"Contact sheet of {manifest.name}")
    about.add_text("Description", describe(manifest))
    sheet.save(buffer := io.BytesIO(), "PNG", pnginfo=about)
    atomic.write_bytes(path, buffer.getvalue())


def describe(manifest: Manifest) -> str:
    """The alt text of the sheet."""
    names = {kind: ", ".join(one.name for one in manifest.classes if one.natural == kind) for kind in (False, True)}
    both = f"Man-made: {names[False]}. Natural: {names[True]}."
    listed = both if all(names.values()) else f"{''.join(names.values())}."
    return (
        f"Contact sheet of the data set {manifest.name}: up to {VIEWS} training images of each of "
        f"{len(manifest.classes)} classes, under their names. {listed}"
    )


def _draw_group(sheet: Image.Image, top: int, title: str, labels: list[int], folder: Path, manifest: Manifest) -> None:
    images = np.load(folder / IMAGES, mmap_mode="r")
    known = np.load(folder / LABELS, mmap_mode="r")[: manifest.train[1]]
    pen = ImageDraw.Draw(sheet)
    pen.text((FRAME, top), title, fill="black", font=ImageFont.load_default(size=24))
    for place, label in enumerate(labels):
        row, column = divmod(place, COLUMNS)
        x, y = FRAME + column * (VIEWS * TILE + GAP), top + TITLE + row * (NAME + TILE + GAP)
        pen.text((x, y - 2), manifest.classes[label].name, fill="black", font=ImageFont.load_default(size=13))
        there = np.flatnonzero(known == label)
        chosen = np.linspace(0, len(there) - 1, min(VIEWS, len(there))).round().astype(int)
        for view, index in enumerate(there[chosen]):
            side = TILE - GUTTER
            tile = Image.fromarray(np.ascontiguousarray(images[index].transpose(1, 2, 0))).resize((side, side))
            sheet.paste(tile, (x + view * TILE, y + NAME))
