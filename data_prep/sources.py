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

from data_prep.pictures import ENDINGS, MOST_BYTES, Decoded, PictureError, decode, looks_like_picture
from transferkit.errors import DataError

MOST_TAR_BYTES = 2**30  # of one member that is read into memory
SYSTEMS_OWN = frozenset(["__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"])


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
    """The files below a folder except hidden ones and those of operating systems (`__MACOSX` and the like).

    A link may only lead to another file in the folder, unless `follow_links` allows links to anywhere.
    """

    root: Path
    follow_links: bool = False

    def sizes(self, below: str = "") -> Mapping[str, int]:
        """See Files; only those in the subfolder `below` ("" or ending with "/").

        Raises DataError for a link that leads round in a circle or to nothing, and, unless links are followed, for a
        link to a folder or one that leaves this folder.
        """
        root = self.root.resolve()
        if not self.follow_links:
            _check_inside(self.root / below, root)
        return dict(_walk(self.root / below, below, None if self.follow_links else root, ()))

    def folders(self, below: str = "") -> tuple[str, ...]:
        """The names of the folders in the subfolder `below`, sorted, empty ones too."""
        return tuple(entry.name for entry in _entries(self.root / below) if _is_folder(entry, follow=self.follow_links))

    def read(self, name: str) -> bytes:
        """See Files."""
        try:
            found = os.stat(self.root / name)
            if not stat.S_ISREG(found.st_mode):
                raise PictureError("it is not a regular file")
            _check_size(found.st_size)
            return (self.root / name).read_bytes()
        except OSError as problem:
            what = "is a link to nothing" if (self.root / name).is_symlink() else "cannot be read"
            raise PictureError(f"it {what}: {problem.strerror or problem}") from None

    def holds_picture(self, name: str) -> bool:
        """Whether a regular file begins as a picture does, whatever its name."""
        path = self.root / name
        try:
            return path.is_file() and looks_like_picture(path)
        except OSError:
            return False

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
    except tarfile.ReadError as problem:  # of a file that is no archive, it lists what every kind of archive says
        if found or "\n" not in str(problem):
            raise DataError(f"{path} is cut short or damaged ({problem}): fetch it again.") from None
        raise DataError(f"{path} is neither a tar nor a zip archive: name the archive as it was published.") from None
    except (OSError, tarfile.TarError, EOFError, ValueError) as problem:
        raise DataError(f"{path} cannot be read as a tar archive ({problem}): fetch it again.") from None
    return _complete(path, found, wanted)


def read_archive(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The members of a tar or zip archive whose file names are `wanted`.

    Raises DataError when it is neither, damaged, lacks one, or has a member that is a link or leads outside.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist: name a folder or an archive after --from.")
    if not zipfile.is_zipfile(path):
        return read_tar(path, wanted)
    archive, found = Zip(path), dict[str, bytes]()
    for name in archive.sizes():
        if (file := PurePosixPath(name).name) in wanted and not name.startswith("__MACOSX/"):
            try:
                found.setdefault(file, archive.read(name))
            except PictureError as problem:
                raise DataError(f"{path}: '{name}' is damaged ({problem}): fetch the archive again.") from None
    return _complete(path, found, wanted)


def open_source(path: Path, *, follow_links: bool = False) -> Folder | Zip:
    """The folder or zip archive at `path`. Raises DataError when there is none."""
    if path.is_dir():
        return Folder(path, follow_links)
    if path.is_file():
        return Zip(path)
    raise DataError(f"{path} does not exist: name a folder or an archive after --from.")


def _complete(path: Path, found: dict[str, bytes], wanted: tuple[str, ...]) -> dict[str, bytes]:
    if missing := [name for name in wanted if name not in found]:
        raise DataError(f"{path} holds no {' and no '.join(missing)}: name the archive as it was published.")
    return found


def _walk(
    folder: Path, prefix: str, root: Path | None, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, int]]:
    here = _identity(folder)
    if here in above:
        raise DataError(f"{folder} is a link to a folder above it, which never ends: remove the link.")
    for entry in _entries(folder):
        if entry.is_symlink():
            _check_link(Path(entry.path), root)
        if _is_folder(entry, follow=root is None):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", root, (*above, here))
        else:
            yield f"{prefix}{entry.name}", _size(entry)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as problem:
        raise DataError(f"{folder} cannot be listed ({problem.strerror}): check its permissions.") from None
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in SYSTEMS_OWN]


def _is_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # links in a circle
        return False


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a broken link: reading it will fail and set it aside
        return 0


def _check_link(link: Path, root: Path | None) -> None:
    """`root` is the folder that no link may leave, None if any may."""
    if root is not None:
        _check_inside(link, root)
        if link.is_dir():
            raise DataError(
                f"{link} is a link to a folder: add --follow-links to follow it, or put the folder itself there."
            )
    if not link.exists() and link.suffix.lower() not in ENDINGS:  # it may have been a class
        raise DataError(f"{link} is a link to nothing ({os.readlink(link)}): mend or remove it.")


def _check_inside(path: Path, root: Path) -> None:
    target = Path(os.path.realpath(path))  # unlike resolve, it does not fail for links in a circle
    if not target.is_relative_to(root):
        raise DataError(
            f"{path} is a link that leaves the folder (to {target}): add --follow-links if you trust what it leads to, "
            "or put the files themselves there."
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
