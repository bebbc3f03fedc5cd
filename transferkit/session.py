"""What people type in a notebook: open a study, train its networks, take them out again and look at them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from transferkit import console, figures, report
from transferkit.config import get_preset
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Receipt, Store
from transferkit.figures import Animation, Picture
from transferkit.gabor.table import fit_table
from transferkit.network import MEAN_IMAGE, LayeredNet, build
from transferkit.training.data import open_prepared
from transferkit.training.forecast import probe
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import Run, parse_run

FIRST_SPLIT = "random0"


def open_study(
    prepared: Path, preset: str = "quick", device: str = "auto", epochs: int | None = None,
    learning_rate: float | None = None,
) -> Study:  # fmt: skip
    """The study of a prepared folder under a preset, by name, in the usual work folder.

    `epochs` and `learning_rate` replace the preset's, as a small data set may need. Raises what `get_preset` and
    `plan_study` raise.

    >>> study = tk.open_study(folder, preset="smoke")
    >>> study.setting.data, study.setting.recipe.epochs
    ('tiny', 2)
    """
    chosen = get_preset(preset, epochs, learning_rate)
    return plan_study(open_prepared(prepared), chosen, device, Store(find_work_folder()))


def plan_table(study: Study, runs: Sequence[Run]) -> Table:
    """Which of the runs are there, and the minutes that the others take here, by a probe of about ten seconds.

    >>> tk.plan_table(study, tk.plan("random0", seeds=[0])).title
    'tiny, small net, cpu, float32'
    """
    workers = default_workers(study.setting.device)
    found = probe(study, workers, local_workers(workers))
    done = [receipt for run in runs if (receipt := study.store.find(run, study.setting))]
    return console.plan_table(study, runs, done, found)


def train(study: Study, runs: Sequence[Run]) -> list[Receipt]:
    """Train the runs that are not there yet, with a line of progress; return the receipts of all that are done.

    A call that was stopped goes on from there when it is repeated. Raises StoreError when none could be trained, and
    what `sweep` raises.

    >>> receipts = tk.train(study, tk.plan("random0", seeds=[0], labels=["A3B"]))
    >>> [receipt.run.label for receipt in receipts]
    ['baseA', 'baseB', 'A3B']
    """
    progress = sweep(study, runs, local_workers(default_workers(study.setting.device)))
    if _in_a_notebook():
        console.show_progress_in_notebook(progress)
    else:
        console.show_progress(progress, Console(stderr=True))
    return report.finished(study, runs)


def load_network(study: Study, run: Run | str, split: str = FIRST_SPLIT, seed: int = 0) -> LayeredNet:
    """A finished network with its trained weights, in evaluation: a torch module, called with N x 3 x H x W.

    `run` is a Run, or the label of one of this split and seed. Raises StoreError when it is not trained yet.

    >>> network = tk.load_network(study, "A3B")
    >>> sorted(network.frozen), network.training
    ([], False)
    """
    run = _run(run, split, seed)
    weights = {name: torch.from_numpy(array) for name, array in study.store.weights(run, study.setting).items()}
    network = build(study.setting.net, len(study.prepared.split(run.split).classes(run.target)))
    if MEAN_IMAGE in weights:  # its size is that of the prepared images, which the spec does not know
        network.register_buffer(MEAN_IMAGE, torch.empty_like(weights[MEAN_IMAGE]))
    network.load_state_dict(weights)
    return network.eval()


def first_filters(study: Study, run: Run | str, split: str = FIRST_SPLIT, seed: int = 0) -> np.ndarray:
    """The filters of a finished network's first layer, float32 filters x 3 x k x k; arguments as for `load_network`.

    >>> tk.first_filters(study, "baseA").shape
    (32, 3, 9, 9)
    """
    return report.first_filters(study, _run(run, split, seed))


def conv1(
    study: Study, first: Run | str = "baseA", second: Run | str = "baseB", split: str = FIRST_SPLIT, seed: int = 0
) -> Picture:
    """The first-layer filters of two finished networks side by side, alike ones together.

    >>> tk.conv1(study, "baseA", "baseB").alt[:12]
    'The filters '
    """
    one, other = (_run(run, split, seed) for run in (first, second))
    tiles = (report.conv1_tiles(study, one), report.conv1_tiles(study, other))
    return figures.conv1(*tiles, (one.label, other.label))


def forming(study: Study, run: Run | str = "baseA", split: str = FIRST_SPLIT, seed: int = 0) -> Animation:
    """The first-layer filters of a finished base as they formed, an animated picture; arguments as for `load_network`.

    >>> tk.forming(study, "baseA").alt
    'The 32 filters of conv1 of baseA from epoch 0 to 2, in fixed places.'
    """
    run = _run(run, split, seed)
    return figures.forming(study.store.history(run, study.setting), f"conv1 of {run.label}")


def filter_sheet(weights: np.ndarray, title: str = "First layer") -> Picture:
    """All filters of a first layer, float filters x 3 x k x k, alike ones together, each with its kind and its R2.

    Raises what `fit_table` raises.

    >>> tk.filter_sheet(tk.first_filters(study, "baseA")).alt[:27]
    '32 filters of 9 by 9 pixels'
    """
    return report.sheet_of(weights, fit_table(weights), title)


def _run(run: Run | str, split: str, seed: int) -> Run:
    return parse_run(run, split, seed) if isinstance(run, str) else run


def _in_a_notebook() -> bool:
    """Whether a kernel runs this, whose front end shows HTML."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")
