"""Exercise of lesson 04 on proof: the bug in a network that only seems frozen."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from course.asking.lesson04 import ask_find_bug
from course.asking.networks import build_blocks, layer_number
from course.asking.plain import Plain
from course.exercises.exercise import Answer, Case, Exercise, Finding
from course.exercises.training import DECAY, RATE, batch_for, copy_of_state, pose_blocks, train_step

BUGS = ("none", "statistics", "decay", "head")
STEPS = 5  # of each training that an answer may watch
SMALL = (0.01, 5e-4)  # rate and weight decay of which a weight moves by 5 millionths in a step
WEIGHTS = "weights"  # and no biases, scales and shifts, as those are often left without decay
# Layers, n, bug, the only layer that has it ("" for all that may), and whether rate and decay are small.
PLANS: tuple[tuple[int, int, str, str, bool], ...] = (
    (5, 3, "decay", "0", False), (4, 3, "decay", "2", False), (5, 3, "statistics", "0", False),
    (4, 3, "statistics", "2", False), (4, 2, "decay", "", True), (12, 2, "none", "", False),
    (12, 3, "decay", "1", True), (4, 2, "decay", WEIGHTS, False), (12, 9, "head", "", False),
)  # fmt: skip


def _pose_bug(generator: np.random.Generator) -> tuple[Case, ...]:
    bugs = [*generator.permutation(BUGS).tolist(), *generator.permutation(BUGS).tolist()]
    depths = ((4, 2), (5, 1), (3, 1), (4, 1), (5, 3), (4, 2), (3, 1), (5, 2))
    plans = [(*depth, bug, "", False) for depth, bug in zip(depths, bugs, strict=True)] + list(PLANS)
    posed = pose_blocks(generator, tuple((plan[0], plan[1]) for plan in plans))
    return tuple(
        Case(
            f"network {place} ({case.name})",
            {**case.given, "states": list(_recorded(case.given, bug, only, small))},
            {"bug": bug, "only": only, "small": small},
        )
        for place, (case, (_, _, bug, only, small)) in enumerate(zip(posed, plans, strict=True), 1)
    )


def _recorded(given: Mapping[str, Any], bug: str, only: str, small: bool) -> tuple[Plain, ...]:
    return _record(tuple(given["widths"]), given["n"], given["seed"], bug, only, small)


@lru_cache(128)  # the same seed poses the same trainings again
def _record(widths: tuple[int, ...], n: int, seed: int, bug: str, only: str, small: bool) -> tuple[Plain, ...]:
    """The states of a network after each step of a training that should leave the first n layers alone, with a bug.

    They are recorded here because a step that trains in the answer's own process would have to hold its bug.
    """
    network, batch = build_blocks([*widths], seed), batch_for([*widths], seed)
    rate, decay = SMALL if small else (RATE, DECAY)
    below = [name for name, _ in network.named_parameters() if layer_number(name) < n]
    for name in below:
        parameter = network.get_parameter(name)
        moves = parameter.ndim > 1 if only == WEIGHTS else name.startswith(f"{only}." if only else "")
        parameter.requires_grad_(bug == "decay" and moves)
    if bug == "head":
        network[-1].requires_grad_(False)
    network[:n].eval()
    if bug == "statistics":
        (network[int(only)] if only else network[:n]).train()
    states: list[Plain] = []
    for _ in range(STEPS):
        train_step(network, batch, zeroed=below, rate=rate, decay=decay)
        states.append({name: tensor.numpy() for name, tensor in copy_of_state(network).items()})
    return tuple(states)


def _judge_bug(case: Case, value: Any) -> Finding | None:
    bug = case.truth["bug"]
    if value == bug:
        return None
    if value not in BUGS:
        return Finding(f"'{value}' is none of {', '.join(BUGS)}.")
    only = case.truth["only"]
    where = f" of layer {only} alone" if only.isdigit() else ""
    happened = {
        "none": "it is frozen as it should be, and its head learns",
        "statistics": f"the running statistics{where} moved" if where else "running statistics of frozen layers moved",
        "decay": f"the frozen weights{where} moved" if where else "frozen weights moved",
        "head": "the last layer never moved",
    }
    small = ", by a few millionths" if case.truth["small"] and bug == "decay" else ""
    return Finding(f"'{value}' instead of '{bug}': {happened[bug]}{small}.")


def _missing(bug: str, **where: object) -> Answer:
    """The answer if this bug is not seen (where the truth holds `where`), and the network seems right."""
    return lambda case: "none" if case.truth["bug"] == bug and _has(case, where) else case.truth["bug"]


def _has(case: Case, where: Mapping[str, object]) -> bool:
    return all(case.truth[name] == value for name, value in where.items())


def _only_layer(last: bool) -> Answer:
    """The answer if only the first or only the last of the frozen layers is looked at."""

    def made(case: Case) -> Plain:
        bug, only, n = case.truth["bug"], case.truth["only"], case.given["n"]
        seen = not only.isdigit() or int(only) == (n - 1 if last else 0)
        return bug if seen else "none"

    return made


EXERCISES = (
    Exercise(
        name="find_bug",
        lesson="04",
        title="Find the bug",
        points=4,
        pose=_pose_bug,
        ask=ask_find_bug,
        form="one of the four words",
        judge=_judge_bug,
        misconceptions={
            "no buffers": "you looked only at parameters; the state dict holds the running statistics too.",
            "no gradient, no move": "weight decay moves a weight even without a gradient: compare the values.",
            "tolerant": "a frozen weight does not move by a single bit, and a small weight decay moves it by little.",
            "some layers": "look at all of the first n layers: any of them may move.",
            "frozen only": "look above the chop as well: what should learn must move.",
            "the same tensors": "nothing seems to move if each tensor is compared with itself: `state_dict()` holds "
            "the tensors themselves, so clone them before the step.",
        },
        signatures={
            "no buffers": _missing("statistics"),
            "no gradient, no move": _missing("decay"),
            "tolerant": (_missing("decay", small=True), _missing("decay", small=True, only="")),
            "some layers": (_only_layer(False), _only_layer(True)),
            "frozen only": _missing("head"),
            "the same tensors": lambda case: "head",
        },
    ),
)
