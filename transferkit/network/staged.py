"""A torchvision classification model as a sequence of named stages, each of which can be copied and frozen."""

import math
from collections.abc import Callable, Mapping
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from transferkit.errors import UsageError
from transferkit.nets import StagedSpec
from transferkit.network.layered import KeyOf, LayeredNet
from transferkit.network.models import build_model
from transferkit.streams import seed_from

NORMALISATIONS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)


class StagedNet(LayeredNet):
    """The model of a StagedSpec: its parameters and buffers have torchvision's names, its layers are the stages.

    A frozen stage is in evaluation for good: its batch normalisation uses the statistics it was copied with, and
    within it there is no dropout and no stochastic depth, so that its features are always the same.
    """

    spec: StagedSpec

    def __init__(self, spec: StagedSpec, n_classes: int) -> None:
        super().__init__(spec, n_classes)
        model = build_model(spec, self.n_outputs)
        for name, module in model.named_children():
            self.add_module(name, module)
        for name, parameter in model.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        modules = [(name, module) for name, module in self.named_modules() if isinstance(module, _BatchNorm)]
        self._normalising = {f"{name}.{own}" for name, module in modules for own, _ in module.named_parameters()}

    def forward(
        self, x: Tensor, after: int = 0, until: int | None = None, weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """As every LayeredNet."""
        if weights is not None:
            swapped: Tensor = functional_call(self, dict(weights), (x, after, until))
            return swapped
        for stage in self.spec.stages[after:until]:
            for step in stage.steps:
                x = OPERATIONS[step](self, x) if step in OPERATIONS else self.get_submodule(step)(x)
        return x

    def layer_of(self, name: str) -> str:
        """The stage of a name: the one that has a step which it is, or lies in."""
        for stage in self.spec.stages:
            for step in stage.steps:
                if any(f"{name}.".startswith(f"{own}.") for own in OWNED.get(step, (step,))):
                    return stage.name
        raise UsageError(f"'{name}' belongs to no stage of {self.spec.name}: they are {', '.join(self.layers)}.")

    def modules_of(self, layer: str) -> tuple[nn.Module, ...]:
        """The modules among the stage's steps."""
        stage = next(stage for stage in self.spec.stages if stage.name == layer)
        return tuple(self.get_submodule(step) for step in stage.steps if step not in OPERATIONS)

    def normalises(self, name: str) -> bool:
        """Whether the parameter is of a batch normalisation."""
        return name in self._normalising

    def initialise(self, key: KeyOf, *, he: bool = False) -> None:
        """Draw the whole model as torchvision does, from the stream of its first layer.

        `he` draws the filters of a model without any normalisation after He et al. 2015; others keep the scale that
        their own initialisation gives.
        """
        with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
            torch.manual_seed(seed_from(*key(self.layers[0])))
            fresh = build_model(self.spec, self.n_outputs)
            if he and not any(isinstance(module, NORMALISATIONS) for module in fresh.modules()):
                fresh.apply(_draw_after_he)
        self.load_state_dict(fresh.state_dict())


def _draw_after_he(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, 0, math.sqrt(2 / module.weight[0].numel()))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _tokens(network: nn.Module, x: Tensor) -> Tensor:
    """Maps N x D x h x w to tokens N x (1 + h w) x D: the class token first, and every one told its place."""
    patches = x.flatten(2).transpose(1, 2)
    first, places = (attrgetter(name)(network) for name in OWNED["tokens()"])  # perhaps copies in another precision
    tokens: Tensor = torch.cat([first.expand(len(patches), -1, -1), patches], dim=1) + places
    return tokens


OPERATIONS: Mapping[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "flatten()": lambda _, x: x.flatten(1),
    "tokens()": _tokens,
    "class_token()": lambda _, x: x[:, 0],
}
OWNED = {"tokens()": ("class_token", "encoder.pos_embedding")}  # parameters that an operation reads
