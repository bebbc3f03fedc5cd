"""The whole path on networks of other layers than the paper's: sweep, receipts, figures, claims."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from course.evidence import SeriesStep, write_conv1
from course.evidence.claims import Evidence, ledger
from course.evidence.plan import nearest_depth, same_depth
from transferkit import figures
from transferkit.__main__ import main, parser
from transferkit.commands import study_of
from transferkit.config import Precision
from transferkit.disk.store import Store
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.network import build
from transferkit.network.torchvision_nets import find_net
from transferkit.network.weights_file import fitting
from transferkit.results import layers_of, tabulate
from transferkit.specs import StagedSpec
from transferkit.training.experiment import perform
from transferkit.training.forecast import measure
from transferkit.training.study import Study
from transferkit.treatments import LAYERS, grid, parse_run, plan


@pytest.fixture
def spec() -> StagedSpec:
    found = find_net("resnet-small", 48)
    assert isinstance(found, StagedSpec)
    return replace(found, arguments=(("width", 8),))  # of fewer, oneDNN 3.x crashes without AVX-512 (its issue 6035)


@pytest.fixture
def residual(study: Study, spec: StagedSpec) -> Study:
    return replace(study, setting=replace(study.setting, net=spec))


def test_every_treatment_is_trained_audited_and_found_again(residual: Study) -> None:
    receipts = [
        perform(residual, run)
        for run in plan("random0", [0], ["A2B", "A2B+", "B4B", "R3B"], residual.setting.net.layers)
    ]
    table = tabulate(receipts)
    assert layers_of(table) == ("stem", "layer1", "layer2", "layer3", "fc")
    assert set(table["run"]) == {"baseA", "baseB", "A2B", "A2B+", "B4B", "R3B"}
    frozen = residual.store.weights(parse_run("A2B", "random0", 0), residual.setting)
    tuned = residual.store.weights(parse_run("A2B+", "random0", 0), residual.setting)
    source = residual.store.weights(parse_run("baseA", "random0", 0), residual.setting)
    for name in ("bn1.running_mean", "layer1.0.bn2.running_var", "layer1.0.bn1.weight"):
        assert np.array_equal(frozen[name], source[name])
        assert not np.array_equal(tuned[name], source[name])
    assert not np.array_equal(frozen["layer2.0.bn1.running_mean"], source["layer2.0.bn1.running_mean"])
    again = replace(residual, store=Store(residual.store.work))
    assert [again.store.find(receipt.run, again.setting) for receipt in receipts] == receipts


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "width"), [("vit-small", 16), ("convnext-small", 4)])
def test_transformers_and_convnexts_pass_the_freeze_audit_too(
    study: Study, name: str, width: int, precision: Precision
) -> None:
    net = find_net(name, 48)
    assert isinstance(net, StagedSpec)
    setting = replace(study.setting, net=replace(net, arguments=(("width", width),)), precision=precision)
    other = replace(study, setting=setting)
    for label in ("baseA", "A2B"):
        assert np.isfinite(perform(other, parse_run(label, "random0", 0)).final.train_loss)


def test_the_same_seed_gives_the_same_bits(residual: Study, tmp_path: Path) -> None:
    again = replace(residual, store=Store(tmp_path / "again"))
    run = parse_run("baseA", "random0", 0)
    assert perform(residual, run).checksums == perform(again, run).checksums


def test_a_probe_has_a_time_for_every_depth(residual: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferkit.training.forecast.SECONDS_PER_DEPTH", 0.01)
    assert len(measure(residual.setting, 4, 0.0).trained) == 5


def test_the_command_line_goes_from_a_name_and_a_file_to_pictures(tiny_folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(tiny_folder, work / "data" / "tiny")
    spec = find_net("resnet-small", 48)
    save_file(build(spec, 7).state_dict(), tmp_path / "brought.safetensors")
    common = ["--work", str(work), "--data", "tiny", "--preset", "smoke", "--device", "cpu", "--net", "resnet-small"]
    common += ["--start", str(tmp_path / "brought.safetensors"), "--runs", "A1B", "A4B", "R1B"]
    assert main(["sweep", "--workers", "1", *common]) == 0
    assert main(["figures", *common]) == 0
    table = pd.read_csv(work / "figures" / "tiny" / "grid.csv")
    assert layers_of(table) == spec.layers
    assert sorted(table["n"]) == [0, 0, 1, 1, 4]
    assert (work / "figures" / "tiny" / "figure2.png").exists()
    assert main(["sweep", "--workers", "1", *common, "--runs", "A5B"]) == 2
    assert main(["sweep", "--workers", "1", *common, "--net", "small"]) == 2
    assert main(["sweep", "--workers", "1", *common, "--outputs", "none"]) == 2


def test_given_weights_are_read_as_imagenets_and_kept_by_their_checksum(residual: Study, spec: StagedSpec) -> None:
    weights = fitting(build(spec, 7).state_dict(), spec, "a file")
    assert not any(name.startswith("fc") for name in weights)
    name = residual.store.give(weights)
    assert residual.store.give(weights) == name
    started = replace(residual, setting=replace(residual.setting, net=replace(spec, start=name, pixels="imagenet")))
    receipt = perform(started, parse_run("baseA", "random0", 0))
    assert receipt.account["conv1.weight"] == "given, trained"
    assert receipt.account["fc.weight"] == "re-initialised, trained"
    assert receipt.setting != residual.setting


def test_imagenets_pixels_are_torchvisions(spec: StagedSpec) -> None:
    from torchvision.transforms import Normalize

    network = build(replace(spec, pixels="imagenet"), 4)
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    theirs = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))(images / 255)
    assert torch.allclose(network.to_input(network.held(images), torch.float32), theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conv1.weight": None}, "lacks conv1.weight"),
        ({"more": torch.zeros(1)}, "has more, which that network has not"),
        ({"conv1.weight": torch.zeros(2, 3, 3, 3)}, r"conv1.weight is \(2, 3, 3, 3\)"),
        ({"bn1.bias": torch.full((8,), float("nan"))}, "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    spec: StagedSpec, change: dict[str, torch.Tensor | None], words: str
) -> None:
    state = build(spec, 4).state_dict() | change
    with pytest.raises(DataError, match=words):
        fitting({name: tensor for name, tensor in state.items() if tensor is not None}, spec, "a file")


def test_weights_saved_before_batches_were_counted_fit(spec: StagedSpec) -> None:
    state = {name: it for name, it in build(spec, 4).state_dict().items() if "num_batches" not in name}
    assert fitting(state, spec, "an old file")["bn1.num_batches_tracked"] == 0


def test_damaged_given_weights_are_told(residual: Study) -> None:
    name = residual.store.give({"a": np.zeros(3, dtype=np.float32)})
    path = residual.store.work / "given" / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match="is damaged: give it again with --given"):
        residual.store.given(name)


def made_up(layers: tuple[str, ...]) -> pd.DataFrame:
    """Three splits whose AnB falls by a point a layer, of networks of these layers."""
    rows = []
    for split in ("random0", "random1", "random2"):
        for run in grid(split, 0, layers):
            paired = -0.01 * run.n if run.treatment == "AnB" else 0.0
            cells = (run.label, run.treatment, split, 0, run.source, run.target, run.n, run.finetune)
            rows.append((*cells, 0.7 + paired, paired, 0.1, 0.1, 1.0))
    columns = ["run", "treatment", "split", "seed", "source", "target", "n", "finetune", "top1", "paired"]
    return pd.DataFrame(rows, columns=[*columns, "train_loss", "valid_loss", "seconds"]).assign(layers=" ".join(layers))


@pytest.mark.parametrize("layers", [("stem", "layer1", "layer2", "layer3", "fc"), tuple(f"b{i}" for i in range(14))])
def test_figures_and_claims_take_the_chop_points_from_the_table(layers: tuple[str, ...]) -> None:
    table = made_up(layers)
    picture = figures.figure2(table, "made up")
    below = picture.figure.axes[1]
    assert [label.get_text() for label in below.get_xticklabels()] == [
        f"{n}\n{name}" for n, name in enumerate(("base", *layers[:-1]))
    ]
    assert f"at n = {len(layers) - 1}" in picture.alt
    judged = ledger(Evidence(similar=table)).set_index("claim")
    assert judged.loc["worse-with-n", "estimate"] == pytest.approx(-1.0)


@pytest.mark.parametrize("count", range(3, 40))
def test_depths_part_the_chop_points_and_are_the_papers_own_for_eight_layers(count: int) -> None:
    layers = [str(i) for i in range(count)]
    parted = [same_depth([n], layers) for n in range(1, 8)]
    assert sorted(n for own in parted for n in own) == list(range(1, count))
    assert [same_depth([n], LAYERS) for n in range(1, 8)] == [(n,) for n in range(1, 8)]
    assert [nearest_depth(n, LAYERS) for n in range(1, 8)] == list(range(1, 8))
    assert all(1 <= nearest_depth(n, layers) < count for n in range(1, 8))


def test_a_label_deeper_than_the_network_is_refused(residual: Study) -> None:
    with pytest.raises(UsageError, match="A5B copies 5 layers, but this network has 5"):
        plan("random0", [0], ["A5B"], residual.setting.net.layers)


def test_first_layers_too_small_for_a_wave_are_no_evidence(residual: Study, spec: StagedSpec, tmp_path: Path) -> None:
    run = parse_run("baseA", "random0", 0)
    for name, image_size, written in (("resnet-small", 48, True), ("resnet-small", 32, False)):  # 5x5 and 3x3 filters
        net = find_net(name, image_size)
        assert isinstance(net, StagedSpec)
        own = replace(residual, setting=replace(residual.setting, net=replace(net, arguments=spec.arguments)))
        perform(own, run)
        perform(own, parse_run("baseB", "random0", 0))
        write_conv1([SeriesStep(own, (run,))], tmp_path)
        assert (tmp_path / "conv1.csv").exists() == written


def test_outputs_are_as_many_as_asked_for_or_one_for_each_class(tiny_folder: Path, tmp_path: Path) -> None:
    def outputs(*arguments: str) -> int:
        command = ["sweep", "--data", str(tiny_folder), "--work", str(tmp_path), "--device", "cpu", "--preset", "smoke"]
        study, _ = study_of(parser().parse_args([*command, *arguments]))
        return study.setting.net.outputs_for(4)

    assert outputs() == outputs("--outputs", "classes") == outputs("--net", "vit-small") == 4
    assert outputs("--outputs", "1000") == outputs("--net", "resnet-small", "--outputs", "1000") == 1000
    with pytest.raises(UsageError, match="4 classes do not fit into the 3 outputs of small"):
        outputs("--outputs", "3")
