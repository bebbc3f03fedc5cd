"""The features that layers compute from images."""

from collections.abc import Mapping

import numpy as np
import torch

from course.looking.activations import sample_half
from transferkit.network import LayeredNet
from transferkit.training.study import Study
from transferkit.treatments import Half

IMAGES = 500  # enough to estimate a kernel well, in a moment


@torch.no_grad()
def represent(
    study: Study, network: LayeredNet, split: str, half: Half, count: int = IMAGES
) -> Mapping[str, np.ndarray]:
    """The features of every layer but the last, float32 images x units, for validation images of a half.

    At most `count` images are read, spread evenly over the half, and only the centre of those that are larger than
    the network reads. The same call reads the same images for every network.
    """
    x = network.to_input(network.held(sample_half(study, split, half, count).images), torch.float32)
    features = {}
    for depth, layer in enumerate(network.layers[:-1]):
        x = network(x, after=depth, until=depth + 1)
        features[layer] = x.flatten(1).numpy()
    return features
