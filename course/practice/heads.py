"""Linear heads on frozen features: for each n, logistic regression on what the first n layers say."""

import warnings
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from course.practice.pictures import Numbers

STRENGTHS = tuple(10.0**power for power in range(-4, 2))  # scikit-learn's C: the inverse of the penalty
INNER_FOLDS = 3
MANY = 1000  # training pictures, of which one inner fold is enough to choose by
LEAST = 1e-9  # chance of a class
MOST_STEPS, TOLERANCE = 100, 1e-3  # an early stop is one more penalty, the same for all

Floats = NDArray[np.float32]


def answer(features: Floats, labels: Numbers, copies: Numbers, train: Numbers, valid: Numbers) -> tuple[Numbers, float]:
    """The classes that a head trained on the rows `train` gives to the rows `valid`, and the strength it took.

    `features` are pictures x channels. The strength is chosen inside the training rows, by log loss in folds of their
    own, so that nothing of the rows `valid` enters.
    """
    inner = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=0)
    own, own_labels, rounds = features[train], labels[train], 1 if len(train) >= MANY else INNER_FOLDS
    # With several threads, these small products take fifty times as long; checks take as long as a fit.
    quick = config_context(assume_finite=True, skip_parameter_validation=True)
    with threadpool_limits(1), quick, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        losses = [
            _losses(own, own_labels, inner_train, inner_valid)
            for inner_train, inner_valid in islice(inner.split(own, own_labels, copies[train]), rounds)
        ]
        strength = STRENGTHS[int(np.argmin(np.sum(losses, axis=0)))]
        scaler = StandardScaler().fit(own)
        head = _head().set_params(C=strength).fit(scaler.transform(own), own_labels)
        found: Numbers = head.predict(scaler.transform(features[valid]))
    return found, strength


def _losses(features: Floats, labels: Numbers, train: Numbers, valid: Numbers) -> list[float]:
    """The log loss on the rows `valid`, summed, for each strength, from the weakest; a class unseen has LEAST."""
    scaler, head = StandardScaler().fit(features[train]), _head()
    read, asked = scaler.transform(features[train]), scaler.transform(features[valid])
    found = []
    for strength in STRENGTHS:
        head.set_params(C=strength).fit(read, labels[train])
        column = np.searchsorted(head.classes_, labels[valid]).clip(max=len(head.classes_) - 1)
        chance = head.predict_proba(asked)[np.arange(len(valid)), column]
        seen = head.classes_[column] == labels[valid]
        found.append(float(-np.log(np.where(seen, chance, 0).clip(LEAST)).sum()))
    return found


def _head() -> LogisticRegression:
    return LogisticRegression(warm_start=True, tol=TOLERANCE, max_iter=MOST_STEPS)
