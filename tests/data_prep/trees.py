"""Small data sets in the formats in which CIFAR-100, Tiny ImageNet and ILSVRC 2012 are published."""

import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import scipy.io

from data_prep.devkit import META, TRUTH
from data_prep.listing import imagenet_classes, read_table
from tests.data_prep.conftest import fill, jpeg

CIFAR_NAMES = sorted(one for row in read_table("cifar100.csv") for one in row["classes"].split())
CIFAR_COUNTS = {"train": 3, "test": 1}  # images a class


def python2_pickle(value: object) -> bytes:
    """What cPickle of Python 2 wrote with protocol 2, for dictionaries, lists, integers, strings and byte arrays."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: object) -> bytes:
    match value:
        case dict():
            return b"}(" + b"".join(_opcodes(key) + _opcodes(one) for key, one in value.items()) + b"u"
        case list():
            return b"](" + b"".join(map(_opcodes, value)) + b"e"
        case int():
            return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)
        case bytes():
            return b"T" + struct.pack("<i", len(value)) + value  # str of Python 2
        case np.ndarray():
            made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
            shape = b"".join(b"J" + struct.pack("<i", side) for side in value.shape)
            kind = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            return made + b"(K\x01(" + shape + b"t" + kind + b"\x89" + _opcodes(value.tobytes()) + b"tb"
    raise TypeError(value)


def stored(part: str) -> dict[bytes, Any]:
    """What the pickle of one part holds."""
    labels = np.arange(100 * CIFAR_COUNTS[part]) * 7 % 100  # 7 and 100 share no factor: every class equally often
    images = np.random.default_rng(CIFAR_COUNTS[part]).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    files = [f"{label}.png".encode() for label in labels]
    return {b"filenames": files, b"batch_label": b"x", b"fine_labels": labels.tolist(),
            b"coarse_labels": (labels // 5).tolist(), b"data": images}  # fmt: skip


def cifar100_files() -> dict[str, bytes]:
    """The three pickles of CIFAR-100."""
    meta = {b"fine_label_names": [name.encode() for name in CIFAR_NAMES], b"coarse_label_names": [b"x"]}
    return {"meta": python2_pickle(meta)} | {part: python2_pickle(stored(part)) for part in CIFAR_COUNTS}


def archived(path: Path, contents: dict[str, bytes]) -> Path:
    """The archive of CIFAR-100."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


TINY_WNIDS = ("n04067472", "n02124075", "n09246464", "n02834397")  # reel, Egyptian cat, cliff, bib: as published


def tiny_files() -> dict[str, bytes]:
    """The members of Tiny ImageNet's archive."""
    made = {
        "wnids.txt": "\n".join(TINY_WNIDS).encode(),
        "words.txt": b"n00001740\tentity\n",
        "test/images/test_0.JPEG": jpeg(),
    }
    boxes = []
    for i, wnid in enumerate(TINY_WNIDS):
        made[f"train/{wnid}/{wnid}_boxes.txt"] = b"x\t0\t0\t63\t63\n"
        for row in range(4):
            made[f"train/{wnid}/images/{wnid}_{row}.JPEG"] = jpeg(10 * i + row, 64, 64)
        for row in range(2):
            made[f"val/images/val_{2 * i + row}.JPEG"] = jpeg(100 + 10 * i + row, 64, 64)
            boxes.append(f"val_{2 * i + row}.JPEG\t{wnid}\t0\t0\t63\t63")
    made["val/val_annotations.txt"] = "\n".join(boxes).encode() + b"\n"
    return {f"tiny-imagenet-200/{name}": content for name, content in made.items()}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """A zip archive of these files."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


WNIDS = list(imagenet_classes())
ORDER = np.random.default_rng(0).permutation(1000)  # the devkit's own numbers are in another order than the wnids
TRUTHS = np.random.default_rng(1).permutation(1000)  # validation image i + 1 shows class TRUTHS[i]
IMAGE = jpeg(0, 8, 8)


def imagenet_tree(root: Path, valid: dict[str, bytes], below: str = "") -> Path:
    """A tree of one training image of each class, with these validation images."""
    train = {f"train/{wnid}/{wnid}_1.JPEG": IMAGE for wnid in WNIDS}
    fill(root / below, train | {f"val/{name}": content for name, content in valid.items()})
    return root


def flat() -> dict[str, bytes]:
    """A thousand validation images as they are published."""
    return {f"ILSVRC2012_val_{row:08}.JPEG": IMAGE for row in range(1, 1001)}


def devkit() -> dict[str, bytes]:
    """The two files of the development kit: every synset's number, wnid and words, then one number an image."""
    fields = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("num_children", object)]
    synsets = np.zeros((1001, 1), dtype=fields)
    for row, index in enumerate(ORDER):
        synsets[row, 0] = (float(row + 1), WNIDS[index], "some words", 0.0)
    synsets[1000, 0] = (1001.0, "n00001740", "entity", 1000.0)  # an inner node, not a class
    buffer = io.BytesIO()
    scipy.io.savemat(cast(Any, buffer), {"synsets": synsets})
    numbers = {int(index): row + 1 for row, index in enumerate(ORDER)}
    return {META: buffer.getvalue(), TRUTH: "\n".join(str(numbers[int(one)]) for one in TRUTHS).encode() + b"\n"}
