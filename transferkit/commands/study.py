"""From the options of the command line to the study and the runs they name."""

import argparse
from dataclasses import replace
from pathlib import Path

from msgspec import UNSET, UnsetType

from transferkit.config import Preset, get_preset
from transferkit.data import open_prepared
from transferkit.errors import UsageError
from transferkit.foreign import read_state
from transferkit.manifest import Manifest
from transferkit.nets import Net, NetSpec, StagedSpec
from transferkit.network.given import fitting
from transferkit.store import Store
from transferkit.study import Study, plan_study
from transferkit.treatments import Run, plan
from transferkit.work import find_work_folder, prepared_folder


def study_of(options: argparse.Namespace, *, verify: bool = True) -> tuple[Study, tuple[Run, ...]]:
    """The study of --data that the options ask for, and the runs of --split, --seeds and --runs.

    `verify` hashes the data against their manifest. Raises UsageError, and DataError for data that are damaged.
    """
    store = Store(options.work or find_work_folder())
    preset = get_preset(options.preset, options.epochs, options.learning_rate)
    prepared = open_prepared(prepared_folder(store.work, options.data), verify=verify)
    prepared.split(options.split)  # refuses a split that these classes cannot be divided by
    preset = replace(preset, net=_net_of(options, preset, prepared.manifest, store))
    runs = plan(options.split, options.seeds, options.runs, preset.net.layers)
    return plan_study(prepared, preset, options.device, store, options.precision), runs


def _net_of(options: argparse.Namespace, preset: Preset, manifest: Manifest, store: Store) -> Net:
    """The preset's network, or that of --net for these images, with the --outputs and --start asked for."""
    net = named_net(options.net, preset, manifest) if options.net else preset.net
    assert isinstance(net, NetSpec | StagedSpec)
    if options.outputs:
        net = replace(net, outputs=_outputs(options.outputs))
    if options.start:
        net = start_from(options.start, net, store)
    return net


def named_net(name: str, preset: Preset, manifest: Manifest) -> Net:
    """The network called `name` that reads whole images, or crops as large as the preset's where its recipe crops.

    Raises UsageError as `find_net`.
    """
    from transferkit.network.zoo import find_net  # here, as torchvision is slow to import

    crops = "crop" in (preset.recipe.augment or "")
    return find_net(name, preset.net.image_size if crops else manifest.image_size)


def _outputs(wanted: str) -> int | UnsetType:
    if wanted == "classes":
        return UNSET
    if not wanted.isdecimal() or int(wanted) == 0:
        raise UsageError(f"--outputs {wanted} is no number of outputs: give one of 1 or more, or 'classes'.")
    return int(wanted)


def start_from(path: Path, net: Net, store: Store) -> StagedSpec:
    """The network whose bases start from the weights in a file, of which the store keeps a copy.

    Pixels are then read as torchvision's weights were trained. Raises UsageError for a network that is not of
    torchvision's kind, and DataError for a file that does not fit it or cannot be read.
    """
    if not isinstance(net, StagedSpec):
        raise UsageError(f"--start goes with one of torchvision's networks, not with {net.name}: name it with --net.")
    weights = fitting(read_state(path), net, str(path))
    return replace(net, start=store.give(weights), pixels="imagenet")
