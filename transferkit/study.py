"""What all networks of a grid have in common."""

from dataclasses import dataclass

from transferkit.conduct import USUAL, Conduct
from transferkit.config import Preset, Setting
from transferkit.data import Prepared
from transferkit.errors import DataError
from transferkit.machine import choose_device, choose_precision
from transferkit.store import Store


@dataclass(frozen=True)
class Study:
    """What all runs of a grid have in common: the data, the setting that is part of their identity, the store.

    `conduct` says under what circumstances they are trained, and is no part of what they are.
    """

    prepared: Prepared
    setting: Setting
    store: Store
    conduct: Conduct = USUAL


def plan_study(prepared: Prepared, preset: Preset, device: str, store: Store, precision: str = "auto") -> Study:
    """The study of this data under this preset on a device: `auto`, `cpu` or `cuda`.

    `precision` is `float32`, `bfloat16` or `auto`, which takes what is fastest there. Raises UsageError for
    another device or precision, or `cuda` where there is none, and DataError when the images are smaller than what
    the network reads, or larger where the recipe takes no crops of them.
    """
    manifest, size = prepared.manifest, preset.net.image_size
    crops = "crop" in (preset.recipe.augment or "")
    if manifest.image_size < size or (manifest.image_size > size and not crops):
        raise DataError(
            f"{manifest.name} has images of {manifest.image_size} pixels, the preset {preset.name} reads {size}: "
            f"prepare the data in that size{' or a larger one' if crops else ''} or choose another preset."
        )
    kind = choose_device(device)
    chosen = choose_precision(precision, kind)
    setting = Setting(
        manifest.name, manifest.checksum(), preset.net, preset.recipe, device=kind, precision=chosen
    )  # fmt: skip
    return Study(prepared, setting, store)
