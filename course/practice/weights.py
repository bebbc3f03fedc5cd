"""The given weights and their network: from a file or an installed package, fitted to every layer but the last."""

import os

from transferkit.disk.store import Weights
from transferkit.errors import UsageError
from transferkit.network.torchvision_nets import find_net
from transferkit.network.weights_file import INSTALLED, as_published, fitting, locate, read_state
from transferkit.specs import Net

USUAL_NET, USUAL_SIZE = "resnet18", 64


def named_net(name: str | None, weights: str, size: int | None) -> Net:
    """The network called `name`, for pictures of `size` pixels, scaled as for its published weights.

    Without a name, it is that of installed weights, or USUAL_NET; without a size, its own, or USUAL_SIZE if it takes
    any. Raises UsageError for an unknown name, and for a size that the network cannot read.
    """
    name = name or (INSTALLED[weights][1] if weights in INSTALLED else USUAL_NET)
    net = as_published(find_net(name, USUAL_SIZE if size is None else size))
    if size is not None and net.image_size != size:
        raise UsageError(f"{name} reads pictures of {net.image_size} pixels, not {size}: leave --size out.")
    return net


def given_weights(weights: str, net: Net) -> Weights:
    """The weights in a file, or installed ones by their name, for every layer but the last, float32 by name.

    Raises UsageError where there are none, DataError when the file is damaged or of another network.
    """
    path = locate(os.path.expanduser(weights))
    if not path.exists():
        raise UsageError(
            f"--weights {weights}: there is no such file; give a safetensors file, a PyTorch state dict or "
            f"{', '.join(INSTALLED)}."
        )
    return fitting(read_state(path), net, str(path))
