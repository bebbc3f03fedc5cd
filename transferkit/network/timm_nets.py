"""timm's networks as named stages: a stem, one stage up to each module that `feature_info` lists, and the head.

Layers between the last of these modules and the classifier are a stage too.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from transferkit.errors import UsageError
from transferkit.specs import Scale, Stage, StagedSpec

PREFIX = "timm/"


def build_timm(name: str, outputs: int, arguments: Mapping[str, int]) -> nn.Module:
    """The model that timm builds by this name, with weights drawn from torch's global generator."""
    model: nn.Module = _timm(name).create_model(name.removeprefix(PREFIX), num_classes=outputs, **arguments)
    return model


@torch.no_grad()
def find_timm(name: str, image_size: int, staged: Callable[[StagedSpec, int], nn.Module]) -> StagedSpec:
    """The network that timm calls `name`, after the prefix; `staged` builds the network of a spec.

    It reads pixels as the weights that timm publishes of it. Raises UsageError without timm, for a name it does not
    know, for images that the model cannot read, and for one that its stages do not compute.
    """
    published: Any = _timm(name).get_pretrained_cfg(name.removeprefix(PREFIX))
    size = (("img_size", image_size),) if published.fixed_input_size else ()  # a transformer's positions are for one
    scale = Scale(tuple(published.mean), tuple(published.std))
    spec = StagedSpec(name, image_size, name, (), "", size, pixels=scale)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, image_size, image_size, generator=generator)
    try:
        with torch.random.fork_rng(devices=[]):
            model = build_timm(name, 2, dict(size)).eval()
        for parameter in model.parameters():  # some begin with zeros, which would hide a part that is left out
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
        wanted = model(images)
    except (RuntimeError, ValueError, AssertionError, TypeError) as problem:
        reason = str(problem).splitlines()[0]
        raise UsageError(f"{name} cannot read images of {image_size} pixels ({reason}): prepare others.") from None
    with suppress(RuntimeError, ValueError, LookupError, AttributeError, TypeError, StopIteration):
        first = next(name for name, own in model.named_parameters() if own.ndim == 4 and own.shape[1] == 3)
        spec = replace(spec, stages=stages_of_timm(model), first_filters=first)
        network = staged(spec, 2).eval()
        network.load_state_dict(model.state_dict())
        if torch.allclose(network(images), wanted, rtol=1e-3, atol=1e-5):
            return spec
    raise UsageError(
        f"{name} does not apply its parts one after the other, so that it cannot be chopped after those that timm "
        "lists: choose another network, as timm/efficientnet_lite0 or timm/resnet18."
    )


def stages_of_timm(model: nn.Module) -> tuple[Stage, ...]:
    """The stages of a model of timm, whose parts are taken to apply in the order in which the model names them."""
    listed = [str(info["module"]) for info in model.feature_info]  # type: ignore[union-attr]
    weighs = _has_weights(model, listed[0], filters=True)  # otherwise it ends the stem
    stages: list[Stage] = []
    steps: list[str] = []
    for step in _steps(model, listed):
        if step == listed[0] and weighs and steps:
            stages, steps = [Stage("stem", tuple(steps))], []
        steps.append(step)
        if step in listed:
            stages.append(Stage(step if weighs or stages else "stem", tuple(steps)))
            steps = []
    *before, _ = (place for place, step in enumerate(steps, start=1) if _has_weights(model, step))
    last = max(before, default=0)
    names = [step for step in steps[:last] if _has_weights(model, step, filters=True)]  # as conv_head
    above = [Stage(name, tuple(steps[:last])) for name in names[:1]]
    return (*stages, *above, Stage("head", tuple(steps[last if names else 0 :])))


def _has_weights(model: nn.Module, step: str, *, filters: bool = False) -> bool:
    """Whether a step has parameters, or filters, which have more than one axis."""
    parameters = [] if "(" in step else model.get_submodule(step).parameters()
    return any(parameter.ndim > filters for parameter in parameters)


def _steps(model: nn.Module, listed: Sequence[str], parent: str = "") -> Iterator[str]:
    """What the model applies one after the other: its parts, or the parts of a part where one of these is listed."""
    for child, _ in model.get_submodule(parent).named_children():
        name = f"{parent}.{child}" if parent else child
        if name == "fc_norm":
            yield "class_token()"
        if any(other.startswith(f"{name}.") for other in listed):
            yield from _steps(model, listed, name)
        else:
            yield name
        if name == "patch_embed" and hasattr(model, "cls_token"):
            yield "patch_tokens()"


def _timm(name: str) -> Any:
    """The module timm, if it knows this network."""
    try:
        with warnings.catch_warnings(action="ignore"):
            import timm
    except ImportError:
        raise UsageError(f"{name} is a network of timm's: pip install 'transferkit[timm]'.") from None
    if not timm.is_model(name.removeprefix(PREFIX).split(".")[0]):
        raise UsageError(f"'{name}' is no network of timm {timm.__version__}: timm.list_models() names them.")
    return timm
