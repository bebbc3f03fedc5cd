"""Exercises of lesson 02 on validation images: how to hold them out, and how they leak."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from course.asking.lesson02 import ask_find_leaks, ask_hold_out
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, Finding

MIRRORED = -1  # the axis of the columns, in images N x 3 x H x W
UPSIDE_DOWN = -2
Summary = Callable[[np.ndarray], object]


def _pose_hold_out(generator: np.random.Generator) -> tuple[Case, ...]:
    """Many images; shares of 0 and 1; copies; long images that begin alike; shares just at an image's own number."""
    cases = []
    for count, share in ((40, 0.2), (25, 0.5), (60, 0.1), (3, 0.3), (12, 0.0), (9, 1.0)):
        images = [generator.bytes(int(length)) for length in generator.integers(1, 20, count)]
        cases.append(_held(f"{count} images and a share of {share}", images, share))
    cases.append(
        _held("12 images, each there three times, and a share of 0.5", [bytes([i]) for i in range(4)] * 3, 0.5)
    )
    long = [bytes(100) + generator.bytes(20) for _ in range(20)]
    cases.append(_held("20 images that begin with the same 100 bytes and a share of 0.5", long, 0.5))
    image = generator.bytes(16)
    number = _number(image)
    just = {
        "exactly the image's own number / 2**32": number / 2**32,
        "a little more than the image's own number / 2**32": (number + 0.5) / 2**32,
        "the next number above the image's own / 2**32": float(np.nextafter(number / 2**32, 1)),
    }
    return (*cases, *(_held(f"1 image and a share that is {what}", [image], share) for what, share in just.items()))


def _held(name: str, images: list[bytes], share: float) -> Case:
    return Case(name, {"images": [image.hex() for image in images], "share": share})


def _number(image: bytes) -> int:
    return int(hashlib.sha256(image).hexdigest()[:8], 16)


def _judge_hold_out(case: Case, value: Any) -> Finding | None:
    alone, among, share = value["alone"], value["among"], case.given["share"]
    numbers = [_number(bytes.fromhex(image)) for image in case.given["images"]]
    wanted = [number / 2**32 < share for number in numbers]
    places = [place for place, held in enumerate(wanted) if held]
    if alone == places and len(alone) != len(wanted) and len(alone):
        return Finding("you returned the places of the images that are held out; True or False is asked for each.")
    answers, images = (_counted(alone, "answer"), _counted(numbers, "image"))
    if len(alone) != len(numbers):
        return Finding(f"there {'is' if len(alone) == 1 else 'are'} {answers} for {images}.")
    if odd := [one for one in alone if not isinstance(one, bool)]:
        return Finding(f"you answered {odd[0]} for an image; True or False is asked for each.")
    if len(among) != len(alone):
        return Finding(f"when as many other images were added, there were {len(among)} answers for the {images}.")
    if moved := sum(one != other for one, other in zip(alone, among, strict=True)):
        return Finding(f"when other images were added, {moved} of the {images} changed sides.", "moves")
    if not (wrong := sum(one != right for one, right in zip(alone, wanted, strict=True))):
        return None
    held = f"{sum(alone)} held out instead of {sum(wanted)}" if sum(alone) != sum(wanted) else "the number is right"
    which = "the image is" if len(numbers) == 1 else f"{wrong} of {images} {'is' if wrong == 1 else 'are'}"
    return Finding(f"{which} on the wrong side ({held}).")


def _counted(items: list[Any], kind: str) -> str:
    return f"{len(items)} {kind}{'' if len(items) == 1 else 's'}"


def _by(number: Callable[[bytes], float], inside: Callable[[float, float], bool]) -> Callable[[Case], Plain]:
    """The answers of a rule: the `number` of an image, and whether that is `inside` the share."""

    def made(case: Case) -> Plain:
        images = [bytes.fromhex(image) for image in case.given["images"]]
        held: list[Plain] = [bool(inside(number(image), case.given["share"])) for image in images]
        return {"alone": held, "among": held}

    return made


def _below(number: float, share: float) -> bool:
    return number / 2**32 < share


def _digits(image: bytes, first: int, last: int | None) -> int:
    return int(hashlib.sha256(image).hexdigest()[first:last], 16)


def _of_hash(name: str) -> Callable[[bytes], float]:
    return lambda image: int(hashlib.new(name, image, usedforsecurity=False).hexdigest()[:8], 16)


_LITTLE = _by(lambda image: int.from_bytes(hashlib.sha256(image).digest()[:4], "little"), _below)


