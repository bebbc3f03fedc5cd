"""Untrained twins of networks, and the features that layers compute from images."""

from collections.abc import Mapping

import numpy as np
import torch

from transferkit.errors import StoreError
from transferkit.network import MEAN_IMAGE, LayeredNet
from transferkit.network.views import take_centres
from transferkit.specs import StagedSpec
from transferkit.training.data import load_half, open_half
from transferkit.training.examples import mean_image
from transferkit.training.study import Study
from transferkit.training.surgery import operate
from transferkit.treatments import Half, Run

IMAGES = 500  # enough to estimate a kernel well, in a moment


def untrained_network(study: Study, run: Run) -> LayeredNet:
    """The network that a base starts from, in evaluation mode: the control for claims about what training found.

    Its batch normalisation, if any, has seen no image and passes its inputs on. Raises StoreError when weights that it
    starts from are not in the store.
    """
    net, base = study.setting.net, run.target_base
    given = study.store.given(net.start) if isinstance(net, StagedSpec) and net.start else None
    mean = _mean_image(study, base) if net.pixels == "mean image" else None
    return operate(net, _n_classes(study, base), base, given, mean_image=mean).network.eval()


def _n_classes(study: Study, run: Run) -> int:
    return len(study.prepared.split(run.split).classes(run.target))


def _mean_image(study: Study, base: Run) -> torch.Tensor:
    """The mean image of a base: from its weights if it is finished, which saves reading all its images again."""
    try:
        return torch.from_numpy(study.store.weights(base, study.setting)[MEAN_IMAGE])
    except StoreError:
        split, limit = study.prepared.split(base.split), study.setting.recipe.images_per_class
        return mean_image(open_half(study.prepared, split, base.target, "train", images_per_class=limit))


@torch.no_grad()
def represent(
    study: Study, network: LayeredNet, split: str, half: Half, count: int = IMAGES
) -> Mapping[str, np.ndarray]:
    """The features of every layer but the last, float32 images x units, for validation images of a half.

    At most `count` images are read, spread evenly over the half, and only the centre of those that are larger than
    the network reads. The same call reads the same images for every network.
    """
    data = load_half(study.prepared, study.prepared.split(split), half, "valid")
    rows = torch.linspace(0, len(data.labels) - 1, min(count, len(data.labels))).round().long()
    images = take_centres(data.images[rows], network.spec.image_size)
    x = network.to_input(network.held(images), torch.float32)
    features = {}
    for depth, layer in enumerate(network.layers[:-1]):
        x = network(x, after=depth, until=depth + 1)
        features[layer] = x.flatten(1).numpy()
    return features
