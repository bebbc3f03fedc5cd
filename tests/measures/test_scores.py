"""Measures of transferability: their laws, and beside them independent computations."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.cross_decomposition import CCA

from course.measures import scores
from transferkit.errors import UsageError

SEEDS = st.integers(0, 2**32 - 1)
CLASSES, IMAGES, UNITS = 4, 60, 9
Measure = Callable[[np.ndarray, np.ndarray], float]


def clouds(seed: int, apart: float = 1.0, units: int = UNITS, images: int = IMAGES) -> tuple[np.ndarray, np.ndarray]:
    """Features, images x units, in a cloud for each class whose centres lie `apart`, and labels in random order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(images) % CLASSES)
    centres = apart * rng.normal(size=(CLASSES, units))
    return centres[labels] + rng.normal(size=(images, units)), labels


def shares_of(features: np.ndarray) -> np.ndarray:
    """A classifier's shares of as many classes as there are units."""
    exponents = np.exp(features - features.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def ridge(features: np.ndarray, labels: np.ndarray) -> float:
    half = len(labels) // 2
    return scores.ridge_probe(features[:half], labels[:half], features[half:], labels[half:])


def logistic(features: np.ndarray, labels: np.ndarray) -> float:
    half = len(labels) // 2
    return scores.logistic_probe(features[:half], labels[:half], features[half:], labels[half:])


MEASURES: dict[str, Measure] = {
    "LogME": scores.log_me, "H-score": scores.h_score, "N-LEEP": scores.n_leep, "ridge": ridge, "logistic": logistic,
    "LEEP": lambda features, labels: scores.leep(shares_of(features), labels),
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=15)
@given(seed=SEEDS)
def test_the_order_of_units_and_the_names_of_classes_do_not_count(name: str, seed: int) -> None:
    (features, labels), rng = clouds(seed), np.random.default_rng(seed + 1)
    renamed = rng.permutation(CLASSES)[labels]
    found = MEASURES[name](features[:, rng.permutation(UNITS)], renamed)
    slack = 1 / 15 if name in ("ridge", "logistic") else 1e-6  # of probes, an image on the border may change sides
    assert found == pytest.approx(MEASURES[name](features, labels), abs=slack)


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=10)
@given(seed=SEEDS)
def test_classes_that_lie_apart_are_worth_more_than_the_same_features_with_labels_by_lot(name: str, seed: int) -> None:
    features, labels = clouds(seed, apart=6, images=200)
    by_lot = np.random.default_rng(seed + 1).permutation(labels)
    assert MEASURES[name](features, labels) > MEASURES[name](features, by_lot)


@pytest.mark.parametrize("name", ["ridge", "logistic"])
@settings(max_examples=10)
@given(seed=SEEDS)
def test_a_probe_reads_what_can_be_separated_by_planes_and_guesses_at_what_says_nothing(name: str, seed: int) -> None:
    assert MEASURES[name](*clouds(seed, apart=12, images=200)) >= 0.98
    features, labels = clouds(seed, apart=0, images=400)
    assert MEASURES[name](features, labels) < 0.45  # 200 images of four classes: five standard deviations above .25


def test_a_probe_is_scored_on_images_that_it_has_not_seen() -> None:
    features, labels = clouds(3, apart=0, units=300, images=200)  # more units than images: it can learn any labels
    for probe in (scores.ridge_probe, scores.logistic_probe):
        assert probe(features[:100], labels[:100], features[:100], labels[:100]) > 0.7
        assert probe(features[:100], labels[:100], features[100:], labels[100:]) < 0.45


def evidence_of(log_precisions: np.ndarray, features: np.ndarray, target: np.ndarray) -> float:
    """The log evidence per image as the density of one Gaussian over all images, with no algebra in between."""
    weights, noise = np.exp(log_precisions)
    spread = np.eye(len(target)) / noise + features @ features.T / weights
    return float(multivariate_normal(np.zeros(len(target)), spread).logpdf(target)) / len(target)


