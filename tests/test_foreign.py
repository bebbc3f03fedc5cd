import os
import pickle
import tarfile
import urllib.error
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from course.looking.first_layer import load_filters, named_filters, read_filters
from transferkit.errors import DataError, TransferkitError, UsageError

with warnings.catch_warnings(action="ignore"):  # what importing torchvision says is not ours to mend
    from torchvision import models

FIRST = {"alexnet": "features.0", "vgg11": "features.0", "resnet18": "conv1", "vit_b_16": "conv_proj",
         "convnext_tiny": "features.0.0"}  # fmt: skip
SMALL = {"conv1.weight": torch.randn(4, 3, 5, 5), "conv1.bias": torch.randn(4), "conv2.weight": torch.randn(2, 4, 3, 3)}


def state_of(name: str) -> dict[str, torch.Tensor]:
    """A torchvision network's real names and shapes, its large tensors cut to one row."""
    with torch.device("meta"):
        shapes = {key: tensor.shape for key, tensor in getattr(models, name)().state_dict().items()}
    return {key: torch.randn(shape if shape.numel() < 200_000 else (1, *shape[1:])) for key, shape in shapes.items()}


def saved(path: Path, content: object, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


class Attack:
    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_the_first_layer_of_torchvisions_networks_is_found(tmp_path: Path, name: str, suffix: str) -> None:
    state, path = state_of(name), tmp_path / (name + suffix)
    save_file(state, path) if suffix == ".safetensors" else saved(path, state)
    found = read_filters(path)
    assert (found.layer, found.source, found.weights.dtype.name) == (FIRST[name], str(path), "float32")
    np.testing.assert_array_equal(found.weights, state[f"{FIRST[name]}.weight"].numpy())


def test_a_whole_resnet18_is_read(tmp_path: Path) -> None:
    network = models.resnet18()
    found = load_filters(str(saved(tmp_path / "resnet18.pth", network.state_dict())))
    np.testing.assert_array_equal(found.weights, network.conv1.weight.detach().numpy())


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["a.pth", "a.bin", "a", "a.safetensors"])
def test_the_format_is_told_by_the_content(tmp_path: Path, name: str, zipped: bool) -> None:
    assert read_filters(saved(tmp_path / name, SMALL, zipped)).layer == "conv1"
    save_file(SMALL, tmp_path / "b.pth")
    assert read_filters(tmp_path / "b.pth").layer == "conv1"


def test_a_safetensors_header_as_long_as_a_pickle_begins_is_no_pickle(tmp_path: Path) -> None:
    header = b'{"conv1.weight":{"dtype":"F32","shape":[1,3,2,2],"data_offsets":[0,48]}}'.ljust(0x0280)
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.arange(12, dtype="<f4").tobytes())
    assert path.read_bytes().startswith(b"\x80\x02")
    assert read_filters(path).weights.ravel().tolist() == list(range(12))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_become_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {name: tensor.to(dtype) for name, tensor in SMALL.items()}
    save_file(state, tmp_path / "a.safetensors")
    for path in (saved(tmp_path / "a.pth", state), tmp_path / "a.safetensors"):
        weights = read_filters(path).weights
        assert weights.dtype == np.float32
        np.testing.assert_array_equal(weights, state["conv1.weight"].float().numpy())


@pytest.mark.parametrize("wrap", [
    {"state_dict": SMALL}, {"model": SMALL, "epoch": 3}, {"model_state_dict": SMALL, "loss": torch.tensor(0.5)},
    {"optimizer": SMALL | {"conv0.weight": torch.zeros(9, 3, 2, 2)}, "teacher": SMALL},
    {"step": torch.tensor(1), "checkpoint": {"network": SMALL}}, dict(SMALL, step=torch.tensor(1)),
    {f"module.{name}": tensor for name, tensor in SMALL.items()},
    {"state_dict": {f"_orig_mod.module.{name}": tensor for name, tensor in SMALL.items()}},
])  # fmt: skip
def test_weights_in_a_checkpoint_are_found(tmp_path: Path, wrap: Mapping[str, object]) -> None:
    found = read_filters(saved(tmp_path / "a.pt", wrap))
    assert found.layer == "conv1"
    np.testing.assert_array_equal(found.weights, SMALL["conv1.weight"].numpy())


