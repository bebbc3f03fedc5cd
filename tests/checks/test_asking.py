"""What goes into a sandbox and what comes out: the arguments of the learner's function, and nothing that judges."""

import ast
import gc
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course.asking import find_ask
from course.asking.lesson04 import ask_chop, ask_find_bug, ask_freeze
from course.asking.networks import build_blocks, flags_of, shared, state_of
from course.asking.plain import encode, plain
from course.exercises import Exercise, cases_of, check, exercises, get_exercise
from course.exercises.lesson04_proof_bug import BUGS
from course.exercises.planted import planted
from course.exercises.planted.lesson04 import chop_by_layers
from course.exercises.training import RATE, batch_for, copy_of_state, train_step
from transferkit.errors import DataError

ROOM = Path(sys.modules["course.asking"].__path__[0])
EXERCISES = exercises()
SEEDS = st.integers(0, 2**32 - 1)


class Watched(dict[str, Any]):
    """The arguments of a case; it notes which of them are used."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.used.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.name)
def test_nothing_is_sent_that_asking_does_not_use(exercise: Exercise) -> None:
    assert exercise.ask is find_ask(exercise.lesson, exercise.name)
    for case in cases_of(exercise, 3):
        watched = Watched(case.given)
        exercise.ask(planted()[exercise.name].right[0], watched)
        assert watched.used == set(case.given), case.name
        encode(dict(case.given))  # as it is, which is how it is sent


def test_what_asks_imports_nothing_that_judges() -> None:
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in named if name.startswith("course.") and not name.startswith("course.asking")]


def reachable(first: object) -> Iterator[object]:
    """All that code can reach from an object through closures, attributes, defaults and containers."""
    seen, left = set[int](), [first]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, type | ModuleType):
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, FunctionType):
            left += [*(one.__closure__ or ()), *(one.__defaults__ or ()), *one.__code__.co_consts, one.__dict__]
        elif isinstance(one, CellType):
            left.append(one.cell_contents)
        else:
            left += gc.get_referents(one)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_to_look_into_holds_no_word_for_its_bug(seed: int) -> None:
    found: list[object] = []

    def find_bug(network: nn.Sequential, step: Callable[[], None], n: int) -> str:
        found.extend(one for given in (network, step) for one in reachable(given) if type(one) is str and one in BUGS)
        return "none"

    for case in cases_of(get_exercise("find_bug"), seed):
        ask_find_bug(find_bug, case.given)
    assert not found


def test_steps_are_of_one_training_and_end_with_a_sentence() -> None:
    def find_bug(network: nn.Sequential, step: Callable[[], None], n: int) -> None:
        before = copy_of_state(network)
        while True:
            step()
            assert any(not torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())

    case = cases_of(get_exercise("find_bug"), 0)[0]
    with pytest.raises(RuntimeError, match="only 5 steps were recorded"):
        ask_find_bug(find_bug, case.given)


@settings(max_examples=10)
@given(st.lists(st.integers(2, 5), min_size=3, max_size=5), SEEDS)
def test_a_step_written_out_is_that_of_torch(widths: list[int], seed: int) -> None:
    ours, theirs = build_blocks(widths, seed), build_blocks(widths, seed)
    for network in (ours, theirs):
        network[:1].requires_grad_(False)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=RATE, weight_decay=0.05)
    inputs, labels = batch_for(widths, seed % 100)
    for _ in range(2):
        train_step(ours, (inputs, labels))
        optimizer.zero_grad()
        nn.functional.cross_entropy(theirs(inputs), labels).backward()
        optimizer.step()
    for one, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


class Pretending(nn.Sequential):
    """A network that shows nothing of itself."""

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        return iter(())


def _own_forward(network: nn.Sequential) -> object:
    network[0].forward = lambda inputs: inputs
    return network


def _own_class(network: nn.Sequential) -> object:
    network[0].__class__ = type("Linear", (nn.Linear,), {"state_dict": lambda self: {}})
    return network


def _own_dictionary(network: nn.Sequential) -> object:
    hiding = type("Hiding", (dict,), {"items": lambda self: {}.items()})
    network.__dict__["_modules"] = hiding(network._modules)
    return network


@pytest.mark.parametrize(
    "disguise",
    [lambda network: Pretending(*network), _own_forward, _own_class, _own_dictionary, lambda network: object()],
)
def test_a_network_in_disguise_is_refused_in_words(disguise: Callable[[nn.Sequential], object]) -> None:
    for ask, name in ((ask_chop, "chop"), (ask_freeze, "freeze")):
        arguments = cases_of(get_exercise(name), 0)[0].given
        with pytest.raises(DataError, match="of your own|instead of an nn.Sequential"):
            ask(lambda network, *others: disguise(network), arguments)


def test_methods_of_an_object_hide_nothing() -> None:
    network = build_blocks([3, 4, 2], 0)
    state, flags = set(state_of(network)), flags_of(network)
    for module in network.modules():
        for name in ("parameters", "state_dict", "children", "named_parameters"):
            vars(module)[name] = lambda: iter(())
    assert set(state_of(network)) == state
    assert flags_of(network) == flags
    assert len(shared(network, network)) == len(state)


def test_replaced_functions_of_torch_hide_no_shared_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    base, copied = build_blocks([3, 4, 2], 0), deepcopy(build_blocks([3, 4, 2], 0))
    copied[-1].weight = nn.Parameter(base.get_parameter("1.weight").detach().view(-1)[:8].view(2, 4))
    apart = deepcopy(copied)
    monkeypatch.setattr(torch.Tensor, "untyped_storage", lambda tensor: torch.UntypedStorage(4), raising=False)
    monkeypatch.setattr(torch.Tensor, "data_ptr", id, raising=False)
    assert shared(copied, base) == ["1.weight"]
    assert shared(apart, base) == []


@pytest.mark.parametrize("spare", [0, 1, 2])
def test_a_reply_that_names_nothing_passes_nothing(spare: int) -> None:
    """The judge takes the names of tensors from its own network."""
    exercise = get_exercise("freeze")
    case = cases_of(exercise, 0)[0]
    whole: Any = plain(ask_freeze(lambda network, n: network, case.given))
    for state in ({}, dict(list(whole["state"].items())[spare:-1]), {**whole["state"], "9.weight": np.ones(2)}):
        found = exercise.judge(case, {"state": state, "needs gradient": [], "in training": [], "hooked": []})
        assert found is not None


def test_numbers_and_text_that_compare_as_they_like_are_taken_by_value() -> None:
    number = type("Number", (float,), {"__eq__": lambda *_: True, "__repr__": lambda _: "1.0", "__hash__": None})
    text = type("Text", (str,), {"__eq__": lambda *_: True, "__str__": lambda _: "none", "__hash__": None})
    array = type("Array", (np.ndarray,), {"__eq__": lambda *_: True, "copy": lambda _: np.ones(2)})
    out: Any = plain([number(2.5), text("decay"), np.zeros(2).view(array), True])
    assert [type(one) for one in out] == [float, str, np.ndarray, bool]
    assert (out[0], out[1], out[2].tolist()) == (2.5, "decay", [0, 0])


def test_replaced_generators_do_not_hide_what_they_were_disturbed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    def split(n_classes: int, seed: int) -> tuple[list[int], list[int]]:
        monkeypatch.setattr(np.random, "get_state", lambda *_, **__: {"state": {"key": np.zeros(1), "pos": 0}})
        monkeypatch.setattr(random, "getstate", lambda: 0)
        np.random.seed(seed)  # noqa: NPY002
        order = np.random.permutation(n_classes).tolist()  # noqa: NPY002
        return sorted(order[: n_classes // 2]), sorted(order[n_classes // 2 :])

    assert check("split_classes", split).misconception == "reseeds"


def test_cases_are_the_same_however_many_threads_pose_them() -> None:
    def posed(_: int) -> bytes:
        return encode([plain(dict(case.given)) for case in cases_of(get_exercise("find_bug"), 5)])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(posed, range(16)))) == 1


def test_shared_layers_are_named() -> None:
    verdict = check("chop", lambda base, fresh, n: nn.Sequential(*base[:n], *chop_by_layers(base, fresh, n)[n:]))
    assert "training the new network would change `base`: both hold 0.weight" in verdict.seen
