"""Weights and pictures as practitioners bring them, small enough for seconds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from transferkit.network import build
from transferkit.specs import small_net

MakeFolder = Callable[..., Path]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file with weights of the small network for seven classes."""
    network = build(small_net(), 7)
    network.initialise(lambda layer: ("given", layer), he=True)
    save_file({name: it.contiguous() for name, it in network.state_dict().items()}, tmp_path / "given.safetensors")
    return tmp_path / "given.safetensors"


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Makes a folder of class folders: each class has a colour, its pictures have noise."""

    def make(classes: int = 3, pictures: int = 12, copies: int = 0, name: str = "mine") -> Path:
        generator = np.random.default_rng(0)
        for label in range(classes):
            own = tmp_path / name / f"class{label}"
            own.mkdir(parents=True)
            colour = generator.integers(40, 215, 3)
            for number in range(pictures):
                pixels = np.clip(colour + generator.normal(0, 25, (20, 20, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(own / f"{number:02}.png")
                if number < copies:
                    Image.fromarray(pixels).save(own / f"copy{number:02}.png")
        return tmp_path / name

    return make


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test has the other: two threads on one core wait for each other."""
    monkeypatch.setenv("TRANSFERKIT_CORES", "1")
