"""The measurements' tables are those of their files, and the peers train the very network that ours is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from benchmarks import convolutions, recipe_search, speed
from benchmarks.ladder import COLUMNS, IN_MEMORY, measure, rungs
from benchmarks.peers import Outcome, PlainNet, Task, Way, train_plainly, write_images
from benchmarks.summary import PLAIN, accuracy_sentence, headline, ladder_table, sections, speed_table
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


def test_a_peer_stops_after_the_first_epoch_that_is_good_enough(task: Task) -> None:
    epoch = 4 * TRAIN_PER_CLASS
    assert task.recipe.epochs == 2
    assert train_plainly(replace(task, way="Adam", goal=0.0)).images == epoch
    assert train_plainly(replace(task, way="Adam", goal=1.1)).images == 2 * epoch


def test_a_peer_that_does_not_get_there_starts_again_with_our_recipe_and_so_does_the_next(task: Task) -> None:
    def train(peer: speed.Peer, tried: Task) -> Outcome:
        return Outcome(1.0, 64, 0.8 if tried.way == "Adam" else 0.9)

    def ways(goal: float) -> list[tuple[str, str]]:
        tries = speed.peers_rows(replace(task, way="Adam", goal=goal), 0, train)
        return [(row.contender, row.way) for row in tries]

    assert ways(0.8) == [("Lightning", "Adam"), ("plain loop", "Adam")]
    assert ways(0.85) == [("Lightning", "Adam"), ("Lightning", "our recipe"), ("plain loop", "our recipe")]


def test_the_goal_of_a_peer_is_half_a_point_below_ours(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFERKIT_CORES", "1")
    monkeypatch.setattr(speed, "grid", lambda split, seed: plan(split, [seed], ["A4B"]))
    monkeypatch.setattr(speed, "KINDS", ("baseB", "A4B"))
    grid, *ours = speed._our_grid(study, tmp_path / "grid", 0, Console(quiet=True))
    assert (grid.work, grid.networks) == ("grid", 3)
    trained = replace(study, store=Store(tmp_path / "grid"))
    for row, (label, frozen) in zip(ours, (("baseB", 0), ("A4B", 4)), strict=True):
        task = speed._task(trained, label, tmp_path)
        assert task.goal == pytest.approx(row.top1 - 0.005)
        assert (task.label, task.frozen, task.way) == (label, frozen, "Adam")


Try = tuple[str, str, float, float, Way]  # network, peer, seconds, top-1, recipe


def _measured(*tries: Try) -> pd.DataFrame:
    """What `speed` writes when we take 50 s and 40 s for the grid and reach 90 %, from the peers' tries."""
    rows = [speed.Row("grid", "transferkit", repeat, 72, 1, seconds, 0.9) for repeat, seconds in ((0, 50.0), (1, 40.0))]
    rows += [speed.Row(f"in the grid: {label}", "transferkit", 0, 1, 1, 1.0, 0.9) for label in speed.KINDS]
    rows += [speed.Row(f"alone: {label}", "transferkit", 0, 1, 1, 5.0, 0.9) for label in speed.ALONE]
    rows += [speed.Row(label, peer, 0, 1, 1, seconds, top1, way, 0.895) for label, peer, seconds, top1, way in tries]
    return pd.DataFrame(rows)


def test_a_peers_grid_is_the_sum_over_its_72_networks_and_its_last_tries_count() -> None:
    seconds = {"baseB": 16.0, "A4B": 8.0, "A7B": 2.0, "B4B": 4.0, "R4B": 8.0, "A4B+": 10.0, "B4B+": 20.0}
    frozen = (14 + 12 + 10 + 8 + 6 + 4 + 2) + (13 + 10 + 7 + 4 * 4) + (14 + 12 + 10 + 4 * 8)
    total = 2 * 16 + 2 * frozen + 14 * 10 + 14 * 20
    tries: list[Try] = [("baseB", peer, 99.0, 0.5, "Adam") for peer in ("plain loop", "Lightning")]
    tries += [(label, "plain loop", took, 0.9, "our recipe") for label, took in seconds.items()]
    tries += [(label, "Lightning", 2 * took, 0.896, "our recipe") for label, took in seconds.items()]
    rows = _measured(*tries)
    grid, lightning, base = speed_table(rows).splitlines()[2:5]
    assert grid == (
        f"| the whole grid, 72 networks | plain loop | 2, 1 | 45 (40 to 50) | {total} | "
        f"{total / 45:.1f} ({total / 50:.1f} to {total / 40:.1f}) | 90.0 % | 90.0 % | +0.0 |"
    )
    assert f" | {2 * total:,} | " in lightning
    assert lightning.endswith("| 90.0 % | 89.6 % | +0.4 |")
    assert base == "| one base network | plain loop | 1, 1 | 5 | 16 | 3.2 | 90.0 % | 90.0 % | +0.0 |"
    assert f"has learned after 45 s (n=2), **{total / 45:.1f} times** ({total / 50:.1f} to" in headline(rows)


def test_it_says_which_recipe_brought_a_peer_to_our_accuracy_and_where_none_did() -> None:
    tries: list[Try] = [(label, "plain loop", 9.0, 0.9, "Adam") for label in speed.KINDS]
    tries += [(label, "Lightning", 9.0, 0.9, "Adam") for label in speed.KINDS[1:]]
    tries += [("baseB", "Lightning", 9.0, 0.8, "Adam"), ("baseB", "Lightning", 9.0, 0.89, "our recipe")]
    plain, lightning = accuracy_sentence(_measured(*tries)).split("; ours minus ")
    assert plain.endswith("7 networks of the same first weights (7 with Adam)")
    assert lightning.endswith("(6 with Adam, 1 with our recipe; it did not reach baseB).")


def test_the_ladder_trains_the_same_networks_on_every_rung(study: Study) -> None:
    ways = tuple(rung for rung in rungs("cpu", "float32") if rung.processes == 1)[1:-1]
    assert {rung.name for rung in rungs("cuda", "bfloat16")} >= {"graphs", "graphs, 4 processes"}
    rows = pd.DataFrame(list(measure(study, ways, 2, 1)), columns=list(COLUMNS[:5]))
    assert rows["rung"].tolist() == [PLAIN, IN_MEMORY, *(rung.name for rung in ways)]
    own = rows[~rows["rung"].isin([PLAIN, IN_MEMORY])]
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
    assert {"machine", "speed-avx512", "accuracy-avx512", "machine-avx512", "ladder-avx512"} <= set(found)
    for name in found:
        assert f"<!-- {name} -->" in text, name
    assert fill(text, found) == text