def _pose_leaks(generator: np.random.Generator) -> tuple[Case, ...]:
    """Images of the same pixels in other orders, so that their sums and histograms are equal; and images much alike."""
    cases = []
    for n_train, n_valid, leaked in ((8, 6, 3), (6, 6, 0), (12, 9, 4), (5, 7, 3)):
        train, valid = (_shuffled(generator, count) for count in (n_train, n_valid))
        order = generator.permutation(min(n_train, n_valid))
        places, sources = order[:leaked], [order[0], *order[::-1]]  # only the first is in the same row of both parts
        for number, (place, row) in enumerate(zip(places, sources, strict=False)):
            valid[place] = np.flip(train[row], MIRRORED) if number % 2 else train[row]
        if leaked:
            valid[np.setdiff1d(np.arange(n_valid), places)[0]] = np.flip(train[0], UPSIDE_DOWN)  # no leak
        name = f"{n_train} training and {n_valid} validation images"
        cases.append(_leaks(name, train, valid, np.sort(places).tolist()))
    return (*cases, _alike(generator), _copies(generator), _large(generator))


def _leaks(name: str, train: np.ndarray, valid: np.ndarray, rows: list[int]) -> Case:
    return Case(name, {"train": train, "valid": valid}, {"leaks": rows})


def _shuffled(generator: np.random.Generator, count: int) -> np.ndarray:
    pixels = np.arange(3 * 4 * 5, dtype=np.uint8)
    return np.stack([generator.permutation(pixels).reshape(3, 4, 5) for _ in range(count)])


def _alike(generator: np.random.Generator) -> Case:
    """No validation image but the last is a copy; the others are a training image with some part changed."""
    train, valid = (generator.integers(2, 250, (9, 3, 6, 7), dtype=np.uint8) for _ in range(2))
    valid[:] = train[::-1]
    valid[0, 2, 5, 6] ^= 1  # one pixel by one level, in the last corner
    valid[1, 1:] += 3  # one channel is the same
    valid[2, :, 1:] += 3  # the first row of pixels
    valid[3] = valid[3][[1, 2, 0]]  # the channels in another order, so that the grey image is the same
    valid[4] += 1  # every pixel by one level
    valid[5, :, 2, 3] += 9  # all pixels but one
    valid[6] = valid[6, :, ::-1, ::-1]  # turned by half a turn
    valid[7, :, :, 1:] += 3  # the first column of pixels
    return _leaks("9 validation images that are changed training images, but for the last", train, valid, [8])


def _copies(generator: np.random.Generator) -> Case:
    """Copies within each part; an image that is its own mirror image; leaks in rows whose texts sort otherwise."""
    train, valid = _shuffled(generator, 6), _shuffled(generator, 14)
    train[0] = np.maximum(train[0], train[0][..., ::-1])  # its own mirror image
    train[5] = train[1]
    valid[5] = valid[4]  # alike, and neither is in training
    valid[6] = valid[4][..., ::-1]
    valid[2] = valid[12] = train[3]
    valid[9], valid[10], valid[11] = train[1][..., ::-1], train[0], train[1]
    name = "6 training and 14 validation images with copies within each part"
    return _leaks(name, train, valid, [2, 9, 10, 11, 12])


def _large(generator: np.random.Generator) -> Case:
    """Images so large that printing leaves out their middle, where alone they differ."""
    train, valid = (generator.integers(2, 250, (3, 3, 24, 24), dtype=np.uint8) for _ in range(2))
    valid[0] = valid[1] = train[2]
    valid[1, :, 12, 12] ^= 1
    return _leaks("3 validation images of 24 x 24 pixels, of which one differs from a training image in one place",
                  train, valid, [0])  # fmt: skip


def _judge_leaks(case: Case, value: Any) -> Finding | None:
    wanted = case.truth["leaks"]
    if not isinstance(value, list):
        raise TypeError("no list")
    if value and all(isinstance(row, bool) for row in value):
        return Finding(f"you returned {len(value)} truth values.", "mask")
    if value == wanted:
        return None
    if twice := [row for row in value if value.count(row) > 1]:
        return Finding(f"row {twice[0]} is listed {value.count(twice[0])} times: {value}.", "twice")
    if sorted(value) == wanted:
        return Finding(f"{value} instead of {wanted}.", "unsorted")
    return Finding(f"{value} instead of {wanted}.")


def _rows(images: np.ndarray, among: np.ndarray, summary: Summary | None = None) -> list[Plain]:
    told = summary or (lambda image: image.tobytes())
    known = {told(image) for image in among}
    return [row for row, image in enumerate(images) if told(image) in known]


def _found(*, mirrored: bool = True, flipped: bool = False, plain: bool = True, summary: Summary | None = None) -> Any:
    """The rows of validation images that are among the training images as they are, mirrored or upside down."""

    def made(case: Case) -> Plain:
        train, valid = case.given["train"], case.given["valid"]
        parts = [train] * plain + [np.flip(train, MIRRORED)] * mirrored + [np.flip(train, UPSIDE_DOWN)] * flipped
        return _rows(valid, np.concatenate(parts), summary)

    return made


