"""conv1 made without training: what is exchanged, what is kept, and that each source makes what it says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from course.looking.kinds import count_kinds, fit_table
from transferkit.gabor import fit_filters
from transferkit.network import build
from transferkit.randomness import generator_from
from transferkit.specs import small_net
from transferkit.training.data import HalfData
from transferkit.training.experiment import perform
from transferkit.training.made_layers import MAKERS, bank, components, draw_patches, energies, with_made_filters
from transferkit.training.study import Study
from transferkit.treatments import MADE, Made, parse_run

SIDE = 9


def some_filters(count: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3, SIDE, SIDE))


def blocks_half() -> HalfData:
    """Flat blocks in random colours, which have edges as photographs have."""
    generator = np.random.default_rng(0)
    own = generator.laplace(128, 40, (40, 3, 6, 6)).repeat(8, axis=2).repeat(8, axis=3)
    own += generator.normal(0, 2, own.shape)
    return HalfData(torch.from_numpy(own.clip(0, 255).astype(np.uint8)), torch.zeros(40, dtype=torch.int64), 4)


@pytest.mark.parametrize("source", MADE)
def test_only_shapes_are_exchanged_and_every_response_keeps_its_mean_square(source: Made) -> None:
    network, half = build(small_net(), 4), blocks_half()
    run = parse_run(f"{source}1B", "random0", 0)
    base = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    base["conv1.weight"] = some_filters(12).astype(np.float32)
    changed = with_made_filters(run, base, network, half)
    assert [name for name in base if base[name] is not changed[name]] == ["conv1.weight"]
    made = changed["conv1.weight"]
    assert made.dtype == np.float32
    patches = draw_patches(network, half, SIDE, generator_from("other patches"))
    assert energies(made, patches) == pytest.approx(energies(base["conv1.weight"], patches), rel=0.2)
    unit = [layer / np.sqrt(np.square(layer).sum((1, 2, 3), keepdims=True)) for layer in (made, base["conv1.weight"])]
    assert np.einsum("fcyx,fcyx->f", *unit).max() < 0.9
    assert np.array_equal(made, with_made_filters(run, base, network, half)["conv1.weight"])


def test_patches_are_what_conv1_reads_at_random_places() -> None:
    network, half = build(small_net(), 4), blocks_half()
    patches = draw_patches(network, half, SIDE, generator_from("here"))
    assert patches.shape == (20480, 3, SIDE, SIDE)
    windows = ((half.images.double() - 128) / 64).unfold(2, SIDE, 1).unfold(3, SIDE, 1)
    flat = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * SIDE * SIDE).numpy()
    known = {row.tobytes() for row in flat[:, :24]}
    assert all(patch.reshape(-1)[:24].tobytes() in known for patch in patches[:200])
    rows = torch.arange(0, 40, 2)
    some = replace(half, labels=half.labels[:20], rows=rows)
    alone = HalfData(half.images[rows], half.labels[:20], 4)
    both = [draw_patches(network, own, SIDE, generator_from("here")) for own in (some, alone)]
    assert np.array_equal(both[0], both[1])


def test_fits_of_what_is_a_gabor_already_are_nearly_the_same_filters() -> None:
    own = bank(some_filters(16), np.empty(0), 0)
    left = MAKERS["F"](own, np.empty(0), 0) - own
    assert (np.square(left).sum((1, 2, 3)) / np.square(own).sum((1, 2, 3))).max() < 0.05


@pytest.mark.parametrize("count", [8, 32])
def test_the_bank_follows_its_rule_at_any_number_of_filters(count: int) -> None:
    made = bank(some_filters(count), np.empty(0), 0)
    assert len(made) == len({one.tobytes() for one in made.round(6)}) == count
    kinds = count_kinds(fit_table(made))
    assert kinds["colour blob"] == round(count / 4)
    assert kinds["neither"] == 0
    waves = [fit.gabor for fit in fit_filters(made) if fit.kind == "gabor"]
    assert {round(gabor.wavelength_px, 1) for gabor in waves} == ({3.0, 6.0} if count > 8 else {6.0})
    assert all(gabor.chroma < 0.01 for gabor in waves)


def test_components_find_the_independent_causes_of_patches() -> None:
    generator = np.random.default_rng(0)
    causes = generator.normal(size=(4, 3, 5, 5))
    patches = np.einsum("pk,kcyx->pcyx", generator.laplace(size=(20000, 4)), causes)
    found = components(causes, patches, 0).reshape(4, -1)
    alike = np.abs(found @ causes.reshape(4, -1).T)  # of an unmixing: each answers to one cause alone
    assert np.sort(alike / alike.max(axis=1, keepdims=True), axis=1)[:, :3].max() < 0.1
    assert sorted(alike.argmax(axis=1)) == [0, 1, 2, 3]


def test_noise_has_the_layers_spectrum_and_colours_and_white_noise_has_not() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    stripes = np.cos(2 * np.pi * 2 * x / SIDE + np.arange(4)[:, None, None]) + 0.0 * y
    own = np.repeat(stripes[:, None] * np.array([1.0, -1.0, 0.0])[:, None, None], 64, axis=0)
    spectral, white = (MAKERS[source](own, np.empty(0), 0) for source in ("S", "W"))
    power = np.square(np.abs(np.fft.rfft2(spectral))).mean((0, 1))
    assert power[0, 2] > 0.99 * power.sum()
    assert spectral[:, 0] == pytest.approx(-spectral[:, 1])
    assert np.abs(spectral[:, 2]).max() < 1e-6
    assert np.square(np.abs(np.fft.rfft2(white))).mean((0, 1)).std() < 0.2 * SIDE**2


@pytest.mark.parametrize("label", ["G1B", "S1B+"])
def test_a_made_conv1_is_trained_kept_and_accounted_for_like_any_other(study: Study, label: str) -> None:
    base = perform(study, parse_run("baseB", "random0", 0))
    receipt = perform(study, parse_run(label, "random0", 0))
    fate = "trained" if label.endswith("+") else "frozen"
    assert (receipt.account["conv1.weight"], receipt.account["conv1.bias"]) == (f"made, {fate}", f"copied, {fate}")
    own, changed = (study.store.weights(run, study.setting) for run in (base.run, receipt.run))
    assert not np.allclose(own["conv1.weight"], changed["conv1.weight"], rtol=0.1)
    assert np.array_equal(own["conv1.bias"], changed["conv1.bias"]) == (fate == "frozen")
