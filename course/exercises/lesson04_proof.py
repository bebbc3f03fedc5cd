"""Exercises of lesson 04 on proof: the freeze audit, and the bug in a network that only seems frozen."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.asking.lesson04 import ask_audit, ask_find_bug
from course.asking.networks import build_blocks, layer_number
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, Finding
from course.exercises.training import batch_for, copy_of_state, pose_blocks, train_step

BUGS = ("none", "statistics", "decay", "head")
STEPS = 5  # of each training that an answer may watch


def _pose_audit(generator: np.random.Generator) -> tuple[Case, ...]:
    """State dicts of layers 1 to 11, the first n frozen; in one frozen layer all tensors move, the bias by one bit."""
    cases = []
    for n, leaky, stuck in ((3, "", 0), (4, "layer2", 0), (2, "layer1", 1), (2, "", 2), (1, "layer1", 0), (0, "", 1)):
        before = _states(generator)
        frozen = [f"layer{number}" for number in range(1, n + 1)]
        trained = [name for name in before if name.split(".")[0] not in frozen]
        still = generator.choice(trained, stuck, replace=False).tolist()
        moved = [name for name in before if name.split(".")[0] == leaky]
        after = {name: array.copy() for name, array in before.items()}
        for name in [*moved, *(name for name in trained if name not in still)]:
            after[name] += 0.5
        if leaky:
            after[f"{leaky}.bias"] = np.nextafter(before[f"{leaky}.bias"], np.float32(9))
        given, truth = {"before": before, "after": after, "frozen": frozen}, {"moved": moved, "still": still}
        leak = f"{leaky} moved" if leaky else "none of them moved"
        cases.append(Case(f"{n} of 11 layers frozen, {leak}, {stuck} tensors above stuck", given, truth))
    return tuple(cases)


def _states(generator: np.random.Generator) -> dict[str, np.ndarray]:
    kinds = ("weight", "bias", "running_mean")
    states = {f"layer{number}.{kind}": generator.normal(1, 0.1, 6) for number in range(1, 12) for kind in kinds}
    states = {name: array.astype(np.float32) for name, array in states.items()}
    states["layer3.bias"][0] = np.nan  # does not equal itself, and yet does not move
    return states


def _judge_audit(case: Case, value: Any) -> Finding | None:
    moved, still = case.truth["moved"], case.truth["still"]
    missed = sorted({*moved, *still} - set(value))
    false = sorted(set(value) - {*moved, *still})
    if false:
        return Finding(f"{false[0]} is reported, but behaved as it should.", _why_false(false, case))
    if not missed:
        return None
    return Finding(f"{missed[0]} is not reported.", _why_missed(missed, case))


def _why_false(false: list[str], case: Case) -> str:
    if false == ["layer3.bias"]:
        return "not a number"
    layers = {name.split(".")[0] for name in false}
    if "layer1" in case.given["frozen"] and layers <= {"layer10", "layer11"}:
        return "by the beginning"
    return "the other way" if len(false) > 3 else ""


def _why_missed(missed: list[str], case: Case) -> str:
    if set(missed) <= set(case.truth["still"]):
        return "frozen only"
    if all(name.endswith("running_mean") for name in missed):
        return "no buffers"
    return "tolerant" if all(name.endswith("bias") for name in missed) else ""


def _pose_bug(generator: np.random.Generator) -> tuple[Case, ...]:
    bugs = [*generator.permutation(BUGS).tolist(), *generator.permutation(BUGS).tolist()]
    posed = pose_blocks(generator, ((4, 2), (5, 1), (3, 1), (4, 1), (5, 3), (4, 2), (3, 1), (5, 2)))
    return tuple(
        Case(f"network {place} ({case.name})", {**case.given, "states": _record(case.given, bug)}, {"bug": bug})
        for place, (case, bug) in enumerate(zip(posed, bugs, strict=True), 1)
    )


def _record(given: Mapping[str, Any], bug: str) -> list[Plain]:
    """The states of a network after each step of a training that should leave the first n layers alone, with a bug.

    They are recorded here because a step that trains in the answer's own process would have to hold its bug.
    """
    network, n = build_blocks(given["widths"], given["seed"]), given["n"]
    batch = batch_for(given["widths"], given["seed"])
    below = [name for name, _ in network.named_parameters() if layer_number(name) < n]
    for name in below:
        network.get_parameter(name).requires_grad_(bug == "decay")
    if bug == "head":
        network[-1].requires_grad_(False)
    if bug != "statistics":
        network[:n].eval()
    states: list[Plain] = []
    for _ in range(STEPS):
        train_step(network, batch, zeroed=below)
        states.append({name: tensor.numpy() for name, tensor in copy_of_state(network).items()})
    return states


def _judge_bug(case: Case, value: Any) -> Finding | None:
    bug = case.truth["bug"]
    if value == bug:
        return None
    if value not in BUGS:
        return Finding(f"'{value}' is none of {', '.join(BUGS)}.")
    misconceptions = {
        ("statistics", "none"): "no buffers",
        ("decay", "none"): "no gradient, no move",
        ("head", "none"): "frozen only",
    }
    likely = "the same tensors" if value == "head" else "false alarm" if bug == "none" else ""
    return Finding(f"'{value}' instead of '{bug}'.", misconceptions.get((bug, value), likely))


EXERCISES = (
    Exercise(
        name="audit",
        lesson="04",
        title="The freeze audit",
        points=3,
        pose=_pose_audit,
        ask=ask_audit,
        judge=_judge_audit,
        misconceptions={
            "frozen only": "a tensor that should learn and never moved is a fault too, such as a frozen head.",
            "no buffers": "running statistics are not parameters, but they too decide what a layer computes.",
            "tolerant": "you compared with a tolerance; a frozen tensor does not change by a single bit.",
            "by the beginning": "'layer10' begins with 'layer1' but is another layer: compare up to the dot.",
            "not a number": "a NaN does not equal itself: compare bytes, or treat NaNs as equal.",
            "the other way": "you reported what moved where it should, or what stayed where it should.",
        },
    ),
    Exercise(
        name="find_bug",
        lesson="04",
        title="Find the bug",
        points=4,
        pose=_pose_bug,
        ask=ask_find_bug,
        judge=_judge_bug,
        misconceptions={
            "no buffers": "you looked only at parameters; the state dict holds the running statistics too.",
            "no gradient, no move": "weight decay moves a weight even without a gradient: compare the values.",
            "frozen only": "look above the chop as well: what should learn must move.",
            "the same tensors": "`state_dict()` holds the tensors themselves, which change in place: clone them first.",
            "false alarm": "that network is frozen as it should be.",
        },
    ),
)
