"""Studies as lessons carry them out, on tiny networks."""

from pathlib import Path

import pandas as pd
import pytest

from course.evidence import Bench, freezing_study, smoke_studies
from course.lesson import studies as lesson_studies
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.treatments import CHOP_POINTS


@pytest.fixture
def bench(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The smoke preset in a work folder of its own, which has the tiny data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny").symlink_to(tiny_folder)
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path))
    return lesson_studies.open_bench("smoke", "cpu")


def test_studies_are_chosen_by_name_and_cut_at_smoke(bench: Bench) -> None:
    assert lesson_studies.choose(["sizes"], "tiny", bench) == smoke_studies("tiny")[-1:]
    whole = lesson_studies.choose(["similar", "dial"], "tiny", lesson_studies.open_bench("quick", "cpu"))
    assert [(plan.name, plan.data) for plan in whole] == [("similar", "tiny"), ("dial", "shapeworld")]
    with pytest.raises(UsageError, match="'size' is no study"):
        lesson_studies.choose(["size"], "tiny", bench)


def test_the_freezing_study_has_both_treatments_on_few_and_on_all_images_with_their_controls() -> None:
    plan = freezing_study("photos", "random1", 4, 3)
    whole, few, longer = plan.parts
    assert {run.label for run in whole.runs()} >= {"baseA", "A3B", "A3B+", "B3B+", "R3B", "B3A", "B3A+", "A3A+", "R3A"}
    assert {run.label for run in few.runs()} == {"baseA", "baseB", "A3B", "A3B+", "R3B", "B3A", "B3A+", "R3A"}
    assert few.images_per_class == 10
    assert (longer.labels, longer.epochs_times) == (("baseA", "baseB"), 2)
    assert {(run.split, run.seed) for part in plan.parts for run in part.runs()} == {("random1", 4)}
    with pytest.raises(UsageError, match="n=8 layers cannot be copied: n is 1 to 7"):
        freezing_study("photos", "random1", 4, len(CHOP_POINTS) + 1)


@pytest.mark.long
def test_a_study_is_trained_and_tabulated_with_its_epochs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferkit.console.show_progress_in_notebook", lambda sweep: list(sweep)[-1])
    plan = freezing_study("tiny", "random0", 3, 5, smoke=True)
    before = lesson_studies.cost_table([plan], bench)
    table, epochs = lesson_studies.train_study(plan, bench)
    after = lesson_studies.cost_table([plan], bench)
    assert list(before.columns[2].cells) == [str(len(table))]
    assert list(after.columns[2].cells) == ["0"]
    assert table["paired"].notna().all()
    shapes = table.groupby(["images_per_class", "epochs"])["treatment"].agg(lambda names: sorted(set(names)))
    assert shapes.to_dict() == {
        (8, 2): ["AnB", "AnB+", "RnB", "base"],
        (16, 2): ["AnB", "AnB+", "BnB+", "RnB", "base"],
        (16, 4): ["base"],
    }
    assert len(epochs) == table["epochs"].sum()


def test_studies_are_not_carried_out_into_the_evidence_of_other_data(bench: Bench) -> None:
    folder = bench.store.work / "evidence-smoke"
    folder.mkdir()
    kept = lesson_studies.read_kept().similar
    assert kept is not None
    kept.to_csv(folder / "similar.csv", index=False)
    with pytest.raises(DataError, match=r"mixes the data sets photos \(similar\) and tiny \(sizes\)"):
        lesson_studies.carry_out(lesson_studies.choose(["sizes"], "tiny", bench), bench)
    assert [path.name for path in folder.iterdir()] == ["similar.csv"]


@pytest.mark.long
def test_a_study_carried_out_keeps_the_first_layers_that_others_left(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transferkit.console.show_progress_in_notebook", lambda sweep: list(sweep)[-1])
    folder = bench.store.work / "evidence-smoke"
    for names in (["dissimilar"], ["longer"]):
        found = lesson_studies.carry_out(lesson_studies.choose(names, "tiny", bench), bench)
        assert found.conv1 is not None
        assert found.conv1["split"].tolist() == ["natural", "natural"]
    assert set(pd.read_csv(folder / "provenance.csv")["study"]) == {"all", "dissimilar", "longer"}


def test_the_kept_tables_are_read_and_missed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = lesson_studies.read_kept()
    assert kept.sizes is not None
    assert kept.similar is not None
    monkeypatch.setattr("course.evidence.kept_evidence", lambda: None)
    with pytest.raises(StoreError, match="clone the repository"):
        lesson_studies.read_kept()
