"""From what a network is to the network."""

from transferkit.nets import Net, NetSpec, StagedSpec
from transferkit.network.eight import EightLayerNet
from transferkit.network.layered import LayeredNet


def build(spec: Net, n_classes: int) -> LayeredNet:
    """The network of a specification, for so many classes; `initialise` draws its weights.

    Raises UsageError when the classes are more than its outputs.
    """
    if isinstance(spec, NetSpec):
        return EightLayerNet(spec, n_classes)
    assert isinstance(spec, StagedSpec)
    from transferkit.network.staged import StagedNet  # here, as torchvision is slow to import and most do without it

    return StagedNet(spec, n_classes)
