"""Answers to the exercises of lesson 03 on measuring, right and wrong."""

import math

import numpy as np
from sklearn.neighbors import NearestCentroid

from course.exercises.planted.answer import Planted


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "nearest_mean": Planted(
            right=(mean_by_sklearn, mean_by_loop),
            wrong={
                "the nearest image": mean_by_image,
                "the largest product": lambda train, labels, x: np.unique(labels)[
                    (x @ _means(train, labels).T).argmax(axis=1)
                ],
                "places for labels": lambda train, labels, x: np.searchsorted(
                    np.unique(labels), mean_by_loop(train, labels, x)
                ),
                "zeros for no images": mean_with_zeros,
                "absolute differences": lambda train, labels, x: np.unique(labels)[
                    np.abs(x[:, None] - _means(train, labels)).sum(axis=2).argmin(axis=1)
                ],
                "the farthest": lambda train, labels, x: np.unique(labels)[
                    ((x[:, None] - _means(train, labels)) ** 2).sum(axis=2).argmax(axis=1)
                ],
                "the cosine": mean_by_cosine,
                "the mean's length": lambda train, labels, x: np.unique(labels)[
                    np.abs(np.linalg.norm(x, axis=1)[:, None] - np.linalg.norm(_means(train, labels), axis=1)).argmin(1)
                ],
                "the median": lambda train, labels, x: np.unique(labels)[
                    ((x[:, None] - _medians(train, labels)) ** 2).sum(axis=2).argmin(axis=1)
                ],
                "the largest class": lambda train, labels, x: np.full(len(x), np.bincount(labels).argmax()),
                "the training images": lambda train, labels, x: mean_by_loop(train, labels, train),
                "large classes draw": lambda train, labels, x: np.unique(labels)[
                    (_apart(train, labels, x) / np.unique(labels, return_counts=True)[1]).argmin(axis=1)
                ],
                "a number for one row": lambda train, labels, x: np.squeeze(mean_by_loop(train, labels, x)),
                "the judged image is in the mean": mean_with_itself,
                "one by one": lambda train, labels, x: mean_by_loop(train, labels, x).tolist()[:1],
            },
        ),
        "top1_with_error": Planted(
            right=(top1_by_std, top1_by_loop, top1_in_an_array),
            wrong={
                "percent": lambda logits, labels: tuple(100 * one for one in top1_by_loop(logits, labels)),
                "of one image": lambda logits, labels: (_top1(logits, labels), _hits(logits, labels).std()),
                "half an interval": lambda logits, labels: _wide(logits, labels, 1.96),
                "the variance": lambda logits, labels: (_top1(logits, labels), top1_by_loop(logits, labels)[1] ** 2),
                "errors": lambda logits, labels: (1 - _top1(logits, labels), top1_by_loop(logits, labels)[1]),
                "no error": lambda logits, labels: (_top1(logits, labels), 0.0),
                "never without error": lambda logits, labels: (
                    _top1(logits, labels),
                    max(top1_by_loop(logits, labels)[1], 0.5 / len(labels)),
                ),
                "nothing for 0 and 1": lambda logits, labels: (
                    top1_by_loop(logits, labels) if 0 < _top1(logits, labels) < 1 else None
                ),
                "the accuracy alone": lambda logits, labels: _top1(logits, labels),
                "the smallest logit": lambda logits, labels: top1_by_loop(-logits, labels),
                "the error of a coin": lambda logits, labels: (_top1(logits, labels), 0.5 / math.sqrt(len(labels))),
                "the error of a count": lambda logits, labels: (
                    _top1(logits, labels),
                    math.sqrt(_hits(logits, labels).sum()) / len(labels),
                ),
            },
        ),
    }


def _means(train: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([train[labels == label].mean(axis=0) for label in np.unique(labels)])


def _apart(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(features[:, None] - _means(train, labels), axis=2))


def mean_with_itself(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Wrong."""
    counts = np.unique(labels, return_counts=True)[1]
    return np.asarray(np.unique(labels)[(_apart(train, labels, features) * counts / (counts + 1)).argmin(axis=1)])


def _medians(train: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([np.median(train[labels == label], axis=0) for label in np.unique(labels)])


def mean_by_sklearn(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """By scikit-learn."""
    return np.asarray(NearestCentroid().fit(train, labels).predict(features))


def mean_by_loop(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """One image at a time."""
    means = {label: train[labels == label].mean(axis=0) for label in set(labels.tolist())}
    return np.array([min(means, key=lambda label: math.dist(means[label], image)) for image in features])


def mean_by_image(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Wrong."""
    return np.array([labels[np.linalg.norm(train - image, axis=1).argmin()] for image in features])


def mean_with_zeros(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Wrong."""
    means = np.zeros((labels.max() + 1, train.shape[1]))
    np.add.at(means, labels, train)
    means /= np.maximum(np.bincount(labels), 1)[:, None]
    return np.asarray(((features[:, None] - means) ** 2).sum(axis=2).argmin(axis=1))


def mean_by_cosine(train: np.ndarray, labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Wrong."""
    means = _means(train, labels)
    nearest = (features @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T).argmax(axis=1)
    return np.asarray(np.unique(labels)[nearest])


def _hits(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.asarray(logits.argmax(axis=1) == labels, dtype=float)


def _top1(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(_hits(logits, labels).mean())


def top1_by_std(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """From the standard deviation of right and wrong."""
    hits = _hits(logits, labels)
    return float(hits.mean()), float(hits.std() / math.sqrt(len(hits)))


def top1_in_an_array(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """An array of both."""
    return np.array(top1_by_loop(logits, labels))


def top1_by_loop(logits: np.ndarray, labels: np.ndarray) -> list[float]:
    """One image at a time."""
    right = sum(max(range(len(row)), key=row.__getitem__) == label for row, label in zip(logits, labels, strict=True))
    share = right / len(labels)
    return [share, math.sqrt(share * (1 - share) / len(labels))]


def _wide(logits: np.ndarray, labels: np.ndarray, factor: float) -> tuple[float, float]:
    share, error = top1_by_std(logits, labels)
    return share, factor * error
