"""Source P, weights that were given, and split `whole`: from a file to receipts, table and figure."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from transferkit import figures
from transferkit.__main__ import main
from transferkit.disk.store import Store
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.network import build
from transferkit.network.torchvision_nets import find_net
from transferkit.network.weights_file import fitting, read_state
from transferkit.report import bases_learned
from transferkit.results import tabulate
from transferkit.specs import Net, NetSpec, StagedSpec, paper_net, small_net
from transferkit.training.data import open_half
from transferkit.training.experiment import perform, perform_group
from transferkit.training.study import Study, with_given
from transferkit.training.surgery import operate
from transferkit.treatments import HALVES, LAYERS, Run, grid, groups_of, halves_of, parse_run, plan

SEEDS, POINTS = st.integers(0, 2**31), st.integers(1, 7)
LABELS = ["P1T", "P3T", "P3T+", "T3T", "R3T"]


def saved(net: Net, path: Path, prefix: str = "", classes: int = 7) -> Path:
    """A file of untrained weights of the network, made for other classes."""
    network = build(net, classes)
    network.initialise(lambda layer: ("given", layer))
    save_file({prefix + name: tensor for name, tensor in network.state_dict().items()}, path)
    return path


@pytest.fixture
def whole(study: Study, tmp_path: Path) -> Study:
    return with_given(study, saved(small_net(), tmp_path / "given.safetensors"))


@given(SEEDS, st.sampled_from(["P", "T", "R"]), POINTS, st.booleans())
def test_labels_of_the_whole_set_parse_and_print_back(seed: int, source: str, n: int, fine: bool) -> None:
    label = f"{source}{n}T{'+' * (fine and source != 'R')}"
    run = parse_run(label, "whole", seed)
    assert run.label == label
    assert run.treatment == {"P": "PnB", "T": "BnB", "R": "RnB"}[source] + "+" * run.finetune
    assert run.target_base == parse_run("baseT", "whole", seed)
    assert run.source_base == (run.target_base if source == "T" else None)


@given(SEEDS, st.sampled_from(HALVES), POINTS, st.booleans())
def test_given_weights_can_be_copied_into_a_network_of_a_half(seed: int, target: str, n: int, fine: bool) -> None:
    run = parse_run(f"P{n}{target}{'+' * fine}", "random0", seed)
    assert (run.label, run.source_base) == (f"P{n}{target}{'+' * fine}", None)
    assert run.treatment == f"PnB{'+' * fine}"


@pytest.mark.parametrize(
    ("label", "split"),
    [("baseT", "random0"), ("P3T", "natural"), ("T3T", "apart0"), ("T3B", "random0"), ("baseA", "whole")]
    + [("A3T", "whole"), ("P3B", "whole"), ("B3B+", "whole")],
)  # fmt: skip
def test_a_half_that_the_split_has_not_is_refused(label: str, split: str) -> None:
    with pytest.raises(UsageError, match=f"{label.replace('+', '.')} does not go with split {split}: A and B are"):
        parse_run(label, split, 0)


@given(SEEDS, st.integers(2, 12), st.sampled_from(["whole", "random0"]))
def test_the_grid_has_given_weights_where_they_are_asked_for(seed: int, depth: int, split: str) -> None:
    layers = [f"layer{number}" for number in range(depth)]
    without, with_them = grid(split, seed, layers), grid(split, seed, layers, given=True)
    halves = halves_of(split)
    assert [run for run in with_them if run.source != "P"] == list(without)
    assert sum(run.source == "P" for run in with_them) == 2 * (depth - 1) * len(halves)
    assert {run.target for run in with_them} == set(halves)
    assert plan(split, [seed], layers=layers, given=True) == with_them


def test_a_plan_adds_the_base_that_given_weights_are_paired_with() -> None:
    assert [run.label for run in plan("whole", [0], ["P3T"])] == ["baseT", "P3T"]
    assert [run.label for run in plan("random0", [0], ["P3B"])] == ["baseB", "P3B"]


@given(st.lists(st.sampled_from(LABELS), min_size=1, unique=True))
def test_frozen_networks_on_given_weights_share_their_features(labels: list[str]) -> None:
    groups = groups_of(plan("whole", [0], labels))
    frozen = [group for group in groups if group[0].source == "P" and not group[0].finetune]
    assert [run.label for group in frozen for run in group] == [it for it in labels if it in ("P1T", "P3T")]
    assert len(frozen) <= 1


@given(SEEDS, st.sampled_from(["baseT", "T3T", "R3T", "P3T", "P3T+"]), st.text("0123456789abcdef", min_size=64))
def test_only_what_copies_given_weights_is_named_after_them(seed: int, label: str, name: str) -> None:
    from tests.test_store import SETTING

    run = parse_run(label, "whole", seed)
    setting, store = replace(SETTING, given=name), Store(Path("work"))
    shared = store.run_folder(run, setting) == store.run_folder(run, SETTING)
    assert shared == (run.source != "P")
    assert setting.of(run).given == (name if run.source == "P" else SETTING.given)


def test_every_tensor_of_the_copied_layers_is_that_of_the_file_and_the_others_those_of_other_treatments() -> None:
    weights = fitting(build(small_net(), 7).state_dict(), small_net(), "a file")
    run, random = parse_run("P3T+", "whole", 0), parse_run("R3T", "whole", 0)
    operated, other = (operate(small_net(), 8, one, source) for one, source in ((run, weights), (random, None)))
    theirs = other.network.state_dict()
    for name, tensor in operated.network.state_dict().items():
        copied = operated.network.layer_of(name) in LAYERS[:3]
        assert np.array_equal(tensor.numpy(), weights[name] if copied else theirs[name].numpy())
    account = {entry.name: str(entry) for entry in operated.account}
    assert (account["conv3.weight"], account["conv4.bias"]) == ("given, trained", "re-initialised, trained")
    assert operate(small_net(), 8, parse_run("P3T", "whole", 0), weights).account[0].fate == "frozen"
    with pytest.raises(StoreError, match=r"P3T\+ copies given weights, which are missing: .* --given"):
        operate(small_net(), 8, run)


def test_receipts_of_given_weights_and_of_others_make_one_table_and_one_figure(whole: Study) -> None:
    runs = plan("whole", [0], LABELS)
    for group in groups_of(runs):
        assert perform_group(whole, group) == ()
    receipts = [whole.store.find(run, whole.setting) for run in runs]
    found = [receipt for receipt in receipts if receipt]
    assert len(found) == len(runs)
    assert found[1].account["conv1.weight"] == "given, frozen"
    assert found[1].setting.given == whole.setting.given
    assert not found[0].setting.given
    assert found[1].times.shared_with == ("P3T",)
    table = tabulate(found)
    assert table["treatment"].tolist() == ["base", "PnB", "PnB", "PnB+", "BnB", "RnB"]
    assert table["paired"].notna().all()
    picture = figures.figure2(table)
    assert "PnB (given, frozen)" in picture.alt
    assert "PnB+: given, fine-tuned" in " ".join(text.get_text() for text in picture.figure.legends[0].texts)
    assert "PnB" in figures.random_filters(table).alt
    assert bases_learned(whole).bases == 0
    assert "P3T: conv1 to conv3 given and frozen" in figures.figure1(runs).alt


def test_a_study_with_other_given_weights_shares_the_bases_and_is_not_mixed_with_it(
    whole: Study, tmp_path: Path
) -> None:
    other = with_given(whole, _changed(saved(small_net(), tmp_path / "other.safetensors")))
    assert other.setting.given != whole.setting.given
    base, copy = parse_run("baseT", "whole", 0), parse_run("P1T", "whole", 0)
    assert perform(whole, base) == perform(other, base)
    one, two = perform(whole, copy), perform(other, copy)
    assert one.checksums != two.checksums
    with pytest.raises(DataError, match="different settings: given"):
        tabulate([perform(whole, base), one, two])


def _changed(path: Path) -> Path:
    save_file({name: 0.9 * tensor for name, tensor in read_state(path).items()}, path)
    return path


def test_a_given_mean_image_stays_with_conv1() -> None:
    """As in every copy: with another one, conv1 would compute another function than in the network it is from."""
    net = replace(small_net(), pixels="mean image")
    state = build(net, 7).state_dict() | {"conv1_mean": torch.full((3, 48, 48), 99.0)}
    operated = operate(
        net, 8, parse_run("P2T", "whole", 0), fitting(state, net, "a file"), mean_image=torch.zeros(3, 48, 48)
    )
    assert {entry.name: str(entry) for entry in operated.account}["conv1_mean"] == "given, frozen"
    assert (operated.network.get_buffer("conv1_mean") == 99).all()
    with pytest.raises(DataError, match="lacks conv1_mean"):
        fitting(build(small_net(), 7).state_dict(), net, "a file")


def test_the_whole_set_has_all_images_of_all_classes(study: Study) -> None:
    split = study.prepared.split("whole")
    half = open_half(study.prepared, split, "T", "train")
    assert split.kind == "whole"
    assert half.n_classes == len(study.prepared.manifest.classes) == len(split.classes("T"))
    assert sorted(set(half.labels.tolist())) == list(range(half.n_classes))
    for missing in HALVES:
        with pytest.raises(UsageError, match=f"split whole has no half {missing}"):
            split.classes(missing)
    with pytest.raises(UsageError, match="split random0 has no half T"):
        study.prepared.split("random0").classes("T")


def test_torchvisions_networks_read_pixels_as_published_and_own_ones_as_before(study: Study, tmp_path: Path) -> None:
    own, published = find_net("resnet-small", 48), find_net("mobilenet_v3_small", 48)
    for net, pixels in ((own, own.pixels), (published, "imagenet")):
        path = saved(net, tmp_path / f"{net.name}.safetensors")
        setting = with_given(replace(study, setting=replace(study.setting, net=net)), path).setting
        assert setting.net.pixels == pixels


@given(st.sampled_from(["", "model.", "backbone.", "module.", "net.", "encoder.", "module.model.", "model.backbone."]))
def test_usual_prefixes_are_left_out(tmp_path_factory: pytest.TempPathFactory, prefix: str) -> None:
    spec = find_net("resnet-small", 48)
    path = saved(spec, tmp_path_factory.mktemp("given") / "given.safetensors", prefix, classes=1000)
    assert not any(name.startswith("fc.") for name in fitting(read_state(path), spec, "a file"))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_file_without_the_last_layer_fits_and_weights_of_large_images_are_refused_for_small_ones(name: str) -> None:
    large, small = find_net(name, 64), find_net(name, 48)
    assert isinstance(small, StagedSpec)
    with torch.device("meta"):
        state = build(large, 7).state_dict()
    zeros = {key: torch.zeros(it.shape, dtype=it.dtype) for key, it in state.items() if not key.startswith("fc.")}
    assert set(fitting(zeros, large, "a file")) == set(zeros)
    with pytest.raises(DataError, match=f"for images of 48 pixels, {name} begins .*; prepare images of 64 pixels or"):
        fitting(zeros, small, "a file")


def test_the_command_line_goes_from_a_file_to_a_figure(tiny_folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(tiny_folder, work / "data" / "tiny")
    common = ["--work", str(work), "--data", "tiny", "--preset", "smoke", "--device", "cpu", "--split", "whole"]
    chosen = ["--given", str(saved(small_net(), tmp_path / "a.safetensors", "module.")), "--runs", "P3T", "P3T+", "R3T"]
    assert main(["sweep", "--workers", "1", *common, *chosen]) == 0
    assert main(["figures", *common, *chosen]) == 0
    table = pd.read_csv(work / "figures" / "tiny" / "grid.csv")
    assert table["run"].tolist() == ["baseT", "P3T", "P3T+", "R3T"]
    assert (work / "figures" / "tiny" / "figure2.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--runs", "P3T"], "P3T copies given weights: name their file with --given"),
        (["--given", "nowhere.pth"], "nowhere.pth is not there"),
        (["--given", "{file}", "--net", "resnet-small"], "holds no weights of resnet-small: it lacks"),
        (["--given", "{file}", "--runs", "P3B"], "P3B does not go with split whole"),
        (["--given", "{file}", "--runs", "P8T"], "P8T copies 8 layers, but this network has 8"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    file = saved(small_net(), tmp_path / "a.safetensors")
    common = ["--work", str(tmp_path), "--data", str(tiny_folder), "--preset", "smoke", "--split", "whole"]
    given_names = [argument.format(file=file) for argument in arguments]
    assert main(["sweep", "--workers", "1", *common, *given_names]) in (1, 2)
    assert words in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_net_of_eight_layers_takes_weights_of_its_own_kind_alone() -> None:
    net = small_net()
    assert isinstance(net, NetSpec)
    with pytest.raises(DataError, match="conv1.weight is"):
        fitting(build(small_net(width=2), 7).state_dict(), net, "a file")
    assert isinstance(paper_net(), NetSpec)
    assert Run("whole", 0, "T").label == "baseT"
