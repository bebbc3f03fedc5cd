"""A network layer by layer: what each layer holds and costs, and how well its features separate the classes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from course.looking.activations import untrained_network
from transferkit.network import EightLayerNet, LayeredNet, count_multiplications
from transferkit.network.views import take_centres
from transferkit.randomness import generator_from
from transferkit.session import load_network
from transferkit.specs import NetSpec
from transferkit.training.data import HalfData, load_half
from transferkit.training.examples import read_half
from transferkit.training.loop import evaluate
from transferkit.training.machine import threads
from transferkit.training.optimiser import weights_in
from transferkit.training.study import Study
from transferkit.treatments import LAYERS, Half, Run

PLACES = ("pixels", *LAYERS)  # where `separate` looks
BATCH = 256


@dataclass(frozen=True)
class LayerFacts:
    """One layer: its output (channels x height x width, or units), weights and biases, multiply-adds per image."""

    layer: str
    output: str
    parameters: int
    multiplications: int


def dissect(spec: NetSpec, n_classes: int) -> tuple[LayerFacts, ...]:
    """The facts of all layers, from conv1 to fc8; the network is not allocated."""
    counts = count_multiplications(spec, n_classes)
    with torch.device("meta"):
        network = EightLayerNet(spec, n_classes)
        image = torch.empty(1, 3, spec.image_size, spec.image_size)
        features = _features(network, image)
    parameters = dict.fromkeys(LAYERS, 0)
    for name, parameter in network.named_parameters():
        parameters[network.layer_of(name)] += parameter.numel()
    return tuple(
        LayerFacts(layer, " x ".join(map(str, x.shape[1:])), parameters[layer], counts[layer])
        for layer, x in zip(LAYERS, features[1:], strict=True)
    )


def separate(study: Study, run: Run, half: Half, *, trained: bool = True) -> tuple[float, ...]:
    """Top-1 (0..1) of the nearest class mean, in the pixels and in every layer's features: one value per place.

    The network of `run`, finished or as it was before training, looks at images of `half`, its own or the other. Each
    validation image gets the class whose mean over the training images is nearest. Nothing is trained, so the value
    measures how far the layer has already separated the classes (compare Alain and Bengio 2016, arXiv 1610.01644).
    The places are those of PLACES. Raises StoreError if the run is not finished.
    """
    network = _rebuild(study, run, trained=trained)
    split, limit = study.prepared.split(run.split), study.setting.recipe.images_per_class
    train = load_half(study.prepared, split, half, "train", images_per_class=limit)
    valid = load_half(study.prepared, split, half, "valid")
    with threads(study.setting.threads):
        return nearest_mean(network, train, valid)


def accuracy(study: Study, run: Run, *, trained: bool = True, shuffled: int | None = None) -> float:
    """Top-1 (0..1) on its validation images of a network, finished or as it was before training.

    `shuffled` is a seed with which the labels are shuffled among the images: then even a trained network can only
    guess. Raises StoreError if the run is not finished.
    """
    network = _rebuild(study, run, trained=trained).to(memory_format=torch.channels_last)
    valid = load_half(study.prepared, study.prepared.split(run.split), run.target, "valid")
    if shuffled is not None:
        order = generator_from("shuffled labels", shuffled).permutation(len(valid.labels))
        valid = replace(valid, labels=valid.labels[torch.from_numpy(order)])
    device = study.setting.device
    half = HalfData(valid.images.to(device), valid.labels.to(device), valid.n_classes)
    with threads(study.setting.threads):
        examples = read_half(network, half, study.setting.precision, [0])[0]
        return evaluate(network, examples, weights_in(network, study.setting.precision))[0]


@torch.no_grad()
def nearest_mean(network: LayeredNet, train: HalfData, valid: HalfData) -> tuple[float, ...]:
    """As `separate`, for a network and the two parts of a half; one pass gives the class means of all places."""
    network.eval()
    device = next(network.parameters()).device
    sums: list[Tensor] = []
    for images, labels in _batches(network, train, device):
        features = [x.flatten(1) for x in _features(network, images)]
        sums = sums or [x.new_zeros(train.n_classes, x.shape[1]) for x in features]
        for total, x in zip(sums, features, strict=True):
            total.index_add_(0, labels, x)
    counts = torch.bincount(train.labels, minlength=train.n_classes).to(device)
    means = [total / counts[:, None] for total in sums]
    right = [0] * len(means)
    for images, labels in _batches(network, valid, device):
        for place, x in enumerate(_features(network, images)):
            right[place] += int((torch.cdist(x.flatten(1), means[place]).argmin(1) == labels).sum())
    return tuple(count / len(valid.labels) for count in right)


def _features(network: LayeredNet, x: Tensor) -> list[Tensor]:
    """The features of a batch in the pixels and after each layer, in the order of PLACES."""
    features = [x]
    for after, until in pairwise(range(len(network.layers) + 1)):
        features.append(network(features[-1], after=after, until=until))
    return features


def _batches(network: LayeredNet, half: HalfData, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    parts = zip(half.images.split(BATCH), half.labels.split(BATCH), strict=True)
    for images, labels in parts:
        shown = take_centres(images.to(device), network.spec.image_size)
        yield network.to_input(network.held(shown), torch.float32), labels.to(device)


def _rebuild(study: Study, run: Run, *, trained: bool) -> LayeredNet:
    network = load_network(study, run) if trained else untrained_network(study, run)
    return network.to(study.setting.device)
