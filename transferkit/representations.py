"""What the layers of a trained or untrained network make of images: features to be compared."""

from collections.abc import Mapping

import numpy as np
import torch

from transferkit.data import load_half
from transferkit.experiment import Study
from transferkit.network import LayeredNet
from transferkit.surgery import operate
from transferkit.treatments import Half, Run

IMAGES = 500  # a kernel of so many images is estimated well, and takes a moment


def finished_network(study: Study, run: Run) -> LayeredNet:
    """A finished run's network with its trained weights, in evaluation. Raises StoreError when it is not finished."""
    weights = study.store.weights(run, study.setting)
    network = untrained_network(study, run)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return network


def untrained_network(study: Study, run: Run) -> LayeredNet:
    """The network that a base starts from, in evaluation: the control of whatever a trained one is said to have found.

    Its batch normalisation, if any, has seen no image and passes everything on.
    """
    n_classes = len(study.prepared.split(run.split).classes(run.target))
    mean = torch.zeros(3, 1, 1) if study.setting.net.pixels == "mean image" else None
    return operate(study.setting.net, n_classes, run.target_base, mean_image=mean).network.eval()


@torch.no_grad()
def represent(
    study: Study, network: LayeredNet, split: str, half: Half, count: int = IMAGES
) -> Mapping[str, np.ndarray]:
    """The features of every layer but the last, float32 images x units, of validation images of a half.

    `count` images at most, spread evenly over the half. The same call gives the same images for every network.
    """
    data = load_half(study.prepared, study.prepared.split(split), half, "valid")
    rows = torch.linspace(0, len(data.labels) - 1, min(count, len(data.labels))).round().long()
    x = network.to_input(network.held(data.images[rows]), torch.float32)
    features = {}
    for depth, layer in enumerate(network.layers[:-1]):
        x = network(x, after=depth, until=depth + 1)
        features[layer] = x.flatten(1).numpy()
    return features
