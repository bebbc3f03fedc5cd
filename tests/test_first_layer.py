import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.evidence.first_layers import likeness, match_filters, smooth_noise
from transferkit.errors import UsageError
from transferkit.gabor import Gabor
from transferkit.gabor.table import COLUMNS, fit_table, shares, untrained_filters

GREY = 3**-0.5


def planted() -> np.ndarray:
    """A grey Gabor, a red blob, and noise, as filters of 11 x 11."""
    stripes = Gabor(0, 0, 30, 5, 90, 2.5, 1, GREY, GREY, GREY, 1).draw(11)
    blob = Gabor(0, 0, 0, 60, 0, 2.5, 1, 1, 0, 0, 1).draw(11)
    return np.stack([stripes, blob, np.random.default_rng(0).normal(size=(3, 11, 11))])


def test_a_table_has_a_row_per_filter_and_numbers_only_where_they_mean_something() -> None:
    table = fit_table(planted())
    assert tuple(table.columns) == COLUMNS
    assert table["kind"].tolist() == ["gabor", "blob", "neither"]
    assert table["theta_deg"][0] == pytest.approx(30, abs=3)
    assert table["wavelength_px"][0] == pytest.approx(5, rel=0.05)
    assert table.loc[1:, ["theta_deg", "wavelength_px", "phase_deg"]].isna().all(axis=None)
    assert table["red"][1] == pytest.approx(1, abs=0.01)
    assert table.loc[2, ["size_px", "aspect", "red", "green", "blue"]].isna().all()
    assert shares(table) == {"gabor": 1 / 3, "blob": 1 / 3, "neither": 1 / 3}


def test_noise_of_the_same_spread_is_the_control_and_holds_hardly_any_gabor_or_blob() -> None:
    control = untrained_filters(np.repeat(planted(), 32, axis=0))
    assert control.shape == (96, 3, 11, 11)
    assert np.array_equal(control, untrained_filters(np.repeat(planted(), 32, axis=0)))
    assert control.std() == pytest.approx(planted().std(), rel=0.05)
    assert shares(fit_table(control))["neither"] > 0.95


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


def test_filters_too_small_for_a_wave_are_neither() -> None:
    table = fit_table(np.ones((4, 3, 3, 3)))
    assert table["kind"].tolist() == ["neither"] * 4
    assert table["r2"].isna().all()


def test_smooth_noise_has_the_mean_spectrum_of_the_filters_and_their_features_no_more() -> None:
    generator = np.random.default_rng(3)
    waves = [(angle, length, phase) for angle in range(0, 180, 15) for length in (4, 7, 12) for phase in (0, 90)]
    filters = np.stack([_wave(*wave, generator.normal(size=3)) for wave in waves])
    control = smooth_noise(filters)
    assert control.shape == filters.shape
    assert np.array_equal(control, smooth_noise(filters))
    spectra = np.abs(np.fft.rfft2(control)), np.abs(np.fft.rfft2(filters)).mean(axis=0)
    np.testing.assert_allclose(spectra[0][5], spectra[1], atol=1e-9)
    assert shares(fit_table(control))["neither"] > 0.9
    white = untrained_filters(filters)
    assert match_filters(filters, control).likeness.mean() > match_filters(filters, white).likeness.mean()


def _wave(theta_deg: float, wavelength_px: float, phase_deg: float, colour: np.ndarray) -> np.ndarray:
    red, green, blue = colour.tolist()
    return Gabor(0, 0, theta_deg, wavelength_px, phase_deg, 2.5, 1, red, green, blue, 1).draw(11)
