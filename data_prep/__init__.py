"""Data sets in the prepared format (see `transferkit.disk.prepared`): `python -m data_prep NAME`, or `ensure`."""

import logging
from pathlib import Path

from transferkit.disk.atomic import exclusive, sweep_partials
from transferkit.disk.prepared import CONTACT_SHEET, MANIFEST, find_work_folder, prepared_folder, read_manifest
from transferkit.errors import StoreError, UsageError

_log = logging.getLogger(__name__)


def ensure_pictures(pictures: Path | None = None, work: Path | None = None) -> Path:
    """The prepared folder of your own pictures, a folder with one subfolder per class; by default of `tiles`.

    It does what `python -m data_prep folder --from PICTURES` does, in one process, and raises the same errors. If
    another process is preparing the same folder, it waits.
    """
    from data_prep.catalogue import Inputs, list_pictures, prepare_listing
    from data_prep.listing import Fitting

    place = work or find_work_folder()
    kind, name = ("folder", pictures.resolve().name) if pictures else ("tiles", "tiles")
    folder = place / "data" / name
    with exclusive(_lock(folder)):
        listing = list_pictures(kind, name, Inputs(pictures, place / "downloads"))
        manifest, new = prepare_listing(folder, listing, Fitting(), workers=1)
    for doubt in manifest.doubts if new else ():
        _log.warning("%s: %s", name, doubt)
    return folder


def ensure(name: str, work: Path | None = None) -> Path:
    """The prepared folder `work/data/name`, with a contact sheet; it is drawn with the defaults if it is not there.

    `name` is photos, views or shapeworld, or the name or path of any prepared folder, as `prepared_folder` takes it.
    `work` is the usual work folder if None. An existing folder is taken as it is, whatever its arguments, and without a
    contact sheet (with a warning) where it cannot be written. If another process is drawing the folder, it waits.
    Raises UsageError for another name, or one that its command must prepare first; DataError when the folder holds
    something else; StoreError when the disk is full or not writable.
    """
    from data_prep.catalogue import DEFAULTS, get_rendered, prepare
    from data_prep.rendering import Arguments

    folder = _find(name, work or find_work_folder())
    if not (folder / MANIFEST).is_file():
        arguments = DEFAULTS.get(name, Arguments())
        get_rendered(name, arguments)  # an unknown name must leave nothing behind
        with exclusive(_lock(folder)):
            if not (folder / MANIFEST).is_file():
                prepare(name, folder, arguments)
    if not (folder / CONTACT_SHEET).is_file():
        _draw_contact_sheet(folder)
    return folder


def _find(name: str, work: Path) -> Path:
    try:
        return prepared_folder(work, name)
    except UsageError:  # not there yet
        return work / "data" / name


def _draw_contact_sheet(folder: Path) -> None:
    from data_prep.contact_sheet import write_contact_sheet

    sweep_partials(folder)
    try:
        write_contact_sheet(folder, read_manifest(folder, verify=False), folder / CONTACT_SHEET)
    except StoreError as problem:  # a shared folder that only others may write
        _log.warning("%s has no contact sheet: %s", folder, problem)


def _lock(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
