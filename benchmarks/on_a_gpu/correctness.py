"""Does a GPU do what the CPU does: the same results, nothing frozen moves, kills cost nothing, the same bits twice."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from benchmarks.on_a_gpu.rows import Place, Rows
from transferkit.config import Setting, get_preset
from transferkit.disk.checkpoints import Checkpoint
from transferkit.disk.store import Store
from transferkit.errors import TrainingError
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import USUAL, Execution, Study, plan_study
from transferkit.training.surgery import audit, fingerprint, operate
from transferkit.treatments import LAYERS, Run, parse_run, plan

RUNS = plan("random0", [0], ["baseA", "baseB", "B3B", "A3B", "A3B+", "R3B"])
BASE, COPY = (parse_run(label, "random0", 0) for label in ("baseA", "A3B"))
# Nats of training loss by which a short training may differ from the same in float32 on this device. Rounding moves it
# by a few hundredths where sums are taken in another order, and by tenths in bfloat16; an error would move it by more.
NEAR = {"the CPU's": 0.1, "itself again": 0.1, "graphs": 0.1, "bfloat16": 0.5}
KILLED_AT = 2  # steps


def check_all(place: Place, rows: Rows) -> None:
    """All checks; each goes on when another has failed."""
    check_bits(place, rows)
    compare(place, rows)
    check_freezing(place, rows)
    if place.device == "cuda":
        with rows.check("a full memory ends in a sentence"), _refused("the memory of the GPU is full"):
            torch.cuda.empty_cache()
            torch.cuda.set_per_process_memory_fraction(1e-5)
            perform(_study(place, "full memory"), BASE)


def check_bits(place: Place, rows: Rows) -> None:
    """Deterministic trainings, again and after a kill, end with the same bits."""
    exact = Execution(deterministic=True)
    first, second = (_study(place, name, execution=exact) for name in ("exact", "exact again"))
    with rows.check("deterministic: twice the same bits"):
        for run in RUNS:
            assert _bits(first, run) == _bits(second, run), f"{run.label} differs"
    with rows.check("deterministic: the same bits after SIGKILL within an epoch"):
        killed = _study(place, "killed", execution=replace(exact, checkpoint_seconds=0.0))
        _train_until_killed(killed)
        assert _bits(killed, BASE) == _bits(first, BASE), "it went on to other weights"


def compare(place: Place, rows: Rows) -> None:
    """By how much each network's training loss differs between the CPU, a precision, graphs, and another time."""
    here = _study(place, "here")
    others = {
        "the CPU's": _study(replace(place, device="cpu"), "cpu"),
        "itself again": _study(place, "here again"),
        "bfloat16": _study(place, "here", "bfloat16"),
        **({"graphs": _study(place, "graphs", execution=Execution(graphs=True))} if place.device == "cuda" else {}),
    }
    for name, other in others.items():
        with rows.check(f"float32 minus {name}: no training loss differs by more than {NEAR[name]:g}"):
            differences = [_compare(here, other, run, f"float32 minus {name}", rows) for run in RUNS]
            assert max(map(abs, differences)) <= NEAR[name], f"differences of {differences}"


def _compare(here: Study, other: Study, run: Run, name: str, rows: Rows) -> float:
    mine, theirs = perform(here, run).final, perform(other, run).final
    difference = mine.train_loss - theirs.train_loss
    rows.add(name, {"nats of training loss": difference, "top-1": mine.top1 - theirs.top1})
    return difference


def check_freezing(place: Place, rows: Rows) -> None:
    """Frozen layers keep their source's bits on this device, and the audit sees one that does not."""
    study = _study(place, "here")
    with rows.check("frozen layers keep the bits of their source"):
        source, copied = _bits(study, BASE), _bits(study, COPY)
        same = {name for name in source if source[name] == copied[name]}
        assert same == {name for name in source if name.split(".")[0] in LAYERS[: COPY.n]}, f"the same are {same}"
    with rows.check("the audit finds a frozen weight that moved"), _refused("conv1.weight is frozen but moved"):
        weights = study.store.weights(BASE, study.setting)
        operated = operate(study.setting.net, len(weights["fc8.bias"]), COPY, weights)
        operated.network.to(place.device)
        before = fingerprint(operated.network)
        for parameter in operated.network.parameters():
            parameter.data += 1e-3
        audit(operated, before, COPY.label)


class _Deadly(Store):
    """A store whose process is killed after it has kept the checkpoint of step KILLED_AT."""

    def save_checkpoint(self, run: Run, setting: Setting, checkpoint: Checkpoint) -> None:
        super().save_checkpoint(run, setting, checkpoint)
        if checkpoint.step == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)


def _train_until_killed(study: Study) -> None:
    deadly = replace(study, store=_Deadly(study.store.work))
    process = multiprocessing.get_context("spawn").Process(target=perform, args=(deadly, BASE))
    process.start()
    process.join()
    kept = study.store.checkpoint(BASE, study.setting)
    assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode} before it was killed"
    assert kept is not None
    assert kept.step == KILLED_AT


def _study(place: Place, name: str, precision: str = "float32", execution: Execution = USUAL) -> Study:
    prepared, store = open_prepared(place.data), Store(place.work / "correctness" / name)
    return replace(plan_study(prepared, get_preset("smoke"), place.device, store, precision), execution=execution)


def _bits(study: Study, run: Run) -> dict[str, bytes]:
    """The bytes of all weights of a run by name; it is trained, with its base, if that was not done before."""
    if run.source_base:
        perform(study, run.source_base)
    perform(study, run)
    return {name: array.tobytes() for name, array in study.store.weights(run, study.setting).items()}


@contextmanager
def _refused(words: str) -> Iterator[None]:
    """Expect a TrainingError that says these words."""
    try:
        yield
    except TrainingError as problem:
        if words not in str(problem):
            raise
    else:
        raise AssertionError(f"nobody said that {words}")