@pytest.mark.parametrize("layer", ["b", "b.weight", "module.b.weight"])
def test_a_layer_is_taken_by_its_name(tmp_path: Path, layer: str) -> None:
    state = {
        "a.weight": torch.zeros(1, 3, 1, 1),
        "c.weight": torch.zeros(1, 3, 2, 2),
        "b.weight": torch.ones(5, 3, 4, 4),
    }
    path = saved(tmp_path / "a.pth", state)
    assert read_filters(path, layer).weights.shape == (5, 3, 4, 4)
    assert read_filters(path).layer == "c"  # the first of the file whose filters have more than one pixel


@pytest.mark.parametrize(("layer", "said"), [
    ("conv9", "no layer 'conv9': choose 'conv1'"), ("conv2", r"shape \(2, 4, 3, 3\).*x k x k .* look at colours"),
    ("conv1.bias", r"shape \(4,\)"), ("", "no layer ''"),
])  # fmt: skip
def test_a_layer_that_will_not_do_is_refused_with_those_that_would(tmp_path: Path, layer: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refusal:
        read_filters(saved(tmp_path / "a.pth", SMALL), layer)
    assert "choose 'conv1'" in str(refusal.value)


@pytest.mark.parametrize("zipped", [True, False, None])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, zipped: bool | None) -> None:
    marker, path = tmp_path / "it-ran", tmp_path / "evil.pth"
    content = SMALL | {"conv0.weight": Attack(marker)}
    path.write_bytes(pickle.dumps(content)) if zipped is None else saved(path, content, zipped)
    with pytest.raises(DataError, match="carries code.*none of it was run") as refusal:
        read_filters(path)
    assert "weights_only" not in str(refusal.value)  # no advice to open it all the same
    assert not marker.exists()
    pickle.loads(pickle.dumps(content))  # without the refusal, it is run
    assert marker.exists()


def test_a_whole_network_pickled_is_code(tmp_path: Path) -> None:
    for content in (nn.Linear(1, 1), {"epoch": 3, "model": nn.Linear(1, 1)}):
        with pytest.raises(DataError, match=r"no named tensors but torch\.nn\.modules\.linear\.Linear.*nothing.*run"):
            read_filters(saved(tmp_path / "a.pth", content))


def test_a_torchscript_program_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", SMALL)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("a/constants.pkl", pickle.dumps(()))
    with pytest.raises(DataError, match="TorchScript"):
        read_filters(path)


def test_an_old_torch_reads_safetensors_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    save_file(SMALL, tmp_path / "a.safetensors")
    assert read_filters(tmp_path / "a.safetensors").layer == "conv1"
    with pytest.raises(UsageError, match=r"torch 2\.9\.1\+cpu.*install torch 2\.10 or newer"):
        read_filters(saved(tmp_path / "a.pth", SMALL))


