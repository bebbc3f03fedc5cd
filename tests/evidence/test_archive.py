"""A study is exported as an RO-Crate and verified from it; what was altered is found."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from rocrate.rocrate import ROCrate

from course.evidence.archive import METADATA
from course.evidence.verify.claimed import claimed_in_work
from tests.evidence.verifying import verify
from transferkit.__main__ import main
from transferkit.disk.store import WEIGHTS
from transferkit.errors import DataError
from transferkit.training.study import Study

pytestmark = pytest.mark.xdist_group("verify")  # they share the networks of the fixture `kept`

CRATE_OPTIONS = ("--data", "tiny", "--preset", "smoke", "--device", "cpu", "--seeds", "0", "1", "--runs", "A3B")


def export(kept: Study, crate: Path, *options: str) -> int:
    return main(["export", str(crate), "--work", str(kept.store.work), *CRATE_OPTIONS, *options])


@pytest.mark.parametrize("options", [(), ("--no-weights",)])
def test_an_exported_study_is_a_crate_that_verifies_wherever_its_data_are(
    kept: Study, quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    crate = tmp_path / "crate"
    assert export(kept, crate, "--creator", "Ada", *options) == 0
    described = ROCrate(crate)
    assert described.root_dataset["creator"]["name"] == "Ada"
    assert {"name", "description", "license", "datePublished"} <= set(described.root_dataset.properties())
    on_disk = {str(path.relative_to(crate)) for path in crate.rglob("*") if path.is_file()}
    files = {unquote(entity.id) for entity in described.get_entities() if entity.type == "File"}
    assert files == on_disk - {"ro-crate-metadata.json", "ro-crate-preview.html"}
    assert {path.name for path in crate.rglob(WEIGHTS)} == (set() if options else {WEIGHTS})
    (tmp_path / "mine" / "data").mkdir(parents=True)
    (tmp_path / "mine" / "data" / "tiny").symlink_to(kept.prepared.folder)
    code, told = verify(capsys, "--work", str(crate), "--sample", "2")
    assert code == 0, told
    assert "In all: 2 the same bits; 0 edited." in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda crate: (crate / "grid.csv").write_text("run\n"), "grid.csv is not the file that"),
        (lambda crate: (crate / "figure2.png").unlink(), "figure2.png is missing"),
        (lambda crate: next(crate.rglob(WEIGHTS)).write_bytes(b""), "is not the file of its receipt"),
    ],
)
def test_a_crate_that_was_altered_is_found(
    kept: Study, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    crate = tmp_path / "crate"
    assert export(kept, crate) == 0
    assert claimed_in_work(crate).edited == ()
    change(crate)
    assert said in " ".join(claimed_in_work(crate).edited)


def test_a_crate_is_written_as_a_whole_or_not_at_all(
    kept: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(kept, tmp_path) == 2
    assert "is there already: name a folder that is not" in " ".join(capsys.readouterr().err.split())
    assert export(kept, tmp_path / "none", "--epochs", "9") == 1
    assert not list(tmp_path.iterdir())
    assert export(kept, tmp_path / "broken") == 0
    (tmp_path / "broken" / METADATA).write_text("{}")
    with pytest.raises(DataError, match="cannot be read"):
        claimed_in_work(tmp_path / "broken")
