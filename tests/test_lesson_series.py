"""Series of the evidence as lessons train them, on tiny networks."""

from pathlib import Path

import pandas as pd
import pytest

from course.evidence.plan import freezing_series, smoke_series
from course.evidence.sweeps import Site
from course.lesson import series as lesson_series
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.treatments import CHOP_POINTS


@pytest.fixture
def site(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The smoke preset in a work folder of its own, which has the tiny data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny").symlink_to(tiny_folder)
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path))
    return lesson_series.open_site("smoke", "cpu")


def test_series_are_chosen_by_name_and_cut_at_smoke(site: Site) -> None:
    assert lesson_series.choose(["made"], "tiny", site) == smoke_series("tiny")[-1:]
    whole = lesson_series.choose(["similar", "dial"], "tiny", lesson_series.open_site("quick", "cpu"))
    assert [(series.name, series.data) for series in whole] == [("similar", "tiny"), ("dial", "shapeworld")]
    with pytest.raises(UsageError, match="'size' is not a series"):
        lesson_series.choose(["size"], "tiny", site)


def test_the_freezing_series_has_both_treatments_on_few_and_on_all_images_with_their_controls() -> None:
    series = freezing_series("photos", "random1", 4, 3)
    whole, few, longer = series.parts
    assert {run.label for run in whole.runs()} >= {"baseA", "A3B", "A3B+", "B3B+", "R3B", "B3A", "B3A+", "A3A+", "R3A"}
    assert {run.label for run in few.runs()} == {"baseA", "baseB", "A3B", "A3B+", "R3B", "B3A", "B3A+", "R3A"}
    assert few.images_per_class == 10
    assert (longer.labels, longer.epochs_times) == (("baseA", "baseB"), 2)
    assert {(run.split, run.seed) for part in series.parts for run in part.runs()} == {("random1", 4)}
    with pytest.raises(UsageError, match="n=8 layers cannot be copied: n is 1 to 7"):
        freezing_series("photos", "random1", 4, len(CHOP_POINTS) + 1)


@pytest.mark.long
def test_a_series_is_trained_and_tabulated_with_its_epochs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferkit.console.show_progress_in_notebook", lambda sweep: list(sweep)[-1])
    series = freezing_series("tiny", "random0", 3, 5, smoke=True)
    before = lesson_series.cost_table([series], site)
    table, epochs = lesson_series.train_series(series, site)
    after = lesson_series.cost_table([series], site)
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


def test_series_are_not_trained_into_the_evidence_of_other_data(site: Site) -> None:
    folder = site.store.work / "evidence-smoke"
    folder.mkdir()
    kept = lesson_series.read_kept().similar
    assert kept is not None
    kept.to_csv(folder / "similar.csv", index=False)
    with pytest.raises(DataError, match=r"mixes the data sets photos \(similar\) and tiny \(sizes\)"):
        lesson_series.carry_out(lesson_series.choose(["sizes"], "tiny", site), site)
    assert [path.name for path in folder.iterdir()] == ["similar.csv"]


@pytest.mark.long
def test_a_series_keeps_the_first_layers_that_others_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferkit.console.show_progress_in_notebook", lambda sweep: list(sweep)[-1])
    folder = site.store.work / "evidence-smoke"
    for names in (["dissimilar"], ["longer"]):
        found = lesson_series.carry_out(lesson_series.choose(names, "tiny", site), site)
        assert found.conv1 is not None
        assert found.conv1["split"].tolist() == ["natural", "natural"]
    assert set(pd.read_csv(folder / "provenance.csv")["study"]) == {"all", "dissimilar", "longer"}


def test_the_kept_tables_are_read_and_missed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = lesson_series.read_kept()
    assert kept.sizes is not None
    assert kept.similar is not None
    monkeypatch.setattr("course.evidence.collect.kept_evidence", lambda: None)
    with pytest.raises(StoreError, match="clone the repository"):
        lesson_series.read_kept()
