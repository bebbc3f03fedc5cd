"""Exercises of lesson 02 on validation images: how to hold them out, and how they leak."""

import hashlib
from typing import Any

import numpy as np

from course.asking.lesson02 import ask_find_leaks, ask_hold_out
from course.exercises.exercise import Case, Exercise, Finding

MIRRORED = -1  # the axis of the columns, in images N x 3 x H x W


def _pose_hold_out(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for count, share in ((40, 0.2), (25, 0.5), (60, 0.1), (3, 0.3)):
        images = [generator.bytes(int(length)).hex() for length in generator.integers(1, 20, count)]
        cases.append(Case(f"{count} images and a share of {share}", {"images": images, "share": share}))
    return tuple(cases)


def _judge_hold_out(case: Case, value: Any) -> Finding | None:
    alone, among = value["alone"], value["among"]
    images = [bytes.fromhex(image) for image in case.given["images"]]
    if len(alone) != len(images):
        return Finding(f"{len(alone)} answers for {len(images)} images.")
    places = [_place(image) for image in images]
    wanted = [place < case.given["share"] for place in places]
    if moved := sum(one != other for one, other in zip(alone, among, strict=True)):
        return Finding(f"when other images were added, {moved} of the {len(images)} changed sides.", "moves")
    if alone == [place >= case.given["share"] for place in places]:
        return Finding("the images above the share are held out, not those below it.", "the other side")
    if not (wrong := sum(one != right for one, right in zip(alone, wanted, strict=True))):
        return None
    seen = f"{wrong} of {len(images)} images are on the wrong side ({sum(alone)} are held out, not {sum(wanted)})."
    return Finding(seen, "all alike" if len(set(alone)) == 1 and len(images) > 3 else "another hash")


def _place(image: bytes) -> float:
    return int(hashlib.sha256(image).hexdigest()[:8], 16) / 2**32


def _pose_leaks(generator: np.random.Generator) -> tuple[Case, ...]:
    """Images of the same pixels in other orders, so that their sums and histograms are equal."""
    cases = []
    for n_train, n_valid, leaked in ((8, 6, 3), (6, 6, 0), (12, 9, 4), (5, 7, 3)):
        train, valid = (_shuffled(generator, count) for count in (n_train, n_valid))
        order = generator.permutation(min(n_train, n_valid))
        places, sources = order[:leaked], [order[0], *order[::-1]]  # only the first is in the same row of both parts
        for number, (place, row) in enumerate(zip(places, sources, strict=False)):
            valid[place] = np.flip(train[row], MIRRORED) if number % 2 else train[row]
        if leaked:
            valid[np.setdiff1d(np.arange(n_valid), places)[0]] = np.flip(train[0], -2)  # upside down: no leak
        name = f"{n_train} training and {n_valid} validation images"
        cases.append(Case(name, {"train": train, "valid": valid}, {"leaks": np.sort(places).tolist()}))
    return tuple(cases)


def _shuffled(generator: np.random.Generator, count: int) -> np.ndarray:
    pixels = np.arange(3 * 4 * 5, dtype=np.uint8)
    return np.stack([generator.permutation(pixels).reshape(3, 4, 5) for _ in range(count)])


def _judge_leaks(case: Case, value: Any) -> Finding | None:
    train, valid, wanted = case.given["train"], case.given["valid"], case.truth["leaks"]
    if value == wanted:
        return None
    wrong = {
        "not mirrored": _rows(valid, train),
        "side by side": [row for row in range(min(len(train), len(valid))) if (train[row] == valid[row]).all()],
        "of training": _rows(train, np.concatenate([valid, np.flip(valid, MIRRORED)])),
        "a summary": list(range(len(valid))),
        "upside down": _rows(valid, np.concatenate([train, np.flip(train, -2)])),
        "turned": _rows(valid, np.concatenate([train, np.flip(train, MIRRORED), np.flip(train, -2)])),
    }
    named = (key for key, rows in wrong.items() if rows == value)
    return Finding(f"{value} instead of {wanted}.", next(named, ""))


def _rows(images: np.ndarray, among: np.ndarray) -> list[int]:
    known = {image.tobytes() for image in among}
    return [row for row, image in enumerate(images) if image.tobytes() in known]


EXERCISES = (
    Exercise(
        name="hold_out",
        lesson="02",
        title="Hold out for good",
        points=2,
        pose=_pose_hold_out,
        ask=ask_hold_out,
        judge=_judge_hold_out,
        misconceptions={
            "moves": "a choice by chance, by place in the list or by rank depends on the other images.",
            "the other side": "the share is the part of the images that is held out.",
            "all alike": "the digest gives a number between 0 and 2**32: divide it before you compare it.",
            "another hash": "you took another hash; Python's own hash() even differs from process to process.",
        },
    ),
    Exercise(
        name="find_leaks",
        lesson="02",
        title="Spot the leak",
        points=3,
        pose=_pose_leaks,
        ask=ask_find_leaks,
        judge=_judge_leaks,
        misconceptions={
            "not mirrored": "the network has seen a mirrored training image too, at the latest through augmentation.",
            "side by side": "the same image may stand anywhere in the training part.",
            "of training": "those are rows of the training part; the rows of the validation part are asked for.",
            "a summary": "different images can have the same sum, mean or histogram: compare every pixel.",
            "upside down": "left and right are the columns, the last axis.",
            "turned": "an image upside down is another image: mirror only left and right.",
        },
    ),
)
