"""Exercise of lesson 04 on freezing: which tensors stay."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from course.asking.lesson04 import ask_freeze
from course.asking.networks import build_blocks, layer_number, settings_of, state_of
from course.exercises.difference import difference
from course.exercises.exercise import Case, Exercise, Finding
from course.exercises.training import batch_for, copy_of_state, pose_blocks, train_step

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def _pose_freeze(generator: np.random.Generator) -> tuple[Case, ...]:
    return pose_blocks(generator, ((5, 3), (5, 1), (4, 3), (5, 2), (3, 0), (2, 1), (12, 2), (12, 11)))


def _judge_freeze(case: Case, value: Any) -> Finding | None:
    """Set a network of the judge's own as the answer's is set, and train it."""
    network = build_blocks(case.given["widths"], case.given["seed"])
    right = {name: tensor.detach().numpy() for name, tensor in state_of(network).items()}
    state, hooked = value["state"], value["hooked"]
    if lacking := [name for name in right if name not in state]:
        return Finding(f"the network that came back has no {lacking[0]}.", _why_lacking(state, case))
    if changed := [name for name in {**right, **state} if _differs(right, state, name)]:
        return Finding(f"{changed[0]} was changed before any training.", "changed")
    if not value["same"]:
        return Finding("another network came back, and the one that was given is not frozen.", "copy")
    if modules := [name for name in hooked if name not in right]:
        return Finding(f"a hook hangs on the module '{modules[0].rstrip('.')}': freeze by requires_grad_ and eval.")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in value["needs gradient"])
    for name, module in network.named_modules():
        module.training = f"{name}." in value["in training"]
    if found := _set(network, value["settings"]):
        return found
    return _judge_training(network, case, hooked)


def _differs(right: Mapping[str, np.ndarray], state: Mapping[str, Any], name: str) -> bool:
    return name not in right or bool(difference(right[name], state.get(name), 0))


def _why_lacking(state: Mapping[str, Any], case: Case) -> str:
    left = {layer_number(name) for name in state if name[:1].isdigit()}
    return "only a part" if left == set(range(case.given["n"])) else ""


def _set(network: nn.Module, settings: Mapping[str, Any]) -> Finding | None:
    """Set the normalisations likewise. Finds one that is in training mode and no longer set as it was."""
    for place, before in settings_of(network).items():
        norm = network.get_submodule(place.rstrip("."))
        for name, held in dict(before).items():  # type: ignore[arg-type]
            if settings[place][name] == held:
                continue
            if norm.training or name == "eps":
                where = place.rstrip(".")
                seen = f"{name} of the normalisation {where} is {settings[place][name]} instead of {held}"
                return Finding(f"{seen}{', and it is in training mode' if norm.training else ''}.", "switched off")
            setattr(norm, name, settings[place][name])
    return None


def _judge_training(network: nn.Module, case: Case, zeroed: Collection[str]) -> Finding | None:
    n, before = case.given["n"], copy_of_state(network)
    try:
        for _ in range(2):
            train_step(network, batch_for(case.given["widths"], case.given["seed"]), zeroed)
    except RuntimeError:
        return Finding("nothing is left to train: no parameter needs a gradient.", "head")
    after = copy_of_state(network)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    stray = [name for name in before if layer_number(name) < n and name in moved]
    stuck = [name for name in before if layer_number(name) >= n and name not in moved]
    if not stray and not stuck:
        return None
    seen = "; ".join(
        f"{'1 tensor' if len(faulty) == 1 else f'{len(faulty)} tensors'} {what}, for instance {faulty[0]}"
        for faulty, what in ((stray, "of the frozen layers moved"), (stuck, "above them never moved"))
        if faulty
    )
    return Finding(f"in two steps of training, {seen}.", _why(stray, stuck, case, zeroed))


def _layers(names: Iterable[str]) -> set[int]:
    return {layer_number(name) for name in names}


def _why(stray: list[str], stuck: list[str], case: Case, zeroed: Collection[str]) -> str:
    n, depth = case.given["n"], len(case.given["widths"]) - 1
    if stray and all(name.endswith(_STATISTICS) for name in stray):
        return "moving statistics" if not stuck else ""
    if stray and stuck:
        last = set(range(depth - n, depth))
        return "from the end" if _layers(stuck) <= last and _layers(stray) <= set(range(n)) - last else ""
    if stray:
        return _why_stray(stray, case, zeroed)
    if all(name.endswith(_STATISTICS) for name in stuck):
        return "all in evaluation"
    if _layers(stuck) == {n}:
        return "off by one" if n < depth - 1 else "head"
    if depth > 10 and _layers(stuck) <= {10, 11} and n < 10:
        return "by the beginning"
    return "head" if depth - 1 in _layers(stuck) else ""


def _why_stray(stray: list[str], case: Case, zeroed: Collection[str]) -> str:
    """Why tensors of frozen layers moved, other than statistics alone."""
    n, network = case.given["n"], build_blocks(case.given["widths"], case.given["seed"])
    frozen = {name for name in state_of(network) if layer_number(name) < n}
    trained = {name for name in frozen if not name.endswith(_STATISTICS)}
    if set(stray) <= set(zeroed):
        return "decay"
    if set(stray) == trained:
        return "trained"
    if _layers(stray) == {n - 1} and n > 1:
        return "off by one"
    return "not all" if trained - set(stray) else ""


EXERCISES = (
    Exercise(
        name="freeze",
        lesson="04",
        title="Freeze the first layers",
        points=3,
        pose=_pose_freeze,
        ask=ask_freeze,
        form="the network itself",
        judge=_judge_freeze,
        misconceptions={
            "moving statistics": "even without gradients, BatchNorm in training mode updates its running statistics.",
            "switched off": "a normalisation that keeps no statistics goes by the batch, and is not what it was: "
            "eval() keeps them.",
            "decay": "the gradient is zero, but the optimiser still has the weights, and weight decay shrinks them.",
            "trained": "eval() keeps the statistics, and no more: parameters stay by requires_grad_(False).",
            "not all": "all that is in the first n layers has to stay: weights, biases, scale and shift of each.",
            "head": "you froze the last layer too, which has to learn the new classes.",
            "off by one": "freeze n layers: the indices 0 to n - 1.",
            "from the end": "you froze the last n layers; the copied ones are next to the input.",
            "by the beginning": "'10.weight' begins with '1' but belongs to layer 10: compare up to the dot.",
            "all in evaluation": "put only the frozen layers into evaluation mode: those above learn.",
            "changed": "freezing keeps a layer as it is: its weights and its statistics.",
            "copy": "freeze `network` itself, in place: a copy leaves the one that is trained as it was.",
            "only a part": "a slice is a part of the network: return the whole of it.",
        },
    ),
)
