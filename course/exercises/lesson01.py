"""Exercises of lesson 01: the first layer."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.asking.lesson01 import NUMBERS, ask_fit_wave, ask_gabor
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, Finding, judge_by

Array = NDArray[np.float64]
NEAR = 1e-3  # of the amplitude and of a whole turn: an answer may fit in float32


def _pose_gabor(generator: np.random.Generator) -> tuple[Case, ...]:
    """Odd and even sides, a single pixel, and angles beyond a half and a whole turn, on every draw."""
    plans = [(9, (30.0, 5.0, 0.0, 2.5)), (5, (0.0, 4.0, 0.0, 1.5)), (8, (90.0, 6.0, 90.0, 2.0)),
             (9, (200.0, 5.0, 60.0, 2.5)), (6, (-40.0, 3.5, 400.0, 1.2)), (1, (20.0, 3.0, 120.0, 1.0)),
             (10, (75.0, 30.0, 250.0, 40.0))]  # fmt: skip
    for side in (7, 12):
        theta, phase = generator.uniform(0, 180), generator.uniform(0, 360)
        plans.append((side, (theta, generator.uniform(3, side), phase, generator.uniform(1, side / 2))))
    return tuple(_gabor_case(side, dict(zip(NUMBERS, map(float, numbers), strict=True))) for side, numbers in plans)


def _gabor_case(side: int, numbers: dict[str, Plain]) -> Case:
    listed = ", ".join(f"{name}={value:.4g}" for name, value in numbers.items())
    return Case(f"side={side}, {listed}", {"side": side, **numbers})


def wave(
    side: int, theta_deg: float, wavelength_px: float, phase_deg: float, size_px: float, middle: float | None = None
) -> Array:
    """A round Gabor of amplitude 1, float64 side x side; `middle` is its centre, in pixels from the corner."""
    y, x = np.mgrid[:side, :side] - ((side - 1) / 2 if middle is None else middle)
    theta, phase = np.radians([theta_deg, phase_deg])
    u = x * np.cos(theta) + y * np.sin(theta)
    return np.asarray(np.exp(-(x**2 + y**2) / (2 * size_px**2)) * np.cos(2 * np.pi * u / wavelength_px + phase))


def _gabor(case: Case) -> Plain:
    return wave(**case.given)


def _changed(**changes: Callable[[dict[str, Any]], float]) -> Callable[[Case], Plain]:
    """The wave with some of its numbers changed."""
    return lambda case: wave(**{**case.given, **{name: made(dict(case.given)) for name, made in changes.items()}})


def _pose_fit(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    plans = (
        (9, 1.0, 60.0, 0.0),
        (8, 0.2, 300.0, 0.02),
        (11, 3.0, 135.0, 0.5),
        (7, 2.0, 180.0, 0.0),
        (10, 0.5, 0.0, 0.0),
    )
    for side, amplitude, phase, noise in plans:
        shape = {
            "theta_deg": float(generator.uniform(0, 180)),
            "wavelength_px": float(generator.uniform(4, side)),
            "size_px": float(generator.uniform(2, side / 2)),
        }
        tile = amplitude * wave(side, phase_deg=phase, **shape) + noise * generator.normal(size=(side, side))
        name = f"a tile of {side} x {side} pixels" + (" under noise" if noise else "")
        cases.append(Case(name, {"tile": tile, **shape}))
    return tuple(cases)


def _patterns(case: Case) -> Array:
    """The cosine and the sine under the envelope, float64 pixels x 2."""
    tile, shape = case.given["tile"], {name: case.given[name] for name in NUMBERS if name in case.given}
    return np.stack([wave(len(tile), phase_deg=phase, **shape).ravel() for phase in (0, -90)], axis=1)


def _solve(case: Case, patterns: Array) -> tuple[float, float]:
    even, odd = np.linalg.lstsq(patterns, case.given["tile"].ravel(), rcond=None)[0]
    return float(np.hypot(even, odd)), float(np.degrees(np.arctan2(-odd, even)) % 360)


def _fit(case: Case) -> tuple[float, float]:
    return _solve(case, _patterns(case))


def _alike(one: tuple[float, float], other: tuple[float, float], scale: float) -> bool:
    """Whether two pairs of amplitude and phase are the same; phases may differ by whole turns."""
    turned = abs((one[1] - other[1] + 180) % 360 - 180)
    return abs(one[0] - other[0]) <= NEAR * scale and turned <= NEAR * 360


def _judge_fit(case: Case, value: Any) -> Finding | None:
    (amplitude, phase), (right, angle) = value, _fit(case)
    if _alike((amplitude, phase), (right, angle), right):
        return None
    seen = f"you found {amplitude:.4g} and {phase:.4g} degrees; the best fit is {right:.4g} and {angle:.4g} degrees."
    bare = Case(case.name, {**case.given, "size_px": 1e6})
    wrong = {
        "sign": (right, -angle), "radians": (right, np.radians(angle)), "no envelope": _fit(bare),
        "peak": (float(np.abs(case.given["tile"]).max()), angle), "order": (angle, right),
        "radians-sign": (right, -np.radians(angle)),
    }  # fmt: skip
    if -phase % 360 == phase % 360:
        del wrong["sign"]
    if abs(amplitude + right) <= NEAR * right:
        return Finding(seen, "negative")
    named = (key for key, pair in wrong.items() if _alike((amplitude, phase), pair, max(abs(amplitude), right)))
    return Finding(seen, next(named, "").removesuffix("-sign"))


EXERCISES = (
    Exercise(
        name="gabor",
        lesson="01",
        title="Draw a Gabor",
        points=2,
        pose=_pose_gabor,
        ask=ask_gabor,
        form="an array of side x side numbers",
        judge=judge_by("your tile", _gabor),
        right=_gabor,
        misconceptions={
            "corner": "x and y are counted from the middle of the tile, not from its corner.",
            "half a pixel": "the middle of a tile of k pixels, counted from 0, is at (k - 1) / 2.",
            "degrees": "NumPy's cosine takes radians: np.radians first.",
            "phase": "the phase is in degrees too, and it is added: np.radians first, and mind its sign.",
            "upwards": "y goes down, over rows: yours goes up, so that the stripes turn the other way.",
            "across": "u runs along the wave, across the stripes: yours is turned by 90 degrees.",
            "axes": "x goes to the right, over columns, and y down, over rows: yours are swapped.",
            "frequency": "the wavelength is the number of pixels in one cycle: it divides.",
            "envelope": "the envelope is exp(-r^2 / (2 size^2)): the 2 is part of it.",
            "half a turn": "half a turn more is not the same Gabor where the phase is not 0: take the angle as it is.",
        },
        signatures={
            "corner": lambda case: wave(**case.given, middle=0.0),
            "half a pixel": lambda case: wave(**case.given, middle=case.given["side"] / 2),
            "degrees": _changed(
                theta_deg=lambda given: np.degrees(given["theta_deg"]),
                phase_deg=lambda given: np.degrees(given["phase_deg"]),
            ),
            "phase": (
                _changed(phase_deg=lambda given: np.degrees(given["phase_deg"])),
                _changed(phase_deg=lambda given: -given["phase_deg"]),
            ),
            "upwards": _changed(theta_deg=lambda given: -given["theta_deg"]),
            "across": (
                _changed(theta_deg=lambda given: given["theta_deg"] + 90),
                _changed(theta_deg=lambda given: given["theta_deg"] - 90),
            ),
            "axes": _changed(theta_deg=lambda given: 90 - given["theta_deg"]),
            "frequency": _changed(wavelength_px=lambda given: 1 / given["wavelength_px"]),
            "envelope": _changed(size_px=lambda given: given["size_px"] / np.sqrt(2)),
            "half a turn": _changed(theta_deg=lambda given: given["theta_deg"] % 180),
        },
    ),
    Exercise(
        name="fit_wave",
        lesson="01",
        title="Fit a Gabor's phase and amplitude",
        points=3,
        pose=_pose_fit,
        ask=ask_fit_wave,
        form="two numbers, the amplitude and the phase in degrees",
        judge=_judge_fit,
        misconceptions={
            "sign": "a cos(w + phase) = a cos(phase) cos(w) - a sin(phase) sin(w): mind the minus.",
            "radians": "the phase is asked for in degrees.",
            "no envelope": "both waves stand under the envelope: multiply them with it before the fit.",
            "peak": "the largest value depends on noise and sampling too; the amplitude comes from all pixels.",
            "order": "the amplitude comes first, the phase second.",
            "negative": "the amplitude is not negative: the other half of the turn has the same wave.",
        },
    ),
)
