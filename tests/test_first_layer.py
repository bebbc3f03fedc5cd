from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.evidence.first_layers import likeness, likeness_controls, match_filters
from course.looking.control import scrambled_filters
from course.looking.kinds import COLUMNS, count_kinds, fit_table
from transferkit.errors import UsageError
from transferkit.gabor import Gabor, fit_filter, fit_filters

GREY = 3**-0.5


def planted() -> np.ndarray:
    """A grey Gabor, a red blob, and noise, as filters of 11 x 11."""
    stripes = Gabor(0, 0, 30, 5, 90, 2.5, 1, GREY, GREY, GREY, 1).draw(11)
    blob = Gabor(0, 0, 0, 60, 0, 2.5, 1, 1, 0, 0, 1).draw(11)
    return np.stack([stripes, blob, np.random.default_rng(0).normal(size=(3, 11, 11))])


def test_a_table_has_a_row_per_filter_and_numbers_only_where_they_mean_something() -> None:
    table = fit_table(planted())
    assert tuple(table.columns) == COLUMNS
    assert table["kind"].tolist() == ["gabor", "colour blob", "neither"]
    assert table["theta_deg"][0] == pytest.approx(30, abs=3)
    assert table["wavelength_px"][0] == pytest.approx(5, rel=0.05)
    assert table.loc[1:, ["theta_deg", "wavelength_px", "phase_deg"]].isna().all(axis=None)
    assert table["red"][1] == pytest.approx(1, abs=0.01)
    assert table.loc[2, ["size_px", "aspect", "red", "green", "blue"]].isna().all()
    assert count_kinds(table) == {"gabor": 1, "edge": 0, "colour blob": 1, "grey blob": 0, "neither": 1}


def test_an_edge_has_a_direction_and_a_side_but_no_wavelength() -> None:
    edge = Gabor(0, 0, 30, 22, 90, 4, 1, GREY, GREY, GREY, 1).draw(11)
    row = fit_table(edge[None]).iloc[0]
    assert row["kind"] == "edge"
    assert np.isnan(row["wavelength_px"])
    assert row["theta_deg"] == pytest.approx(30, abs=3)
    assert row["phase_deg"] == pytest.approx(90, abs=10)


@given(st.permutations(range(8)))
def test_matching_finds_the_filters_again_in_any_order(order: list[int]) -> None:
    filters = np.random.default_rng(1).normal(size=(8, 3, 9, 9))
    matching = match_filters(filters, filters[order])
    assert {(int(a), int(b)) for a, b in matching.pairs} == {(row, place) for place, row in enumerate(order)}
    assert matching.likeness == pytest.approx(np.ones(8))


def test_a_shifted_copy_is_alike_and_a_negative_one_is_not() -> None:
    stripes = planted()[:1]
    shifted = np.roll(stripes, (1, 2), axis=(2, 3))
    assert likeness(stripes, shifted)[0, 0] > 0.9
    assert likeness(stripes, stripes)[0, 0] == pytest.approx(1)
    blob = planted()[1:2]
    assert likeness(blob, -blob)[0, 0] < 0


def test_filters_of_unlike_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="must be alike"):
        match_filters(np.ones((2, 3, 9, 9)), np.ones((2, 3, 11, 11)))


def test_filters_too_small_for_a_wave_are_not_fitted_rather_than_neither() -> None:
    table = fit_table(np.ones((4, 3, 3, 3)))
    assert count_kinds(table) == {"not fitted": 4}
    assert table["r2"].isna().all()


