"""The models behind a StagedSpec: torchvision's by name, and small ones of its parts that a CPU can train."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from torch import nn
from torchvision.models import ConvNeXt, ResNet, VisionTransformer, get_model
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.resnet import BasicBlock

from transferkit.nets import StagedSpec


def build_model(spec: StagedSpec, outputs: int) -> nn.Module:
    """The model with torch's own initialisation, drawn from its global generator. Raises what torchvision raises."""
    arguments = dict(spec.arguments)
    if spec.model in SMALL_MODELS:
        return SMALL_MODELS[spec.model](spec.image_size, outputs, arguments)
    model: nn.Module = get_model(spec.model, weights=None, num_classes=outputs, **arguments)
    if spec.small_stem:
        assert isinstance(model, ResNet)
        model.conv1 = nn.Conv2d(3, model.conv1.out_channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
        model.maxpool = nn.Identity()
    return model


def _residual(image_size: int, outputs: int, arguments: Mapping[str, int]) -> nn.Module:
    """He et al. 2016's residual net for small images: three stages of basic blocks, each of half the size.

    `width`: channels of the first stage (16), doubled twice; `blocks`: of each stage (1). From 40 pixels on it begins
    as the large ones do, with filters in steps of two (5x5) and pooling, so that a CPU can train it.
    """
    width, blocks = arguments.get("width", 16), arguments.get("blocks", 1)
    large = image_size >= 40
    first = nn.Conv2d(3, width, 5 if large else 3, 2 if large else 1, padding=2 if large else 1, bias=False)
    stages = [
        ("conv1", first),
        ("bn1", nn.BatchNorm2d(width)),
        ("relu", nn.ReLU()),
        ("maxpool", nn.MaxPool2d(3, 2, padding=1) if large else nn.Identity()),
        ("layer1", _blocks(width, width, blocks)),
        ("layer2", _blocks(width, 2 * width, blocks)),
        ("layer3", _blocks(2 * width, 4 * width, blocks)),
        ("avgpool", nn.AdaptiveAvgPool2d(1)),
        ("fc", nn.Linear(4 * width, outputs)),
    ]
    model = nn.Sequential(OrderedDict(stages))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def _blocks(inputs: int, outputs: int, count: int) -> nn.Sequential:
    halves = inputs != outputs
    shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs)) if halves else None
    first = BasicBlock(inputs, outputs, 2 if halves else 1, shortcut)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs) for _ in range(count - 1)))


def _vision_transformer(image_size: int, outputs: int, arguments: Mapping[str, int]) -> nn.Module:
    """Eight by eight patches; `width`: of a token (64), `blocks`: how many (6)."""
    width, blocks = arguments.get("width", 64), arguments.get("blocks", 6)
    model: nn.Module = VisionTransformer(
        image_size=image_size, patch_size=image_size // 8, num_layers=blocks, num_heads=4, hidden_dim=width,
        mlp_dim=2 * width, num_classes=outputs,
    )  # fmt: skip
    return model


def _convnext(image_size: int, outputs: int, arguments: Mapping[str, int]) -> nn.Module:
    """Three stages of one block each (`blocks`); `width`: channels of the first (24), doubled twice."""
    width, blocks = arguments.get("width", 24), arguments.get("blocks", 1)
    setting = [CNBlockConfig(width, 2 * width, blocks), CNBlockConfig(2 * width, 4 * width, blocks)]
    setting.append(CNBlockConfig(4 * width, None, blocks))
    model: nn.Module = ConvNeXt(setting, stochastic_depth_prob=0.1, num_classes=outputs)
    return model


SMALL_MODELS: Mapping[str, Callable[[int, int, Mapping[str, int]], nn.Module]] = {
    "resnet-small": _residual,
    "vit-small": _vision_transformer,
    "convnext-small": _convnext,
}
