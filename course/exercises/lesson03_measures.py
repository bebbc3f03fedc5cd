"""Exercises of lesson 03 on measuring a layer and a network: the nearest class mean, top-1 and its error."""

import math
from typing import Any

import numpy as np

from course.asking.lesson03 import ask_nearest_mean, ask_top1_with_error
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by


def _pose_mean(generator: np.random.Generator) -> tuple[Case, ...]:
    """Classes of unequal size and spread, away from the origin; their labels skip some numbers; one row to judge."""
    cases = [_mean_case(
        "a class of four images and a class of one, in 1 dimension",
        [[0.0], [0.2], [-0.2], [0.1], [10.0]], [0, 0, 0, 0, 3], [[4.0], [4.5], [5.9], [0.1], [12.0], [5.0]],
    ), _mean_case("one row to judge", [[0.0, 1.0], [4.0, 5.0], [0.5, 1.5]], [2, 6, 2], [[3.0, 3.5]])]  # fmt: skip
    for count, dimensions, labels in ((40, 2, [1, 2, 4]), (60, 3, [0, 3, 5, 9]), (12, 5, [7, 2]), (50, 4, [8, 0, 3])):
        middles, spreads = generator.normal(3, 2, (10, dimensions)), generator.uniform(0.5, 4, 10)
        often = np.repeat(labels, [1, 5, 2, 3][: len(labels)])  # classes of unequal size
        of_train, of_valid = (generator.permutation(np.resize(kinds, count)) for kinds in (often, labels))
        train, valid = (
            middles[drawn] + spreads[drawn, None] * generator.normal(size=(count, dimensions))
            for drawn in (of_train, of_valid)
        )
        name = f"{count} images of the classes {sorted(labels)} in {dimensions} dimensions"
        cases.append(_mean_case(name, train, of_train, valid))
    return tuple(cases)


def _mean_case(name: str, train: object, labels: object, features: object) -> Case:
    given = {"train": np.array(train), "labels": np.array(labels), "features": np.array(features)}
    return Case(name, given)


def _means(case: Case) -> tuple[np.ndarray, np.ndarray]:
    train, labels = case.given["train"], case.given["labels"]
    present = np.unique(labels)
    return present, np.stack([train[labels == label].mean(axis=0) for label in present])


def _nearest(case: Case, power: int = 2, sign: int = 1) -> np.ndarray:
    present, means = _means(case)
    nearest = (sign * np.abs(case.given["features"][:, None] - means) ** power).sum(axis=2).argmin(axis=1)
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


def _weighted(case: Case) -> Plain:
    """The answer if a large class drew images towards itself: each distance divided by the size of the class."""
    present, means = _means(case)
    sizes = np.array([(case.given["labels"] == label).sum() for label in present])
    apart = ((case.given["features"][:, None] - means) ** 2).sum(axis=2) ** 0.5
    return np.asarray(present[(apart / sizes).argmin(axis=1)])


def _pose_top1(generator: np.random.Generator) -> tuple[Case, ...]:
    """Some right and some wrong; and all right, all wrong."""
    right = np.eye(3)[[0, 1, 2, 1]]
    fixed = (("4 images, all right", right, [0, 1, 2, 1]), ("4 images, all wrong", right, [1, 2, 0, 2]),
             ("2 images, one of them right", right[:2], [0, 2]))  # fmt: skip
    cases = []
    for count, classes in ((40, 5), (200, 3), (9, 2), (16, 40)):
        logits, labels = generator.normal(-1, 1, (count, classes)), generator.integers(0, classes, count)
        logits[: count // 2, :] += 3 * np.eye(classes)[labels[: count // 2]]
        logits[0, labels[0]] = 9
        logits[-1, labels[-1]] = -9  # so they are neither all right nor all wrong
        given = {"logits": logits, "labels": labels}
        cases.append(Case(f"{count} images of {classes} classes", given))
    cases += [Case(name, {"logits": logits.copy(), "labels": np.array(labels)}) for name, logits, labels in fixed]
    return tuple(cases)


def _accuracy(case: Case) -> float:
    return float((case.given["logits"].argmax(axis=1) == case.given["labels"]).mean())


def _with_error(case: Case, scale: float = 1.0, wide: float = 1.0, *, root: bool = True) -> list[Any]:
    share, count = _accuracy(case), len(case.given["labels"])
    spread = share * (1 - share) / count
    return [scale * share, scale * wide * (math.sqrt(spread) if root else spread)]


EXERCISES = (
    Exercise(
        name="nearest_mean",
        lesson="03",
        title="The nearest class mean",
        points=3,
        pose=_pose_mean,
        ask=ask_nearest_mean,
        form="an array with one label for each row of `features`",
        judge=judge_by("the classes", _nearest),
        right=_nearest,
        misconceptions={
            "nearest image": "you took the nearest single image: that measures something else, and rewards memorising.",
            "product": "the largest product is not the smallest distance: a long mean wins wherever the image is.",
            "places": "those are places in the list of classes; the classes' labels are asked for.",
            "empty classes": "a class without images has no mean; zeros in its place attract images.",
            "absolute": "the distance is Euclidean: sum the squares of the differences.",
            "weighted": "classes of many images do not count for more: each has one mean.",
            "farthest": "that is the farthest mean: take the smallest distance.",
        },
        signatures={
            "nearest image": _nearest_image,
            "product": _largest_product,
            "places": _places,
            "empty classes": _empty_classes,
            "absolute": lambda case: _nearest(case, power=1),
            "weighted": _weighted,
            "farthest": lambda case: _nearest(case, sign=-1),
        },
    ),
    Exercise(
        name="top1_with_error",
        lesson="03",
        title="An accuracy and its error",
        points=2,
        pose=_pose_top1,
        ask=ask_top1_with_error,
        form="two numbers, the accuracy and its standard error",
        judge=judge_by("accuracy and standard error", _with_error),
        right=_with_error,
        misconceptions={
            "percent": "those are percentages; shares from 0 to 1 are asked for.",
            "one image": "that is the spread of single images; the mean of N images has it divided by the root of N.",
            "interval": "that is half of a 95 % interval, 1.96 standard errors.",
            "variance": "that is the variance of the mean; its root is the standard error.",
            "errors": "that is the share of wrong answers; top-1 is the share of right ones.",
        },
        signatures={
            "percent": lambda case: _with_error(case, scale=100),
            "one image": lambda case: _with_error(case, wide=math.sqrt(len(case.given["labels"]))),
            "interval": (lambda case: _with_error(case, wide=1.96), lambda case: _with_error(case, wide=2)),
            "variance": lambda case: _with_error(case, root=False),
            "errors": lambda case: [1 - _accuracy(case), _with_error(case)[1]],
        },
    ),
)
