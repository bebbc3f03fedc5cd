"""The files of a data set in a folder or an archive: read in place, and no link or member may lead outside."""

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from data_prep.pictures import MOST_BYTES, Decoded, PictureError, decode
from transferkit.errors import DataError

MOST_TAR_BYTES = 2**30  # of one member that is read into memory


class Files(Protocol):
    """Files to list and to read by name; a name is a path with "/", relative to the folder or archive."""

    def sizes(self) -> Mapping[str, int]:
        """The size in bytes of every file, sorted by name. Raises DataError when one leads outside."""

    def read(self, name: str) -> bytes:
        """The content of a file. Raises PictureError when it cannot be read or is absurdly large."""

    def picture(self, place: str) -> Decoded:
        """A file as a picture. Raises PictureError."""


@dataclass(frozen=True)
class Folder:
    """The files below a folder except hidden ones. A link may only lead to another file in the folder."""

    root: Path

    def sizes(self, below: str = "") -> Mapping[str, int]:
        """See Files; only those in the subfolder `below` ("" or ending with "/").

        Raises DataError for a link to a folder, or one that leaves this folder.
        """
        root = self.root.resolve()
        _check_inside(self.root / below, root)
        return dict(_walk(self.root / below, below, root))

    def read(self, name: str) -> bytes:
        """See Files."""
        try:
            found = os.stat(self.root / name)
            if not stat.S_ISREG(found.st_mode):
                raise PictureError("it is not a regular file")
            _check_size(found.st_size)
            return (self.root / name).read_bytes()
        except OSError as problem:
            raise PictureError(f"it cannot be read: {problem.strerror or problem}") from None

    def picture(self, place: str) -> Decoded:
        """See Files."""
        return decode(self.read(place))


@dataclass(frozen=True)
class Zip:
    """The members of a zip archive, read in place."""

    path: Path

    def sizes(self) -> Mapping[str, int]:
        """See Files. Raises DataError for a member that is a link or leads outside, or if this is not a zip archive."""
        archive = _open_zip(self.path)
        for member in archive.infolist():
            _check_member(self.path, member.filename, stat.S_ISLNK(member.external_attr >> 16))
        return {one.filename: one.file_size for one in sorted(archive.infolist(), key=_by_name) if not one.is_dir()}

    def read(self, name: str) -> bytes:
        """See Files."""
        archive = _open_zip(self.path)
        _check_size(archive.getinfo(name).file_size)
        try:
            return archive.read(name)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as problem:
            raise PictureError(f"it cannot be read from {self.path.name}: {problem}") from None

    def picture(self, place: str) -> Decoded:
        """See Files."""
        return decode(self.read(place))


def read_tar(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The members of a tar archive, compressed or not, whose file names are `wanted`; others are not read.

    Raises DataError when it is damaged, lacks one, or has a member that is a link or leads outside.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                _check_member(path, member.name, member.issym() or member.islnk())
                file = archive.extractfile(member) if PurePosixPath(member.name).name in wanted else None
                if file is not None:
                    if member.size > MOST_TAR_BYTES:
                        raise DataError(f"{path}: {member.name} has {member.size} bytes, which cannot be right.")
                    found[PurePosixPath(member.name).name] = file.read()
    except (OSError, tarfile.TarError, EOFError, ValueError) as problem:
        raise DataError(f"{path} cannot be read as a tar archive ({problem}): fetch it again.") from None
    if missing := [name for name in wanted if name not in found]:
        raise DataError(f"{path} holds no {' and no '.join(missing)}: name the archive as it was published.")
    return found


def open_source(path: Path) -> Folder | Zip:
    """The folder or zip archive at `path`. Raises DataError when there is none."""
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Zip(path)
    raise DataError(f"{path} does not exist: name a folder or an archive after --from.")


def _walk(folder: Path, prefix: str, root: Path) -> Iterator[tuple[str, int]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as problem:
        raise DataError(f"{folder} cannot be listed ({problem.strerror}): check its permissions.") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            _check_link(Path(entry.path), root)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", root)
        else:
            yield f"{prefix}{entry.name}", _size(entry)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a broken link: reading it will fail and set it aside
        return 0


def _check_link(link: Path, root: Path) -> None:
    _check_inside(link, root)
    if link.is_dir():
        raise DataError(f"{link} is a link to a folder: put the folder itself there, or remove the link.")


def _check_inside(path: Path, root: Path) -> None:
    target = path.resolve()
    if not target.is_relative_to(root):
        raise DataError(
            f"{path} is a link that leaves the folder (to {target}): put the files themselves there, or remove it."
        )


def _check_member(archive: Path, name: str, link: bool) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if link or ".." in parts or name.startswith(("/", "\\")) or ":" in (parts or ("",))[0]:
        what = "is a link" if link else "leads out of the archive"
        raise DataError(f"{archive}: its member '{name}' {what}; nothing was read from it, fetch it from its source.")


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise PictureError(f"the file has {size} bytes, more than {MOST_BYTES}")


@lru_cache(maxsize=1)  # once per process, since reading the directory of 120,000 entries takes a while
def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as problem:
        raise DataError(f"{path} cannot be read as a zip archive ({problem}): fetch it again.") from None


def _by_name(member: zipfile.ZipInfo) -> str:
    return member.filename
