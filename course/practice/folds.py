"""Folds: every picture is validated once, by heads and networks that were not trained on it or on a copy of it."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from course.practice.pictures import Numbers, Pictures
from transferkit.disk import atomic
from transferkit.disk.prepared import IMAGES, LABELS, MANIFEST, file_checksum, write_manifest
from transferkit.errors import DataError, whole

FEWEST = 2


def divide(labels: Numbers, copies: Numbers, folds: int, seed: int) -> Numbers:
    """For each picture the fold, 0..folds-1, in which it is validated, int64 N.

    Copies are in one fold, and each class is spread over the folds as evenly as they allow.
    """
    fold_of = np.zeros(len(labels), np.int64)
    divisions = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(labels, labels, copies)
    for fold, (_, valid) in enumerate(divisions):
        fold_of[valid] = fold
    return fold_of


def check_folds(folds: int) -> int:
    """The number itself. Raises UsageError for less than two, or no whole number."""
    if whole("folds", folds) < FEWEST:
        from transferkit.errors import UsageError

        raise UsageError(f"--folds {folds}: give at least {FEWEST}, to train on some pictures and validate on others.")
    return folds


def write_fold(pictures: Pictures, fold_of: Numbers, fold: int, folder: Path) -> Path:
    """The fold as a prepared data set, the pictures that it validates last; written once, and as a whole.

    Raises DataError when a class is left without a picture to train, StoreError when the disk is full.
    """
    if (folder / MANIFEST).is_file():
        return folder
    train, valid = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
    manifest = pictures.prepared.manifest
    if missing := {*range(len(manifest.classes))} - {*pictures.labels[train].tolist()}:
        names = ", ".join(manifest.classes[label].name for label in sorted(missing))
        raise DataError(f"fold {fold + 1} leaves no picture of {names} to train on: add different pictures of it.")
    rows = np.concatenate([train, valid])
    with atomic.new_folder(folder) as partial:
        np.save(partial / IMAGES, pictures.images[rows])
        np.save(partial / LABELS, pictures.labels[rows])
        checksums = {name: file_checksum(partial / name) for name in (IMAGES, LABELS)}
        own = replace(
            manifest, name=folder.name, train=(0, len(train)), valid=(len(train), len(rows)), checksums=checksums,
            validation=f"fold {fold + 1} of {fold_of.max() + 1}: every picture is validated in one of them",
        )  # fmt: skip
        write_manifest(partial, own)
    return folder


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays by name as the content of an .npz file."""
    np.savez(buffer := io.BytesIO(), allow_pickle=False, **arrays)
    return buffer.getvalue()
