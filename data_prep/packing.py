"""Pack a listing of pictures into a prepared folder, on all cores; it can be interrupted at any moment."""

import csv
import io
import itertools
import shutil
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from data_prep.contact_sheet import write_contact_sheet
from data_prep.doubts import Values, doubts_of_counts, doubts_of_values
from data_prep.draft import Draft, Entry, open_draft
from data_prep.listing import Fitting, Item, Listing, check_parts, shown
from data_prep.progress import Tell, silent
from data_prep.rendering import CHANGED, SET_ASIDE
from data_prep.workers import make_chunk, packed
from transferkit.disk import atomic
from transferkit.disk.prepared import CONTACT_SHEET, IMAGES, LABELS, MANIFEST, Manifest, file_checksum, write_manifest
from transferkit.errors import DataError, StoreError

MOST_BAD = 0.01  # of all pictures; the preparation stops when there are more,
FEW_BAD, FEW_BAD_SHARE = 5, 0.1  # unless they are only a few, and not a tenth of a small folder
CHUNK_PICTURES, CHUNK_BYTES = 64, 2**24  # of one chunk at most; Ctrl-C waits for a few chunks
NO_PICTURE = "passed over: it is no picture by its name or content, or lies in no class folder"


def arguments_of(listing: Listing, fitting: Fitting) -> dict[str, int | float | str | bool]:
    """What determines the bytes of the data set, as the manifest records it."""
    given = {"size": fitting.size, "shape": fitting.shape, "listing": listing.fingerprint()}
    return given | dict(listing.arguments)


def write_listing(folder: Path, listing: Listing, fitting: Fitting, workers: int, tell: Tell = silent) -> Manifest:
    """Write the data set into `folder`, replacing an older one only at the end; `tell` is called after every chunk.

    After an interruption or a kill, the next call goes on with the next chunk. `set_aside.csv` lists the pictures that
    cannot be used and are left out, `changed.csv` those that were changed. Raises DataError when too many are bad, a
    class is left empty or nothing can be learned from the pictures, StoreError when the disk is full or not writable.
    """
    with atomic.writing(folder), open_draft(folder, fitting.size) as draft:
        entries = draft.resume(repr(arguments_of(listing, fitting)))
        _check_space(folder, draft, len(listing.train) + len(listing.valid), entries)
        try:
            entries = _pack(draft, listing, fitting, workers, entries, tell)
        except _TooManyBadError as problem:
            draft.discard()
            raise DataError(_report_bad(folder, problem, listing)) from None
        try:
            written = _describe(draft, listing, fitting, entries)
        except DataError:
            draft.discard()
            raise
        names = [IMAGES, LABELS, MANIFEST, CONTACT_SHEET, SET_ASIDE, CHANGED]
        draft.publish(folder, names)
    return written


