import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from course import looking
from course.looking.kinds import COLUMNS as FIT_COLUMNS
from transferkit.__main__ import main, parser
from transferkit.commands import named_net
from transferkit.config import get_preset
from transferkit.disk.prepared import IMAGES, file_checksum, read_manifest, write_manifest
from transferkit.disk.store import RECEIPT
from transferkit.results import COLUMNS
from transferkit.training.distributed import ALONE
from transferkit.training.sweep import Progress

RUNS = ["--runs", "A1B", "B1B+", "R1B"]


def test_help_and_wrong_usage_are_answered_at_once_without_importing_torch() -> None:
    program = "import sys\nfrom transferkit.__main__ import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    for arguments in (["--help"], ["sweep", "--help"], ["nothing"]):
        began = time.perf_counter()
        ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
        assert time.perf_counter() - began < 2  # a tenth of a second where nothing else runs; torch takes several
        assert not {"torch", "pandas", "matplotlib"} & set(ended.stdout.split()), arguments


def test_a_sweep_waits_neither_for_tables_nor_for_figures() -> None:
    program = "import sys, transferkit.commands; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"pandas", "scipy", "matplotlib"} & set(ended.stdout.split())


@pytest.fixture
def work(tiny_folder: Path, tmp_path: Path) -> Path:
    """A work folder of its own that holds the tiny data set."""
    shutil.copytree(tiny_folder, tmp_path / "work" / "data" / "tiny")
    return tmp_path / "work"


def command(work: Path, name: str, *arguments: str) -> int:
    return main([name, "--work", str(work), "--data", "tiny", "--preset", "smoke", "--device", "cpu", *arguments])


def test_plan_sweep_and_figures_from_nothing_to_pictures(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(work, "plan", *RUNS) == 0
    assert "0 of 5 networks are there" in " ".join(capsys.readouterr().out.split())
    assert command(work, "sweep", "--workers", "1", *RUNS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("]")[0] for line in lines[:-1]] == [f"[{done}/5" for done in range(1, 6)]
    assert "images/s" in lines[1]
    assert lines[-1].startswith("5 of 5 networks are there")
    assert command(work, "plan", *RUNS) == 0
    assert "5 of 5 networks are there" in " ".join(capsys.readouterr().out.split())
    assert command(work, "figures", *RUNS) == 0
    assert "minus that of the own target's base" in " ".join(capsys.readouterr().out.split())
    folder = work / "figures" / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["conv1.png", "figure2.png", "grid.csv", "random.png"]
    for picture in folder.glob("*.png"):
        with Image.open(picture) as opened:
            assert len(str(opened.info["Description"])) > 100


def test_a_training_that_diverges_names_the_option_that_mends_it(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ("sweep", "--workers", "1", "--runs", "baseA", "--learning-rate")
    assert command(work, *sweep, "1000") == 1
    assert "--learning-rate 500, half of this one's peak" in capsys.readouterr().err
    assert not list(work.rglob(RECEIPT))
    assert command(work, *sweep, "0.01") == 0
    (receipt,) = work.rglob(RECEIPT)
    assert json.loads(receipt.read_bytes())["setting"]["recipe"]["learning_rate"] == 0.01


def test_grid_csv_has_the_promised_columns_and_a_row_per_network(work: Path) -> None:
    command(work, "sweep", "--workers", "1", *RUNS)
    command(work, "figures", *RUNS)
    table = pd.read_csv(work / "figures" / "tiny" / "grid.csv")
    assert tuple(table.columns) == COLUMNS
    assert table["run"].tolist() == ["baseA", "baseB", "A1B", "B1B+", "R1B"]
    assert table["treatment"].tolist() == ["base", "base", "AnB", "BnB+", "RnB"]
    base = table.set_index("run")["top1"]["baseB"]
    assert table["paired"].tolist() == pytest.approx([0, *(table["top1"][1:] - base)])


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["--split", "random"],
            2,
            "'random' is no split: choose random0 or apart0 (or another number below 10000), natural",
        ),
        (["--split", "overlap-0.5"], 2, "needs classes made of known parts"),
        (["--preset", "slow"], 2, "'slow' is no preset: choose smoke, quick, filters, class, paper"),
        (["--data", "nonsense"], 2, "no prepared data set 'nonsense'"),
        (["--runs", "A8B"], 2, "A8B copies 8 layers, but this network has 8"),
        (["--runs", "X3B"], 2, "'X3B' is no network: write baseA or baseB"),
        (["--epochs", "0"], 2, "0 epochs are no training: give 1 or more"),
        (["--learning-rate", "0"], 2, "0 is no learning rate: give a number above 0, as 0.02"),
        (["--learning-rate", "nan"], 2, "nan is no learning rate: give a number above 0, as 0.02"),
        (["--graphs"], 2, "--graphs needs a GPU, and one process for each network: leave it out here"),
        (["--workers", "0"], 2, "0 workers cannot train anything: ask for at least 1"),
        (["--device", "tpu"], 2, "'tpu' is no device: choose auto, cpu or cuda"),
        (["--device", "cuda"], 2, "no CUDA device can be used here"),
        (["--preset", "paper"], 1, "tiny has images of 48 pixels, the preset paper reads 227"),
    ],
)
def test_wrong_values_end_in_one_sentence_that_says_what_is_allowed(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], code: int, sentence: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command(work, "sweep", *arguments) == code
    told = capsys.readouterr().err.strip()
    assert sentence in told
    assert "\n" not in told
    assert not list(work.rglob(RECEIPT))


