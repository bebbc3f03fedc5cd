"""`tk.frozen` and `tk.audit` against loops that freeze wrongly: each fault is prevented, refused or reported."""

import copy
import io
import math
from collections.abc import Callable, Iterable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth

from course.practice.freezing import Audit, Dropout, Freeze, Layer, audit, fingerprint, frozen
from transferkit.errors import TrainingError, UsageError

COPIED = ("stem", "body")


class Net(nn.Module):
    """A stem with batch normalisation, a body with dropout, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.body = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4 * 4 * 4, 8), nn.BatchNorm1d(8))
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(self.stem(x)))
        return logits


Loop = Callable[[Net], None]


def filters(model: Net) -> nn.Conv2d:
    stem = model.stem[0]
    assert isinstance(stem, nn.Conv2d)
    return stem


@pytest.fixture
def model() -> Net:
    torch.manual_seed(0)
    return Net()


def momentum(parameters: Iterable[Tensor]) -> torch.optim.SGD:
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=0.1)


def train(model: nn.Module, optimiser: torch.optim.Optimizer | None = None, *, to_none: bool = True) -> None:
    """As most loops do: train() first, then a few steps."""
    optimiser = optimiser or momentum(model.parameters())
    model.train()
    for step in range(3):
        torch.manual_seed(step)
        optimiser.zero_grad(set_to_none=to_none)
        F.cross_entropy(model(torch.randn(6, 3, 6, 6) + 1), torch.arange(6) % 3).backward()
        optimiser.step()


def test_what_is_frozen_keeps_every_bit_and_the_rest_learns(model: Net) -> None:
    with frozen(model, COPIED) as freeze:
        train(model)
    assert isinstance(freeze.audit, Audit)
    assert set(freeze.audit.kept) == {name for name in model.state_dict() if not name.startswith("head")}
    assert freeze.audit.learned == ("head.weight", "head.bias")
    assert not freeze.audit.faults


def statistics_drift(model: Net) -> None:
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.head.requires_grad_(True)
    train(model)  # train() moves the running statistics though nothing there requires a gradient


def trainer_calls_train_again(model: Net) -> None:
    optimiser = momentum(model.parameters())
    for _ in range(2):
        model.eval()
        model(torch.randn(2, 3, 6, 6))  # it validates, and goes back to training
        train(model, optimiser)


def everything_requires_gradients(model: Net) -> None:
    optimiser = momentum(model.parameters())
    for _ in range(2):
        model.requires_grad_(True)
        train(model, optimiser)


def gradients_written_by_hand(model: Net) -> None:
    optimiser = momentum(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    train(model, optimiser, to_none=False)


def new_group(model: Net) -> None:
    optimiser = momentum(model.head.parameters())
    optimiser.add_param_group({"params": list(model.stem.parameters())})
    train(model, optimiser, to_none=False)


def gradients_inside_a_closure(model: Net) -> None:
    optimiser = momentum(model.parameters())

    def closure() -> Tensor:
        optimiser.zero_grad()
        model.requires_grad_(True)
        loss: Tensor = model(torch.randn(6, 3, 6, 6)).square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)


PREVENTED: tuple[Loop, ...] = (
    statistics_drift, trainer_calls_train_again, everything_requires_gradients, gradients_written_by_hand, new_group,
    gradients_inside_a_closure,
)  # fmt: skip


@pytest.mark.parametrize("loop", PREVENTED, ids=lambda loop: loop.__name__)
def test_a_faulty_loop_moves_frozen_layers_without_and_not_with_it(model: Net, loop: Loop) -> None:
    twin, before = copy.deepcopy(model), fingerprint(model)
    loop(twin)
    assert audit(twin, before, COPIED).moved
    with frozen(model, COPIED) as freeze:
        loop(model)
    assert not audit(model, before, COPIED, strict=True).moved
    assert freeze.prevented


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize("kind", [momentum, torch.optim.AdamW, torch.optim.Adam, torch.optim.RMSprop])
def test_an_optimiser_built_before_neither_decays_nor_spends_its_momentum(
    model: Net, kind: Callable[[Iterable[Tensor]], torch.optim.Optimizer], to_none: bool
) -> None:
    optimiser = kind(model.parameters())
    train(model, optimiser, to_none=to_none)  # leaves momentum and gradients behind
    assert filters(model).weight.grad is not None
    with frozen(model, COPIED) as freeze:
        train(model, optimiser, to_none=to_none)
    assert freeze.audit is not None
    assert not freeze.audit.moved
    train(model, optimiser)
    assert audit(model, fingerprint(model)).learned == ()


def averaged_into(model: Net) -> None:
    average = torch.optim.swa_utils.AveragedModel(copy.deepcopy(model))
    for own in average.module.parameters():
        own.data.add_(0.01)
    for own, mean in zip(model.parameters(), average.module.parameters(), strict=True):
        own.data.copy_(mean)


def edited_in_place(model: Net) -> None:
    with torch.no_grad():
        filters(model).weight.mul_(0.5)


def statistics_reset(model: Net) -> None:
    torch.optim.swa_utils.update_bn([torch.randn(4, 3, 6, 6)], model)


def weights_loaded(model: Net) -> None:
    model.load_state_dict(Net().state_dict())


def parameter_replaced(model: Net) -> None:
    stem = filters(model)
    stem.weight = nn.Parameter(stem.weight.detach().clone())
    train(model)


def layer_replaced(model: Net) -> None:
    model.stem = nn.Sequential(nn.Conv2d(3, 4, 3))


@pytest.mark.parametrize(
    ("loop", "complaint"),
    [
        (averaged_into, "frozen but moved: stem.0.weight"), (edited_in_place, "frozen but moved: stem.0.weight"),
        (statistics_reset, "stem.1.running_mean"), (weights_loaded, "frozen but moved: stem.0.weight"),
        (parameter_replaced, "replaced by another parameter: stem.0.weight"), (layer_replaced, "gone from the model"),
    ],
    ids=lambda given: given.__name__ if callable(given) else "",
)  # fmt: skip
def test_what_cannot_be_prevented_is_reported_at_the_end(model: Net, loop: Loop, complaint: str) -> None:
    train(model)  # its statistics are no longer those of a new layer
    with pytest.raises(TrainingError, match=complaint), frozen(model, COPIED):
        loop(model)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_frozen_head_is_reported(model: Net) -> None:
    before = fingerprint(model)
    model.head.requires_grad_(False)
    model.body.requires_grad_(True)
    with frozen(model, "stem") as freeze:
        train(model)
    assert "trained but never moved: head.weight, head.bias" in str(freeze.audit)
    with pytest.raises(TrainingError, match="trained but never moved: head"):
        audit(model, before, "stem", strict=True)


def test_a_bias_that_batchnorm_subtracts_need_not_move() -> None:
    model = nn.Sequential(
        nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 8, bias=False), nn.BatchNorm1d(8), nn.Linear(8, 4)
    )
    torch.manual_seed(0)
    nn.init.constant_(model.get_parameter("1.bias"), 100.0)  # its gradient, rounding alone, is below the last digit
    before = fingerprint(model)
    optimiser = torch.optim.SGD(model[1:].parameters(), lr=0.01)
    for _ in range(3):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(torch.randn(64, 8)), torch.arange(64) % 4).backward()
        optimiser.step()
    found = audit(model, before, "0", strict=True)
    assert "1.bias" in found.still
    assert "1.bias" not in found.idle


def test_a_frozen_layer_that_shares_a_tensor_with_a_trained_one_is_refused(model: Net) -> None:
    tied = nn.Linear(64, 8)
    tied.weight = model.get_parameter("body.2.weight")
    model.add_module("tied", tied)
    for layers, name in ((("body",), "tied.weight"), (("tied",), "body.2.weight")):
        complaint = rf"{name} is not, but they are one tensor: freeze both"
        with pytest.raises(UsageError, match=complaint), frozen(model, layers):
            pass
    with frozen(model, ("body", "tied")):
        train(model)


@pytest.mark.parametrize("step", [2, 5])
def test_parts_of_one_buffer_are_tied_only_where_they_overlap(step: int) -> None:
    flat = torch.randn(8)
    model = nn.ParameterDict({"low": nn.Parameter(flat[:4]), "high": nn.Parameter(flat[step : step + 3])})
    if step < 4:
        with pytest.raises(UsageError, match="one tensor"), frozen(model, "low"):
            pass
    else:
        with frozen(model, "low") as freeze:
            pass
        assert freeze.names == ("low",)


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ("stam", r"no layer 'stam': name one of its modules, as stem"), ("", "no layer ''"),
        ([], "no layer is named"), ("stem.2", "holds no parameter"), (("stem", "body", "head"), "nothing is left"),
        (nn.Linear(2, 2), "no layer 'Linear'"), (nn.Parameter(torch.zeros(2)), r"no layer Parameter\(2,\)"),
    ],
)  # fmt: skip
def test_layers_that_make_no_sense_are_refused_before_anything_changes(
    model: Net, layers: Layer | list[Layer], says: str
) -> None:
    with pytest.raises(UsageError, match=says), frozen(model, layers):
        pass
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_layers_are_modules_parameters_their_names_or_beginnings_of_these(model: Net) -> None:
    stem = ("stem.0.weight", "stem.0.bias", "stem.1.weight", "stem.1.bias")
    buffers = ("stem.1.running_mean", "stem.1.running_var", "stem.1.num_batches_tracked")
    several: list[Layer | list[Layer]] = ["stem", "st", model.stem, [model.stem[0], "stem.1"]]
    for layers in several:
        with frozen(model, layers) as freeze:
            assert freeze.names == (*stem, *buffers)
    with frozen(model, [model.head.bias, "stem.1.weight"]) as freeze:
        assert freeze.names == ("stem.1.weight", "head.bias")


def test_a_name_is_that_module_alone_and_not_the_beginning_of_others() -> None:
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(11)))
    with frozen(model, "1") as freeze:
        assert freeze.names == ("1.weight", "1.bias")


@settings(max_examples=15)
@given(st.lists(st.booleans(), min_size=7, max_size=7), st.booleans(), st.booleans())
def test_flags_are_restored_however_the_loop_ends(flags: list[bool], training: bool, fails: bool) -> None:
    model = Net()
    parameters, modules = list(model.parameters()), list(model.modules())
    for parameter, wanted in zip(parameters, flags, strict=False):
        parameter.requires_grad_(wanted)
    model.train(training)
    model.stem[1].eval()
    was = [it.requires_grad for it in parameters], [it.training for it in modules]
    try:
        with frozen(model, COPIED):
            train(model)
            if fails:
                raise KeyError("the loop's own")
    except KeyError:
        assert fails
    assert was == ([it.requires_grad for it in parameters], [it.training for it in modules])
    before = fingerprint(model)
    model.requires_grad_(True)
    train(model)
    assert "stem.0.weight" in audit(model, before).learned


def test_the_loops_own_error_comes_first_and_says_what_moved_besides(model: Net) -> None:
    with pytest.raises(KeyError) as caught, frozen(model, "stem"):
        edited_in_place(model)
        raise KeyError("the loop's own")
    assert caught.value.__notes__ == ["Besides, frozen tensors moved: stem.0.weight."]


@pytest.mark.parametrize("drops", [nn.Dropout(0.5), StochasticDepth(0.5, "row")])
@pytest.mark.parametrize("choice", ["off", "on"])
def test_dropout_and_stochastic_depth_in_frozen_layers_are_as_asked(
    model: Net, choice: Dropout, drops: nn.Module
) -> None:
    model.body[1] = drops
    x = torch.randn(4, 3, 6, 6)
    with frozen(model, COPIED, dropout=choice):
        model.train()
        one, other = model(x), model(x)
    assert torch.equal(one, other) == (choice == "off")
    assert not torch.equal(model(x), model(x))  # on again
    with pytest.raises(UsageError, match="dropout='maybe' is not known"):
        frozen(model, "stem", dropout="maybe").__enter__()  # type: ignore[arg-type]


def test_frozen_layers_called_on_their_own_stay_as_well(model: Net) -> None:
    before = fingerprint(model)
    with frozen(model, COPIED):
        model.train()
        model.stem(torch.randn(4, 3, 6, 6))
    assert not audit(model, before).learned


def test_a_model_can_be_saved_and_copied_meanwhile(model: Net) -> None:
    with frozen(model, "stem"):
        twin = copy.deepcopy(model)
        torch.save(model, io.BytesIO())
    twin.train()
    twin.requires_grad_(True)
    before = fingerprint(twin)
    train(twin)
    assert "stem.1.running_mean" in audit(twin, before).learned
    assert model.stem.training
    assert all(parameter.requires_grad for parameter in model.parameters())


@given(st.floats(allow_nan=True, width=32), st.floats(allow_nan=True, width=32))
def test_the_audit_compares_bits(one: float, other: float) -> None:
    model = nn.ParameterDict({"w": nn.Parameter(torch.tensor([one]))})
    before = fingerprint(model)
    model["w"].data.fill_(other)
    same = (math.isnan(one) and math.isnan(other)) or (
        one == other and math.copysign(1, one) == math.copysign(1, other)
    )
    assert audit(model, before).learned == (() if same else ("w",))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.complex64, torch.bool, torch.int64])
def test_tensors_of_all_kinds_are_compared(dtype: torch.dtype) -> None:
    model = nn.Module()
    model.register_buffer("w", torch.ones(2, 3).to(dtype).T, persistent=False)
    model.register_buffer("none", torch.empty(0))
    model.register_buffer("scalar", torch.tensor(1.0))
    before = fingerprint(model)
    assert audit(model, before).still == ("w", "none", "scalar")
    model.get_buffer("w")[1, 0] = 0
    assert audit(model, before).learned == ("w",)


def test_the_audit_prints_a_line_for_each_kind(model: Net) -> None:
    before = fingerprint(model)
    filters(model).weight.data.add_(1)
    assert str(audit(model, before)).splitlines() == [
        "moved: stem.0.weight",
        "did not move: stem.0.bias, stem.1.weight, stem.1.bias, body.2.weight and 11 more",
    ]
    model.add_module("extra", nn.Linear(1, 1))
    del model.body
    lines = str(audit(model, before, "stem")).splitlines()
    assert lines[0].startswith("frozen and kept to the bit: stem.0.bias")
    assert "frozen but moved: stem.0.weight" in lines
    assert "new in the model: extra.weight, extra.bias" in lines
    assert any(line.startswith("gone from the model: body.2.weight") for line in lines)


def test_parameters_without_values_are_refused() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2))
    with pytest.raises(UsageError, match=r"0\.weight, 0\.bias has no values yet"):
        fingerprint(model)


def test_two_freezes_nest(model: Net) -> None:
    seen: list[Freeze] = []
    with frozen(model, "stem") as outer:
        with frozen(model, "body") as inner:
            train(model)
        train(model)
        seen += [outer, inner]
    assert [bool(one.audit and one.audit.moved) for one in seen] == [False, False]
    assert outer.audit is not None
    assert "body.2.weight" in outer.audit.learned