class _TooManyBadError(Exception):
    def __init__(self, set_aside: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.set_aside = set_aside


def most_bad(total: int) -> float:
    """How many of `total` pictures may be bad: 1 %, or five, but no more than a tenth."""
    return max(MOST_BAD * total, min(FEW_BAD, FEW_BAD_SHARE * total))


def _pack(
    draft: Draft, listing: Listing, fitting: Fitting, workers: int, entries: list[Entry], tell: Tell
) -> list[Entry]:
    places = [item.place for item in (*listing.train, *listing.valid)]
    count = max(1, min(CHUNK_PICTURES, CHUNK_BYTES // draft.row_bytes))
    tasks = [tuple(places[start : start + count]) for start in range(0, len(places), count)]
    set_aside = [one for entry in entries for one in entry.set_aside]
    done = min(len(entries) * count, len(places))
    tell(done, len(places))
    work = partial(make_chunk, listing.pictures, fitting)
    with draft.appending() as appender, closing(packed(work, tasks[len(entries) :], workers)) as chunks:
        for chunk in chunks:
            entries.append(appender.add(chunk))
            set_aside += chunk.set_aside
            if len(set_aside) > most_bad(len(places)):
                raise _TooManyBadError(set_aside)
            done = min(done + count, len(places))
            tell(done, len(places))
    return entries


def _describe(draft: Draft, listing: Listing, fitting: Fitting, entries: list[Entry]) -> Manifest:
    items = _kept(listing, entries)
    train, valid = ([item.label for item in part] for part in items)
    set_aside = [one for entry in entries for one in entry.set_aside]
    try:
        check_parts(listing.classes, train, valid)
    except DataError as problem:
        bad = "; ".join(f"{place}: {reason}" for place, reason in set_aside[:3])
        raise DataError(f"{problem} {len(set_aside)} cannot be used: {bad}." if bad else str(problem)) from None
    doubts = (*listing.doubts, *_doubts(listing, [*items[0], *items[1]], entries, len(set_aside), len(valid)))
    draft.finish_images(len(train) + len(valid))
    np.save(buffer := io.BytesIO(), np.array(train + valid, np.int64))
    (draft.folder / LABELS).write_bytes(buffer.getvalue())
    changed = [one for entry in entries for one in entry.changed]
    others = [(shown(place), NO_PICTURE) for place in listing.passed_over]
    (draft.folder / SET_ASIDE).write_bytes(_table("reason", set_aside + others))
    (draft.folder / CHANGED).write_bytes(_table("change", changed))
    names = (IMAGES, LABELS)
    written = Manifest(
        name=listing.name, classes=listing.classes, image_size=fitting.size, train=(0, len(train)),
        valid=(len(train), len(train) + len(valid)), validation=listing.validation,
        source=f"{listing.source} {_counts(len(set_aside), len(others), len(changed))}",
        checksums={name: file_checksum(draft.folder / name) for name in names},
        arguments=arguments_of(listing, fitting), doubts=doubts,
    )  # fmt: skip
    write_contact_sheet(draft.folder, written, draft.folder / CONTACT_SHEET)
    write_manifest(draft.folder, written)
    return written


def _kept(listing: Listing, entries: list[Entry]) -> tuple[list[Item], list[Item]]:
    dropped, start = set(), 0
    for entry in entries:
        dropped |= {start + position for position in entry.dropped}
        start += entry.rows + len(entry.dropped)

    def left(items: tuple[Item, ...], first: int) -> list[Item]:
        return [item for row, item in enumerate(items, first) if row not in dropped]

    return left(listing.train, 0), left(listing.valid, len(listing.train))


def _doubts(listing: Listing, kept: list[Item], entries: list[Entry], bad: int, valid: int) -> tuple[str, ...]:
    starts = itertools.accumulate((entry.rows for entry in entries), initial=0)
    seen = Values(
        min((entry.values.least for entry in entries), default=255),
        max((entry.values.greatest for entry in entries), default=0),
        tuple(start + row for start, entry in zip(starts, entries, strict=False) for row in entry.values.blank),
    )
    names = [one.name for one in listing.classes]
    of_values = doubts_of_values(names, kept, seen, stop=not listing.published)
    return (*of_values, *doubts_of_counts(valid, bad, len(kept) + bad))


def _counts(set_aside: int, others: int, changed: int) -> str:
    # The words for no other files are part of the identity of data sets prepared before contents were looked at.
    what = "no pictures by their names" if not others else "no pictures or lie in no class folder"
    return (
        f"Set aside: {set_aside} pictures that cannot be used, and {others} files that are {what} "
        f"({SET_ASIDE}). Changed to upright RGB of 8 bits: {changed} ({CHANGED})."
    )


def _table(heading: str, rows: Sequence[tuple[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("path", heading), *rows])
    return text.getvalue().encode(errors="backslashreplace")


def _report_bad(folder: Path, problem: _TooManyBadError, listing: Listing) -> str:
    report = folder.with_name(f"{folder.name}.{SET_ASIDE}")
    atomic.write_bytes(report, _table("reason", problem.set_aside))
    place, reason = problem.set_aside[0]
    total = len(listing.train) + len(listing.valid)
    return (
        f"{len(problem.set_aside)} pictures cannot be used, more than the {most_bad(total):.0f} that may be lost of "
        f"{total} (the first: {place}: {reason}): mend or remove those listed in {report}, then run this again."
    )


def _check_space(folder: Path, draft: Draft, total: int, entries: list[Entry]) -> None:
    needed = (total - sum(entry.rows for entry in entries)) * draft.row_bytes
    free = shutil.disk_usage(draft.folder).free
    if needed > free:
        raise StoreError(
            f"{folder} needs {needed / 1e9:.1f} GB more for {total} pictures of {draft.size} pixels, "
            f"{free / 1e9:.1f} GB are free there: free some space, give a smaller --size, or --out on another disk."
        )
