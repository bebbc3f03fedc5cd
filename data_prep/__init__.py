"""Data sets in the prepared format (see `transferkit.disk.prepared`): `python -m data_prep NAME`, or `ensure`."""

import logging
from pathlib import Path

_log = logging.getLogger(__name__)


def ensure_pictures(pictures: Path | None = None, work: Path | None = None) -> Path:
    """The prepared folder of a folder with one folder of pictures per class; without one, of the example `tiles`.

    As `python -m data_prep folder --from PICTURES` in one process, and raises as that; but where another notebook
    is preparing it, waits.
    """
    from data_prep.catalogue import Origin, list_pictures, prepare_listing
    from data_prep.listing import Fitting
    from transferkit.disk.locks import exclusive
    from transferkit.disk.prepared import find_work_folder

    place = work or find_work_folder()
    kind, name = ("folder", pictures.resolve().name) if pictures else ("tiles", "tiles")
    folder = place / "data" / name
    with exclusive(_lock(folder)):
        listing = list_pictures(kind, name, Origin(pictures, place / "downloads"))
        prepare_listing(folder, listing, Fitting(), workers=1)
    return folder


def ensure(name: str, work: Path | None = None) -> Path:
    """The prepared folder `work/data/name`, rendered with the defaults if it is not there yet, with a contact sheet.

    `name` is photos or shapeworld, or the path of a prepared folder, as `transferkit.disk.prepared.prepared_folder` takes them;
    `work` is the usual work folder if None. An existing folder is taken as it is, whatever its arguments, and where
    nothing can be written without a contact sheet, which is logged; one that another process is rendering here is
    waited for. Raises UsageError for another name, or one that its command must prepare first, DataError when the
    folder holds something else, StoreError when the disk is full or not writable.
    """
    from data_prep.catalogue import get_rendered, prepare
    from data_prep.prepared import Arguments
    from transferkit.disk.locks import exclusive
    from transferkit.disk.prepared import CONTACT_SHEET, MANIFEST, find_work_folder

    folder = _find(name, work or find_work_folder())
    if not (folder / MANIFEST).is_file():
        get_rendered(name, Arguments())  # a name that is none must leave nothing behind
        with exclusive(_lock(folder)):
            if not (folder / MANIFEST).is_file():
                prepare(name, folder, Arguments())
    if not (folder / CONTACT_SHEET).is_file():
        _draw_contact_sheet(folder)
    return folder


def _find(name: str, work: Path) -> Path:
    from transferkit.disk.prepared import prepared_folder
    from transferkit.errors import UsageError

    try:
        return prepared_folder(work, name)
    except UsageError:  # not there yet
        return work / "data" / name


def _draw_contact_sheet(folder: Path) -> None:
    from data_prep.contact_sheet import write_contact_sheet
    from transferkit.disk.atomic import sweep_partials
    from transferkit.disk.prepared import CONTACT_SHEET, read_manifest
    from transferkit.errors import StoreError

    sweep_partials(folder)
    try:
        write_contact_sheet(folder, read_manifest(folder, verify=False), folder / CONTACT_SHEET)
    except StoreError as problem:  # a folder that is shared for reading is as good without
        _log.warning("%s has no contact sheet: %s", folder, problem)


def _lock(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
