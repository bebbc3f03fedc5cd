"""Small pictures and trees of them, as users have them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep import packing

Save = Callable[..., bytes]


def jpeg(seed: int = 0, width: int = 16, height: int = 12, **options: object) -> bytes:
    """A smooth random JPEG; every seed has other bytes."""
    corners = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return saved(Image.fromarray(corners).resize((width, height)), "JPEG", **options)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as a file of this kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def fill(root: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Four class folders of thirty pictures each."""
    names = ("oak", "saw", "tap", "yew")
    files = {f"{name}/{row:02}.jpg": jpeg(100 * i + row) for i, name in enumerate(names) for row in range(30)}
    return fill(tmp_path / "tree", files)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pack seven pictures at a time, so that few pictures are many chunks."""
    monkeypatch.setattr(packing, "CHUNK_PICTURES", 7)
