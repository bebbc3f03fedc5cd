"""The measurements' tables are those of their files, and the peers train the very network that ours is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from benchmarks import convolutions, recipe_search
from benchmarks.ladder import COLUMNS, measure, rungs
from benchmarks.peers import PlainNet, Task, train_plainly, write_images
from benchmarks.summary import PLAIN, ladder_table, sections, speed_table
from course.book.markers import fill
from tests.conftest import TRAIN_PER_CLASS
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.specs import NetSpec
from transferkit.training.study import Study
from transferkit.training.surgery import operate
from transferkit.treatments import parse_run, plan

ROOT = Path(__file__).parent.parent


@pytest.fixture
def task(study: Study, tmp_path: Path) -> Task:
    network = operate(study.setting.net, 4, parse_run("R2A", "random0", 0)).network
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    write_images(study.prepared, "random0", "A", tmp_path / "images", None)
    assert isinstance(study.setting.net, NetSpec)
    return Task("R2A", study.setting.net, study.setting.recipe, weights, 2, tmp_path / "images")


def test_the_peers_network_gives_what_ours_gives(task: Task) -> None:
    ours = operate(task.spec, 4, parse_run("R2A", "random0", 0)).network
    images = torch.randn(2, 3, 48, 48)
    assert torch.allclose(PlainNet(task)(images), ours(images), atol=1e-5)


def test_the_peers_read_the_same_images_and_freeze_the_same_layers(task: Task) -> None:
    assert len(list((task.images / "train").rglob("*.png"))) == 4 * TRAIN_PER_CLASS
    frozen = {name for name, parameter in PlainNet(task).named_parameters() if not parameter.requires_grad}
    assert frozen == {"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"}
    outcome = train_plainly(task)
    assert outcome.images == 4 * TRAIN_PER_CLASS * task.recipe.epochs
    assert 0 <= outcome.top1 <= 1


def test_a_peers_grid_is_the_sum_over_its_72_networks() -> None:
    columns = ["work", "contender", "repeat", "networks", "images", "seconds", "top1"]
    kinds = ["baseB", *(f"A{n}B" for n in range(1, 8)), "A1B+", "A4B+", "A7B+"]
    rows = [
        (kind, peer, 0, 1, 1, seconds, 0.5)
        for kind in kinds
        for peer, seconds in (("plain loop", 10.0), ("Lightning", 20.0))
    ]
    rows += [("grid", "transferkit", 0, 72, 1, 72.0, 0.5), ("alone: baseB", "transferkit", 0, 1, 1, 5.0, 0.5)]
    rows += [("alone: A4B", "transferkit", 0, 1, 1, 2.0, 0.5)]
    table = speed_table(pd.DataFrame(rows, columns=columns))
    assert "| the whole grid, 72 networks | plain loop | 1 of each kind | 720 | 10.0 |" in table
    assert "| one base network | Lightning | 1 | 20 | 4.0 | 50.0 % |" in table


def test_the_ladder_trains_the_same_networks_on_every_rung(study: Study) -> None:
    ways = tuple(rung for rung in rungs("cpu", "float32") if rung.processes == 1)[1:-1]
    assert {rung.name for rung in rungs("cuda", "bfloat16")} >= {"graphs", "graphs, 4 processes"}
    rows = pd.DataFrame(list(measure(study, ways, 2, 1)), columns=list(COLUMNS[:5]))
    assert rows["rung"].tolist() == [PLAIN, *(rung.name for rung in ways)]
    own = rows[rows["rung"] != PLAIN]
    assert set(own["images"]) == {2 * 4 * TRAIN_PER_CLASS * study.setting.recipe.epochs}
    assert (rows["seconds"] > 0).all()
    about = {"device": "a machine", "preset": "smoke", "torch": "2", "date": "today"}
    table = ladder_table(rows.assign(**about))
    assert "| deterministic | 1 |" in table
    assert "a machine, preset smoke, torch 2, today; 2 networks a rung." in table


def test_every_way_to_compute_a_convolution_is_timed() -> None:
    rows = convolutions.measure(blocks=1, steps=2)
    assert [ways for ways, _, _ in rows] == ["plain", "folding", "folding covering", "folding covering winners"]
    assert all(0 < fastest <= median for _, fastest, median in rows)


def test_a_candidate_is_measured_on_bases_once_and_for_twice_as_long(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smoke = get_preset("smoke")
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path))
    monkeypatch.setenv("TRANSFERKIT_CORES", "1")
    monkeypatch.setattr(recipe_search, "RUNS", plan("random0", [0], ["baseA", "baseB"]))
    monkeypatch.setattr(recipe_search, "views_of", lambda name: study.prepared)
    monkeypatch.setattr(recipe_search, "get_preset", lambda name: smoke)
    row = recipe_search.measure(recipe_search.Candidate("strong", 16, 1), Console(quiet=True))
    kept = list(Store(tmp_path).receipts())
    assert sorted(receipt.setting.recipe.epochs for receipt in kept) == [1, 1, 2, 2]
    top1 = {epochs: np.mean([it.final.top1 for it in kept if it.setting.recipe.epochs == epochs]) for epochs in (1, 2)}
    assert row["top1"] == pytest.approx(top1[1])
    assert row["gain"] == pytest.approx(100 * (top1[2] - top1[1]))
    assert row["gain_low"] <= row["gain"] <= row["gain_high"]
    assert row["thousand_images"] == 4 * 16 / 1000


def test_both_precisions_are_measured_and_the_rest_takes_the_machines() -> None:
    for device in ("cpu", "cuda"):
        assert [rung.precision for rung in rungs(device, "bfloat16")].count("float32") == 1
    slow = rungs("cpu", "float32")
    assert [rung.name for rung in slow if rung.precision == "bfloat16"] == ["bfloat16, emulated"]


def test_the_readmes_tables_are_those_of_the_files_that_are_kept() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text()
    found = sections(ROOT / "benchmarks" / "results")
    assert {"machine", "speed", "accuracy", "machine-avx2", "speed-avx2", "accuracy-avx2"} <= set(found)
    for name in found:
        assert f"<!-- {name} -->" in text, name
    assert fill(text, found) == text
