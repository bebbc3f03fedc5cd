"""Data sets in the prepared format (see `transferkit.manifest`): `python -m data_prep NAME`, or `ensure`."""

from pathlib import Path


def ensure(name: str, work: Path) -> Path:
    """The prepared folder `work/data/name`, rendered with the defaults if it is not there yet.

    `name` is photos or shapeworld. An existing folder is taken as it is, whatever its arguments. Raises
    UsageError for another name, StoreError when the disk is full or not writable.
    """
    from data_prep.catalogue import get_rendered
    from data_prep.prepared import Recipe, write
    from transferkit.manifest import MANIFEST

    folder = work / "data" / name
    if not (folder / MANIFEST).is_file():
        write(folder, get_rendered(name, Recipe()), Recipe())
    return folder