@pytest.mark.parametrize(("images", "units"), [(60, 9), (60, 3), (24, 40)])
def test_logme_is_the_greatest_evidence_that_a_numeric_search_finds(images: int, units: int) -> None:
    features, labels = clouds(7, apart=1.5, units=units, images=images)
    best = []
    for target in np.eye(CLASSES)[labels].T:
        found = minimize(lambda x, *y: -evidence_of(x, features, y[0]), np.zeros(2), (target,), "Nelder-Mead")
        best.append(-found.fun)
    assert scores.log_me(features, labels) == pytest.approx(np.mean(best), abs=2e-4)


@given(seed=SEEDS, scale=st.floats(0.01, 100))
@settings(max_examples=20)
def test_logme_does_not_depend_on_scale_and_turns(seed: int, scale: float) -> None:
    features, labels = clouds(seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(UNITS, UNITS)))
    usual = scores.log_me(features, labels)
    assert scores.log_me(scale * features @ turn, labels) == pytest.approx(usual, abs=1e-3)


@given(seed=SEEDS, shift=st.floats(-3, 3))
@settings(max_examples=20)
def test_the_h_score_does_not_depend_on_any_invertible_linear_map(seed: int, shift: float) -> None:
    features, labels = clouds(seed)
    rng = np.random.default_rng(seed + 1)
    mapped = features @ (np.eye(UNITS) + 0.3 * rng.normal(size=(UNITS, UNITS))) + shift
    assert scores.h_score(mapped, labels) == pytest.approx(scores.h_score(features, labels), rel=1e-4)
    assert 0 <= scores.h_score(features, labels) <= CLASSES - 1


def test_the_h_score_is_the_sum_of_squared_canonical_correlations_with_the_classes() -> None:
    features, labels = clouds(5)
    one, other = CCA(CLASSES - 1, tol=1e-12, max_iter=20000).fit_transform(features, np.eye(CLASSES)[labels][:, 1:])
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(one.T, other.T, strict=True)]
    assert scores.h_score(features, labels) == pytest.approx(np.square(correlations).sum(), rel=1e-4)


def test_the_h_score_is_that_of_the_papers_formula_and_units_that_are_copies_or_silent_add_nothing() -> None:
    features, labels = clouds(6)
    means = np.stack([features[labels == label].mean(axis=0) for label in range(CLASSES)])[labels]
    formula = np.trace(np.linalg.solve(np.cov(features.T, bias=True), np.cov(means.T, bias=True)))
    more = np.hstack([features, features[:, :3], np.zeros((IMAGES, 2))])
    assert scores.h_score(features, labels) == pytest.approx(formula)
    assert scores.h_score(more, labels) == pytest.approx(formula)


def test_leep_is_that_of_the_papers_three_steps_image_by_image() -> None:
    features, labels = clouds(8, units=5)
    shares, total = shares_of(features), 0.0
    for image, label in enumerate(labels):
        likelihood = 0.0
        for kind in range(5):
            both = sum(shares[i, kind] for i in range(IMAGES) if labels[i] == label) / IMAGES
            likelihood += both / (shares[:, kind].sum() / IMAGES) * shares[image, kind]
        total += math.log(likelihood)
    assert scores.leep(shares, labels) == pytest.approx(total / IMAGES)


def test_leep_is_zero_for_a_classifier_that_is_always_right_and_the_entropy_for_one_that_says_nothing() -> None:
    labels = np.arange(40) % CLASSES
    assert scores.leep(np.eye(CLASSES)[labels], labels) == pytest.approx(0, abs=1e-9)
    assert scores.leep(np.full((40, 3), 1 / 3), labels) == pytest.approx(-math.log(CLASSES))


@pytest.mark.parametrize("measure", [scores.log_me, scores.h_score, scores.n_leep])
@pytest.mark.parametrize("labels", [np.zeros(20, int), np.repeat([0, 2], 10)])
def test_one_class_and_an_empty_class_are_refused(measure: Measure, labels: np.ndarray) -> None:
    with pytest.raises(UsageError, match="give 2 or more"):
        measure(np.random.default_rng(0).normal(size=(20, 3)), labels)
