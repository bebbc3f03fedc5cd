"""Exercise of lesson 04 on the optimiser: which parameters it gets, and with which weight decay."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.asking.lesson04 import ask_parameter_groups
from course.asking.networks import build, layer_number, names_of
from course.exercises.exercise import Case, Exercise, Finding

_KINDS = {
    "blocks": "blocks with normalisation", "layers": "full layers", "convolutions": "convolutions",
    "tied": "full layers, of which the first two share their weight",
}  # fmt: skip


def _pose_groups(generator: np.random.Generator) -> tuple[Case, ...]:
    """Whole layers frozen, or parts of a layer; other layers than full ones; shared weights; nothing without decay."""
    plans = (("blocks", 5, 2, ""), ("blocks", 3, 0, ""), ("blocks", 4, 3, ""), ("layers", 3, 0, "0.bias"),
             ("layers", 3, 0, "1.weight"), ("convolutions", 4, 0, ""), ("convolutions", 3, 0, "0.weight"),
             ("tied", 3, 0, ""), ("layers", 2, 0, "biases"), ("layers", 2, 0, "weights"))  # fmt: skip
    cases = []
    for number, (kind, depth, n, part) in enumerate(plans):
        width = int(generator.integers(3, 7))
        widths = [width] * (depth + 1) if kind == "tied" else generator.integers(3, 7, depth + 1).tolist()
        decay, seed = (0.01, 0.05, 0.002, 0.1)[number % 4], int(generator.integers(1000))
        names = list(names_of(build(kind, widths, seed)).values())
        frozen = [name for name in names if _is_frozen(name, n, part)]
        what = f"n={n}" if not part else f"all {part} frozen" if part.isalpha() else f"{part} frozen"
        name = f"{_KINDS[kind]} of the widths {widths}, {what}, decay {decay}"
        cases.append(Case(name, {"kind": kind, "widths": widths, "seed": seed, "frozen": frozen, "decay": decay}))
    return tuple(cases)


def _is_frozen(name: str, n: int, part: str) -> bool:
    if part in ("biases", "weights"):
        return name.endswith({"biases": "bias", "weights": "weight"}[part])
    return layer_number(name) < n or name == part


def _wanted(case: Case) -> dict[str, float]:
    """The weight decay of every parameter that is trained."""
    network = build(case.given["kind"], case.given["widths"], case.given["seed"])
    return {
        name: case.given["decay"] if parameter.ndim > 1 else 0.0
        for parameter, name in names_of(network).items()
        if name not in case.given["frozen"]
    }


def _judge_groups(case: Case, value: Any) -> Finding | None:
    wanted, frozen = _wanted(case), case.given["frozen"]
    seen = {name: group["decay"] for group in value for name in group["names"]}
    listed = [name for group in value for name in group["names"]]
    if twice := [name for name in seen if name and listed.count(name) > 1]:
        return Finding(f"the optimiser gets {twice[0]} twice.", "twice")
    if "" in seen:
        return Finding("the groups hold a tensor that is not a parameter of the network.", "copies")
    if held := [name for name in seen if name in frozen]:
        return Finding(f"{held[0]} is frozen, but the optimiser gets it.", "frozen too")
    if left := [name for name in wanted if name not in seen]:
        return Finding(f"{left[0]} is to be trained, but the optimiser does not get it.", _why_left(left, case))
    for name, decay in wanted.items():
        if abs(seen[name] - decay) > 1e-9:
            return Finding(f"{name} has the weight decay {seen[name]} instead of {decay}.", _why_decay(seen, case))
    return _judge_form(case, value)


def _judge_form(case: Case, value: Any) -> Finding | None:
    """Whether there are two groups, one with the decay and one with 0, in either order."""
    decays = sorted(float(group["decay"]) for group in value)
    if decays != sorted((0.0, float(case.given["decay"]))):
        count = "1 group" if len(decays) == 1 else f"{len(decays)} groups"
        listed = ", ".join(f"{decay:g}" for decay in decays)
        return Finding(f"there {'is' if len(decays) == 1 else 'are'} {count}, with the weight decay {listed}.", "two")
    return None


def _why_left(left: list[str], case: Case) -> str:
    partly = {layer_number(name) for name in case.given["frozen"]}
    return "in part" if partly and {layer_number(name) for name in left} <= partly else "left out"


def _why_decay(seen: Mapping[str, float], case: Case) -> str:
    """Judged by all parameters: which of them are decayed."""
    network = build(case.given["kind"], case.given["widths"], case.given["seed"])
    dimensions = {name: parameter.ndim for parameter, name in names_of(network).items() if name in seen}
    decayed = {name for name, decay in seen.items() if decay}
    if any(seen[name] != case.given["decay"] for name in decayed):
        return ""
    rules = {
        "the other way": {name for name in seen if dimensions[name] < 2},
        "none decayed": set(),
        "all decayed": set(seen),
        "by name": {name for name in seen if name.endswith("weight")},
        "two exactly": {name for name in seen if dimensions[name] == 2},
    }
    return next((key for key, names in rules.items() if names == decayed), "")


EXERCISES = (
    Exercise(
        name="parameter_groups",
        lesson="04",
        title="What the optimiser gets",
        points=2,
        pose=_pose_groups,
        ask=ask_parameter_groups,
        form='a list of two dictionaries with the keys "params" and "weight_decay"',
        judge=_judge_groups,
        misconceptions={
            "twice": "the optimiser would step twice: a parameter that two layers share is one parameter.",
            "frozen too": "a frozen tensor in an optimiser is one careless gradient away from moving.",
            "left out": "a parameter in no group silently stays as it was initialised.",
            "in part": "a layer may be frozen in part: ask each parameter by itself.",
            "copies": "the optimiser has to hold the network's own parameters, or the network never learns.",
            "the other way": "weights have weight decay; biases and normalisation have none.",
            "all decayed": "biases and normalisation should have no weight decay.",
            "none decayed": "the weights should have weight decay.",
            "by name": "the scale of a normalisation is called `weight` too: count its dimensions.",
            "two exactly": "the weights of a convolution have four dimensions: two or more are decayed.",
            "two": "two groups are asked for, one with the decay and one with 0, even if one of them is empty.",
        },
    ),
)
