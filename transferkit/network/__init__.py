"""Networks of named layers: the paper's eight layers, full-sized and small, and torchvision's models in stages.

`transferkit.network.torchvision_nets` finds them by name. It is not imported here, since torchvision is slow to import.
"""

from transferkit.network.build import build, count_multiplications, count_parameters
from transferkit.network.eight import MEAN_IMAGE, EightLayerNet
from transferkit.network.layered import LayeredNet

__all__ = ["MEAN_IMAGE", "EightLayerNet", "LayeredNet", "build", "count_multiplications", "count_parameters"]