def test_a_damaged_data_set_is_refused(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = work / "data" / "tiny" / IMAGES
    images.write_bytes(images.read_bytes()[:-1])
    assert command(work, "sweep") == 1
    assert "images.npy has checksum" in capsys.readouterr().err


def asked_of(monkeypatch: pytest.MonkeyPatch, function: str) -> list[tuple[Any, ...]]:
    """With what a function that trains a sweep is called, once the command has been given; it trains nothing."""
    calls: list[tuple[Any, ...]] = []

    def note(*arguments: Any) -> Iterator[Progress]:
        calls.append(arguments)
        yield Progress(0, 0, 0, 0.0, None)

    monkeypatch.setattr(f"transferkit.training.sweep.{function}", note)
    return calls


@pytest.mark.parametrize(("local_rank", "code"), [("0", 1), ("1", 0)])
def test_of_the_processes_that_torchrun_starts_one_on_each_machine_verifies_the_data(
    work: Path, monkeypatch: pytest.MonkeyPatch, local_rank: str, code: int
) -> None:
    named = {"RANK": "5", "WORLD_SIZE": "8", "MASTER_ADDR": "x", "MASTER_PORT": "1", "LOCAL_RANK": local_rank}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("transferkit.training.distributed.together", lambda device: nullcontext(ALONE))
    calls = asked_of(monkeypatch, "sweep_together")
    images = work / "data" / "tiny" / IMAGES
    images.write_bytes(images.read_bytes()[:-1] + b"?")
    assert command(work, "sweep") == code
    assert len(calls) == 1 - code


def test_the_work_folder_is_expanded_and_does_not_depend_on_where_a_process_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    commands = ["plan", "sweep", "figures", "filters", "doctor", "evidence", "claims"]
    for arguments in (*([name] for name in commands), ["batch", "notebook.ipynb", "--out", "out"]):
        for named in ("~/mine", "mine"):
            assert parser().parse_args([*arguments, "--work", named]).work == tmp_path / "mine", arguments
    with pytest.raises(SystemExit):
        parser().parse_args(["plan", "--work", "~nobody-of-this-name/mine"])


def test_the_remedy_for_missing_data_names_the_folder_where_they_are_looked_for(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spaced = work.rename(work.with_name("my work"))
    assert command(spaced, "sweep", "--data", "photos") == 2
    assert f"run 'python -m data_prep photos --out '{spaced}/data/photos''" in capsys.readouterr().err.replace('"', "'")
    monkeypatch.setenv("TRANSFERKIT_WORK", str(spaced))
    for given in ([], ["--work", str(spaced)]):
        assert main(["sweep", "--data", "photos", *given]) == 2
        assert "run 'python -m data_prep photos', or" in capsys.readouterr().err


def test_another_network_reads_whole_images_or_the_crops_that_the_recipe_takes(work: Path) -> None:
    manifest = replace(read_manifest(work / "data" / "tiny"), image_size=256)
    sizes = {name: named_net("resnet-small", get_preset(name), manifest).image_size for name in ("quick", "paper")}
    assert sizes == {"quick": 256, "paper": 227}


def test_the_evidence_of_another_network_takes_images_of_any_size_too(work: Path) -> None:
    folder = work / "data" / "tiny"
    np.save(folder / IMAGES, np.pad(np.load(folder / IMAGES), ((0, 0), (0, 0), (8, 8), (8, 8))))
    manifest = read_manifest(folder, verify=False)
    checksums = {**manifest.checksums, IMAGES: file_checksum(folder / IMAGES)}
    write_manifest(folder, replace(manifest, image_size=64, checksums=checksums))
    usual = ["--smoke", "--predict", "--workers", "1", "--work", str(work), "--data", "tiny", "--device", "cpu"]
    assert main(["evidence", *usual]) == 1
    assert main(["evidence", *usual, "--net", "resnet-small"]) == 0


def test_figures_before_a_sweep_say_what_to_do(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(work, "figures") == 1
    assert (
        "none of the 72 networks is trained under this setting: run 'python -m transferkit sweep'"
        in capsys.readouterr().err
    )
    assert not (work / "figures").exists()


def test_debug_shows_the_traceback(work: Path) -> None:
    with pytest.raises(ValueError, match="slow"):
        command(work, "plan", "--preset", "slow", "--debug")


def test_wrong_usage_exits_with_2() -> None:
    for arguments in ([], ["swep"], ["sweep", "--sedes", "0"], ["sweep", "--seeds", "none"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2


def test_filters_of_the_bases_have_a_sheet_each_a_film_and_one_table(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = work / "filters.csv"
    assert command(work, "filters", "--out", str(work / "both.png")) == 2  # before anything is trained
    assert command(work, "filters", "--csv", str(table)) == 0  # which trains them
    sheets = {f"{name}-filters.{it}" for name in ("baseA", "baseB", "imagenet") for it in ("png", "svg", "pdf")}
    assert {path.name for path in (work / "figures" / "tiny").iterdir()} == sheets | {"baseA-forming.webp"}
    told = capsys.readouterr().out
    assert "[2/2]" in told
    assert "Filters of conv1" in told
    assert "scrambled" in told
    assert "SqueezeNet, on ImageNet" in told
    assert pd.read_csv(table).groupby("network")["filter"].count().to_dict() == {"baseA": 32, "baseB": 32}
    assert command(work, "filters", "--bgr") == 2
    assert "--layer, --bgr and --bands go with --weights" in capsys.readouterr().err


def test_filters_of_a_file_say_which_layer_and_channels_in_table_picture_and_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    y, x = np.mgrid[-3:4, -3:4]
    state = {name: torch.zeros(2, 3, 7, 7) for name in ("rgb.weight", "flow.weight")}
    state["rgb.weight"][:, 2] = torch.from_numpy(np.exp(-(x**2 + y**2) / 4))
    torch.save(state, tmp_path / "[ema] model.pth")
    monkeypatch.chdir(tmp_path)
    for options, (words, colour) in {"--bgr": ("rgb (BGR)", "red"), "": ("rgb", "blue")}.items():
        assert command(tmp_path, "filters", "--weights", "[ema] model.pth", "--csv", "f.csv", *options.split()) == 0
        told = capsys.readouterr().out
        assert f"{words} of [ema] model.pth; others with --layer: flow\n" in told
        assert f" Filters of {words} " in told
        assert "\u2502 [ema] model " in told
        table = pd.read_csv("f.csv")
        assert tuple(table.columns) == (*FIT_COLUMNS, "network", "layer", "channels")
        assert set(table["layer"]) == {"rgb"}
        assert set(table["channels"]) == {"BGR" if options else "RGB"}
        assert table[colour].tolist() == pytest.approx([1, 1], abs=1e-6)
        assert f"{words} of [ema] model" in Path("[ema] model-filters.svg").read_text()
    assert command(tmp_path, "filters", "--weights", "[ema] model.pth", "--layer", "conv9") == 2


def test_a_sheet_goes_into_the_file_of_that_name_and_a_long_fit_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"conv1.weight": torch.zeros(3, 3, 5, 5)}, tmp_path / "a.pth")
    options = ("filters", "--weights", str(tmp_path / "a.pth"), "--out", str(tmp_path / "new" / "one.svg"))
    assert command(tmp_path, *options) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one.svg"]
    assert (tmp_path / "new" / "one.svg").read_bytes().startswith(b"<?xml")
    assert "fitted" not in capsys.readouterr().err
    monkeypatch.setattr("course.looking.command.TELL_SECONDS", -1)
    assert command(tmp_path, *options) == 0
    assert "fitted 2 of 3 filters, 0:00 left" in capsys.readouterr().err


def test_filters_in_python_are_those_of_the_command(tmp_path: Path) -> None:
    torch.save({"stem.weight": torch.ones(5, 3, 7, 7)}, tmp_path / "mine.pth")
    for source in (tmp_path / "mine.pth", str(tmp_path / "mine.pth")):
        picture = looking.filters(source, bands=(3, 2, 1))
        assert picture.figure.get_suptitle() == "stem (BGR) of mine"
        assert picture.alt.startswith("5 filters of 7 by 7 pixels")
