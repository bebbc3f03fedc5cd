"""Classification models of torchvision and timm, and small models built from torchvision's parts, in named stages.

`find_net` looks a network up by name and finds its stages; `StagedNet` is the network itself.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, singledispatch
from itertools import pairwise
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision import models
from torchvision.models import ConvNeXt, ResNet, VisionTransformer, get_model
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.resnet import BasicBlock

from transferkit.errors import UsageError
from transferkit.network.layered import KeyOf, LayeredNet
from transferkit.network.timm_nets import PREFIX, build_timm, find_timm
from transferkit.randomness import seed_from
from transferkit.specs import Net, Stage, StagedSpec, paper_net, paper_net_at_half_size, small_net

NORMALISATIONS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)
SMALL_IMAGE = 64  # pixels: below it a residual net begins with 3x3 filters in steps of one, and does not pool
N_PROBED = 2  # outputs of the network that is built only to be looked at
OWNED = {  # parameters that an operation reads
    "tokens()": ("class_token", "encoder.pos_embedding"),
    "patch_tokens()": ("cls_token", "pos_embed"),
}
_PREFIXES = ("alexnet", "vgg", "resnet", "resnext", "wide_resnet", "convnext", "efficientnet", "mobilenet_v3", "vit_")


def find_net(name: str, image_size: int) -> Net:
    """The network called `name`, for square images with a side of `image_size` pixels.

    For images below SMALL_IMAGE pixels, a residual net of torchvision begins with 3x3 filters in steps of one, without
    pooling, as in He et al. 2016 for CIFAR: its published first layers would shrink their sides to a quarter.
    Raises UsageError for an unknown name, and for images that are too small for the network.
    """
    own = {net.name: net for net in (small_net(), paper_net(), paper_net_at_half_size())}
    if name in own:
        return own[name]
    if name.startswith(PREFIX):
        return find_timm(name, image_size, StagedNet)
    if name not in net_names():
        raise UsageError(
            f"'{name}' is no network: choose {', '.join([*own, *SMALL_MODELS])}, or one of torchvision's AlexNet, VGG, "
            "ResNet, ConvNeXt, EfficientNet, MobileNetV3 or ViT, as resnet18, or one of timm's, as timm/resnet18."
        )
    spec = _without_stages(name, image_size)
    try:
        with torch.device("meta"):
            model = build_model(spec, N_PROBED)
            first = next(name for name, own in model.named_parameters() if own.ndim == 4 and own.shape[1] == 3)
            spec = replace(spec, stages=stages_of(model), first_filters=first)
            StagedNet(spec, N_PROBED).eval()(torch.empty(1, 3, image_size, image_size))
    except (RuntimeError, ValueError, AssertionError) as problem:
        raise UsageError(
            f"{name} cannot read images of {image_size} pixels ({str(problem).splitlines()[0]}): "
            "prepare larger ones or choose another network."
        ) from None
    return spec


def net_names() -> tuple[str, ...]:
    """The names that `find_net` knows: our nets, small models, and torchvision's models with known stages."""
    torchvisions = (name for name in models.list_models(models) if name.startswith(_PREFIXES))
    return ("small", "paper", "paper-115", *SMALL_MODELS, *torchvisions)


def _without_stages(name: str, image_size: int) -> StagedSpec:
    residual = name.startswith(("resnet", "resnext", "wide_resnet")) and name not in SMALL_MODELS
    arguments = (("image_size", image_size),) if name.startswith("vit_") else ()
    small = residual and image_size < SMALL_IMAGE
    return StagedSpec(name, image_size, name, (), "", arguments=arguments, small_stem=small)


@singledispatch
def stages_of(model: nn.Module) -> tuple[Stage, ...]:
    """The stages of a model: its groups of blocks of equal resolution, the layers of a plain net, or single blocks.

    Raises UsageError for a model of another family than those registered below.
    """
    raise UsageError(f"a {type(model).__name__} has no known stages: name them in a StagedSpec of your own.")


