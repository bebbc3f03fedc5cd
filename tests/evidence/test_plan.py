"""The plan of the evidence: what each series trains, under which setting, and what that will cost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course.evidence.claims import CLAIMS
from course.evidence.plan import Bundle, all_series, choose_series, of_layers, smoke_series
from course.evidence.sweeps import Site, predict_cost, steps_of
from transferkit.config import get_preset
from transferkit.errors import UsageError
from transferkit.training.experiment import perform
from transferkit.training.forecast import Probe
from transferkit.training.study import Study
from transferkit.treatments import LAYERS


@pytest.fixture
def site(study: Study, tiny_folder: Path) -> Site:
    """The smoke preset on the CPU, with a store of its own that holds the tiny data set."""
    (study.store.work / "data").mkdir(parents=True)
    (study.store.work / "data" / "tiny").symlink_to(tiny_folder)
    return Site(get_preset("smoke"), "cpu", study.store)


def test_every_claim_has_its_series_and_every_series_its_claim() -> None:
    assert {claim.series for claim in CLAIMS} == {one.name for one in all_series()}


def test_all_random_splits_have_the_same_networks_so_that_means_over_n_are_of_the_same_n() -> None:
    similar = all_series()[0]
    assert [part.split for part in similar.parts] == ["random0", "random1", "random2", "random3"]
    assert len({(part.seeds, part.labels) for part in similar.parts}) == 1
    natural = choose_series(all_series(), ["dissimilar"])[0]
    assert {seed for part in natural.parts for seed in part.seeds} == {0, 1, 2}


def test_the_lengths_of_training_share_their_networks_with_similar_and_longer(study: Study) -> None:
    usual = replace(study.setting, recipe=get_preset("quick").recipe)
    known = {one.name: one for one in all_series()}
    planned = {
        name: {(part.setting(usual).recipe.epochs, run) for part in known[name].parts for run in part.runs()}
        for name in ("similar", "longer", "lengths")
    }
    assert {epochs for epochs, _ in planned["lengths"]} == {3, 6, 12, 32, 64}
    assert {one for one in planned["lengths"] if one[0] == 32} < planned["similar"]
    assert planned["longer"] < planned["lengths"]
    tiny = replace(usual, recipe=get_preset("smoke").recipe)
    assert min(part.setting(tiny).recipe.epochs for part in known["lengths"].parts) == 1


def test_further_splits_are_planned_where_the_ledger_asks_for_more() -> None:
    more = {one.name: one for one in all_series(splits=6)}
    assert {part.split for part in more["similar"].parts} == {f"random{number}" for number in range(6)}
    usual = {run for part in all_series()[0].parts for run in part.runs()}
    assert usual < {run for part in more["similar"].parts for run in part.runs()}
    assert more["sizes"] == choose_series(all_series(), ["sizes"])[0]
    with pytest.raises(UsageError, match="3 splits are too few"):
        all_series(splits=3)


def test_halves_without_a_common_photograph_are_studied_where_classes_come_in_groups(study: Study) -> None:
    (apart,) = choose_series(all_series(), ["apart"])
    splits = {part.split for part in apart.parts}
    assert splits == {f"{kind}{number}" for kind in ("random", "apart") for number in range(4)} | {"natural"}
    assert not study.prepared.can_split("apart0"), "each blotch is a picture of its own"
    assert "apart" not in {one.name for one in all_series(grouped=study.prepared.can_split("apart0"))}


def test_no_network_of_a_series_is_planned_twice_under_one_setting(study: Study) -> None:
    usual = replace(study.setting, recipe=get_preset("quick").recipe)
    for one in (*all_series(), *smoke_series()):
        runs = [(part.setting(usual), run) for part in one.parts for run in part.runs()]
        assert len(runs) == len(set(runs)), one.name


def test_a_small_target_set_keeps_the_source_whole(study: Study) -> None:
    part = Bundle("random0", labels=("A3B",), images_per_class=8, epochs_times=3)
    setting = part.setting(study.setting)
    assert (setting.recipe.images_per_class, setting.recipe.epochs) == (8, 3 * study.setting.recipe.epochs)
    assert setting.of_source == study.setting
    assert Bundle("random0").setting(study.setting) == study.setting


def test_bases_to_copy_from_are_trained_before_what_needs_them(site: Site) -> None:
    for one in smoke_series("tiny"):
        steps = steps_of(one, site)
        there = set()
        for step in steps:
            needed = {(step.study.setting.of_source, run.source_base) for run in step.runs if run.source_base}
            there |= {(step.study.setting, run) for run in step.runs}
            assert needed <= there, one.name


def test_random_filters_as_published_need_no_bases_of_their_own() -> None:
    plateau = choose_series(all_series(), ["plateau"])[0]
    published = [part for part in plateau.parts if part.random_filters == "published"]
    assert {run.treatment for part in published for run in part.runs()} == {"RnB"}


def test_the_cost_counts_each_network_once_and_only_what_is_left(site: Site) -> None:
    longer = choose_series(smoke_series("tiny"), ["longer"])[0]
    steps = steps_of(longer, site)
    found = Probe(trained=(0.01,) * 8, evaluated=(0.001,) * 8, read=0.0, folded=0.0, start=1.0, workers=1)
    cost = predict_cost((*steps, *steps), found)
    assert (cost.planned, cost.missing) == (2, 2)
    assert cost.seconds == pytest.approx(1 + 2 * 4 * (64 * 0.01 + 32 * 0.001))  # two bases of twice the epochs
    assert np.isnan(predict_cost(steps, None).seconds)
    perform(steps[0].study, steps[0].runs[0])
    assert predict_cost(steps, found).missing == 1
    perform(steps[0].study, steps[0].runs[1])
    assert predict_cost(steps, None).seconds == 0


def test_an_unknown_series_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="'similiar' is not a series: choose similar, dissimilar, apart, longer"):
        choose_series(all_series(), ["similiar"])


def test_series_may_be_done_on_other_data(study: Study) -> None:
    assert {one.data for one in smoke_series("tiny")} == {"tiny"}
    assert replace(all_series()[0], data="tiny").parts == all_series()[0].parts


@pytest.mark.parametrize("count", [3, 5, 6, 10, 14, 20])
def test_series_of_another_network_ask_the_same_of_its_own_chop_points(count: int) -> None:
    layers = tuple(f"block{i}" for i in range(count))
    assert of_layers(all_series(), LAYERS) == all_series()
    known = {one.name: one for one in all_series()}
    for one in of_layers(all_series(), layers):
        for own, eight in zip(one.parts, known[one.name].parts, strict=True):
            runs, before = own.runs(), eight.runs()
            assert max(run.n for run in runs) == (count - 1 if max(run.n for run in before) else 0)
            assert {run.treatment for run in runs} == {run.treatment for run in before}
            assert (own.split, own.seeds, own.images_per_class) == (eight.split, eight.seeds, eight.images_per_class)
    assert "plateau" not in {one.name for one in of_layers(all_series(), layers)}
