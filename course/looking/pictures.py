"""Look at features in a notebook: filters, how they formed, what units answer, a picture's way through the layers."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from course.looking import features
from course.looking.activations import favourites, layer_answers, read_picture, sample_half, untrained_network
from course.looking.film import Animation, film
from course.looking.first_layer import Bands, load_filters
from course.looking.kinds import fit_table
from course.looking.sheets import named_filters, sheet_of
from transferkit import figures
from transferkit.figures import Picture
from transferkit.network import LayeredNet
from transferkit.report import conv1_tiles
from transferkit.report import first_filters as filters_of
from transferkit.session import FIRST_SPLIT, load_network
from transferkit.training.machine import threads
from transferkit.training.study import Study
from transferkit.treatments import Run, parse_run

MOST_IMAGES = 4000  # that a unit's favourites are sought among
UNTRAINED = "untrained"


def first_filters(study: Study, run: Run | str, split: str = FIRST_SPLIT, seed: int = 0) -> np.ndarray:
    """The filters of a finished network's first layer, float32 filters x 3 x k x k; arguments as for `load_network`.

    >>> tk.first_filters(study, "baseA").shape
    (32, 3, 9, 9)
    """
    return filters_of(study, _run(run, split, seed))


def conv1(
    study: Study, first: Run | str = "baseA", second: Run | str = "baseB", split: str = FIRST_SPLIT, seed: int = 0
) -> Picture:
    """The first-layer filters of two finished networks side by side, alike ones together.

    >>> tk.conv1(study, "baseA", "baseB").alt[:12]
    'The filters '
    """
    one, other = (_run(run, split, seed) for run in (first, second))
    tiles = (conv1_tiles(study, one), conv1_tiles(study, other))
    return figures.conv1(*tiles, (one.label, other.label))


def filter_sheet(weights: np.ndarray, title: str = "First layer") -> Picture:
    """All filters of a first layer, float filters x 3 x k x k, alike ones together, each with its kind and its R2.

    Raises what `fit_table` raises.

    >>> tk.filter_sheet(tk.first_filters(study, "baseA")).alt[:27]
    '32 filters of 9 by 9 pixels'
    """
    return sheet_of(weights, fit_table(weights), title)


def filters(
    source: Study | Path | str, run: Run | str = "baseA", split: str = FIRST_SPLIT, seed: int = 0,
    layer: str | None = None, bands: Bands | None = None,
) -> Picture:  # fmt: skip
    """The sheet of a first layer: of a finished network of a study, or of weights by file or by torchvision's name.

    `run`, `split` and `seed` go with a study, as for `load_network`; `layer` and `bands` with weights, as for
    `first_layer.load_filters`: (3, 2, 1) shows weights in true colours that saw blue, green and red.

    >>> tk.filters(study, "baseA").alt[:27]
    '32 filters of 9 by 9 pixels'
    """
    if isinstance(source, Study):
        found = named_filters(source, _run(run, split, seed))
    else:
        found = replace(load_filters(str(source), layer, bands), source=Path(source).stem)
    return filter_sheet(found.weights, f"{found} of {found.source}")


def forming(study: Study, run: Run | str = "baseA", split: str = FIRST_SPLIT, seed: int = 0) -> Animation:
    """The first-layer filters of a finished base as they formed, an animated picture; arguments as for `load_network`.

    >>> tk.forming(study, "baseA").alt
    'The 32 filters of conv1 of baseA from epoch 0 to 2, in fixed places.'
    """
    run = _run(run, split, seed)
    return film(study.store.history(run, study.setting), f"conv1 of {run.label}")


def responses(
    study: Study, run: Run | str = "baseA", layer: str | Sequence[str] = "conv1",
    unit: int | Sequence[int] | None = None, split: str = FIRST_SPLIT, seed: int = 0,
) -> Picture:  # fmt: skip
    """The validation images of its half that a unit answers most, each cut to what the unit sees; a row per unit.

    `layer` is a name or several, `unit` a number or several, without it those whose answers vary most. `run` may also
    be "untrained": baseA before its training. Raises UsageError for a layer or unit that the network has not.

    >>> tk.responses(study, "baseA", "conv1", [3, 5]).alt[:43]
    'The images that units of baseA answer most.'
    """
    name, run, network = open_network(study, run, parse_run("baseA", split, seed))
    with threads(study.setting.threads):
        sample = sample_half(study, run.split, run.target, MOST_IMAGES)
        table = favourites(network, sample.images, _several(layer))
    classes = np.array(_classes(study, run))[sample.labels].tolist()
    units = None if unit is None else _several(unit)
    return features.responses(table, sample.images.numpy(), classes, units, name)


def look(
    study: Study, run: Run | str | Sequence[Run | str], picture: Path | str, split: str = FIRST_SPLIT, seed: int = 0
) -> Picture:
    """Send your own picture through all layers of networks: what each layer answers, and the class that it ends in.

    `run` is one or several, side by side; "untrained" is the base of the first as it was before its training. The
    square in the picture's middle is scaled to what the networks read. Raises UsageError for what is no picture.

    >>> mine = tk.figure1(tk.plan("random0", seeds=[0])).save("mine.png")
    >>> tk.look(study, ["baseA", "A3B", "untrained"], mine).alt[:46]
    'mine.png, its middle square at 48 by 48 pixels'
    """
    runs = _several(run)
    first = next((_run(it, split, seed) for it in runs if it != UNTRAINED), parse_run("baseA", split, seed))
    pixels = read_picture(picture, study)
    with threads(study.setting.threads):
        opened = [open_network(study, it, first.target_base) for it in runs]
        shown = [(name, layer_answers(network, pixels), _classes(study, own)) for name, own, network in opened]
    return features.passage(shown, pixels, Path(picture).name)


def open_network(study: Study, run: Run | str, base: Run) -> tuple[str, Run, LayeredNet]:
    """A finished network with its name and run; or the base of that split and seed, untrained."""
    if run == UNTRAINED:
        return f"{base.label}, untrained", base, untrained_network(study, base)
    run = _run(run, base.split, base.seed)
    return run.label, run, load_network(study, run)


def _several(named: Any) -> list[Any]:
    return list(named) if isinstance(named, Collection) and not isinstance(named, str) else [named]


def _classes(study: Study, run: Run) -> list[str]:
    return [
        study.prepared.manifest.classes[index].name for index in study.prepared.split(run.split).classes(run.target)
    ]


def _run(run: Run | str, split: str, seed: int) -> Run:
    return parse_run(run, split, seed) if isinstance(run, str) else run
