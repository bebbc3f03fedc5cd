"""What all networks of a grid have in common, and how they are trained."""

from dataclasses import dataclass, replace
from pathlib import Path

from transferkit.config import Preset, Setting
from transferkit.disk.store import Store
from transferkit.errors import DataError
from transferkit.network.weights_file import as_published, fitting, locate, read_state
from transferkit.training.data import Prepared
from transferkit.training.distributed import ALONE, Processes
from transferkit.training.machine import choose_device, choose_precision


@dataclass(frozen=True)
class Execution:
    """How networks are trained; only rounding depends on it.

    `processes` train each network together, and a checkpoint is kept every `checkpoint_seconds`. With `graphs`, a GPU
    replays each step as a CUDA graph. With `deterministic`, only algorithms that always give the same bits are used.
    """

    processes: Processes = ALONE
    checkpoint_seconds: float = 180.0
    graphs: bool = False
    deterministic: bool = False


USUAL = Execution()


@dataclass(frozen=True)
class Study:
    """What all networks of a grid share: the data, the setting, the store and the execution.

    The setting is part of each network's identity, the execution is not.

    >>> isinstance(study, tk.Study), study.setting.data
    (True, 'tiny')
    """

    prepared: Prepared
    setting: Setting
    store: Store
    execution: Execution = USUAL


def plan_study(prepared: Prepared, preset: Preset, device: str, store: Store, precision: str = "auto") -> Study:
    """The study of these data under this preset on a device: `auto`, `cpu` or `cuda`.

    `precision` is `float32`, `bfloat16` or `auto`, the fastest on that device. Raises UsageError for another device or
    precision, and for `cuda` where there is none. Raises DataError when the images are smaller than the network reads,
    or larger although the recipe takes no crops.
    """
    manifest, size = prepared.manifest, preset.net.image_size
    crops = "crop" in (preset.recipe.augment or "")
    if manifest.image_size < size or (manifest.image_size > size and not crops):
        raise DataError(
            f"{manifest.name} has images of {manifest.image_size} pixels, the preset {preset.name} reads {size}: "
            f"prepare the data in that size{' or a larger one' if crops else ''} or choose another preset."
        )
    kind = choose_device(device)
    precise = choose_precision(precision, kind)
    setting = Setting(manifest.name, manifest.checksum(), preset.net, preset.recipe, kind, precise)
    return Study(prepared, setting, store)


def with_given(study: Study, weights: str | Path) -> Study:
    """The same study with weights for source P to copy: those of a file, or installed ones, as "efficientnet-lite0".

    All its networks read pixels scaled as for weights that torchvision or timm publish. Keeps the weights in the store.
    Raises UsageError and DataError for a file that does not fit the study's network.
    """
    net = as_published(study.setting.net)
    name = study.store.give(fitting(read_state(locate(weights)), net, str(weights)))
    return replace(study, setting=replace(study.setting, net=net, given=name))