class StagedNet(LayeredNet):
    """The model of a StagedSpec: its parameters and buffers have torchvision's names, and its layers are the stages.

    A frozen stage always stays in evaluation mode: its batch normalisation uses the statistics it was copied with, and
    it has neither dropout nor stochastic depth. So its features are always the same.
    """

    spec: StagedSpec

    def __init__(self, spec: StagedSpec, n_classes: int) -> None:
        super().__init__(spec, n_classes)
        model = build_model(spec, self.n_outputs)
        for name, module in model.named_children():
            self.add_module(name, module)
        for name, parameter in model.named_parameters(recurse=False):
            self.register_parameter(name, parameter)

    def forward(
        self, x: Tensor, after: int = 0, until: int | None = None, weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Apply layers as every LayeredNet does."""
        if weights is not None:
            swapped: Tensor = functional_call(self, dict(weights), (x, after, until))
            return swapped
        for stage in self.spec.stages[after:until]:
            for step in stage.steps:
                x = OPERATIONS[step](self, x) if step in OPERATIONS else self.get_submodule(step)(x)
        return x

    def layer_of(self, name: str) -> str:
        """The stage with a step that is this parameter, buffer or submodule, or contains it."""
        for stage in self.spec.stages:
            for step in stage.steps:
                if any(f"{name}.".startswith(f"{own}.") for own in OWNED.get(step, (step,))):
                    return stage.name
        raise UsageError(f"'{name}' belongs to no stage of {self.spec.name}: they are {', '.join(self.layers)}.")

    def modules_of(self, layer: str) -> tuple[nn.Module, ...]:
        """The modules among the steps of the stage."""
        stage = next(stage for stage in self.spec.stages if stage.name == layer)
        return tuple(self.get_submodule(step) for step in stage.steps if step not in OPERATIONS)

    def initialise(self, key: KeyOf, *, he: bool = False) -> None:
        """Draw the whole model as torchvision does, from the random stream of its first layer.

        With `he`, a model without any normalisation draws its filters after He et al. 2015. Other models keep the scale
        of their own initialisation.
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


def build_model(spec: StagedSpec, outputs: int) -> nn.Module:
    """Build the model, with weights drawn from torch's global generator. Raises what torchvision or timm raises."""
    arguments = dict(spec.arguments)
    if spec.model.startswith(PREFIX):
        return build_timm(spec.model, outputs, arguments)
    if spec.model in SMALL_MODELS:
        return SMALL_MODELS[spec.model](spec.image_size, outputs, arguments)
    model: nn.Module = get_model(spec.model, weights=None, num_classes=outputs, **arguments)
    if spec.small_stem:
        assert isinstance(model, ResNet)
        model.conv1 = nn.Conv2d(3, model.conv1.out_channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
        model.maxpool = nn.Identity()
    return model


@stages_of.register(models.AlexNet | models.VGG)
def _plain_stages(model: nn.Module) -> tuple[Stage, ...]:
    """AlexNet and VGG: conv1, conv2, ..., fc6, ... Dropout belongs to the layer that reads what it leaves."""
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


@stages_of.register(models.ResNet | nn.Sequential)  # a Sequential is resnet-small
def _residual_stages(model: nn.Module) -> tuple[Stage, ...]:
    names = [name for name, _ in model.named_children()]
    stem = tuple(name for name in names if name in ("conv1", "bn1", "relu", "maxpool"))
    blocks = [Stage(name, (name,)) for name in names if re.fullmatch(r"layer\d", name)]
    return (Stage("stem", stem), *blocks, Stage("fc", ("avgpool", "flatten()", "fc")))


@stages_of.register(models.ConvNeXt)
def _convnext_stages(model: nn.Module) -> tuple[Stage, ...]:
    """ConvNeXt: each stage begins with the convolution that halves its maps."""
    count = len(model.get_submodule("features")._modules)
    stages = [Stage("stem", ("features.0",)), Stage("stage1", ("features.1",))]
    stages += [Stage(f"stage{i // 2 + 1}", (f"features.{i}", f"features.{i + 1}")) for i in range(2, count, 2)]
    return (*stages, Stage("head", ("avgpool", "classifier")))


@stages_of.register(models.EfficientNet | models.MobileNetV3)
def _feature_stages(model: nn.Module) -> tuple[Stage, ...]:
    """EfficientNet and MobileNetV3: every child of `features` is a stage."""
    children = [name for name, _ in model.get_submodule("features").named_children()]
    blocks = [Stage(f"block{name}" if name != "0" else "stem", (f"features.{name}",)) for name in children]
    return (*blocks, Stage("head", ("avgpool", "flatten()", "classifier")))


@stages_of.register(models.VisionTransformer)
def _transformer_stages(model: nn.Module) -> tuple[Stage, ...]:
    blocks = [name for name, _ in model.get_submodule("encoder.layers").named_children()]
    stages = [Stage(f"block{i + 1}", (f"encoder.layers.{name}",)) for i, name in enumerate(blocks)]
    embed = Stage("embed", ("conv_proj", "tokens()", "encoder.dropout"))
    return (embed, *stages, Stage("head", ("encoder.ln", "class_token()", "heads")))


def _tokens(network: nn.Module, x: Tensor, step: str = "tokens()") -> Tensor:
    """Turn maps N x D x h x w, or patches N x h w x D, into tokens N x (1 + h w) x D, each plus that of its position.

    The class token is the first.
    """
    patches = x.flatten(2).transpose(1, 2) if x.ndim == 4 else x
    first, positions = (attrgetter(name)(network) for name in OWNED[step])  # perhaps copies in another precision
    tokens: Tensor = torch.cat([first.expand(len(patches), -1, -1), patches], dim=1) + positions
    return tokens


OPERATIONS: Mapping[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "flatten()": lambda _, x: x.flatten(1),
    "tokens()": _tokens,
    "patch_tokens()": partial(_tokens, step="patch_tokens()"),
    "class_token()": lambda _, x: x[:, 0],
}


def _residual(image_size: int, outputs: int, arguments: Mapping[str, int]) -> nn.Module:
    """The residual net of He et al. 2016 for small images: three stages of basic blocks, each at half the resolution.

    `width`: channels of the first stage (16), doubled twice. `blocks`: number in each stage (1). From 40 pixels on, it
    begins with 5x5 filters in steps of two and with pooling, as large nets do, so that a CPU can train it.
    """
    width, blocks = arguments.get("width", 16), arguments.get("blocks", 1)
    large = image_size >= 40
    kernel, stride, padding = (5, 2, 2) if large else (3, 1, 1)
    stages = [
        ("conv1", nn.Conv2d(3, width, kernel, stride, padding, bias=False)),
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
    """A transformer of eight by eight patches. `width`: of a token (64). `blocks`: their number (6)."""
    width, blocks = arguments.get("width", 64), arguments.get("blocks", 6)
    model: nn.Module = VisionTransformer(
        image_size=image_size, patch_size=image_size // 8, num_layers=blocks, num_heads=4, hidden_dim=width,
        mlp_dim=2 * width, num_classes=outputs,
    )  # fmt: skip
    return model


def _convnext(image_size: int, outputs: int, arguments: Mapping[str, int]) -> nn.Module:
    """Three stages. `width`: channels of the first (24), doubled twice. `blocks`: number in each stage (1)."""
    width, blocks = arguments.get("width", 24), arguments.get("blocks", 1)
    channels = (width, 2 * width, 4 * width, None)
    setting = [CNBlockConfig(own, above, blocks) for own, above in pairwise(channels)]
    model: nn.Module = ConvNeXt(setting, stochastic_depth_prob=0.1, num_classes=outputs)
    return model


SMALL_MODELS: Mapping[str, Callable[[int, int, Mapping[str, int]], nn.Module]] = {
    "resnet-small": _residual,
    "vit-small": _vision_transformer,
    "convnext-small": _convnext,
}
