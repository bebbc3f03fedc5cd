"""Data sets in the prepared format (see `transferkit.manifest`): `python -m data_prep NAME`, or `ensure`."""

from pathlib import Path


def ensure(name: str, work: Path) -> Path:
    """The prepared folder `work/data/name`, rendered with the defaults if it is not there yet.

    `name` is photos or shapeworld. An existing folder is taken as it is, whatever its arguments. Raises
    UsageError for another name, DataError when the folder holds something else, StoreError when the disk is full
    or not writable.
    """
    from data_prep.catalogue import prepare
    from data_prep.prepared import Arguments
    from transferkit.manifest import MANIFEST

    folder = work / "data" / name
    if not (folder / MANIFEST).is_file():
        prepare(name, folder, Arguments())
    return folder
