"""How far simple methods get without learned features: what a task measures besides features.

A network that is hardly better than these has not been asked for features.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from transferkit.training.data import load_half
from transferkit.training.study import Study
from transferkit.treatments import Half, Run

BINS = 6  # of a colour histogram along each channel
SMALL = 16  # pixels: the side of the views whose contrast is normalised
RIDGE = 1.0  # of standardised inputs, per image and input


def shortcuts(study: Study, split: str, half: Half) -> pd.Series:
    """Top-1 (0..1) on a half's validation images of four methods that learn no features, by their names, and guessing.

    They see the training images that a base of this half sees. Raises what `load_half` raises.
    """
    limit = study.setting.recipe.images_per_class
    train, valid = (
        load_half(study.prepared, study.prepared.split(split), half, part, images_per_class=limit)
        for part in ("train", "valid")
    )
    images = [data.images.numpy() for data in (train, valid)]
    labels, truth = train.labels.numpy(), valid.labels.numpy()
    nearest, linear = KNeighborsClassifier(1), RidgeClassifier(RIDGE * len(labels))
    methods = {
        "nearest neighbour, pixels": (nearest, _pixels),
        f"nearest neighbour, {SMALL} pixels, contrast normalised": (nearest, _normalised),
        "linear, pixels": (linear, _pixels),
        "linear, colour histogram": (linear, _histograms),
    }
    found = {}
    for name, (method, features_of) in methods.items():
        seen, asked = _standardised(*(features_of(part) for part in images))
        found[name] = float((method.fit(seen, labels).predict(asked) == truth).mean())
    return pd.Series(found | {"guessing": 1 / train.n_classes}, name="top-1")


def beside_base(study: Study, base: Run, top1: float) -> pd.DataFrame:
    """The shortcuts on a base's half, in per cent, above the base itself."""
    found = pd.concat([shortcuts(study, base.split, base.target), pd.Series({base.label: top1})])
    return pd.DataFrame({"top-1 (%)": (100 * found).sort_values().round(1)})


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """N x 3 x H x W to N x 3HW."""
    return images.reshape(len(images), -1).astype(np.float32)


def _normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey views of SMALL x SMALL pixels, each with mean 0 and length 1: N x SMALL^2."""
    side = images.shape[-1] // SMALL * SMALL
    cut = images[..., :side, :side].mean(axis=1, dtype=np.float32)
    block = side // SMALL
    blocks = cut.reshape(len(images), SMALL, block, SMALL, block)
    small: NDArray[np.float32] = blocks.mean(axis=(2, 4)).reshape(len(images), -1)
    centred = small - small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(length > 0, length, 1), dtype=np.float32)


def _histograms(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The square roots of joint histograms of the three channels, N x BINS^3: what colours there are, not where."""
    bins = images.astype(np.int64) * BINS // 256
    code = (bins[:, 0] * BINS + bins[:, 1]) * BINS + bins[:, 2]
    counts = np.stack([np.bincount(one.ravel(), minlength=BINS**3) for one in code])
    return np.asarray(np.sqrt(counts / code[0].size), dtype=np.float32)


def _standardised(
    train: NDArray[np.float32], valid: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both less the training mean, over one standard deviation for all inputs, so that distances stay what they are."""
    mean, spread = train.mean(axis=0), train.std()
    return np.asarray((train - mean) / spread), np.asarray((valid - mean) / spread)
