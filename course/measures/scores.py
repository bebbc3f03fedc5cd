"""Measures of transferability from the literature: how well features suit labels, before a network is trained on them.

Each takes features, float images x units, and labels, int64 images, 0..K-1; a larger value means features that suit
the labels better. None depends on the order of units or on the names of classes.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.mixture import GaussianMixture

from transferkit.errors import UsageError

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]

PENALTY = 100.0  # of the logistic probe, the inverse of scikit-learn's C, for standardised features
STEPS = 200  # of L-BFGS, at most
RIDGES = tuple(10.0**power for power in range(0, 6))  # of which the ridge probe takes the best by leaving one out
MIXED = 0.8  # of the variance: what N-LEEP keeps of the features (Li et al. 2021)
_TINY, _NOTHING = 1e-12, 1e-11  # of the largest squared singular value: below it is rounding


def logistic_probe(train: Floats, labels: Labels, valid: Floats, truth: Labels) -> float:
    """Top-1 (0..1) on `valid`, `truth` of a logistic regression on `train`, `labels` (Alain and Bengio 2017)."""
    seen, asked = standardised(train, valid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few steps short of the optimum predict the same
        probe = LogisticRegression(C=1 / PENALTY, max_iter=STEPS, tol=1e-3).fit(seen, labels)
    return float((probe.predict(asked) == truth).mean())


def ridge_probe(train: Floats, labels: Labels, valid: Floats, truth: Labels) -> float:
    """Top-1 (0..1) on `valid`, `truth` of a ridge regression of one-hot labels; leaving one out chooses its penalty."""
    seen, asked = standardised(train, valid)
    probe = RidgeClassifierCV(RIDGES).fit(seen, labels)
    return float((probe.predict(asked) == truth).mean())


def log_me(features: Floats, labels: Labels) -> float:
    """LogME: the log evidence per image of a Bayesian linear model of each class against the rest (You et al. 2021).

    In nats, the mean over classes; precisions of weights and noise are those that maximise it. The model has no
    intercept, so that features of another origin are others.
    """
    hot = one_hot(labels)
    power, parts = _along_directions(features.astype(np.float64), hot)
    rest = hot.sum(axis=0) - parts.sum(axis=0)
    return float(
        np.mean([_evidence(power, part, off, features.shape) for part, off in zip(parts.T, rest, strict=True)])
    )


def _evidence(power: Floats, parts: Floats, rest: float, shape: tuple[int, ...]) -> float:
    """The greatest log evidence per image of a linear model, by MacKay's fixed point.

    power: squared singular values of the features; parts: squared coordinates of the target along their left singular
    vectors; rest: its squared length outside of these.
    """
    images, units = shape
    weights, noise = 1.0, 1.0  # precisions
    for _ in range(100):
        ratio = weights / noise
        effective = float((power / (power + ratio)).sum())
        size = float((power * parts / (power + ratio) ** 2).sum())
        error = float((parts * (ratio / (power + ratio)) ** 2).sum()) + max(rest, 0.0)
        weights, noise = effective / (size + _TINY), (images - effective) / (error + _TINY)
        if abs(weights / noise - ratio) <= 1e-5 * ratio:
            break
    logs = units * np.log(weights) + images * np.log(noise / (2 * np.pi))
    spread = np.log(weights + noise * power).sum() + (units - len(power)) * np.log(weights)
    return float(logs - spread - noise * error - weights * size) / (2 * images)


def h_score(features: Floats, labels: Labels) -> float:
    """H-score: how much of the whitened features' variance lies between classes (Bao et al. 2019), 0 to K - 1."""
    hot = one_hot(labels)
    _, parts = _along_directions(features.astype(np.float64) - features.mean(axis=0, dtype=np.float64), hot)
    return float((parts / hot.sum(axis=0)).sum())


def _along_directions(features: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """The squared singular values of features, and the targets' squared coordinates along the left singular vectors.

    targets: images x classes; coordinates: directions x classes. Directions without variance are left out. This goes
    by the matrix of scalar products of units, ten times as fast as a singular value decomposition of the features.
    """
    power, right = np.linalg.eigh(features.T @ features)
    kept = power > _NOTHING * max(power[-1], _TINY)
    return power[kept], (right[:, kept].T @ (features.T @ targets)) ** 2 / power[kept, None]


def leep(shares: Floats, labels: Labels) -> float:
    """LEEP: the mean log likelihood of the labels given a classifier's shares of its own classes (Nguyen et al. 2020).

    shares: images x classes of the classifier, each row adding up to 1. In nats, at most 0.
    """
    joint = one_hot(labels).T @ shares / len(labels)  # P(y, z)
    given = joint / np.maximum(joint.sum(axis=0), _TINY)  # P(y | z)
    likelihood = (shares * given[labels]).sum(axis=1)
    return float(np.log(np.maximum(likelihood, _TINY)).mean())


def n_leep(features: Floats, labels: Labels, seed: int = 0) -> float:
    """N-LEEP: LEEP of the components of a mixture of K Gaussians in place of a classifier's classes (Li et al. 2021).

    It is fitted to the principal components that keep MIXED of the variance, without labels. In nats, at most 0.
    """
    few = PCA(MIXED, svd_solver="full").fit_transform(features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(int(labels.max()) + 1, covariance_type="diag", random_state=seed, max_iter=50)
        return leep(mixture.fit(few).predict_proba(few), labels)


def one_hot(labels: Labels) -> NDArray[np.float64]:
    """Images x classes. Raises UsageError for fewer than two classes, and for a class without an image."""
    counts = np.bincount(labels)
    if len(counts) < 2 or not counts.all():
        raise UsageError(
            f"{len(counts)} classes with {counts.min(initial=0)} images or more: give 2 or more, none empty."
        )
    return np.eye(len(counts))[labels]


def standardised(train: Floats, valid: Floats) -> tuple[Floats, Floats]:
    """Both less the training mean of each unit, over its training standard deviation; units that never change are 0."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    scale = np.where(spread > _TINY, 1 / np.maximum(spread, _TINY), 0)
    return (train - mean) * scale, (valid - mean) * scale
