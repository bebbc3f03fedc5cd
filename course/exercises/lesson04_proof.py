"""Exercise of lesson 04 on proof: the freeze audit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from course.asking.lesson04 import ask_audit
from course.asking.plain import Plain
from course.exercises.exercise import Answer, Case, Exercise, Finding

Array = np.ndarray
Inside = Callable[[str, Sequence[str]], bool]
# What may happen to a tensor: in words, and how.
CHANGES: Mapping[str, tuple[str, Callable[[Array], Array]]] = {
    "all": ("moved", lambda array: array + array.dtype.type(1)),
    "in part": ("moved in one element", lambda array: _with_first(array, array.flat[0] + 1)),
    "one bit": (
        "moved by one bit",
        lambda array: _with_first(array, np.nextafter(array.flat[0], array.dtype.type(99))),
    ),
    "sign": ("moved: a 0.0 became a -0.0", lambda array: np.where(array == 0, -array, array)),
    "swap": ("moved: two elements changed places", lambda array: array[..., ::-1].copy()),
    "other NaN": ("moved: the bits of its NaN changed", lambda array: _with_other_nan(array)),
}
# Frozen layers, frozen tensors and what happened to them, other tensors and what happened to them if it is unusual.
PLANS: tuple[tuple[tuple[int, ...], Mapping[str, str], Mapping[str, str]], ...] = (
    ((1, 2, 3), {}, {}),
    ((1, 2, 3, 4), {"2.weight": "all", "2.bias": "one bit", "2.running_mean": "in part"}, {}),
    ((1, 2), {"1.weight": "one bit"}, {"7.running_mean": ""}),
    ((1, 2), {}, {"11.weight": "", "11.bias": "", "10.num_batches_tracked": ""}),
    ((1,), {"1.bias": "sign"}, {"5.bias": "sign", "3.bias": ""}),
    ((), {}, {"1.weight": "", "8.weight": "in part"}),
    ((3, 2), {"3.bias": "other NaN"}, {"6.weight": "swap"}),
    ((10,), {"10.weight": "swap"}, {"1.weight": "", "1.bias": "in part"}),
    ((4, 1), {"4.scale": "one bit", "4.num_batches_tracked": "all"},
     {"6.num_batches_tracked": "", "7.scale": "one bit"}),
    (tuple(range(1, 12)), {}, {}),
    ((3,), {"3.bias": "one bit"}, {"2.scale": "", "9.running_mean": "one bit"}),
)  # fmt: skip


def _with_first(array: Array, value: Any) -> Array:
    changed = array.copy()
    changed.flat[0] = value
    return changed


def _with_other_nan(array: Array) -> Array:
    bits = array.copy().view(np.uint32)
    bits[np.isnan(array)] ^= 1
    return bits.view(np.float32)


def _pose_audit(generator: np.random.Generator) -> tuple[Case, ...]:
    """State dicts of layers 1 to 11, of several types; what is not frozen moves in whole or in part, but for some."""
    return tuple(_audit_case(generator, *plan) for plan in PLANS)


def _audit_case(
    generator: np.random.Generator, layers: Sequence[int], of_frozen: Mapping[str, str], of_others: Mapping[str, str]
) -> Case:
    before, frozen = _states(generator), [f"layer{number}" for number in layers]
    what = {f"layer{name}": change for name, change in (*of_frozen.items(), *of_others.items())}
    free = [name for name in before if name.split(".")[0] not in frozen]
    usual = {name: str(generator.choice(["all", "in part"])) for name in free}
    changes = {name: change for name, change in {**usual, **what}.items() if change}
    after = {name: array.copy() for name, array in before.items()}
    for name, change in changes.items():
        after[name] = np.asarray(CHANGES[change][1](before[name]))  # a sum of no dimensions would be a number
    told = f"{', '.join(frozen) or 'none'} of 11 layers frozen"
    truth = {"faults": sorted([name for name in changes if name not in free] + [n for n in free if n not in changes])}
    given = {"before": before, "after": after, "frozen": frozen}
    return Case(told if len(frozen) < 11 else "all 11 layers frozen", given, {**truth, "changes": changes})


def _states(generator: np.random.Generator) -> dict[str, Array]:
    states: dict[str, Array] = {}
    for number in range(1, 12):
        layer = f"layer{number}"
        states[f"{layer}.weight"] = generator.normal(1, 0.1, (2, 3)).astype(np.float32)
        states[f"{layer}.bias"] = generator.normal(1, 0.1, 4).astype(np.float32)
        states[f"{layer}.bias"][1] = 0.0
        states[f"{layer}.running_mean"] = generator.normal(1, 0.1, 4).astype(np.float32)
        states[f"{layer}.num_batches_tracked"] = np.array(int(generator.integers(10, 90)))
        states[f"{layer}.scale"] = generator.normal(1, 0.1, 3)
    states["layer3.bias"][2] = np.nan  # does not equal itself, and yet does not move
    return states


def _judge_audit(case: Case, value: Any) -> Finding | None:
    faults, changes = case.truth["faults"], case.truth["changes"]
    for name in sorted({*faults} - {*value}):
        happened = f"is frozen and {CHANGES[changes[name]][0]}" if name in changes else "is not frozen and did not move"
        return Finding(f"{name} is not reported, though it {happened}.")
    for name in sorted({*value} - {*faults}):
        if name not in case.given["before"]:
            return Finding(f"'{name}' is reported, which is not the name of a tensor.")
        happened = f"is not frozen and {CHANGES[changes[name]][0]}" if name in changes else "is frozen and did not move"
        return Finding(f"{name} is reported, but it {happened}.")
    return None


def _same_bits(one: Array, other: Array) -> bool:
    return one.tobytes() == other.tobytes()


def _by_layer(name: str, frozen: Sequence[str]) -> bool:
    return name.split(".")[0] in frozen


def _audited(
    same: Callable[[Array, Array], bool] = _same_bits,
    inside: Inside = _by_layer,
    kept: Callable[[str, Mapping[str, Any]], bool] = lambda name, given: True,
) -> Answer:
    """What an audit reports that compares, finds layers, or looks at tensors in another way."""

    def made(case: Case) -> Plain:
        before, after, frozen = (case.given[name] for name in ("before", "after", "frozen"))
        faults = [n for n in before if same(before[n], after[n]) != inside(n, frozen)]
        return sorted(name for name in faults if kept(name, case.given))

    return made


def _moved(wanted: bool) -> Answer:
    def made(case: Case) -> Plain:
        before, after = case.given["before"], case.given["after"]
        return sorted(name for name in before if _same_bits(before[name], after[name]) != wanted)

    return made


def _audited_strictly(case: Case) -> Plain:
    """What an audit reports that asks every element of a tensor to move if it is not frozen, and none if it is."""
    before, after, frozen = (case.given[name] for name in ("before", "after", "frozen"))
    stray = [n for n in before if _by_layer(n, frozen) and not _same_bits(before[n], after[n])]
    return sorted([*stray, *(n for n in before if not _by_layer(n, frozen) and (before[n] == after[n]).any())])


def _complement(case: Case) -> Plain:
    return sorted({*case.given["before"]} - {*case.truth["faults"]})


def _of_layers(case: Case) -> Plain:
    return sorted({name.split(".")[0] for name in case.truth["faults"]})


def _close(one: Array, other: Array) -> bool:
    return bool(np.allclose(one, other, equal_nan=True))


def _equal(one: Array, other: Array) -> bool:
    return bool(np.array_equal(one, other))


def _equal_with_nan(one: Array, other: Array) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


EXERCISES = (
    Exercise(
        name="audit",
        lesson="04",
        title="The freeze audit",
        points=3,
        pose=_pose_audit,
        ask=ask_audit,
        form="a list of names",
        judge=_judge_audit,
        misconceptions={
            "frozen only": "a tensor that should learn and never moved is a fault too, such as a frozen head.",
            "others only": "a frozen tensor that moved is a fault too.",
            "no buffers": "running statistics and counts are no parameters, but they too decide what a layer does.",
            "tolerant": "you compared with a tolerance; a frozen tensor does not change by a single bit.",
            "not a number": "a NaN does not equal itself: compare bytes.",
            "values": "0.0 equals -0.0, and to some comparisons any NaN equals any other: compare bytes, not values.",
            "another type": "turned into another type, tensors lose bits: compare each in its own.",
            "in part": "a tensor has moved if any of its elements has.",
            "every element": "it is enough that one element of a tensor moves.",
            "by the beginning": "'layer10' begins with 'layer1' but is another layer: compare up to the dot.",
            "the other way": "you reported what moved where it should, or what stayed where it should.",
            "what moved": "some tensors are to move and others to stay: compare what happened with what should.",
            "layers": "the names of tensors are asked for, not those of layers.",
        },
        signatures={
            "frozen only": _audited(kept=lambda name, given: _by_layer(name, given["frozen"])),
            "others only": _audited(kept=lambda name, given: not _by_layer(name, given["frozen"])),
            "no buffers": (
                _audited(kept=lambda name, given: "running" not in name),
                _audited(kept=lambda name, given: "num_batches" not in name),
                _audited(kept=lambda name, given: "running" not in name and "num_batches" not in name),
                _audited(kept=lambda name, given: name.endswith(("weight", "bias"))),
            ),
            "tolerant": (
                _audited(_close), _audited(lambda one, other: bool(np.allclose(one, other))),
                _audited(lambda one, other: str(one) == str(other)),
            ),
            "not a number": (_audited(_equal), _audited(lambda one, other: one.tolist() == other.tolist())),
            "values": _audited(_equal_with_nan),
            "another type": (
                _audited(lambda one, other: _same_bits(one.astype(np.float32), other.astype(np.float32))),
                _audited(lambda one, other: _same_bits(one.astype(np.float16), other.astype(np.float16))),
            ),
            "in part": _audited(lambda one, other: not bool((one != other).all())),
            "every element": _audited_strictly,
            "by the beginning": (
                _audited(inside=lambda name, frozen: name.startswith(tuple(frozen))),
                _audited(inside=lambda name, frozen: name.split(".")[0] in ",".join(frozen)),
                _audited(inside=lambda name, frozen: name[:6] in frozen),
            ),
            "the other way": _complement,
            "what moved": (_moved(True), _moved(False)),
            "layers": _of_layers,
        },
    ),
)  # fmt: skip
