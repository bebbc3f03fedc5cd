from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from transferkit.disk.checkpoints import Checkpoint, EpochLog, pack, unpack

arrays = arrays_of.arrays(np.float32, arrays_of.array_shapes(min_dims=0, max_side=3))
names = st.dictionaries(st.sampled_from(["conv1.weight", "fc8.bias", "conv1_norm.running_mean"]), arrays, max_size=3)
logs = st.lists(st.builds(EpochLog, st.integers(1, 9), *[st.floats(-9, 9)] * 4), max_size=3).map(tuple)
losses = arrays_of.arrays(np.float32, st.integers(0, 5), elements=st.floats(0, 9, width=32))
checkpoints = st.builds(
    Checkpoint, st.integers(0, 99), logs, losses, names, names,
    st.dictionaries(st.integers(0, 200), st.just(np.zeros((2, 3), np.float32)), max_size=2), st.floats(0, 1e6),
)  # fmt: skip


def same(one: Checkpoint, other: Checkpoint) -> bool:
    parts = ("weights", "momenta", "history")
    for mine, theirs in zip(*([getattr(each, part) for part in parts] for each in (one, other)), strict=True):
        if {key: array.tobytes() for key, array in mine.items()} != {key: a.tobytes() for key, a in theirs.items()}:
            return False
    return (one.step, one.log, one.seconds, one.losses.tobytes()) == (
        other.step, other.log, other.seconds, other.losses.tobytes()
    )  # fmt: skip


@given(checkpoints)
def test_what_is_packed_is_unpacked_to_the_bit(tmp_path_factory: pytest.TempPathFactory, written: Checkpoint) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "file"
    path.write_bytes(pack(written))
    assert same(unpack(path), written)


@pytest.fixture
def packed() -> bytes:
    weights = {"conv1.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}
    return pack(Checkpoint(3, (EpochLog(1, 1.5, 0.1, 1.25, 0.5),), np.ones(3, np.float32), weights, weights))


@given(st.data())
def test_a_changed_byte_of_an_array_or_a_file_cut_short_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    weights = {"conv1.weight": np.arange(6, dtype=np.float32)}
    content = bytearray(pack(Checkpoint(3, (), np.ones(3, np.float32), weights, weights)))
    path = tmp_path_factory.mktemp("checkpoint") / "file"
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[-data.draw(st.integers(1, 60))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r".+"):
        unpack(path)


def test_a_file_without_progress_is_refused_and_a_missing_one_is_not_there(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "file").write_bytes(packed.replace(b"progress", b"prograss"))
    with pytest.raises(ValueError, match="progress"):
        unpack(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        unpack(tmp_path / "none")


def test_two_moments_differ(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "file").write_bytes(packed)
    found = unpack(tmp_path / "file")
    assert not same(found, replace(found, step=4))
