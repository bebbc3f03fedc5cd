"""Networks by name: how each family of torchvision's models is parted into stages."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn
from torchvision import models

from transferkit.errors import UsageError
from transferkit.nets import Net, Stage, StagedSpec, paper_net, paper_net_at_half_size, small_net
from transferkit.network.models import SMALL_MODELS, build_model
from transferkit.network.staged import StagedNet

SMALL_IMAGE = 64  # pixels: below it a residual net begins with 3x3 filters in steps of one, and does not pool
N_PROBED = 2  # outputs of the network that is built to look at


def net_names() -> tuple[str, ...]:
    """The names that `find_net` knows: ours, small models, and torchvision's of the families that can be chopped."""
    torchvisions = (name for name in models.list_models(models) if name.startswith(_PREFIXES))
    return ("small", "paper", "paper-115", *SMALL_MODELS, *torchvisions)


def find_net(name: str, image_size: int) -> Net:
    """The network called `name`, for square images of so many pixels.

    A residual net of torchvision begins with 3x3 filters in steps of one and without pooling where images have fewer
    than SMALL_IMAGE pixels, as He et al. 2016 have it for CIFAR: its published first layer would leave them an
    eighth of their size. Raises UsageError for an unknown name, and for images that are too small for it.
    """
    own = {net.name: net for net in (small_net(), paper_net(), paper_net_at_half_size())}
    if name in own:
        return own[name]
    if name not in net_names():
        raise UsageError(
            f"'{name}' is no network: choose {', '.join([*own, *SMALL_MODELS])}, or one of torchvision's AlexNet, VGG, "
            "ResNet, ConvNeXt, EfficientNet, MobileNetV3 or ViT, as resnet18."
        )
    spec = _unparted(name, image_size)
    try:
        with torch.device("meta"):
            model = build_model(spec, N_PROBED)
            spec = replace(spec, stages=stages_of(model), first_filters=_first_filters(model))
            StagedNet(spec, N_PROBED).eval()(torch.empty(1, 3, image_size, image_size))
    except (RuntimeError, ValueError, AssertionError) as problem:
        raise UsageError(
            f"{name} cannot read images of {image_size} pixels ({str(problem).splitlines()[0]}): "
            "prepare larger ones or choose another network."
        ) from None
    return spec


def _unparted(name: str, image_size: int) -> StagedSpec:
    residual = name.startswith(("resnet", "resnext", "wide_resnet")) and name not in SMALL_MODELS
    arguments = (("image_size", image_size),) if name.startswith("vit_") else ()
    small = residual and image_size < SMALL_IMAGE
    return StagedSpec(name, image_size, name, (), "", arguments=arguments, small_stem=small)


def stages_of(model: nn.Module) -> tuple[Stage, ...]:
    """How a model is parted: at its blocks of equal resolution, a plain net at its layers, a transformer at its blocks.

    Raises UsageError for a model of another family.
    """
    for family, parted in _FAMILIES:
        if isinstance(model, family):
            return parted(model)
    raise UsageError(f"a {type(model).__name__} has no known stages: name them in a StagedSpec of your own.")


def _plain(model: nn.Module) -> tuple[Stage, ...]:
    """AlexNet and VGG: conv1, conv2, ..., fc6, ... Dropout belongs to the layer that reads."""
    stages: list[tuple[str, list[str]]] = []
    steps: list[str] = []
    for part in ("features", "classifier"):
        for name, module in model.get_submodule(part).named_children():
            if isinstance(module, nn.Dropout):
                steps.append(f"{part}.{name}")
                continue
            if isinstance(module, nn.Conv2d | nn.Linear):
                kind = "conv" if isinstance(module, nn.Conv2d) else "fc"
                stages.append((f"{kind}{len(stages) + 1}", steps))
                steps = []
            stages[-1][1].append(f"{part}.{name}")
        steps = ["avgpool", "flatten()"]
    return tuple(Stage(name, tuple(own)) for name, own in stages)


def _residual(model: nn.Module) -> tuple[Stage, ...]:
    names = [name for name, _ in model.named_children()]
    stem = tuple(name for name in names if name in ("conv1", "bn1", "relu", "maxpool"))
    blocks = [Stage(name, (name,)) for name in names if re.fullmatch(r"layer\d", name)]
    return (Stage("stem", stem), *blocks, Stage("fc", ("avgpool", "flatten()", "fc")))


def _convnext(model: nn.Module) -> tuple[Stage, ...]:
    """Each stage with the convolution before it that halves its maps."""
    count = len(model.get_submodule("features")._modules)
    stages = [Stage("stem", ("features.0",)), Stage("stage1", ("features.1",))]
    stages += [Stage(f"stage{i // 2 + 1}", (f"features.{i}", f"features.{i + 1}")) for i in range(2, count, 2)]
    return (*stages, Stage("head", ("avgpool", "classifier")))


def _sequence(model: nn.Module) -> tuple[Stage, ...]:
    """EfficientNet and MobileNetV3: every child of their features."""
    children = [name for name, _ in model.get_submodule("features").named_children()]
    blocks = [Stage(f"block{name}" if name != "0" else "stem", (f"features.{name}",)) for name in children]
    return (*blocks, Stage("head", ("avgpool", "flatten()", "classifier")))


def _transformer(model: nn.Module) -> tuple[Stage, ...]:
    blocks = [name for name, _ in model.get_submodule("encoder.layers").named_children()]
    stages = [Stage(f"block{i + 1}", (f"encoder.layers.{name}",)) for i, name in enumerate(blocks)]
    embed = Stage("embed", ("conv_proj", "tokens()", "encoder.dropout"))
    return (embed, *stages, Stage("head", ("encoder.ln", "class_token()", "heads")))


_FAMILIES: Sequence[tuple[type[nn.Module] | tuple[type[nn.Module], ...], Callable[[nn.Module], tuple[Stage, ...]]]] = (
    ((models.AlexNet, models.VGG), _plain),
    (models.ResNet, _residual),
    (models.ConvNeXt, _convnext),
    ((models.EfficientNet, models.MobileNetV3), _sequence),
    (models.VisionTransformer, _transformer),
    (nn.Sequential, _residual),  # resnet-small
)
_PREFIXES = (
    "alexnet", "vgg", "resnet", "resnext", "wide_resnet", "convnext", "efficientnet", "mobilenet_v3", "vit_",
)  # fmt: skip


def _first_filters(model: nn.Module) -> str:
    return next(name for name, tensor in model.named_parameters() if tensor.ndim == 4 and tensor.shape[1] == 3)
