"""What every network here can do: apply some of its layers, freeze them for good, say what belongs to which."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from transferkit.randomness import Key
from transferkit.specs import Net

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of channels in 0..1, torchvision's

KeyOf = Callable[[str], tuple[Key, ...]]


def to_input(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 images of any shape to what a network reads: (pixel - 128) / 64, exact in bfloat16 too.

    Constants rather than the mean of a half: a copied layer then meets the same scale on both halves.
    """
    return images.to(dtype).sub_(128).div_(64)


class LayeredNet(nn.Module, ABC):
    """A network of the named layers of a Net, each of which is one function of what the layer below it gives."""

    def __init__(self, spec: Net, n_classes: int) -> None:
        super().__init__()
        self.spec = spec
        self.n_classes = n_classes
        self.frozen: frozenset[str] = frozenset()
        self.n_outputs = spec.outputs_for(n_classes)
        if spec.pixels == "imagenet":  # constants, no part of the state, on the device once and not in every batch
            for name, values in (("pixel_mean", IMAGENET_MEAN), ("pixel_std", IMAGENET_STD)):
                self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers, from the images up."""
        return self.spec.layers

    @abstractmethod
    def forward(
        self, x: Tensor, after: int = 0, until: int | None = None, weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Apply the layers numbered `after` + 1 to `until` (1 is the first; None: the last).

        From images, float N x 3 x H x W, to logits, N x outputs, by default; with `until=n`, to the features of
        layer n; with `after=n`, from those features. `weights` are computed with instead of the network's own
        parameters, by the same names: copies in another precision, say.
        """

    @abstractmethod
    def layer_of(self, name: str) -> str:
        """The layer that a parameter, buffer or submodule belongs to. Raises UsageError when it is of none."""

    @abstractmethod
    def initialise(self, key: KeyOf, *, he: bool = False) -> None:
        """Draw every weight anew, each layer from the stream `key(layer)`.

        `he` asks for filters that let a signal of full size through even where nothing normalises it: those of
        He et al. 2015, with zero biases.
        """

    @abstractmethod
    def normalises(self, name: str) -> bool:
        """Whether this parameter is of a batch normalisation, which is computed in float32 whatever the precision."""

    @abstractmethod
    def modules_of(self, layer: str) -> tuple[nn.Module, ...]:
        """The modules that the layer applies."""

    def held(self, images: Tensor) -> Tensor:
        """Images, uint8 N x 3 x H x W, as memory holds them best: N x H x W x channels, perhaps folded."""
        return images.permute(0, 2, 3, 1).contiguous()

    def to_input(self, held: Tensor, dtype: torch.dtype, views: Tensor | None = None) -> Tensor:
        """Some of what `held` gives, or crops of it, as the first layer reads it: N x channels x H x W of `dtype`.

        `views`, N x 3, say where those crops were taken, as those of `draw_views`.
        """
        images = held.permute(0, 3, 1, 2)
        if self.spec.pixels == "imagenet":
            mean, std = self.get_buffer("pixel_mean"), self.get_buffer("pixel_std")
            return ((images.float() / 255 - mean) / std).to(dtype)
        return to_input(images, dtype)

    def freeze(self, layers: Iterable[str]) -> None:
        """Stop these layers for good: no gradient, so no weight decay either, and no moving buffers."""
        self.frozen = frozenset(layers)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(self.layer_of(name) not in self.frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "LayeredNet":
        """As in torch, but what is frozen stays in evaluation, or its running statistics would move."""
        super().train(mode)
        for layer in self.frozen:
            for module in self.modules_of(layer):
                module.eval()
        return self

    @property
    def frozen_depth(self) -> int:
        """How many layers from the first on are frozen: no gradient ever reaches below this one."""
        return next((depth for depth, name in enumerate(self.layers) if name not in self.frozen), len(self.layers))

    def steady_depth(self, depth: int) -> int:
        """The greatest depth up to this one whose output, if frozen so far, is the same in every step of training."""
        return depth