@pytest.mark.parametrize("content", [b"", b"hello", b"no weights at all\n" * 99, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_what_is_no_weights_file_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("a.pth", "a.safetensors"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="not a weights file"):
            read_filters(tmp_path / name)


def test_folders_absent_files_tar_and_other_zip_files_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "old.tar", "w") as tar:
        tar.add(saved(tmp_path / "a.pth", SMALL), "storages")
    np.savez(tmp_path / "a.npz", np.ones((1, 3, 2, 2)))
    for name, said in {"": "not a file", "b.pth": "not there", "old.tar": "tar file", "a.npz": "npz"}.items():
        with pytest.raises(TransferkitError, match=said):
            read_filters(tmp_path / name)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.bin"
    save_file(SMALL, path) if kind == "safetensors" else saved(path, SMALL, zipped=kind == "zip")
    whole = path.read_bytes()
    for length in range(1, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            read_filters(path)


@pytest.mark.parametrize("length", [0, 7, 10**6, 2**63])
def test_a_wrong_header_length_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.safetensors"
    save_file(SMALL, path)
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    with pytest.raises(DataError, match="damaged safetensors file"):
        read_filters(path)


@pytest.mark.parametrize("content", [[1, 2], torch.ones(2), {}, {"a": 1}, {1: torch.ones(2)}])
def test_a_file_without_named_tensors_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(DataError, match="no named tensors"):
        read_filters(saved(tmp_path / "a.pth", content))


@pytest.mark.parametrize("tensor", [
    torch.ones(4, 2, 3, 3), torch.ones(4, 3, 3, 5), torch.ones(4, 3, 1, 1), torch.ones(4, 3), torch.ones(4, 3, 3, 3, 3),
    torch.ones(4, 3, 3, 3, dtype=torch.int8), torch.ones(0, 3, 3, 3), torch.ones(4, 3, 3, 3, device="meta"),
    torch.ones(4, 3, 3, 3).to_sparse(),
])  # fmt: skip
def test_weights_without_filters_for_colour_are_refused(tmp_path: Path, tensor: torch.Tensor) -> None:
    with pytest.raises(DataError, match="no layer that sees colour|no named tensors"):
        read_filters(saved(tmp_path / "a.pth", {"conv1.weight": tensor}))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e300])
def test_filters_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    with pytest.raises(DataError, match="'conv1'.*not finite"):
        read_filters(saved(tmp_path / "a.pth", {"conv1.weight": torch.full((1, 3, 2, 2), bad, dtype=torch.float64)}))


def test_a_checkpoint_that_contains_itself_ends(tmp_path: Path) -> None:
    content: dict[str, object] = {"epoch": 1}
    content["state_dict"] = content["again"] = content
    with pytest.raises(DataError, match="no named tensors"):
        read_filters(saved(tmp_path / "a.pth", content))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch's cache in a folder of its own, without a network."""

    def no_network(*args: object, **options: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "urlopen", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", ["alexnet", "AlexNet", "AlexNet_Weights.IMAGENET1K_V1", "alexnet_weights.default"])
def test_torchvisions_weights_are_found_by_name(cache: Path, name: str) -> None:
    (cache.parents[1] / "alexnet").mkdir()  # a folder is no reason not to
    state = {"features.0.weight": torch.randn(2, 3, 11, 11)}
    saved(cache / "alexnet-owt-7be5be79.pth", state)
    found = load_filters(name)
    assert (found.layer, found.source) == ("features.0", "AlexNet_Weights.IMAGENET1K_V1")
    np.testing.assert_array_equal(found.weights, state["features.0.weight"].numpy())


def test_without_a_network_one_sentence_says_what_to_do(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match=r"^ResNet50.*V2 could not be fetched.*no route.*--weights FILE\.$"):
        named_filters("resnet50")
    assert capsys.readouterr().out == ""


def test_damage_or_code_in_the_cache_is_refused(cache: Path, tmp_path: Path) -> None:
    path = saved(cache / "alexnet-owt-7be5be79.pth", {"a": Attack(tmp_path / "it-ran")})
    for _ in range(2):
        with pytest.raises(DataError, match=f"remove {path}.*(carries code|damaged)"):
            named_filters("alexnet")
        path.write_bytes(b"PK\x03\x04")
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(("name", "close"), [
    ("resnet51", "resnet50"), ("ResNet50_Weights.IMAGENET1K_V9", "resnet50_weights.imagenet1k_v2"), ("q", "alexnet"),
    ("nowhere/weights.pth", "alexnet"),
])  # fmt: skip
def test_what_is_neither_file_nor_name_is_refused_with_close_names(cache: Path, name: str, close: str) -> None:
    with pytest.raises(UsageError, match=f"{name!r} is neither a weights file nor.*such as .*{close}"):
        load_filters(name)
