"""From nothing to the ledger: the whole path on tiny networks."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from course.evidence.claims import LEDGER_COLUMNS, read_evidence
from transferkit.__main__ import main
from transferkit.disk.store import RECEIPT
from transferkit.results import COLUMNS, EPOCH_COLUMNS

pytestmark = pytest.mark.xdist_group("evidence")  # the evidence takes half a minute

FILES = [
    "claims", "conv1", "dissimilar", "dissimilar-epochs", "lengths", "lengths-epochs", "longer", "longer-epochs",
    "made", "made-epochs", "plateau", "plateau-epochs", "provenance", "receipts", "shortcuts", "similar",
    "similar-epochs", "sizes", "sizes-epochs",
]  # fmt: skip


PICTURES = [
    "claims", "claims-further", "convergence", "dip", "figure1", "figure2", "figure3", "lengths", "losses", "made",
    "plateau", "sizes", "steps", "supplement",
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder in which the smoke evidence is done."""
    folder = tmp_path_factory.mktemp("evidence") / "work"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "tiny").symlink_to(tiny_folder)
    assert evidence(folder) == 0
    return folder


def evidence(work: Path, *arguments: str) -> int:
    usual = ["--smoke", "--data", "tiny", "--device", "cpu", "--workers", "1", "--work", str(work)]
    return main(["evidence", *usual, *arguments])


@pytest.mark.long
def test_every_series_leaves_its_tables_and_the_ledger(work: Path) -> None:
    folder = work / "evidence-smoke"
    assert sorted(path.stem for path in folder.glob("*.csv")) == FILES
    assert sorted(path.stem for path in folder.glob("*.png")) == PICTURES
    similar = pd.read_csv(folder / "similar.csv")
    assert tuple(similar.columns)[: len(COLUMNS)] == COLUMNS
    assert similar["paired"].notna().all()
    epochs = pd.read_csv(folder / "similar-epochs.csv")
    assert tuple(epochs.columns)[: len(EPOCH_COLUMNS)] == EPOCH_COLUMNS
    assert len(epochs) == 2 * len(similar)
    assert epochs.groupby("epoch")["images_seen"].unique().map(list).to_dict() == {1: [64], 2: [128]}
    sizes = pd.read_csv(folder / "sizes.csv")
    assert sorted(sizes["images_per_class"].unique()) == [8, 12, 16]
    assert pd.read_csv(folder / "longer.csv")["epochs"].tolist() == [4, 4]
    assert len(pd.read_csv(folder / "conv1.csv")) == 6  # the bases of random0, random1 and natural
    provenance = pd.read_csv(folder / "provenance.csv").set_index("key")["value"]
    assert int(provenance["networks"]) == len(list(work.rglob(RECEIPT)))
    assert set(provenance["torch version"]) == {torch.__version__}  # of each series
    ledger = pd.read_csv(folder / "claims.csv")
    assert tuple(ledger.columns) == LEDGER_COLUMNS
    assert set(ledger.loc[ledger["verdict"] == "no data", "claim"]) >= {"distance"}
    assert (ledger["verdict"] != "no data").sum() >= 12
    assert read_evidence(folder).dial is None


@pytest.mark.long
def test_a_second_call_trains_nothing_and_gives_the_same_tables(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = work / "evidence-smoke"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    times = {path: path.stat().st_mtime_ns for path in work.rglob(RECEIPT)}
    assert evidence(work) == 0
    assert {path: path.stat().st_mtime_ns for path in work.rglob(RECEIPT)} == times
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert "top-1" not in capsys.readouterr().out


@pytest.mark.long
def test_the_cost_is_told_before_anything_is_trained(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence(work, "--predict", "--only", "similar", "sizes") == 0
    rows = [line.split("│")[1:4] for line in capsys.readouterr().out.split("\n") if "│ similar" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [["similar", "16", "0"]]


@pytest.mark.long
def test_a_series_done_alone_keeps_what_others_left(work: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(work / "evidence-smoke", tmp_path / "evidence"))
    before = {name: (folder / f"{name}.csv").read_bytes() for name in ("conv1", "provenance", "claims", "receipts")}
    for name in ("longer", "dissimilar"):
        assert evidence(work, "--only", name, "--out", str(folder)) == 0
        assert {kept: (folder / f"{kept}.csv").read_bytes() for kept in before} == before


@pytest.mark.long
def test_a_series_without_first_layers_can_be_done_before_all_others(work: Path, tmp_path: Path) -> None:
    assert evidence(work, "--only", "longer", "--out", str(tmp_path)) == 0
    assert not (tmp_path / "conv1.csv").exists()
    assert (pd.read_csv(tmp_path / "claims.csv")["verdict"] == "no data").all()


@pytest.mark.long
def test_a_folder_of_other_data_is_refused_and_stays_as_it_was(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_csv(work / "evidence-smoke" / "similar.csv").assign(data="photos").to_csv(tmp_path / "similar.csv")
    assert evidence(work, "--only", "longer", "--out", str(tmp_path)) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "mixes the data sets photos (similar) and tiny (longer)" in told
    assert [path.name for path in tmp_path.iterdir()] == ["similar.csv"]


def test_a_folder_of_evidence_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "--evidence", str(tmp_path / "typo")]) == 2
    assert f"there is no folder {tmp_path / 'typo'}" in "".join(capsys.readouterr().err.splitlines())


def test_claims_without_data_say_what_to_run_and_show_the_authors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "ledger.csv"
    assert main(["claims", "--evidence", str(tmp_path), "--authors", "--csv", str(table)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "no data" in told
    assert "fails" in told
    ledger = pd.read_csv(table).set_index("claim")
    assert ledger.columns[:5].tolist() == ["estimate", "low", "high", "n", "verdict"]
    assert ledger.loc["boost-over-control", "authors_verdict"] == "fails"
    assert ledger.loc["boost-over-control", "verdict"] == "no data"


def test_before_anything_is_trained_claims_shows_what_the_repository_keeps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "ledger.csv"
    assert main(["claims", "--work", str(tmp_path / "nothing"), "--csv", str(table)]) == 0
    assert "these networks come with the repository" in capsys.readouterr().out
    kept = pd.read_csv(Path(__file__).parents[2] / "course" / "results" / "evidence" / "claims.csv")
    assert pd.read_csv(table)["verdict"].tolist() == kept["verdict"].tolist()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--only", "simlar"], 2, "'simlar' is not a series: choose similar"),
        (["--data", "nonsense"], 2, "no prepared data set 'nonsense'"),
        (["--workers", "0"], 2, "0 workers cannot train anything"),
    ],
)
def test_wrong_values_end_in_one_sentence(
    tmp_path: Path,
    tiny_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny").symlink_to(tiny_folder)
    assert evidence(tmp_path, *arguments) == code
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.rglob(RECEIPT))
