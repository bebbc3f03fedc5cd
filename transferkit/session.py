"""What people type in a notebook: open a study, train its networks, take them out again and look at them."""

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from transferkit import console, report
from transferkit.config import get_preset
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Receipt, Store
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

    >>> tk.open_study(folder, preset="smoke").setting.recipe.epochs
    2
    """
    chosen = get_preset(preset, epochs, learning_rate)
    return plan_study(open_prepared(prepared), chosen, device, Store(find_work_folder()))


def plan_table(study: Study, runs: Sequence[Run], workers: int | None = None) -> Table:
    """Which of the runs are there, and the minutes that the others take here, by a probe of some six seconds.

    `workers` is the number of processes; by default as many as a sweep takes.

    >>> tk.plan_table(study, tk.plan("random0", seeds=[0])).title
    'tiny, small net, cpu, float32'
    """
    count = default_workers(study.setting.device) if workers is None else workers
    found = probe(study, count, local_workers(count))
    done = [receipt for run in runs if (receipt := study.store.find(run, study.setting))]
    return console.plan_table(study, runs, done, found)


def train(study: Study, runs: Sequence[Run]) -> list[Receipt]:
    """Train the runs that are not there yet, with a line of progress; return the receipts of all that are done.

    A call that was stopped goes on from there when it is repeated. Raises StoreError when none could be trained, and
    what `sweep` raises.

    >>> [it.run.label for it in tk.train(study, tk.plan("random0", seeds=[0], labels=["A3B"]))]
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

    >>> tk.load_network(study, "A3B").training
    False
    """
    run = _run(run, split, seed)
    weights = {name: torch.from_numpy(array) for name, array in study.store.weights(run, study.setting).items()}
    network = build(study.setting.net, len(study.prepared.split(run.split).classes(run.target)))
    if MEAN_IMAGE in weights:  # its size is that of the prepared images, which the spec does not know
        network.register_buffer(MEAN_IMAGE, torch.empty_like(weights[MEAN_IMAGE]))
    network.load_state_dict(weights)
    return network.eval()


def _run(run: Run | str, split: str, seed: int) -> Run:
    return parse_run(run, split, seed) if isinstance(run, str) else run


def _in_a_notebook() -> bool:
    """Whether a kernel runs this, whose front end shows HTML."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")
