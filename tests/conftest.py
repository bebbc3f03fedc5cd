"""What many tests need: a prepared data set of a few coloured blotches, and a study of it at the smoke preset."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from transferkit.config import get_preset
from transferkit.disk.prepared import IMAGES, LABELS, ClassInfo, Manifest, file_checksum, write_manifest
from transferkit.disk.store import Store
from transferkit.training.data import open_prepared
from transferkit.training.study import Study, plan_study

# Tests run one to a core: with two threads each, two tests spend their time waiting for one another's threads.
os.environ["OMP_NUM_THREADS"] = "1"  # of what tests start
torch.set_num_threads(1)

settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")

N_CLASSES, TRAIN_PER_CLASS, VALID_PER_CLASS = 8, 16, 8


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder: 8 classes, each a blotchy picture under noise; even ones are called natural."""
    work = tmp_path_factory.mktemp("work")
    folder = work / "data" / "tiny"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    labels = np.repeat(np.tile(np.arange(N_CLASSES), 2), [TRAIN_PER_CLASS] * N_CLASSES + [VALID_PER_CLASS] * N_CLASSES)
    pictures = generator.integers(0, 255, (N_CLASSES, 3, 6, 6)).repeat(8, axis=2).repeat(8, axis=3)
    noisy = pictures[labels] + generator.normal(0, 30, (len(labels), 3, 48, 48))
    np.save(folder / IMAGES, np.clip(noisy, 0, 255).astype(np.uint8))
    np.save(folder / LABELS, labels)
    n_train = N_CLASSES * TRAIN_PER_CLASS
    manifest = Manifest(
        name="tiny",
        classes=tuple(ClassInfo(f"blotch-{label}", natural=label % 2 == 0) for label in range(N_CLASSES)),
        image_size=48,
        train=(0, n_train),
        valid=(n_train, len(labels)),
        source="random numbers",
        validation="the same pictures under other noise",
        checksums={name: file_checksum(folder / name) for name in (IMAGES, LABELS)},
    )
    write_manifest(folder, manifest)
    return folder


@pytest.fixture
def study(tiny_folder: Path, tmp_path: Path) -> Study:
    """The tiny data at the smoke preset on the CPU, with an empty store of its own."""
    return plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", Store(tmp_path / "work"))


@pytest.fixture
def probed_work(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty work folder that shares its probes of this machine's speed with all tests, as each takes seconds."""
    base = tmp_path_factory.getbasetemp()
    probes = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "probes"
    probes.mkdir(exist_ok=True)
    work = tmp_path / "work"
    work.mkdir()
    (work / "probes").symlink_to(probes)
    return work
