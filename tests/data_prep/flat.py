"""Pictures of one colour on white, as a data set to pack that takes no time to make."""

import csv
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from data_prep.listing import Fitting, Item, Listing
from data_prep.pictures import Decoded, PictureError
from transferkit.disk.prepared import ClassInfo

FITTING = Fitting(8)


@dataclass(frozen=True)
class Flat:
    """Pictures of one colour above white, or all over if `blank`; `broken` ones are bad, `stop` ends the process."""

    side: int = 8
    broken: tuple[int, ...] = ()
    stop: int = -1
    blank: tuple[int, ...] = ()

    def picture(self, place: str) -> Decoded:
        if int(place) in self.broken:
            raise PictureError("broken")
        if int(place) == self.stop:
            os.kill(os.getpid(), signal.SIGKILL)
        image = Image.new("RGB", (self.side, self.side), (int(place) % 256, 0, 0))
        if int(place) not in self.blank:
            image.paste("white", (0, self.side // 2, self.side, self.side))
        return Decoded(image)


def flat(count: int, pictures: Flat = Flat()) -> Listing:
    """`count` training pictures of two classes, and as many for validation."""
    classes = ClassInfo("even", True), ClassInfo("odd", False)
    train, valid = ([Item(str(row), row % 2) for row in range(first, first + count)] for first in (0, count))
    return Listing("flat", classes, tuple(train), tuple(valid), pictures, "drawn", "more")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows(path: Path) -> list[tuple[str, str]]:
    with path.open(newline="") as file:
        return [(first, second) for first, second in csv.reader(file)]
