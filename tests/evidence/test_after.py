"""Ways of training from after 2014: what each of them trains, on what, and how their table comes about."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.evidence.after import measures, perform
from course.evidence.after.page import after_sections
from course.evidence.after.perform import perform_variant, scale_alone
from course.evidence.after.rates import train_slowly
from course.evidence.after.shifts import shifted
from course.evidence.after.table import write_after
from course.evidence.after.variants import (
    BLOCKS,
    COLUMNS,
    NO_SHIFT,
    OF_IMAGES,
    PLAIN,
    Shift,
    Variant,
    halves_of,
    variants,
)
from course.evidence.collect import kept_evidence, train_and_collect
from course.evidence.plan import all_series
from course.evidence.sweeps import SeriesStep
from tests.evidence.after_tables import after_table
from transferkit.config import get_preset
from transferkit.disk.checkpoints import EpochLog
from transferkit.network import LayeredNet
from transferkit.session import load_network
from transferkit.splits import RANDOM_SPLITS
from transferkit.training import experiment
from transferkit.training.data import HalfData, load_half
from transferkit.training.examples import Examples, read_half
from transferkit.training.loop import train
from transferkit.training.study import Study
from transferkit.training.surgery import fingerprint, moved, operate
from transferkit.treatments import LAYERS, parse_run

SPLIT = "random0"
FAST = Variant("scratch", 0, epochs=2, rate=0.02)
EVERY_SHIFT: tuple[Shift, ...] = (*OF_IMAGES, "labels")


@pytest.fixture
def based(study: Study) -> Study:
    """The tiny study with both bases of one split."""
    for label in ("baseA", "baseB"):
        experiment.perform(study, parse_run(label, SPLIT, 0))
    return study


def trained(study: Study, variant: Variant) -> LayeredNet:
    valid = load_half(study.prepared, study.prepared.split(SPLIT), "B", "valid")
    return perform._trained(study, variant, variant.run(SPLIT, "B"), valid)[0]


def examples_of(study: Study, network: LayeredNet) -> tuple[Examples, Examples]:
    split = study.prepared.split(SPLIT)
    halves = [load_half(study.prepared, split, "B", part) for part in ("train", "valid")]
    training, valid = (read_half(network, half, "float32", {0})[0] for half in halves)
    return training, valid


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0])
def test_training_with_two_rates_is_the_librarys_where_the_rates_are_one(based: Study, factor: float) -> None:
    source = based.store.weights(parse_run("baseA", SPLIT, 0), based.setting)
    network, other, recipe = (
        *(operate(based.setting.net, 4, parse_run("A3B+", SPLIT, 0), source).network for _ in range(2)),
        replace(based.setting.recipe, bias_rate=2.0, weight_decay=0.01),
    )
    before = fingerprint(network)
    log = list(train_slowly(network, examples_of(based, network), recipe, LAYERS[:3], factor, "key"))
    expected = list(train(other, examples_of(based, other), recipe, "float32", "key"))
    assert [epoch.epoch for epoch in log] == [1, 2]
    same = all(torch.allclose(*pair, atol=1e-5) for pair in zip(network.parameters(), other.parameters(), strict=True))
    assert same == (factor == 1)
    if factor == 1:
        assert log[-1].train_loss == pytest.approx(expected[-1].train_loss, abs=1e-4)
    still = {network.layer_of(name) for name in set(before) - set(moved(network, before))}
    assert still == (set(LAYERS[:3]) if factor == 0 else set())


@pytest.mark.parametrize("how", list(BLOCKS))
@pytest.mark.parametrize("shift", [None, "labels"])
def test_one_block_alone_learns(based: Study, how: Any, shift: Shift | None) -> None:
    before = fingerprint(load_network(based, "baseB"))
    variant = replace(FAST, how=how, images_per_class=8, shift=shift)
    assert {name.split(".")[0] for name in moved(trained(based, variant), before)} == set(BLOCKS[how])


def test_probing_trains_what_lies_above_the_copy_and_then_all_for_half_of_the_epochs_each(
    based: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[frozenset[str], int, float]] = []

    def watched(network: LayeredNet, examples: object, recipe: Any, *rest: Any) -> Iterator[EpochLog]:
        seen.append((network.frozen, recipe.epochs, recipe.learning_rate))
        return train(network, examples, recipe, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(perform, "train", watched)
    trained(based, Variant("probed first", 7, epochs=3, rate=0.01))
    assert seen == [(frozenset(LAYERS[:7]), 1, 0.01), (frozenset(), 2, 0.01)]


@pytest.mark.parametrize("how", PLAIN)
def test_few_images_are_trained_to_the_bits_of_the_network_that_the_library_keeps(based: Study, how: Any) -> None:
    few = replace(FAST, how=how, n=0 if how == "scratch" else 5, images_per_class=8)
    own = replace(based, setting=few.setting(based.setting))
    run = few.run(SPLIT, "B")
    assert own.store.find(run, own.setting) is None
    network = trained(based, few)
    assert own.store.find(run, own.setting) is None
    experiment.perform(own, run)
    assert moved(network, fingerprint(load_network(own, run))) == ()
    assert moved(trained(based, few), fingerprint(network)) == ()


def test_a_plain_network_on_all_images_is_kept_with_its_receipt(based: Study) -> None:
    gentle = replace(FAST, how="fine-tuned", n=7, rate=0.004)
    row = perform_variant(based, gentle, SPLIT, "B")
    receipt = based.store.find(gentle.run(SPLIT, "B"), gentle.setting(based.setting))
    assert receipt is not None
    assert tuple(row) == COLUMNS[1:]
    assert (row["top1"], row["early"]) == (receipt.final.top1, receipt.log[0].top1)
    assert all(0 <= row[shift] <= 1 for shift in OF_IMAGES)  # type: ignore[operator]


def test_variants_find_the_networks_of_the_other_series(study: Study) -> None:
    usual = replace(study.setting, recipe=get_preset("quick").recipe)
    known = {
        (run, part.setting(usual)) for one in all_series() for part in one.parts for run in part.runs()
    }  # fmt: skip
    here = [one for one in variants(usual.recipe) if one.how in PLAIN and one.rate == usual.recipe.learning_rate]
    lacking = [one for one in here if (one.run(SPLIT, "B"), one.setting(usual)) not in known]
    assert [(one.how, one.n, one.epochs) for one in lacking] == [("fine-tuned", 5, 12), ("fine-tuned", 5, 64)]
    assert all(one.setting(usual).of_source == usual for one in lacking)


def test_mean_and_variance_are_kept_and_nothing_else() -> None:
    generator = np.random.default_rng(0)
    source = {name: generator.normal(mean, 0.1, (50, 40)).astype(np.float32) for name, mean in (("a", 1), ("b", -2))}
    run = parse_run("A7B+", SPLIT, 0)
    drawn = scale_alone(source, run)
    for name, array in drawn.items():
        assert array.dtype == np.float32
        assert array.mean() == pytest.approx(source[name].mean(), abs=0.01)
        assert array.std() == pytest.approx(source[name].std(), rel=0.1)
        assert abs(np.corrcoef(array.ravel(), source[name].ravel())[0, 1]) < 0.1
    assert all(np.array_equal(scale_alone(source, run)[name], drawn[name]) for name in drawn)
    assert not np.array_equal(scale_alone(source, parse_run("A7B+", SPLIT, 1))["a"], drawn["a"])


@pytest.mark.parametrize("shift", EVERY_SHIFT)
def test_a_shift_changes_what_it_says_and_nothing_else(shift: Shift) -> None:
    images = torch.randint(60, 140, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    half = HalfData(images, torch.arange(5), 5)
    after = shifted(half, shift)
    assert torch.equal(shifted(half, shift).images, after.images)
    one, other = images.float(), after.images.float()
    assert after.images.dtype == torch.uint8
    assert after.labels.tolist() == ([4, 3, 2, 1, 0] if shift == "labels" else [0, 1, 2, 3, 4])
    means = (other.mean((0, 2, 3)) / one.mean((0, 2, 3))).tolist()
    assert means == pytest.approx([1.4, 1.0, 0.6] if shift == "cast" else [1, 1, 1], abs=0.05)
    spread = (other.std() / one.std()).item()
    assert {"blur": spread < 0.3, "noise": spread > 2}.get(shift, True)
    assert torch.equal(images, after.images) == (shift == "labels")
    assert shifted(half, None) is half


def test_a_stopped_run_goes_on_where_it_ended(based: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tuple(replace(FAST, how=how, images_per_class=8, shift="cast") for how in BLOCKS)
    trained_now: list[tuple[str, str]] = []

    def once(study: Study, variant: Variant, split: str, target: Any) -> dict[str, object]:
        if len(trained_now) == 3:
            raise KeyboardInterrupt
        trained_now.append((variant.how, target))
        return perform_variant(study, variant, split, target)

    monkeypatch.setattr("course.evidence.after.table.variants", lambda _: chosen)
    monkeypatch.setattr("course.evidence.after.table.perform_variant", once)
    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(1) as executor:
        write_after(based, [SPLIT], executor, tmp_path)
    first = pd.read_csv(tmp_path / "after.csv")
    assert len(first) == 3
    trained_now.clear()
    monkeypatch.setattr("course.evidence.after.table.perform_variant", perform_variant)
    with ThreadPoolExecutor(1) as executor:
        path = write_after(based, [SPLIT], executor, tmp_path)
    table = pd.read_csv(path)
    assert tuple(table.columns) == COLUMNS
    assert table[["how", "target"]].apply(tuple, axis=1).tolist() == [
        (one.how, half) for one in chosen for half in "AB"
    ]
    pd.testing.assert_frame_equal(table[table["key"].isin(first["key"])], first, check_like=True, check_dtype=False)
    content = path.read_bytes()
    monkeypatch.setattr("course.evidence.after.table.perform_variant", None)
    with ThreadPoolExecutor(1) as executor:
        write_after(based, [SPLIT], executor, tmp_path)
    assert path.read_bytes() == content


@settings(max_examples=10)
@given(st.lists(st.sampled_from([0.5, 0.6, 0.7]), min_size=16, max_size=16))
def test_no_network_takes_part_in_the_choice_of_its_own_rate(values: list[float]) -> None:
    table = after_table(0.0, noise=0.0)
    rows = (table["how"] == "all blocks") & (table["shift"] == "blur")
    table.loc[rows, "top1"] = values
    found = measures.at_better_rate(table[rows], "all blocks")
    changed = table.copy()
    mine = rows & (table["split"] == "random1")
    changed.loc[mine, "top1"] = 1 - changed.loc[mine, "top1"]
    anew = measures.at_better_rate(changed[rows], "all blocks")
    assert anew["random1"].to_numpy() == pytest.approx(1 - found["random1"].to_numpy())


def test_the_few_images_and_the_shifted_ones_are_told_apart() -> None:
    table = after_table(2.0, noise=0.0)
    few = (table["images_per_class"] == 10) & (table["shift"] == NO_SHIFT)
    table.loc[few & (table["how"] == "probed first"), "top1"] += 0.01
    table.loc[few & (table["how"] == "small rate"), "top1"] += 0.03
    table.loc[table["how"] == "probed first", "blur"] += 0.06
    found = {
        "whole": measures.probed_first(table), "few": measures.probed_first(table, few=True),
        "shifted": measures.probed_first(table, shifted=True),
        "slow": measures.small_rate(table, "fine-tuned"), "slow few": measures.small_rate(table, "frozen", few=True),
    }  # fmt: skip
    points = {name: round(100 * one.value, 6) for name, one in found.items() if one}
    assert points == {"whole": 2, "few": 3, "shifted": 4, "slow": 2, "slow few": 5}
    assert {one.clusters for one in found.values() if one} == {4}
    assert list(measures.gain_by_length(table)) == [12, 32, 64]
    assert measures.probed_first(None) is measures.longer_against_shorter(None) is None


def test_the_series_leaves_one_table_and_its_claims_and_no_receipts(
    based: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tuple(replace(FAST, how=how, n=7, images_per_class=8) for how in ("fine-tuned", "probed first"))
    monkeypatch.setattr("course.evidence.after.table.variants", lambda _: chosen)
    monkeypatch.setattr("course.evidence.collect.local_workers", ThreadPoolExecutor)
    step = SeriesStep(based, tuple(parse_run(label, SPLIT, 0) for label in ("baseA", "baseB")))
    found = train_and_collect({"after": (step,)}, tmp_path / "out", 1, lambda _, progress: list(progress))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["after.csv"]
    assert found.after is not None
    assert found.after[["how", "target"]].drop_duplicates().shape == (4, 2)


def test_the_book_shows_every_way_block_and_length_once() -> None:
    sections = after_sections(after_table(8.0, noise=0.0))
    assert {name: len(text.splitlines()) for name, text in sections.items()} == {
        "after-copied": 2 + 1 + 2 * 3 + 2, "after-blocks": 2 + 1 + len(BLOCKS), "after-lengths": 3,
    }  # fmt: skip
    assert "frozen, then all trained | 7 | 78.0 % | 58.0 % | 78.0 % | 58.0 % |" in sections["after-copied"]
    assert "(conv1 to conv2) | 78.0 % ±0.0 | 78.0 % ±0.0 | 78.0 % ±0.0 | 70.0 % ±0.0 |" in sections["after-blocks"]
    assert "| A5B+ minus a base | +8.0 ±0.0 | +3.0 ±0.0 | +1.5 ±0.0 |" in sections["after-lengths"]


def test_the_kept_table_has_every_planned_network_once() -> None:
    folder = kept_evidence()
    assert folder is not None
    table = pd.read_csv(folder / "after.csv")
    assert tuple(table.columns) == COLUMNS
    named = ["how", "n", "images_per_class", "epochs", "rate", "shift", "split", "target"]
    planned = [
        (one.how, one.n, one.images_per_class or 160, one.epochs, one.rate, one.shift or NO_SHIFT, split, half)
        for split in RANDOM_SPLITS
        for one in variants(get_preset("quick").recipe)
        for half in halves_of(one)
    ]
    assert sorted(table[named].itertuples(index=False, name=None)) == sorted(planned)
