"""Exercises of lesson 04 on freezing: which tensors stay, and what the optimiser gets."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from course.asking.lesson04 import ask_freeze, ask_parameter_groups
from course.asking.networks import build_blocks, layer_number, state_of
from course.exercises.difference import difference
from course.exercises.exercise import Case, Exercise, Finding
from course.exercises.training import batch_for, copy_of_state, pose_blocks, train_step

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def _pose_freeze(generator: np.random.Generator) -> tuple[Case, ...]:
    return pose_blocks(generator, ((5, 1), (4, 3), (5, 2), (3, 0), (2, 1)))


def _only_shrunk(before: torch.Tensor, after: torch.Tensor) -> bool:
    ratios = (after / before).flatten()
    return bool(torch.allclose(ratios, ratios[0].expand_as(ratios), rtol=1e-3)) and 0 < float(ratios[0]) < 1


def _judge_freeze(case: Case, value: Any) -> Finding | None:
    """Set a network of the judge's own as the answer's is set."""
    network = build_blocks(case.given["widths"], case.given["seed"])
    right = {name: tensor.detach().numpy() for name, tensor in state_of(network).items()}
    state, hooked = value["state"], value["hooked"]
    if changed := [name for name in {**right, **state} if _differs(right, state, name)]:
        return Finding(f"{changed[0]} was changed before any training.")
    if modules := [name for name in hooked if name not in right]:
        return Finding(f"a hook hangs on the module '{modules[0].rstrip('.')}': freeze by requires_grad_ and eval.")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in value["needs gradient"])
    for name, module in network.named_modules():
        module.training = f"{name}." in value["in training"]
    return _judge_training(network, case, hooked)


def _differs(right: Mapping[str, np.ndarray], state: Mapping[str, Any], name: str) -> bool:
    return name not in right or bool(difference(right[name], state.get(name), 0))


def _judge_training(network: nn.Module, case: Case, zeroed: Collection[str]) -> Finding | None:
    n, before = case.given["n"], copy_of_state(network)
    try:
        for _ in range(2):
            train_step(network, batch_for(case.given["widths"], case.given["seed"]), zeroed)
    except RuntimeError as problem:
        return Finding(f"nothing is left to train: {problem}", "head")
    after = copy_of_state(network)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    shrunk = [name for name in moved if name.endswith("weight") and _only_shrunk(before[name], after[name])]
    stray = [name for name in before if layer_number(name) < n and name in moved]
    stuck = [name for name in before if layer_number(name) >= n and name not in moved]
    if not stray and not stuck:
        return None
    seen = "; ".join(
        f"{len(faulty)} tensors {what}, for instance {faulty[0]}"
        for faulty, what in ((stray, "of the frozen layers moved"), (stuck, "above them never moved"))
        if faulty
    )
    return Finding(f"in two steps of training, {seen}.", _why(stray, stuck, case, shrunk))


def _why(stray: list[str], stuck: list[str], case: Case, shrunk: list[str]) -> str:
    n, head = case.given["n"], len(case.given["widths"]) - 2
    if stray and stuck:
        return "from the end" if all(layer_number(name) >= head + 1 - n for name in stuck) else ""
    if stray:
        if all(name.endswith(_STATISTICS) for name in stray):
            return "moving statistics"
        weights = [name for name in stray if name.endswith("weight")]
        return "decay" if weights and set(weights) <= set(shrunk) else ""
    if all(name.endswith(_STATISTICS) for name in stuck):
        return "all in evaluation"
    layers = {layer_number(name) for name in stuck}
    return "head" if head in layers else "off by one" if layers == {n} else ""


def _pose_groups(generator: np.random.Generator) -> tuple[Case, ...]:
    decays = (0.01, 0.05, 0.002)
    posed = pose_blocks(generator, ((5, 2), (3, 0), (4, 3)))
    return tuple(
        Case(f"{case.name}, decay {decay}", {**case.given, "decay": decay})
        for case, decay in zip(posed, decays, strict=True)
    )


def _judge_groups(case: Case, value: Any) -> Finding | None:
    network = build_blocks(case.given["widths"], case.given["seed"])
    wanted = {
        name: case.given["decay"] if parameter.ndim > 1 else 0.0
        for name, parameter in network.named_parameters()
        if layer_number(name) >= case.given["n"]
    }
    seen = {name: group["decay"] for group in value for name in group["names"]}
    listed = [name for group in value for name in group["names"]]
    if twice := [name for name in wanted if listed.count(name) > 1]:
        return Finding(f"the optimiser gets {twice[0]} twice.")
    if "" in seen:
        return Finding("the groups hold a tensor that is not a parameter of the network.", "copies")
    if frozen := [name for name in seen if name not in wanted]:
        return Finding(f"{frozen[0]} is frozen, but the optimiser gets it.", "frozen too")
    if left := [name for name in wanted if name not in seen]:
        return Finding(f"{left[0]} is to be trained, but the optimiser does not get it.", "left out")
    for name, decay in wanted.items():
        if abs(seen[name] - decay) > 1e-9:
            return Finding(f"{name} has the weight decay {seen[name]} instead of {decay}.", _why_decay(seen, wanted))
    return None


def _why_decay(seen: dict[str, float], wanted: dict[str, float]) -> str:
    decayed = sum(map(bool, seen.values()))
    if decayed in (0, len(seen)):
        return "all decayed" if decayed else "none decayed"
    return "by name" if decayed > sum(map(bool, wanted.values())) else ""


EXERCISES = (
    Exercise(
        name="freeze",
        lesson="04",
        title="Freeze the first layers",
        points=3,
        pose=_pose_freeze,
        ask=ask_freeze,
        judge=_judge_freeze,
        misconceptions={
            "moving statistics": "even without gradients, BatchNorm in training mode updates its running statistics.",
            "decay": "the gradient is zero, but the optimiser still has the weights, and weight decay shrinks them.",
            "head": "you froze the last layer too, which has to learn the new classes.",
            "off by one": "freeze n layers: the indices 0 to n - 1.",
            "from the end": "you froze the last n layers; the copied ones are next to the input.",
            "all in evaluation": "put only the frozen layers into evaluation mode: those above learn.",
        },
    ),
    Exercise(
        name="parameter_groups",
        lesson="04",
        title="What the optimiser gets",
        points=2,
        pose=_pose_groups,
        ask=ask_parameter_groups,
        judge=_judge_groups,
        misconceptions={
            "frozen too": "a frozen tensor in an optimiser is one careless gradient away from moving.",
            "left out": "a parameter in no group silently stays as it was initialised.",
            "copies": "the optimiser has to hold the network's own parameters, or the network never learns.",
            "all decayed": "biases and normalisation should have no weight decay.",
            "none decayed": "the weights should have weight decay.",
            "by name": "the scale of a normalisation is called `weight` too: count its dimensions.",
        },
    ),
)
