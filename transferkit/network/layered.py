"""What every network can do: apply some of its layers, freeze them, and say what belongs to each layer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from transferkit.randomness import Key
from transferkit.specs import Net, Scale

IMAGENET = Scale((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # torchvision's

KeyOf = Callable[[str], tuple[Key, ...]]


def to_input(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Scale uint8 images of any shape: (pixel - 128) / 64, which is exact in bfloat16 too.

    This is the usual scaling; `LayeredNet.to_input` applies it, or another that the network's spec names. Its constants
    do not depend on a half, so that a copied layer meets the same scale on both halves.
    """
    return images.to(dtype).sub_(128).div_(64)


def whitened(images: Tensor) -> Tensor:
    """Images, float N x C x H x W, filtered by (f + .03) exp(-(f / .3)^4), f in cycles per pixel, as by the retina.

    So all frequencies up to a third of a cycle per pixel carry about the same energy of a natural image (Atick and
    Redlich 1992; Olshausen and Field 1997). The factor brings photographs back to about the scale they had.
    """
    height, width = images.shape[2:]
    f = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)).to(images.device)
    response = 15 * (f + 0.03) * torch.exp(-((f / 0.3) ** 4))
    filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(images.float()) * response, s=(height, width))
    return filtered


class LayeredNet(nn.Module, ABC):
    """A network of the named layers of a Net, each of which is a function of the features of the layer below."""

    def __init__(self, spec: Net, n_classes: int) -> None:
        super().__init__()
        self.spec = spec
        self.layers = spec.layers  # their names, from the images up
        self.frozen: frozenset[str] = frozenset()
        self.n_outputs = spec.outputs_for(n_classes)
        self.scale = IMAGENET if spec.pixels == "imagenet" else spec.pixels
        if isinstance(
            self.scale, Scale
        ):  # buffers, to be moved to the device once, but not saved, as they are constants
            for name, values in (("pixel_mean", self.scale.mean), ("pixel_std", self.scale.std)):
                self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    @abstractmethod
    def forward(
        self, x: Tensor, after: int = 0, until: int | None = None, weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Apply the layers numbered `after` + 1 to `until` (1 is the first; None: the last).

        By default, from images, float N x 3 x H x W, to logits, N x outputs; with `until=n`, to the features of layer
        n; with `after=n`, from those features. `weights`, by parameter name, replace the network's own parameters in
        this computation: copies in another precision, say.
        """

    @abstractmethod
    def layer_of(self, name: str) -> str:
        """The layer that a parameter, buffer or submodule belongs to. Raises UsageError when it belongs to none."""

    @abstractmethod
    def initialise(self, key: KeyOf, *, he: bool = False) -> None:
        """Draw every weight anew, each layer from the random stream `key(layer)`.

        `he` draws the weights of He et al. 2015, with zero biases, which pass on a signal of full size even if nothing
        normalises it.
        """

    def normalises(self, name: str) -> bool:
        """Whether the parameter belongs to a batch normalisation, which computes in float32 in both precisions."""
        return isinstance(self.get_submodule(name.rpartition(".")[0]), _BatchNorm)

    @abstractmethod
    def modules_of(self, layer: str) -> tuple[nn.Module, ...]:
        """The modules that the layer applies."""

    def held(self, images: Tensor) -> Tensor:
        """Lay out images, uint8 N x 3 x H x W, for fast reading: N x H x W x channels, perhaps folded."""
        return images.permute(0, 2, 3, 1).contiguous()

    def to_input(self, held: Tensor, dtype: torch.dtype, views: Tensor | None = None) -> Tensor:
        """Turn images laid out by `held` into inputs of the first layer: N x channels x H x W of `dtype`.

        Unlike the function `to_input`, it scales pixels as the spec says. `views`, N x 3, say where crops were taken
        (`draw_views`), for a network whose scaling depends on the place.
        """
        images = held.permute(0, 3, 1, 2)
        if isinstance(self.scale, Scale):
            mean, std = self.get_buffer("pixel_mean"), self.get_buffer("pixel_std")
            return ((images.float() / 255 - mean) / std).to(dtype)
        if self.spec.pixels == "whitened":
            return whitened(to_input(images)).to(dtype, memory_format=torch.channels_last)
        return to_input(images, dtype)

    def freeze(self, layers: Iterable[str]) -> None:
        """Freeze exactly these layers: no gradient, so no weight decay either, and no change of their buffers."""
        self.frozen = frozenset(layers)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(self.layer_of(name) not in self.frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "LayeredNet":
        """Set the mode as torch does, except that frozen layers stay in evaluation: their statistics must not move."""
        super().train(mode)
        for layer in self.frozen:
            for module in self.modules_of(layer):
                module.eval()
        return self

    @property
    def frozen_depth(self) -> int:
        """The number of frozen layers below the first trained one, which no gradient reaches."""
        return next((depth for depth, name in enumerate(self.layers) if name not in self.frozen), len(self.layers))

    def steady_depth(self, depth: int) -> int:
        """The greatest depth up to `depth` at which frozen layers give the same features in every training step."""
        return depth
