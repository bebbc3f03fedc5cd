"""The whole question, from weights and a folder to a curve and an advice; what is there already is not done again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from course.practice import curve, heads, measuring, planning
from course.practice.networks import Design, designs, preset_for, seconds_for, usual_epochs
from course.practice.planning import HEAD_SECONDS, Limits
from data_prep.regions import PHOTOS
from tests.practice.conftest import MakeFolder
from transferkit.__main__ import main
from transferkit.disk.prepared import ClassInfo, Manifest
from transferkit.disk.store import Store
from transferkit.errors import DataError, UsageError
from transferkit.network.torchvision_nets import find_net
from transferkit.training.data import Prepared
from transferkit.training.forecast import Probe
from transferkit.training.study import plan_study


@pytest.fixture(autouse=True)
def two_strengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of the time of every head, whose own tests try all strengths."""
    monkeypatch.setattr(heads, "STRENGTHS", (0.01, 1.0))


@pytest.fixture(scope="module")
def real_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiles of three photographs that come with scikit-image, a folder for each."""
    root = tmp_path_factory.mktemp("real") / "photographs"
    for photo in PHOTOS[:3]:
        (root / photo.name).mkdir(parents=True)
        pixels = photo.read().astype(np.uint8).transpose(1, 2, 0)
        for number in range(16):
            top, left = 48 * (number // 4), 48 * (number % 4)
            tile = pixels[top : top + 48, left : left + 48]
            Image.fromarray(tile).save(root / photo.name / f"{number:02}.png")
    return root


@pytest.mark.long
def test_a_small_real_folder_from_end_to_end(
    real_folder: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path / "work"))
    monkeypatch.setattr(planning, "_probe", lambda bench: Probe((1e-3,) * 8, (1e-3,) * 8, 1e-3, 1e-3, 1.0, workers=1))
    options = ["--net", "small", "--folds", "2", "--epochs", "2", "--minutes", "60", "--out", str(tmp_path / "out")]
    command = ["curve", "--weights", str(weights), "--data", str(real_folder), *options]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.index("minutes:seconds") < said.index("baseT") < said.index("Advice:")
    table = pd.read_csv(tmp_path / "out" / "curve.csv")
    counts = table.groupby("option").size()
    assert {*counts.index} == {*(f"{origin}{n} head" for origin in "PRT" for n in range(1, 8)), "P4T+", "P7T+", "baseT"}
    assert counts["P3 head"] == 2
    assert counts["baseT"] == 4  # of half and of all its epochs
    with np.load(tmp_path / "out" / "answers.npz") as answers:
        assert answers["P7T+"].shape == (48,)
        assert answers["P7T+"].mean() == pytest.approx(table.loc[table["option"] == "P7T+", "accuracy"].mean())
    for name in ("advice.txt", "curve.svg", "curve.png"):
        assert (tmp_path / "out" / name).stat().st_size > 100
    made = [tmp_path / "work" / room for room in ("curve", "data", "runs")]
    kept = {path: path.stat().st_mtime_ns for room in made for path in room.rglob("*") if path.is_file()}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "a second run redoes nothing"
    assert capsys.readouterr().out.split("Advice:")[1] == said.split("Advice:")[1]


def test_heads_of_every_origin_are_measured_told_and_drawn(
    weights: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    found = curve(weights, make_folder(), "small", tmp_path / "work", frozen_only=True, statistics=True, folds=2)
    assert {*found.table["option"]} == {f"{origin}{n} head" for origin in "PRV" for n in range(1, 8)}
    assert (found.table.groupby("option")["pictures"].sum() == 36).all()
    assert "No network was trained from scratch" in found.text
    draws = [np.load(path)["1"] for path in sorted((tmp_path / "work").rglob("features-[RV]-*.npz"))]
    assert len({draw.tobytes() for draw in draws}) == 2 * 2, "each fold has random weights of its own"
    means = 100 * found.table.groupby("option")["accuracy"].mean()
    assert all(f"{option} {percent:.1f}" in found.picture.alt for option, percent in means.items())
    ax = found.picture.figure.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()][:2] == ["1\nconv1", "2\nconv2"]
    line = next(it for it in ax.get_lines() if len(it.get_xdata()) == 7)  # type: ignore[arg-type]
    assert np.asarray(line.get_ydata()) == pytest.approx([means[f"P{n} head"] for n in range(1, 8)])


def test_a_killed_run_goes_on_where_it_stopped(
    weights: Path, make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = make_folder(), 0

    def killed_at_the_tenth(*arguments: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 10:
            raise KeyboardInterrupt
        return heads.answer(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "answer", killed_at_the_tenth)
    with pytest.raises(KeyboardInterrupt):
        curve(weights, folder, "small", tmp_path / "work", frozen_only=True, folds=2)
    found = curve(weights, folder, "small", tmp_path / "work", frozen_only=True, folds=2)
    assert asked == 10 + 3 * 7, "the seven heads of the first fold are kept"
    whole = curve(weights, folder, "small", tmp_path / "other", frozen_only=True, folds=2)
    pd.testing.assert_frame_equal(found.table, whole.table)


def test_seeds_divide_the_pictures_anew(weights: Path, make_folder: MakeFolder, tmp_path: Path) -> None:
    found = curve(weights, make_folder(), "small", tmp_path / "work", frozen_only=True, folds=2, seeds=(0, 3))
    assert {*found.table["seed"]} == {0, 3}
    assert np.isfinite(found.answers.correct).all()


@pytest.mark.parametrize(("net", "size", "words"), [
    ("small", 64, "reads pictures of 48 pixels, not 64"),
    ("resnet18", 64, "holds no weights of resnet18"),
    ("resnet-small", 48, "holds no weights of resnet-small"),
    ("resnet9999", None, "is no network"),
    ("vgg11", 8, "cannot read images of 8 pixels"),
])  # fmt: skip
def test_a_network_that_does_not_fit_is_refused_and_nothing_is_left(
    net: str, size: int | None, words: str, weights: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    with pytest.raises((DataError, UsageError), match=words):
        curve(weights, make_folder(), net, tmp_path / "work", size=size)
    assert not (tmp_path / "work").exists()


def test_limits_that_make_no_sense_are_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    for limits, words in (
        ({"folds": 1}, "at least 2"), ({"minutes": 0.0}, "above 0"), ({"seeds": ()}, "at least one"),
        ({"seeds": (1, 1)}, "each once"), ({"epochs": 0}, "epochs=0"), ({"folds": 2.5}, "folds"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            Limits(**limits)
    with pytest.raises(UsageError, match="there is no such file"):
        curve(tmp_path / "none.pth", make_folder(), "small", tmp_path / "work")


def test_designs_give_way_from_the_most_work_to_the_least() -> None:
    found = [*designs(5, 8, range(1, 8))]
    assert found[0] == Design(5, 8, (4, 7))
    assert found[-1] == Design(2, 2, (7,), half_length=False)
    assert all(design.folds >= 2 for design in found)
    longer = [*designs(5, 8, range(1, 8), longer=True)]
    assert [design.epochs for design in longer[:4]] == [64, 32, 16, 8], "minutes that are left over go into epochs"
    assert longer[3:] == found
    (first, *_), scratch = found[0].runs(0), [it for it in found[0].runs(0) if it[0].label == "baseT"]
    assert (first[0].label, [epochs for _, epochs in scratch]) == ("baseT", [16, 8])


def test_few_pictures_are_read_more_often() -> None:
    assert [usual_epochs(count) for count in (10, 400, 1600, 50_000)] == [60, 32, 8, 6]


def test_two_thousand_pictures_and_resnet18_get_networks_within_a_quarter_of_an_hour(tmp_path: Path) -> None:
    """At the rates of one core of 2026: it trains 75 images a second of 64 pixels, and looks at 250; there are two."""
    net, names = find_net("resnet18", 64), tuple(ClassInfo(str(number), natural=False) for number in range(14))
    manifest = Manifest("cats", names, 64, (0, 1600), (1600, 2000), "", "", {})
    prepared, store = Prepared(tmp_path, manifest), Store(tmp_path)
    study = plan_study(prepared, preset_for(net, 1600, 1), "cpu", store, "float32")
    found = Probe((1 / 75,) * 6, (1 / 250,) * 6, 1 / 250, 1e-4, start=5.0, workers=2)
    wanted = designs(5, usual_epochs(1600), net.chop_points)
    heads = 8 * 2000 / 500 + 60 * HEAD_SECONDS * 2  # passes over the pictures on two cores, and the heads
    chosen = next(design for design in wanted if heads + seconds_for(design, study, found, (0,)) < 15 * 60)
    assert chosen == Design(2, 8, (5,))
