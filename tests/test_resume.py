"""A training that is killed goes on from its checkpoint to the very bits of one that was left alone, on the CPU."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.networks import dropping, normalised
from transferkit.config import Precision, Recipe, get_preset
from transferkit.disk.checkpoints import Checkpoint, EpochLog
from transferkit.disk.store import CHECKPOINT, RECEIPT, Store
from transferkit.network import EightLayerNet
from transferkit.specs import NetSpec, small_net
from transferkit.training.data import HalfData, open_prepared
from transferkit.training.examples import read_half
from transferkit.training.experiment import perform
from transferkit.training.loop import Checkpointing, train
from transferkit.training.study import Execution, Study, plan_study
from transferkit.treatments import LAYERS, parse_run

RECIPE = Recipe(epochs=2, batch_size=8, learning_rate=0.02)
AUGMENTED = replace(RECIPE, augment="crop and mirror")


def half(size: int = 48) -> HalfData:
    images = torch.randint(0, 256, (24, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return HalfData(images, torch.arange(24) % 4, 4)


def training(
    spec: NetSpec, recipe: Recipe, precision: Precision, frozen: int, checkpointing: Checkpointing
) -> tuple[EightLayerNet, Iterator[EpochLog]]:
    network = EightLayerNet(spec, 4)
    network.initialise(lambda layer: ("test", layer), he=True)
    network.freeze(LAYERS[:frozen])
    data = half(56 if recipe.augment else 48)
    read, tested = (
        read_half(network, data, precision, {frozen}, augment=augment)[frozen]
        for augment in (bool(recipe.augment), False)
    )
    return network, train(network, (read, tested), recipe, precision, "key", checkpointing=checkpointing)


CASES = {
    "float32": (small_net(), RECIPE, "float32", 0),
    "bfloat16": (small_net(), RECIPE, "bfloat16", 0),
    "frozen": (small_net(), RECIPE, "float32", 3),
    "views": (small_net(), AUGMENTED, "float32", 0),
    "frozen under views": (small_net(), AUGMENTED, "float32", 2),
    "dropout": (dropping(), RECIPE, "float32", 0),
    "normalised": (normalised(), RECIPE, "float32", 0),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_from_any_step_it_goes_on_to_the_same_bits(case: tuple[NetSpec, Recipe, Precision, int]) -> None:
    moments: list[Checkpoint] = []
    network, epochs = training(*case, Checkpointing(save=moments.append, seconds=0))
    whole = list(epochs)
    assert len(moments) == 6
    for moment in (moments[1], moments[3]):
        torch.manual_seed(1234)  # what the caller's generator is must not matter
        resumed, rest = training(*case, Checkpointing(start=moment))
        assert [*moment.log, *list(rest)] == whole
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_dropout_drops_others_in_every_step_and_leaves_the_callers_numbers_alone() -> None:
    ready = [training(spec, RECIPE, "float32", 0, Checkpointing())[1] for spec in (dropping(), small_net())]
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    with_dropout, without = (list(epochs) for epochs in ready)
    assert torch.equal(torch.rand(3), wanted)
    assert with_dropout[0].train_loss != without[0].train_loss


def test_nothing_is_kept_before_its_time() -> None:
    moments: list[Checkpoint] = []
    list(training(small_net(), RECIPE, "float32", 0, Checkpointing(save=moments.append, seconds=600))[1])
    assert moments == []


KILLED = """
import sys
from pathlib import Path
from tests.test_resume import long_study
from transferkit.training.experiment import perform
from transferkit.treatments import parse_run
perform(long_study(Path(sys.argv[1]), Path(sys.argv[2])), parse_run("baseA", "random0", 0))
"""


def long_study(folder: Path, work: Path) -> Study:
    preset = get_preset("smoke")
    preset = replace(preset, recipe=replace(preset.recipe, epochs=30, augment="mirror"))
    study = plan_study(open_prepared(folder), preset, "cpu", Store(work))
    return replace(study, execution=Execution(checkpoint_seconds=0))


@pytest.mark.long
def test_killed_in_the_middle_of_epochs_its_receipt_and_weights_are_those_of_an_undisturbed_run(
    tiny_folder: Path, tmp_path: Path
) -> None:
    run = parse_run("baseA", "random0", 0)
    killed, alone = long_study(tiny_folder, tmp_path / "killed"), long_study(tiny_folder, tmp_path / "alone")
    folder = killed.store.run_folder(run, killed.setting)
    reached = []
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tiny_folder), str(tmp_path / "killed")])
        began = (folder / CHECKPOINT).stat().st_mtime_ns if (folder / CHECKPOINT).exists() else 0
        while process.poll() is None and not ((folder / CHECKPOINT).exists() and _later(folder / CHECKPOINT, began)):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        moment = killed.store.checkpoint(run, killed.setting)
        assert moment is not None
        reached.append((len(moment.log), moment.step))
    assert reached == sorted(set(reached)), "each attempt went on from where the one before was killed"
    assert any(step % 4 for _, step in reached), "no kill fell into the middle of an epoch"
    assert not (folder / RECEIPT).exists()
    resumed, undisturbed = perform(killed, run), perform(replace(alone, execution=Execution()), run)
    assert replace(resumed, times=undisturbed.times) == undisturbed
    assert resumed.checksums == undisturbed.checksums
    assert not (folder / CHECKPOINT).exists()


def _later(path: Path, began: int) -> bool:
    try:
        return path.stat().st_mtime_ns > began + 30_000_000  # some steps after it went on
    except FileNotFoundError:
        return False


def test_a_damaged_checkpoint_is_told_and_the_training_begins_anew(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    run = parse_run("baseA", "random0", 0)
    folder = study.store.run_folder(run, study.setting)
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes(b"not a checkpoint")
    assert len(perform(study, run).log) == study.setting.recipe.epochs
    assert "the checkpoint of baseA is damaged" in caplog.text
