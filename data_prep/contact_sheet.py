"""A contact sheet of a prepared data set: some images of every class, with names."""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from transferkit.disk import atomic
from transferkit.disk.prepared import IMAGES, LABELS, Manifest

VIEWS, COLUMNS, TILE, GUTTER = 7, 4, 48, 2  # images a class, classes side by side, pixels of and between images
NAME, GAP, TITLE, FRAME = 16, 14, 44, 24  # heights and distances in pixels


ESCAPED = "names that no font here can write are numbered, with their letters as codes"


@dataclass(frozen=True)
class Lettering:
    """A text as a font can write it: itself, or its number and its letters as codes if no font has all of them."""

    text: str
    font: ImageFont.FreeTypeFont
    escaped: bool = False


def letter(text: str, size: int, number: str = "") -> Lettering:
    """A text in the first of Pillow's font, DejaVu and this machine's fonts that has all its letters, or as codes."""
    for font in _fonts(size):
        if not _lacks(font, text):
            return Lettering(text, font)
    return Lettering(number + text.encode("ascii", "backslashreplace").decode(), _plain(size), escaped=True)


def count_escaped(manifest: Manifest) -> int:
    """How many classes have names that no font here can write."""
    return sum(letter(one.name, 13).escaped for one in manifest.classes)


def write_contact_sheet(folder: Path, manifest: Manifest, path: Path) -> None:
    """Write the PNG `path` with evenly spaced training images of every class, man-made above natural.

    The heading says where a name cannot be written, and its letters stand there as codes. The sheet's alt text is in
    the PNG's "Description". Raises StoreError, and leaves `path` unchanged, when the disk is full or not writable.
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
    heading = letter(title, 24)
    names = {label: letter(manifest.classes[label].name, 13, f"{label}: ") for label in labels}
    pen.text((FRAME, top), heading.text, fill="black", font=heading.font)
    if any(name.escaped for name in names.values()):
        pen.text((FRAME + 40 + heading.font.getlength(heading.text), top + 9), ESCAPED, fill="black", font=_plain(13))
    for place, label in enumerate(labels):
        row, column = divmod(place, COLUMNS)
        x, y = FRAME + column * (VIEWS * TILE + GAP), top + TITLE + row * (NAME + TILE + GAP)
        pen.text((x, y - 2), _shortened(names[label]), fill="black", font=names[label].font)
        there = np.flatnonzero(known == label)
        chosen = np.linspace(0, len(there) - 1, min(VIEWS, len(there))).round().astype(int)
        for view, index in enumerate(there[chosen]):
            side = TILE - GUTTER
            tile = Image.fromarray(np.ascontiguousarray(images[index].transpose(1, 2, 0))).resize((side, side))
            sheet.paste(tile, (x + view * TILE, y + NAME))


def _shortened(name: Lettering) -> str:
    text = name.text
    while name.font.getlength(text) > VIEWS * TILE:
        text = text.removesuffix("...")[:-1] + "..."
    return text


@cache
def _plain(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # with a size it is
    return font


def _fonts(size: int) -> Iterator[ImageFont.FreeTypeFont]:
    yield _plain(size)
    with resources.as_file(resources.files("matplotlib") / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf") as path:
        yield ImageFont.truetype(path, size)
    for name in _machines_fonts():
        with suppress(OSError):  # a font of another kind, or of other sizes only
            yield ImageFont.truetype(name, size)


@cache
def _machines_fonts() -> tuple[str, ...]:
    from matplotlib import font_manager  # only here: it takes a while to look through the machine's fonts

    return tuple(sorted(font_manager.findSystemFonts()))


def _lacks(font: ImageFont.FreeTypeFont, text: str) -> bool:
    """Whether the font draws any letter as it draws a code that no font knows: as a box, or as nothing."""
    none = bytes(font.getmask("\U0010ffff"))
    return any(bytes(font.getmask(letter)) == none for letter in {*text} - {" "})
