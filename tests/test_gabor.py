import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from skimage.filters import gabor_kernel

from course.lesson.calibration import patterns_of_no_kind
from transferkit.errors import UsageError
from transferkit.gabor import Gabor, fit_filter, fit_filters
from transferkit.gabor.wave import draw, pixels, slopes

SIDE = 11
GREY, RED = (3**-0.5,) * 3, (1.0, 0.0, 0.0)


def gabor(**changes: float) -> Gabor:
    """A grey Gabor of one cycle and a half in the middle of the tile, but for the changes."""
    return dataclasses.replace(Gabor(0, 0, 30, 5, 40, 3, 1.2, *GREY, 0.1), **changes)


def coloured(axis: tuple[float, float, float], **changes: float) -> Gabor:
    return gabor(red=axis[0], green=axis[1], blue=axis[2], **changes)


def unit(*numbers: float) -> tuple[float, float, float]:
    """The colour axis along these three numbers, its largest component positive."""
    red, green, blue = np.array(numbers) / np.linalg.norm(numbers) * np.sign(max(numbers, key=abs))
    return float(red), float(green), float(blue)


def with_noise(values: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    noise = generator.normal(size=values.shape)
    return np.asarray(values + share * noise * np.sqrt(np.square(values).mean() / np.square(noise).mean()))


def misses(found: Gabor, planted: Gabor) -> tuple[float, float]:
    """By how many degrees the orientation is off, and by which share the wavelength."""
    turned = (found.theta_deg - planted.theta_deg + 90) % 180 - 90
    return abs(turned), abs(found.wavelength_px / planted.wavelength_px - 1)


@st.composite
def gabors(draw_from: st.DrawFn, side: int = SIDE) -> Gabor:
    """Gabors whose wavelength no unlucky noise hides: at least one cycle is seen, around the middle of the tile."""

    def number(low: float, high: float) -> float:
        return draw_from(st.floats(low, high))

    wavelength = number(3, side)
    size, aspect, place = wavelength * number(0.41, 1.2), number(0.5, 2), 0.2 * side
    assume(size * aspect > 0.8)
    x, y, theta, phase = number(-place, place), number(-place, place), number(0, 179.9), number(0, 359.9)
    found = coloured(
        unit(number(-1, 1), number(-1, 1), number(0.2, 1)), x_px=x, y_px=y, theta_deg=theta, phase_deg=phase
    )
    found = dataclasses.replace(found, wavelength_px=wavelength, size_px=size, aspect=aspect)
    assume(found.cycles(side) >= 1)
    return found


# --- the function


@pytest.mark.parametrize(
    ("theta", "wavelength", "phase", "size", "aspect"),
    [(0, 4, 0, 2, 1), (30, 5, 60, 2.5, 0.6), (90, 3.3, 90, 1.5, 2), (135, 7, 200, 3, 1.3)],
)
def test_one_channel_is_the_kernel_of_scikit_image(
    theta: float, wavelength: float, phase: float, size: float, aspect: float
) -> None:
    sigmas, offset = {"sigma_x": size, "sigma_y": aspect * size}, np.radians(phase)
    kernel = gabor_kernel(1 / wavelength, np.radians(theta), n_stds=6, offset=offset, **sigmas).real  # type: ignore[no-untyped-call]
    cut = tuple(slice(length // 2 - SIDE // 2, length // 2 + SIDE // 2 + 1) for length in kernel.shape)
    ours = coloured(RED, theta_deg=theta, wavelength_px=wavelength, phase_deg=phase, size_px=size, aspect=aspect)
    assert np.allclose(ours.draw(SIDE)[0] / ours.amplitude, kernel[cut] * 2 * np.pi * size**2 * aspect, atol=1e-12)
    assert not ours.draw(SIDE)[1:].any()


def test_x_goes_right_y_goes_down_and_theta_turns_from_right_to_down() -> None:
    spot = gabor(x_px=3, y_px=-2, phase_deg=0, size_px=1, aspect=1).draw(SIDE)[0]
    assert np.unravel_index(spot.argmax(), spot.shape) == (SIDE // 2 - 2, SIDE // 2 + 3)
    upright = gabor(theta_deg=0, aspect=100).draw(SIDE)[0]
    assert np.allclose(upright, upright[0], rtol=1e-2)
    diagonal = gabor(theta_deg=45, phase_deg=0, aspect=1).draw(SIDE)[0]
    assert diagonal[SIDE // 2 - 1, SIDE // 2 + 1] > diagonal[SIDE // 2 + 1, SIDE // 2 + 1]  # stripes go up and right


@given(gabors())
@settings(max_examples=30, derandomize=True)
def test_the_colour_axis_and_the_amplitude_are_those_of_the_drawing(wave: Gabor) -> None:
    drawn = wave.draw(SIDE).reshape(3, -1)
    assert drawn.dtype == np.float64
    assert np.allclose(drawn, np.outer(wave.colour, wave.colour @ drawn))
    assert np.abs(drawn).max() <= wave.amplitude * (1 + 1e-12)
    assert 0 <= wave.weaker_sign(SIDE) <= 0.5
    assert 0 <= wave.chroma <= 1


def test_chroma_is_none_on_the_grey_axis_and_a_third_for_pure_yellow() -> None:
    assert gabor().chroma == pytest.approx(0)
    assert coloured((0.5**0.5, 0.5**0.5, 0)).chroma == pytest.approx(1 / 3)
    assert coloured((0.5**0.5, -(0.5**0.5), 0)).chroma == pytest.approx(1)


def test_cycles_are_those_of_the_envelope_but_no_more_than_the_tile_holds() -> None:
    assert gabor(size_px=2, wavelength_px=4).cycles(SIDE) == pytest.approx(6**0.5 / 2)
    assert gabor(size_px=50, wavelength_px=4).cycles(SIDE) == pytest.approx(SIDE / 4)


def test_the_slopes_are_those_of_the_drawn_wave() -> None:
    wave, grid = np.array([0.3, -1, 0.7, 1.4, -0.5, 1.1, 0.5, 0.8]), pixels(SIDE)
    step = 1e-6 * np.eye(8)
    numeric = [(draw(wave + one, grid) - draw(wave - one, grid)) / 2e-6 for one in step]
    assert np.allclose(slopes(wave, grid), np.stack(numeric, axis=1), atol=1e-8)


# --- the fit


@given(gabors(), st.floats(0, 0.25), st.integers(0, 2**32 - 1))
@settings(max_examples=100, derandomize=True)
def test_a_planted_gabor_is_found_again_under_noise_of_up_to_a_quarter(wave: Gabor, share: float, seed: int) -> None:
    filter_ = with_noise(wave.draw(SIDE), share, np.random.default_rng(seed))
    fit = fit_filter(filter_)
    assert fit.r2 > 1 - np.square(filter_ - wave.draw(SIDE)).sum() / np.square(filter_).sum() - 0.01
    turned, stretched = misses(fit.gabor, wave)
    assert turned <= 3
    assert stretched <= 0.05


@pytest.mark.parametrize("side", [9, 11])
def test_of_300_planted_gabors_98_percent_are_within_3_degrees_and_5_percent(side: int) -> None:
    generator, within, count = np.random.default_rng(side), 0, 0
    while count < 300:
        wavelength = float(np.exp(generator.uniform(np.log(3), np.log(1.2 * side))))
        size, aspect, axis = (
            wavelength * generator.uniform(0.3, 1.2),
            2 ** generator.uniform(-1, 1),
            unit(*generator.normal(size=3)),
        )
        x, y, theta, phase = generator.uniform((-side / 4, -side / 4, 0, 0), (side / 4, side / 4, 180, 360))
        planted = coloured(axis, x_px=x, y_px=y, theta_deg=theta, phase_deg=phase)
        planted = dataclasses.replace(planted, wavelength_px=wavelength, size_px=size, aspect=aspect)
        if size * aspect < 0.8 or planted.cycles(side) < 0.75:
            continue
        count += 1
        turned, stretched = misses(fit_filter(with_noise(planted.draw(side), 0.25, generator)).gabor, planted)
        within += turned <= 3 and stretched <= 0.05
    assert within >= 0.98 * count


def test_every_number_of_a_gabor_without_noise_is_found_again() -> None:
    for theta, phase in itertools.product((0.5, 60, 179), (10, 100, 250)):
        planted = coloured((0.8, -0.6, 0.0), x_px=0.7, y_px=-1.2, theta_deg=theta, phase_deg=phase)
        fit = fit_filter(planted.draw(SIDE))
        assert fit.kind == "gabor"
        assert fit.r2 == pytest.approx(1, abs=1e-6)
        assert dataclasses.astuple(fit.gabor) == pytest.approx(dataclasses.astuple(planted), rel=1e-2, abs=1e-2)


def test_the_residual_is_what_the_gabor_leaves_and_r2_its_share() -> None:
    filter_ = with_noise(gabor().draw(SIDE), 0.5, np.random.default_rng(3)).astype(np.float32)
    fit = fit_filter(filter_)
    left = np.square(filter_ - fit.gabor.draw(SIDE))
    assert fit.residual == pytest.approx(np.sqrt(left.mean()), rel=1e-6)
    assert fit.r2 == pytest.approx(1 - left.sum() / np.square(filter_).sum(), rel=1e-6)


@pytest.mark.parametrize("factor", [1e-30, 1e-3, 1e30])
def test_a_fit_scales_with_its_filter(factor: float) -> None:
    filter_ = with_noise(gabor().draw(9), 0.2, np.random.default_rng(4))
    fit, scaled = fit_filter(filter_), fit_filter(filter_ * factor)
    assert scaled.r2 == pytest.approx(fit.r2)
    assert scaled.residual == pytest.approx(fit.residual * factor)
    expected = dataclasses.replace(fit.gabor, amplitude=fit.gabor.amplitude * factor)
    assert dataclasses.astuple(scaled.gabor) == pytest.approx(dataclasses.astuple(expected), rel=1e-4)


def test_the_negative_of_a_filter_has_the_opposite_phase_and_the_same_colour_axis() -> None:
    filter_ = with_noise(coloured(RED).draw(SIDE), 0.2, np.random.default_rng(5))
    fit, negative = fit_filter(filter_).gabor, fit_filter(-filter_).gabor
    assert (negative.phase_deg - fit.phase_deg) % 360 == pytest.approx(180, abs=0.1)
    assert negative.colour == pytest.approx(fit.colour, abs=1e-3)


# --- the kinds


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        (gabor(), "gabor"),
        (coloured((0.6, -0.8, 0.0)), "gabor"),  # in colour
        (gabor(wavelength_px=22, size_px=4, phase_deg=90), "edge"),
        (coloured(RED, wavelength_px=22, size_px=4, phase_deg=90), "edge"),
        (coloured(RED, wavelength_px=500, phase_deg=0), "colour blob"),
        (gabor(wavelength_px=500, phase_deg=0), "grey blob"),  # a bright spot
        (gabor(wavelength_px=500, phase_deg=0, size_px=1.3, aspect=5), "neither"),  # a bar
        (coloured(RED, wavelength_px=500, phase_deg=0, size_px=100), "neither"),  # one colour all over
        (gabor(wavelength_px=500, phase_deg=0, size_px=100), "neither"),
    ],
)
def test_stripes_are_gabors_and_patches_are_blobs(planted: Gabor, kind: str) -> None:
    assert fit_filter(with_noise(planted.draw(SIDE), 0.25, np.random.default_rng(6))).kind == kind


@pytest.mark.parametrize("side", [9, 11, 16])
@pytest.mark.parametrize("share", [0, 0.25])
def test_corners_ramps_plaids_bars_and_the_like_are_of_no_kind(side: int, share: float) -> None:
    generator = np.random.default_rng(side)
    patterns = patterns_of_no_kind(side)
    kinds = {name: fit_filter(with_noise(pattern, share, generator)).kind for name, pattern in patterns.items()}
    assert kinds == dict.fromkeys(patterns, "neither")


@pytest.mark.parametrize("side", [9, 11])
def test_from_three_quarters_of_a_cycle_on_the_wavelength_is_measured_and_below_it_is_not(side: int) -> None:
    """What MEASURED_CYCLES says, on planted waves of a single round envelope under noise of a quarter."""
    generator = np.random.default_rng(side)

    def within(cycles: float) -> float:
        size = side / 6**0.5
        waves = [
            gabor(
                wavelength_px=side / cycles, size_px=size, aspect=1, theta_deg=generator.uniform(0, 180),
                phase_deg=generator.choice([70, 90, 110]),
            )
            for _ in range(40)
        ]  # fmt: skip
        fits = [fit_filter(with_noise(wave.draw(side), 0.25, generator)).gabor for wave in waves]
        return float(np.mean([misses(fit, wave)[1] <= 0.05 for fit, wave in zip(fits, waves, strict=True)]))

    assert within(0.9) >= 0.9
    assert within(0.6) < 0.6


def test_a_gabor_under_more_noise_than_signal_is_neither() -> None:
    fit = fit_filter(with_noise(gabor().draw(SIDE), 1.5, np.random.default_rng(7)))
    assert (fit.kind, fit.r2 < 0.6) == ("neither", True)


@pytest.mark.parametrize(("side", "count"), [(7, 200), (9, 500), (11, 300)])
def test_of_white_noise_nothing_is_called_gabor_or_blob(side: int, count: int) -> None:
    # Of 1,000 filters of every side none is, and their largest R2 are 0.26, 0.16 and 0.12.
    fits = fit_filters(np.random.default_rng(side).normal(0, 0.01, (count, 3, side, side)).astype(np.float32))
    assert {fit.kind for fit in fits} == {"neither"}
    assert max(fit.r2 for fit in fits) < 0.35


# --- what cannot be fitted


def test_a_filter_of_zeros_is_neither() -> None:
    fit = fit_filter(np.zeros((3, 9, 9), np.float32))
    assert (fit.kind, fit.r2, fit.residual, fit.gabor.amplitude) == ("neither", 0.0, 0.0, 0.0)
    assert not fit.gabor.draw(9).any()


@pytest.mark.parametrize("side", [5, 11, 16])
def test_one_pixel_one_channel_and_one_value_are_fitted_without_a_warning(side: int) -> None:
    pixel, channel, value = np.zeros((3, side, side)), np.zeros((3, side, side)), np.full((3, side, side), 0.1)
    pixel[1, 0, side - 1] = 1
    channel[2] = np.random.default_rng(8).normal(size=(side, side))
    for fit in fit_filters(np.stack([pixel, channel, value])):
        assert np.isfinite(dataclasses.astuple(fit.gabor)).all()
        assert 0 <= fit.r2 <= 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    filter_ = np.ones((3, 9, 9))
    filter_[0, 4, 4] = bad
    with pytest.raises(UsageError, match="not finite"):
        fit_filter(filter_)


@pytest.mark.parametrize("shape", [(9, 9), (1, 9, 9), (3, 9, 8), (2, 3, 9, 9), (9, 9, 3)])
def test_a_filter_of_another_shape_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=str(shape[0])):
        fit_filter(np.ones(shape))
    with pytest.raises(UsageError, match="shape"):
        fit_filters(np.ones(shape) if len(shape) != 4 else np.ones((2, 1, 9, 9)))


@pytest.mark.parametrize("side", [1, 3, 4])
def test_filters_that_are_too_small_for_a_gabor_are_refused(side: int) -> None:
    with pytest.raises(UsageError, match=f"{side} x {side} pixels cannot hold a Gabor.*at least 5 x 5"):
        fit_filter(np.ones((3, side, side)))
