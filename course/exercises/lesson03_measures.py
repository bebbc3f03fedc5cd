"""Exercises of lesson 03 on measuring a layer and a network: the nearest class mean, top-1 and its error."""

import math

import numpy as np

from course.asking.lesson03 import ask_nearest_mean, ask_top1_with_error
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by


def _pose_mean(generator: np.random.Generator) -> tuple[Case, ...]:
    """Classes of unequal spread, away from the origin; their labels skip some numbers."""
    cases = []
    for count, dimensions, labels in ((40, 2, [1, 2, 4]), (60, 3, [0, 3, 5, 9]), (12, 5, [7, 2])):
        middles, spreads = generator.normal(3, 2, (10, dimensions)), generator.uniform(0.5, 4, 10)
        of_train, of_valid = (generator.permutation(np.resize(labels, count)) for _ in range(2))
        train, valid = (
            middles[drawn] + spreads[drawn, None] * generator.normal(size=(count, dimensions))
            for drawn in (of_train, of_valid)
        )
        name = f"{count} images of the classes {sorted(labels)} in {dimensions} dimensions"
        cases.append(Case(name, {"train": train, "labels": of_train, "features": valid}))
    return tuple(cases)


def _means(case: Case) -> tuple[np.ndarray, np.ndarray]:
    train, labels = case.given["train"], case.given["labels"]
    present = np.unique(labels)
    return present, np.stack([train[labels == label].mean(axis=0) for label in present])


def _nearest(case: Case, power: int = 2) -> np.ndarray:
    present, means = _means(case)
    nearest = (np.abs(case.given["features"][:, None] - means) ** power).sum(axis=2).argmin(axis=1)
    return np.asarray(present[nearest])


def _nearest_image(case: Case) -> Plain:
    apart = ((case.given["features"][:, None] - case.given["train"]) ** 2).sum(axis=2)
    nearest: np.ndarray = case.given["labels"][apart.argmin(axis=1)]
    return nearest


def _largest_product(case: Case) -> Plain:
    present, means = _means(case)
    return np.asarray(present[(case.given["features"] @ means.T).argmax(axis=1)])


def _empty_classes(case: Case) -> Plain:
    present, means = _means(case)
    every = np.zeros((present.max() + 1, means.shape[1]))
    every[present] = means
    return np.asarray(((case.given["features"][:, None] - every) ** 2).sum(axis=2).argmin(axis=1))


def _places(case: Case) -> Plain:
    return np.searchsorted(_means(case)[0], _nearest(case))


def _pose_top1(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for count, classes in ((40, 5), (200, 3), (9, 2), (16, 40)):
        logits, labels = generator.normal(-1, 1, (count, classes)), generator.integers(0, classes, count)
        logits[: count // 2, :] += 3 * np.eye(classes)[labels[: count // 2]]
        logits[0, labels[0]] = 9
        logits[-1, labels[-1]] = -9  # so they are neither all right nor all wrong
        given = {"logits": logits, "labels": labels}
        cases.append(Case(f"{count} images of {classes} classes", given))
    return tuple(cases)


def _accuracy(case: Case) -> float:
    return float((case.given["logits"].argmax(axis=1) == case.given["labels"]).mean())


def _with_error(case: Case, scale: float = 1.0, wide: float = 1.0, *, root: bool = True) -> Plain:
    share, count = _accuracy(case), len(case.given["labels"])
    spread = share * (1 - share) / count
    return [scale * share, scale * wide * (math.sqrt(spread) if root else spread)]


def _one_image(case: Case) -> Plain:
    return _with_error(case, wide=math.sqrt(len(case.given["labels"])))


EXERCISES = (
    Exercise(
        name="nearest_mean",
        lesson="03",
        title="The nearest class mean",
        points=3,
        pose=_pose_mean,
        ask=ask_nearest_mean,
        judge=judge_by(
            "the classes",
            _nearest,
            {
                "nearest image": _nearest_image,
                "product": _largest_product,
                "places": _places,
                "empty classes": _empty_classes,
                "absolute": lambda case: _nearest(case, power=1),
            },
        ),
        misconceptions={
            "nearest image": "you took the nearest single image: that measures something else, and rewards memorising.",
            "product": "the largest product is not the smallest distance: a long mean wins wherever the image is.",
            "places": "those are places in the list of classes; the classes' labels are asked for.",
            "empty classes": "a class without images has no mean; zeros in its place attract images.",
            "absolute": "the distance is Euclidean: sum the squares of the differences.",
        },
    ),
    Exercise(
        name="top1_with_error",
        lesson="03",
        title="An accuracy and its error",
        points=2,
        pose=_pose_top1,
        ask=ask_top1_with_error,
        judge=judge_by(
            "accuracy and standard error",
            _with_error,
            {
                "percent": lambda case: _with_error(case, scale=100),
                "one image": _one_image,
                "interval": lambda case: _with_error(case, wide=1.96),
                "variance": lambda case: _with_error(case, root=False),
            },
        ),
        misconceptions={
            "percent": "those are percentages; shares from 0 to 1 are asked for.",
            "one image": "that is the spread of single images; the mean of N images has it divided by the root of N.",
            "interval": "that is half of a 95 % interval, 1.96 standard errors.",
            "variance": "that is the variance of the mean; its root is the standard error.",
        },
    ),
)
