"""The filters of a first layer as they form from noise: a frame for each epoch, every filter in its place."""

import io
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from transferkit.disk import atomic
from transferkit.errors import UsageError
from transferkit.figures.first_layer import filter_grid
from transferkit.gabor.tiles import filter_tiles, order_filters

_WIDTH, _LINE = 640, 30  # pixels: of the film, and of the line above that names the epoch
_FRAME, _LAST = 350, 3000  # milliseconds
_KINDS = {".webp": "WEBP", ".gif": "GIF"}


@dataclass(frozen=True)
class Animation:
    """Frames, uint8 height x width x 3, with an alternative text. It shows itself in a notebook and repeats."""

    frames: tuple[NDArray[np.uint8], ...]
    alt: str

    def save(self, path: Path | str) -> Path:
        """Write it as animated WebP or GIF, by the ending of `path`, whole or not at all; return the path.

        Raises UsageError for another ending, and StoreError when `path` cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in _KINDS:
            raise UsageError(f"'{path.name}' cannot be written: let the name end in .webp or .gif.")
        atomic.write_bytes(path, self._file(_KINDS[path.suffix.lower()]))
        return path

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        source = f"data:image/webp;base64,{b64encode(self._file('WEBP')).decode()}"
        return {"text/html": f'<img src="{source}" alt="{escape(self.alt)}">', "text/plain": self.alt}, {}

    def _file(self, kind: str) -> bytes:
        first, *others = (Image.fromarray(frame) for frame in self.frames)
        times = [_FRAME] * len(others) + [_LAST]
        options: dict[str, Any] = {"quality": 90} if kind == "WEBP" else {}
        first.save(buffer := io.BytesIO(), kind, save_all=True, append_images=others, duration=times, loop=0, **options)
        return buffer.getvalue()


def film(history: Mapping[int, NDArray[np.floating]], name: str = "conv1") -> Animation:
    """The filters by epoch, float filters x 3 x k x k, ordered as they are in the end, each at its own contrast.

    Raises UsageError without an epoch, and as `filter_tiles`.
    """
    if not history:
        raise UsageError("there is no epoch to show: give the first layer after at least one.")
    epochs = sorted(history)
    order = order_filters(filter_tiles(history[epochs[-1]]))
    frames = tuple(_frame(filter_tiles(history[epoch])[order], f"{name}, epoch {epoch}") for epoch in epochs)
    alt = f"The {len(order)} filters of {name} from epoch {epochs[0]} to {epochs[-1]}, in fixed places."
    return Animation(frames, alt)


def _frame(tiles: NDArray[np.floating], words: str) -> NDArray[np.uint8]:
    sheet = np.round(255 * filter_grid(tiles, _WIDTH)).astype(np.uint8)
    image = Image.new("RGB", (sheet.shape[1], sheet.shape[0] + _LINE), "white")
    ImageDraw.Draw(image).text((4, 4), words, fill="black", font_size=18)
    image.paste(Image.fromarray(sheet), (0, _LINE))
    return np.asarray(image)
