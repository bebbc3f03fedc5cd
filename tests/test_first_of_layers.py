"""Which of a file's layers is the first, by its name and place; and how its numbers become filters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn.utils import parametrizations, prune

from course.looking.first_layer import BGR, NamedFilters, read_filters
from transferkit.errors import DataError, UsageError
from transferkit.network import build
from transferkit.network.torchvision_nets import find_net
from transferkit.network.weights_file import fitting, read_state
from transferkit.specs import StagedSpec

PREFIXES = ["module.", "model.", "backbone.", "net.", "encoder.", "state_dict.", "_orig_mod.", "ema."]


def conv(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def chosen(path: Path, state: dict[str, torch.Tensor], layer: str | None = None, **how: object) -> NamedFilters:
    torch.save(state, path / "a.pth")
    return read_filters(path / "a.pth", layer, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "first"), [
    ({"decoder.0": conv(8, 3, 4, 4), "encoder.0": conv(8, 3, 5, 5)}, "encoder.0"),
    ({"deconv2": conv(8, 3, 4, 4), "z": conv(9, 3, 5, 5)}, "z"),
    ({"body.conv_out": conv(3, 3, 3, 3), "body.head": conv(8, 3, 5, 5)}, "body.head"),
    ({"stem.conv": conv(16, 3, 7, 7), "blocks.0": conv(48, 3, 3, 3)}, "stem.conv"),
    ({"features.10": conv(8, 3, 3, 3), "features.2": conv(8, 3, 3, 3)}, "features.2"),
    ({"z_first": conv(8, 3, 5, 5), "second": conv(8, 3, 5, 5)}, "z_first"),
    ({"gate": conv(3, 3, 1, 1), "main": conv(8, 3, 5, 5), "rgb": conv(8, 3, 5, 5)}, None),
    ({"conv1": conv(3, 1, 5, 5), "conv2": conv(8, 3, 5, 5)}, "conv1"),
    ({"0": conv(16, 4, 3, 3), "2": conv(8, 3, 5, 5)}, None),
    ({"decoder.4": conv(64, 3, 4, 4), "fc": conv(4, 4)}, None),
    ({"generator.out": conv(64, 3, 4, 4), "discriminator.0": conv(64, 3, 4, 4)}, "discriminator.0"),
    ({"stem.0": conv(9, 6, 4, 4), "stages.0.dw": conv(9, 1, 7, 7)}, None),
])  # fmt: skip
def test_the_first_layer_is_known_by_name_and_place(
    tmp_path: Path, state: dict[str, torch.Tensor], first: str | None
) -> None:
    weights = {f"{name}.weight": it for name, it in state.items()}
    torch.save(weights, tmp_path / "a.pth")
    save_file(weights, tmp_path / "a.safetensors")
    in_order = [".pth", ".safetensors"][: 1 + (list(state) == sorted(state))]  # which safetensors do not keep
    for path in (tmp_path / f"a{suffix}" for suffix in in_order):
        if first:
            assert read_filters(path).layer == first
        else:
            with pytest.raises(DataError, match="no layer that sees colour"):
                read_filters(path)
        for name, it in state.items():
            if it.ndim == 4 and it.shape[1] == 3 and it.shape[2] > 1:  # the user may know better
                np.testing.assert_array_equal(read_filters(path, name).weights, it.numpy())


def test_the_layers_that_could_be_meant_as_well_are_named(tmp_path: Path) -> None:
    found = chosen(
        tmp_path, {"rgb.weight": conv(8, 3, 5, 5), "flow.weight": conv(4, 3, 7, 7), "c.weight": conv(4, 8, 3, 3)}
    )
    assert (found.layer, found.others) == ("rgb", ("flow",))


@given(st.lists(st.sampled_from(PREFIXES), max_size=3))
def test_wrappings_change_neither_the_first_layer_nor_a_start(
    tmp_path_factory: pytest.TempPathFactory, wrappings: list[str]
) -> None:
    path = tmp_path_factory.mktemp("wrapped") / "a.pth"
    spec = find_net("vit-small", 48)
    assert isinstance(spec, StagedSpec)
    state = build(spec, 7).state_dict()
    torch.save({"".join(wrappings) + name: tensor for name, tensor in state.items()}, path)
    assert read_filters(path).layer == spec.first_filters.removesuffix(".weight")
    given = fitting(read_state(path), spec, "a file")
    for name, array in given.items():
        np.testing.assert_array_equal(array, state[name].numpy())


def test_of_two_averages_the_first_is_taken_and_the_other_offered(tmp_path: Path) -> None:
    state = {"model.conv1.weight": conv(8, 3, 5, 5), "ema_model.conv1.weight": conv(8, 3, 5, 5) + 1}
    found = chosen(tmp_path, state)
    assert (found.layer, found.others) == ("model.conv1", ("ema_model.conv1",))
    assert chosen(tmp_path, state, "ema_model.conv1").weights.mean() > 0.5


def test_weights_in_parts_are_put_together(tmp_path: Path) -> None:
    wraps: tuple[Callable[[torch.nn.Module], Any], ...] = (
        parametrizations.weight_norm, parametrizations.spectral_norm,
        lambda layer: prune.random_unstructured(layer, "weight", 0.3),
    )  # fmt: skip
    for place, wrap in enumerate(wraps):
        layer = wrap(torch.nn.Conv2d(3, 8, 5)).eval()
        path = tmp_path / f"{place}.pth"
        torch.save({f"conv1.{name}": it for name, it in layer.state_dict().items()}, path)
        assert read_filters(path).layer == "conv1"
        np.testing.assert_allclose(read_filters(path).weights, layer.weight.detach().numpy(), rtol=1e-4, atol=1e-6)
        assert set(read_state(path)) == {"conv1.weight", "conv1.bias"}


@pytest.mark.parametrize("turned", [(2, 3, 1, 0), (0, 2, 3, 1)])  # HWIO, OHWI
@pytest.mark.parametrize("name", ["conv{}.weight", "conv{}.kernel", "net/conv{}/kernel:0"])
def test_other_layouts_are_turned(tmp_path: Path, turned: tuple[int, ...], name: str) -> None:
    first, second = conv(8, 3, 5, 5), conv(16, 8, 3, 3)
    state = {name.format(1): first.permute(turned), name.format(2): second.permute(turned)}
    found = chosen(tmp_path, {key: it.contiguous() for key, it in state.items()})
    assert found.layer.endswith("conv1")
    np.testing.assert_array_equal(found.weights, first.numpy())


def test_weights_of_jax_stand_in_mappings_of_mappings(tmp_path: Path) -> None:
    first = conv(8, 3, 5, 5)
    content = {
        "params": {"conv_init": {"kernel": first.permute(2, 3, 1, 0).numpy()}, "head": {"kernel": np.ones((4, 4))}}
    }
    found = chosen(tmp_path, content)  # type: ignore[arg-type]
    assert found.layer == "conv_init"
    np.testing.assert_array_equal(found.weights, first.numpy())


def test_a_single_channel_is_grey_and_bands_are_chosen_and_swapped(tmp_path: Path) -> None:
    grey, many, rgb = conv(8, 1, 5, 5), conv(8, 6, 5, 5), conv(8, 3, 5, 5)
    found = chosen(tmp_path, {"conv1.weight": grey})
    assert found.channels == "grey"
    np.testing.assert_array_equal(found.weights, grey.numpy().repeat(3, axis=1))
    found = chosen(tmp_path, {"conv1.weight": many}, bands=(4, 3, 6))
    assert found.channels == "bands 4 3 6"
    np.testing.assert_array_equal(found.weights, many.numpy()[:, [3, 2, 5]])
    found = chosen(tmp_path, {"conv1.weight": rgb}, bands=BGR)
    assert found.channels == "BGR"
    np.testing.assert_array_equal(found.weights, rgb.numpy()[:, ::-1])
    with pytest.raises(DataError, match="'conv1' sees 6 channels.*--bands 3 2 1"):
        chosen(tmp_path, {"conv1.weight": many})
    with pytest.raises(UsageError, match="0 1 2.*count them from 1"):
        chosen(tmp_path, {"conv1.weight": many}, bands=(0, 1, 2))
