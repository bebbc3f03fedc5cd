"""The classes of ILSVRC 2012's validation images, from its development kit or from Kaggle's list."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from data_prep.sources import read_tar
from transferkit.errors import DataError

META, TRUTH = "meta.mat", "ILSVRC2012_validation_ground_truth.txt"
NAMES = ("ILSVRC2012_devkit_t12", "ILSVRC2012_devkit_t12.tar.gz", "devkit", ".")


def read_devkit(root: Path, devkit: Path | None) -> dict[int, str]:
    """The wnid of every validation image by its number (from 1); without `devkit`, it is looked for in `root`.

    Raises DataError when it is missing or damaged.
    """
    places = [devkit] if devkit else [root / name for name in NAMES]
    contents = next((found for place in places if (found := _contents(place))), None)
    if contents is None:
        raise DataError(
            f"{places[0]} holds no {META} and {TRUTH}, which hold the classes of validation images outside "
            "class folders: give the development kit (ILSVRC2012_devkit_t12, a folder or tar.gz) with --devkit."
        )
    wnids = _wnids(contents[META])
    try:
        numbers = [int(line) for line in contents[TRUTH].split()]
        return {image: wnids[number] for image, number in enumerate(numbers, 1)}
    except (ValueError, KeyError) as problem:
        raise DataError(
            f"{TRUTH} names {problem}, which is not a class in {META}: fetch the development kit again."
        ) from None


def read_solution(path: Path) -> dict[int, str]:
    """The same from Kaggle's `LOC_val_solution.csv`. Raises DataError when it is damaged."""
    found = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number = re.fullmatch(r"ILSVRC2012_val_(\d{8})", row.get("ImageId") or "")
            wnid = (row.get("PredictionString") or "").partition(" ")[0]
            if number is None or not wnid:
                raise DataError(f"{path} does not list ImageId and PredictionString: fetch it again.")
            found[int(number[1])] = wnid
    return found


def _contents(place: Path) -> Mapping[str, bytes] | None:
    if place.is_file():
        return read_tar(place, (META, TRUTH))
    for folder in (place, place / "data"):
        if all((folder / name).is_file() for name in (META, TRUTH)):
            return {name: (folder / name).read_bytes() for name in (META, TRUTH)}
    return None


def _wnids(meta: bytes) -> dict[int, str]:
    from scipy import io as scipy_io  # only here: SciPy takes a while to import

    try:
        synsets = scipy_io.loadmat(cast(Any, io.BytesIO(meta)), squeeze_me=True)["synsets"]  # stubs allow paths only
        return {int(one["ILSVRC2012_ID"]): str(one["WNID"]) for one in synsets}
    except Exception as problem:  # SciPy raises many kinds
        raise DataError(f"{META} cannot be read ({problem}): fetch the development kit again.") from None