def _side_by_side(case: Case) -> Plain:
    train, valid = case.given["train"], case.given["valid"]
    return [row for row in range(min(len(train), len(valid))) if (train[row] == valid[row]).all()]


def _of_training(case: Case) -> Plain:
    train, valid = case.given["train"], case.given["valid"]
    return _rows(train, np.concatenate([valid, np.flip(valid, MIRRORED)]))


SUMMARIES: tuple[Summary, ...] = (
    lambda image: int(image.sum()),
    lambda image: str(np.sort(image, None)),
    lambda image: image.sum(axis=(1, 2)).tobytes(),
    lambda image: image.sum(axis=0, dtype=int).tobytes(),
    lambda image: image[0].tobytes(),
    lambda image: image[:, 0].tobytes(),
    lambda image: str(image),
)


def _nearly(level: int, share: float) -> Callable[[Case], Plain]:
    """The rows of images of which a share of the pixels differ by at most a level."""

    def made(case: Case) -> Plain:
        train, valid = (case.given[name].astype(int) for name in ("train", "valid"))
        known = np.concatenate([train, np.flip(train, MIRRORED)])
        close = (np.abs(valid[:, None] - known[None]) <= level).mean(axis=(2, 3, 4)) >= share
        return [int(row) for row in np.flatnonzero(close.any(axis=1))]

    return made


EXERCISES = (
    Exercise(
        name="hold_out",
        lesson="02",
        title="Hold out for good",
        points=2,
        pose=_pose_hold_out,
        ask=ask_hold_out,
        form="True or False for each image, in order",
        judge=_judge_hold_out,
        misconceptions={
            "moves": "a choice by chance, by place in the list or by rank depends on the other images.",
            "the other side": "the share is the part of the images that is held out.",
            "at most": "an image whose number is the share itself is not held out: it must be smaller.",
            "undivided": "the digits give a number between 0 and 2**32: divide it before you compare it.",
            "other digits": "take the first 8 hexadecimal digits, as they are read from left to right.",
            "another hash": "you took another hash than SHA-256.",
        },
        signatures={
            "the other side": (
                _by(_number, lambda number, share: number / 2**32 >= share),
                _by(_number, lambda number, share: number / 2**32 > share),
                _by(_number, lambda number, share: number / 2**32 > 1 - share),
            ),
            "at most": _by(_number, lambda number, share: number / 2**32 <= share),
            "undivided": (
                _by(_number, lambda number, share: number < share),
                _by(lambda image: _digits(image, 0, None) / 2**32, lambda number, share: number < share),
            ),
            "other digits": (
                _by(lambda image: _digits(image, -8, None), _below), _LITTLE,
                _by(lambda image: _digits(image, 0, 4), lambda number, share: number / 2**16 < share),
                _by(lambda image: _digits(image, 0, 9), _below), _by(lambda image: _digits(image, 0, 7), _below),
                _by(lambda image: _digits(image, 0, 16), lambda number, share: number / 2**64 < share),
                _by(lambda image: _digits(image, 0, None), lambda number, share: number / 2**256 < share),
            ),
            "another hash": tuple(_by(_of_hash(name), _below) for name in ("md5", "sha1", "sha512", "blake2b")),
        },
    ),
    Exercise(
        name="find_leaks",
        lesson="02",
        title="Spot the leak",
        points=3,
        pose=_pose_leaks,
        ask=ask_find_leaks,
        form="a list of rows, sorted",
        judge=_judge_leaks,
        misconceptions={
            "mask": "a mask says of each row whether it leaks; np.flatnonzero turns it into numbers of rows.",
            "unsorted": "the rows are asked for in rising order.",
            "twice": "a row is listed once, however many training images it equals.",
            "not mirrored": "the network has seen a mirrored training image too, at the latest through augmentation.",
            "mirrored only": "those are the mirrored copies; copies as they are leak too.",
            "side by side": "the same image may stand anywhere in the training part.",
            "of training": "those are rows of the training part; the rows of the validation part are asked for.",
            "a summary": "different images can agree in a sum, a histogram, a channel or what is printed of them: "
            "compare every pixel.",
            "nearly": "images that are only nearly alike are not copies: compare every pixel exactly.",
            "upside down": "left and right are the columns, the last axis.",
            "turned": "an image upside down is another image: mirror only left and right.",
        },
        signatures={
            "not mirrored": _found(mirrored=False),
            "mirrored only": _found(plain=False),
            "side by side": _side_by_side,
            "of training": _of_training,
            "a summary": tuple(
                _found(mirrored=mirrored, summary=summary) for summary in SUMMARIES for mirrored in (False, True)
            ),
            "nearly": tuple(_nearly(level, share) for level, share in ((1, 1), (2, 1), (0, 0.95), (0, 0.9), (0, 0.99))),
            "upside down": _found(mirrored=False, flipped=True),
            "turned": _found(flipped=True),
        },
    ),
)  # fmt: skip
