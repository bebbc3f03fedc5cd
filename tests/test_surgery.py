from dataclasses import replace

import numpy as np
import pytest
import torch

from transferkit.errors import StoreError, TrainingError
from transferkit.specs import small_net
from transferkit.training.surgery import Operated, Weights, audit, fingerprint, moved, operate, subtracted
from transferkit.treatments import LAYERS, Run, grid, parse_run

SPEC = small_net()


def run_of(label: str) -> Run:
    return parse_run(label, "random0", 0)


def weights_of(operated: Operated) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in operated.network.state_dict().items()}


@pytest.fixture(scope="module")
def base_a() -> Weights:
    return weights_of(operate(SPEC, 4, run_of("baseA")))


@pytest.mark.parametrize("run", grid("random0", 0), ids=lambda run: run.label)
def test_every_tensor_is_accounted_for_exactly_once(run: Run, base_a: Weights) -> None:
    operated = operate(SPEC, 4, run, base_a)
    assert [entry.name for entry in operated.account] == list(operated.network.state_dict())
    for entry in operated.account:
        copied = operated.network.layer_of(entry.name) in LAYERS[: run.n]
        assert entry.origin == ("re-initialised" if not copied else "random" if run.source == "R" else "copied")
        assert entry.fate == ("frozen" if copied and not run.finetune else "trained")
        assert operated.network.get_parameter(entry.name).requires_grad == (entry.fate == "trained")


@pytest.mark.parametrize("label", ["A1B", "A4B+", "A7A", "A7B+"])
def test_copied_tensors_equal_the_sources_and_the_others_do_not(label: str, base_a: Weights) -> None:
    operated = operate(SPEC, 4, run_of(label), base_a)
    own = weights_of(operated)
    for entry in operated.account:
        if not entry.name.endswith("bias"):
            assert np.array_equal(own[entry.name], base_a[entry.name]) == (entry.origin == "copied"), entry.name


def test_treatments_of_one_target_start_alike_above_the_chop_and_unlike_its_base(base_a: Weights) -> None:
    transfer, selffer, untrained, base = (
        weights_of(operate(SPEC, 4, run_of(label), base_a)) for label in ("B3A", "A3A+", "R3A", "baseA")
    )
    for name in transfer:
        if name.split(".")[0] in LAYERS[3:] and name.endswith("weight"):
            assert np.array_equal(transfer[name], selffer[name])
            assert np.array_equal(transfer[name], untrained[name])
            assert not np.array_equal(transfer[name], base[name])


def test_random_filters_let_a_signal_of_full_size_through() -> None:
    network = operate(SPEC, 4, run_of("R7B")).network.eval()
    images = torch.randn(64, 3, 48, 48)
    for depth in range(1, 8):
        assert 0.1 < network(images, until=depth).square().mean().sqrt().item() < 10, LAYERS[depth - 1]


def test_random_filters_as_published_starve_the_layers_above() -> None:
    network = operate(SPEC, 4, run_of("R7B"), random_filters="published").network.eval()
    images = torch.randn(8, 3, SPEC.image_size, SPEC.image_size, generator=torch.Generator().manual_seed(0))
    five = network(images, until=5)
    assert network.get_parameter("conv2.weight").std().item() == pytest.approx(0.01, rel=0.05)
    assert network.get_parameter("conv2.bias").unique().tolist() == [1.0]
    assert five.std(dim=0).mean() < 1e-3 * five.mean()  # what tells images apart is lost beside the bias


def test_random_filters_are_nested_over_n_and_differ_between_targets() -> None:
    two, five = (weights_of(operate(SPEC, 4, run_of(label))) for label in ("R2B", "R5B"))
    other = weights_of(operate(SPEC, 4, run_of("R2A")))
    assert np.array_equal(two["conv2.weight"], five["conv2.weight"])
    assert not np.array_equal(two["conv2.weight"], other["conv2.weight"])


def test_a_source_of_another_network_or_none_is_refused(base_a: Weights) -> None:
    with pytest.raises(StoreError, match="train that base first"):
        operate(SPEC, 4, run_of("A3B"))
    wider = replace(SPEC, convs=(replace(SPEC.convs[0], channels=8), *SPEC.convs[1:]))
    with pytest.raises(StoreError, match=r"conv1.bias is \(32,\) in the source and \(8,\)"):
        operate(wider, 4, run_of("A3B"), base_a)
    with pytest.raises(StoreError, match="of another network"):
        operate(SPEC, 4, run_of("A3B"), {name: array for name, array in base_a.items() if name != "conv2.bias"})


def move(operated: Operated, names: set[str]) -> None:
    """Stand in for training: move these tensors by the smallest step there is."""
    with torch.no_grad():
        for name in names:
            tensor = operated.network.state_dict()[name]
            tensor.flatten()[:1].copy_(torch.nextafter(tensor.flatten()[:1], torch.tensor(9.0)))


def test_the_audit_passes_what_kept_to_the_account_and_names_what_did_not(base_a: Weights) -> None:
    trained = {f"{layer}.{kind}" for layer in LAYERS[3:] for kind in ("weight", "bias")}
    cases = ((trained, None), (trained | {"conv2.bias"}, "conv2.bias is frozen but moved"),
             (trained - {"fc6.weight"}, "fc6.weight is trained but never moved"))  # fmt: skip
    for names, complaint in cases:
        operated = operate(SPEC, 4, run_of("A3B"), base_a)
        before = fingerprint(operated.network)
        move(operated, names)
        assert set(moved(operated.network, before)) == names
        if complaint is None:
            audit(operated, before, "A3B")
        else:
            with pytest.raises(TrainingError, match=rf"audit of A3B failed: {complaint}"):
                audit(operated, before, "A3B")


def test_the_audit_excuses_a_bias_that_batchnorm_subtracts_and_no_other() -> None:
    names = ["conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias"]
    with_batchnorm = [*names, "bn1.running_mean"]
    assert subtracted(with_batchnorm, ["bn1.weight"]) == {"bn1.bias"}, "conv1 has not learned at all"
    assert not subtracted(names, ["bn1.weight", "conv1.weight"])


def test_the_audit_wants_every_tensor_listed(base_a: Weights) -> None:
    operated = operate(SPEC, 4, run_of("A3B"), base_a)
    short = replace(operated, account=operated.account[1:])
    with pytest.raises(TrainingError, match="conv1.weight is not accounted for exactly once"):
        audit(short, fingerprint(operated.network), "A3B")
