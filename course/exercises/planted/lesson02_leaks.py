"""Answers to the exercises of lesson 02 on validation images, right and wrong."""

from collections.abc import Callable
from hashlib import md5, sha256
from itertools import chain

import numpy as np

from course.exercises.planted.answer import Planted


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "hold_out": Planted(
            right=(hold_out_by_bytes, hold_out_by_threshold),
            wrong={
                "the first ones": lambda images, share: [i < share * len(images) for i in range(len(images))],
                "every fifth one": lambda images, share: [i % round(1 / share) == 0 for i in range(len(images))],
                "by a seeded generator": lambda images, share: (
                    np.random.default_rng(0).random(len(images)) < share
                ).tolist(),
                "the smallest digests": hold_out_by_rank,
                "Python's hash": lambda images, share: [hash(image) % 100 < 100 * share for image in images],
                "another digest": lambda images, share: [
                    int(md5(image, usedforsecurity=False).hexdigest()[:8], 16) < share * 2**32 for image in images
                ],
                "the large digests": lambda images, share: [_number(image) >= share * 2**32 for image in images],
                "the training images": lambda images, share: [not held for held in hold_out_by_bytes(images, share)],
                "a number never divided": lambda images, share: [_number(image) < share for image in images],
                "the number itself is held out": lambda images, share: [
                    _number(one) <= share * 2**32 for one in images
                ],
                "a threshold rounded down": lambda images, share: [_number(one) < int(share * 2**32) for one in images],
                "one of all ones": lambda images, share: [_number(one) / (2**32 - 1) < share for one in images],
                "the last digits": lambda images, share: [
                    int(sha256(one).hexdigest()[-8:], 16) < share * 2**32 for one in images
                ],
                "the copies are let in": lambda images, share: [
                    held and images.index(one) == place
                    for place, (one, held) in enumerate(zip(images, hold_out_by_bytes(images, share), strict=True))
                ],
                "only the beginning counts": lambda images, share: hold_out_by_bytes(
                    [one[:64] for one in images], share
                ),
                "none held out, none asked": lambda images, share: hold_out_by_bytes(images, share) if share else None,
                "places of what is held out": lambda images, share: np.flatnonzero(hold_out_by_bytes(images, share)),
                "by length": lambda images, share: [len(image) % 10 < 10 * share for image in images],
            },
        ),
        "find_leaks": Planted(
            right=(leaks_by_bytes, leaks_by_comparison),
            wrong={
                "not mirrored": lambda train, valid: leaks_by_bytes(train[:0], valid) + _found(train, valid),
                "mirrored only": lambda train, valid: _found(train[..., ::-1], valid),
                "side by side": lambda train, valid: [
                    row for row, pair in enumerate(zip(train, valid, strict=False)) if (pair[0] == pair[1]).all()
                ],
                "rows of training": lambda train, valid: leaks_by_bytes(valid, train),
                "equal means": lambda train, valid: _by_summary(train, valid, np.mean),
                "equal histograms": lambda train, valid: _by_summary(train, valid, lambda one: str(np.sort(one, None))),
                "upside down": lambda train, valid: _found(np.concatenate([train, train[..., ::-1, :]]), valid),
                "turned either way": lambda train, valid: sorted(
                    {*leaks_by_bytes(train, valid), *_found(train[..., ::-1, :], valid)}
                ),
                "nothing leaks": lambda train, valid: [],
                "the first channel": lambda train, valid: leaks_by_bytes(train[:, :1], valid[:, :1]),
                "grey": lambda train, valid: leaks_by_bytes(train.mean(axis=1), valid.mean(axis=1)),
                "as they are printed": lambda train, valid: _by_summary(
                    np.concatenate([train, train[..., ::-1]]), valid, str
                ),
                "a level off": lambda train, valid: _nearly(train, valid, 1, 1.0),
                "most pixels": lambda train, valid: _nearly(train, valid, 0, 0.95),
                "copies within validation": lambda train, valid: (
                    [row for row, image in enumerate(valid) if (valid == image).all(axis=(1, 2, 3)).sum() > 1]
                    or leaks_by_bytes(train, valid)
                ),
                "one of each copy": lambda train, valid: [
                    row
                    for row in leaks_by_bytes(train, valid)
                    if not (valid[:row] == valid[row]).all(axis=(1, 2, 3)).any()
                ],
                "row by row of training": lambda train, valid: [
                    row for image in train for row in leaks_by_bytes(image[None], valid)
                ],
                "as often as it is found": lambda train, valid: sorted(
                    row for image in [*train, *train[..., ::-1]] for row in _found(image[None], valid)
                ),
                "sorted as text": lambda train, valid: sorted(leaks_by_bytes(train, valid), key=str),
                "a mask": lambda train, valid: np.isin(np.arange(len(valid)), leaks_by_bytes(train, valid)),
                "one channel": lambda train, valid: _found(train[:, 0], valid[:, 1]),
            },
        ),
    }


def _number(image: bytes) -> int:
    return int(sha256(image).hexdigest()[:8], 16)


def hold_out_by_bytes(images: list[bytes], share: float) -> list[bool]:
    """From the digest's first bytes."""
    return [int.from_bytes(sha256(image).digest()[:4], "big") < share * 2**32 for image in images]


def hold_out_by_threshold(images: list[bytes], share: float) -> list[bool]:
    """By comparing digits."""
    threshold = f"{int(np.ceil(share * 2**32)):09x}"
    return [f"0{sha256(image).hexdigest()[:8]}" < threshold for image in images]


def hold_out_by_rank(images: list[bytes], share: float) -> list[bool]:
    """Wrong."""
    chosen = sorted(images, key=_number)[: round(share * len(images))]
    return [image in chosen for image in images]


def leaks_by_bytes(train: np.ndarray, valid: np.ndarray) -> list[int]:
    """Through a set of bytes."""
    known = {image.tobytes() for image in chain(train, train[..., ::-1])}
    return [row for row, image in enumerate(valid) if image.tobytes() in known]


def leaks_by_comparison(train: np.ndarray, valid: np.ndarray) -> list[int]:
    """Each with each."""
    both = np.concatenate([train, np.flip(train, -1)])
    return np.flatnonzero((valid[:, None] == both[None]).all(axis=(2, 3, 4)).any(axis=1)).tolist()


def _found(train: np.ndarray, valid: np.ndarray) -> list[int]:
    known = {image.tobytes() for image in train}
    return [row for row, image in enumerate(valid) if image.tobytes() in known]


def _nearly(train: np.ndarray, valid: np.ndarray, level: int, share: float) -> list[int]:
    both = np.concatenate([train, train[..., ::-1]]).astype(int)
    close = (abs(valid[:, None].astype(int) - both) <= level).mean(axis=(2, 3, 4)) >= share
    return np.flatnonzero(close.any(axis=1)).tolist()


def _by_summary(train: np.ndarray, valid: np.ndarray, summary: Callable[[np.ndarray], object]) -> list[int]:
    known = {summary(image) for image in train}
    return [row for row, image in enumerate(valid) if summary(image) in known]
