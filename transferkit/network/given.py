"""Weights that somebody brings, torchvision's for instance, made fit for a network's bases to start from."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from transferkit.errors import DataError
from transferkit.nets import StagedSpec
from transferkit.network.build import build

COUNTER = "num_batches_tracked"  # of batch normalisation; torch before 0.4.1 did not save it


def fitting(state: Mapping[str, Tensor], spec: StagedSpec, source: str) -> dict[str, np.ndarray]:
    """The tensors of every layer but the last, float32 by name, out of a state dict read from `source`.

    The last layer's classes are others, so that whatever the file has for it is left out. Raises DataError when a
    tensor is missing, is of another shape, or has numbers that are not finite, and when the file has more than fits.
    """
    with torch.device("meta"):
        network = build(spec, 1)
    own = {name: tensor for name, tensor in network.state_dict().items() if network.layer_of(name) != spec.layers[-1]}
    last = set(network.state_dict()) - set(own)
    missing = [name for name in own if name not in state and not name.endswith(COUNTER)]
    more = [name for name in state if name not in own and name not in last]
    if missing or more:
        lacks = f"lacks {_some(missing)}" if missing else f"has {_some(more)}, which that network has not"
        raise DataError(f"{source} holds no weights of {spec.name}: it {lacks}. Name the network it is of with --net.")
    return {name: _checked(name, state.get(name), tensor, source) for name, tensor in own.items()}


def _checked(name: str, given: Tensor | None, own: Tensor, source: str) -> np.ndarray:
    if given is None:
        return np.zeros((), dtype=np.int64)
    if given.shape != own.shape:
        raise DataError(
            f"{name} is {tuple(given.shape)} in {source} and {tuple(own.shape)} in the network: give weights of the "
            "very network that --net names, and images of the size that it was made for."
        )
    values: np.ndarray = given.detach().to(own.dtype).numpy().copy()
    if not np.isfinite(values).all():
        raise DataError(f"{name} of {source} has numbers that are not finite: give another network's weights.")
    return values


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