def test_every_fit_is_drawn_again_from_the_file_of_the_table_alone(tmp_path: Path) -> None:
    filters = np.concatenate([planted(), waves()[:6]])
    fit_table(filters).to_csv(tmp_path / "filters.csv", index=False)
    for row, fit in zip(pd.read_csv(tmp_path / "filters.csv").to_dict("records"), fit_filters(filters), strict=True):
        again = Gabor(**{name: row[f"nearest_{name}"] for name in (field.name for field in fields(Gabor))})
        np.testing.assert_allclose(again.draw(row["side"]), fit.gabor.draw(11), atol=1e-9)
        assert row["residual"] == pytest.approx(fit.residual)
        if row["kind"] == "gabor":  # whose own numbers are all measured
            assert all(row[name] == row[f"nearest_{name}"] for name in (field.name for field in fields(Gabor)))


@given(st.floats(0, 180, exclude_max=True), st.sampled_from([7, 9, 11]))
def test_a_wave_longer_than_is_seen_is_marked_and_has_no_wavelength(angle: float, side: int) -> None:
    long = Gabor(0, 0, angle, 3.5 * side, 90, side / 4, 1, GREY, GREY, GREY, 1).draw(side)
    row = fit_table(long[None]).iloc[0]
    assert row["kind"] in ("edge", "neither")
    assert "wavelength" in row["at_bound"].split() or row["nearest_wavelength_px"] < 1.99 * side
    assert np.isnan(row["wavelength_px"])


def test_what_a_bound_stopped_is_named_and_what_is_measured_is_not() -> None:
    side = 11
    measured = Gabor(0, 0, 30, 5, 90, 2.0, 1, GREY, GREY, GREY, 1)
    beyond = {
        "wavelength": replace(measured, wavelength_px=4 * side, size_px=4.0),
        "x": replace(measured, x_px=side * 0.7, theta_deg=90.0),
        "aspect": replace(measured, aspect=20.0, size_px=2.5),
    }
    assert fit_filter(measured.draw(side)).at_bound == ()
    for name, gabor in beyond.items():
        assert name in fit_filter(gabor.draw(side)).at_bound, name


def waves() -> np.ndarray:
    """Gabors of many orientations, wavelengths and colours, as filters of 11 x 11."""
    generator = np.random.default_rng(3)
    numbers = [(angle, length, phase) for angle in range(0, 180, 15) for length in (4, 7, 12) for phase in (0, 90)]
    return np.stack([_wave(*each, generator.normal(size=3)) for each in numbers])


def test_scrambled_filters_keep_their_spectra_and_colours_and_few_are_gabors() -> None:
    filters = waves()
    control = scrambled_filters(filters)
    assert np.array_equal(control, scrambled_filters(filters))
    assert not np.allclose(control, scrambled_filters(filters, seed=1))
    np.testing.assert_allclose(np.abs(np.fft.rfft2(control)), np.abs(np.fft.rfft2(filters)), atol=1e-9)
    for one, other in zip(filters.reshape(-1, 3, 121), control.reshape(-1, 3, 121), strict=True):
        np.testing.assert_allclose(one @ one.T, other @ other.T, atol=1e-9)
    table = fit_table(control)
    assert count_kinds(table)["neither"] > 0.5 * len(filters)
    assert table["r2"].median() < fit_table(filters)["r2"].median() - 0.2


def test_the_controls_of_likeness_are_as_many_filters_of_the_same_energy() -> None:
    filters = waves()
    found = likeness_controls(filters)
    assert list(found) == ["scrambled", "recoloured", "turned"]
    for layer in found.values():
        assert layer.shape == filters.shape
        np.testing.assert_allclose(np.square(layer).sum(axis=(1, 2, 3)), np.square(filters).sum(axis=(1, 2, 3)))
    np.testing.assert_array_equal(np.rot90(found["turned"], -1, axes=(2, 3)), filters)
    np.testing.assert_array_equal(found["recoloured"][:, 0], filters[:, 2])


def _wave(theta_deg: float, wavelength_px: float, phase_deg: float, colour: np.ndarray) -> np.ndarray:
    red, green, blue = colour.tolist()
    return Gabor(0, 0, theta_deg, wavelength_px, phase_deg, 2.5, 1, red, green, blue, 1).draw(11)
