"""Networks of named layers: the paper's eight in its size and in a small one, and torchvision's models in stages.

`transferkit.network.torchvision_nets` finds them by name; it is not imported here, as torchvision is slow to import.
"""

from transferkit.network.build import build, count_multiplications, count_parameters
from transferkit.network.eight import MEAN_IMAGE, EightLayerNet, initialise, layer_of
from transferkit.network.layered import LayeredNet

__all__ = [
    "MEAN_IMAGE",
    "EightLayerNet",
    "LayeredNet",
    "build",
    "count_multiplications",
    "count_parameters",
    "initialise",
    "layer_of",
]
