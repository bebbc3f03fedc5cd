"""Folders and archives: listed in order, read in place, and nothing leads outside."""

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.pictures import PictureError
from data_prep.sources import Folder, Zip, open_source, read_archive, read_tar
from tests.data_prep.conftest import fill
from transferkit.errors import DataError


def test_a_folder_lists_its_files_sorted_without_the_hidden_ones(tmp_path: Path) -> None:
    fill(tmp_path, {"b/2.jpg": b"xx", "b/1.jpg": b"x", "a.txt": b"", ".DS_Store": b"x", "b/.x/y.jpg": b"x"})
    assert list(Folder(tmp_path).sizes().items()) == [("a.txt", 0), ("b/1.jpg", 1), ("b/2.jpg", 2)]


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    fill(tmp_path, {"a/1.jpg": b"x"})
    (tmp_path / "a" / "2.jpg").symlink_to("1.jpg")
    assert Folder(tmp_path).read("a/2.jpg") == b"x"
    assert list(Folder(tmp_path).sizes()) == ["a/1.jpg", "a/2.jpg"]


@pytest.mark.parametrize("target", ["../secret.jpg", "../other"])
def test_a_link_that_leaves_the_folder_is_refused(target: str, tmp_path: Path) -> None:
    fill(tmp_path, {"secret.jpg": b"x", "other/1.jpg": b"x", "data/a/1.jpg": b"x"})
    (tmp_path / "data" / "link").symlink_to(target)
    with pytest.raises(DataError, match=r"link that leaves the folder .*: add --follow-links"):
        Folder(tmp_path / "data").sizes()


def test_a_link_to_a_folder_is_refused_and_so_is_a_linked_part(tmp_path: Path) -> None:
    fill(tmp_path, {"data/a/1.jpg": b"x", "other/1.jpg": b"x"})
    (tmp_path / "data" / "b").symlink_to("a")
    with pytest.raises(DataError, match="link to a folder: add --follow-links"):
        Folder(tmp_path / "data").sizes()
    (tmp_path / "data" / "train").symlink_to(tmp_path / "other")
    with pytest.raises(DataError, match="leaves the folder"):
        Folder(tmp_path / "data").sizes("train/")


def test_links_to_anywhere_are_followed_on_request(tmp_path: Path) -> None:
    fill(tmp_path, {"store/cat/1.jpg": b"x", "store/blob": b"xx", "data/dog/.keep": b""})
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "store" / "cat")
    (tmp_path / "data" / "dog" / "2.jpg").symlink_to("../../store/blob")
    (tmp_path / "data" / "dog" / "3.jpg").symlink_to("lost.jpg")
    followed = Folder(tmp_path / "data", follow_links=True)
    assert dict(followed.sizes()) == {"cat/1.jpg": 1, "dog/2.jpg": 2, "dog/3.jpg": 0}
    assert followed.folders() == ("cat", "dog")
    assert followed.read("dog/2.jpg") == b"xx"
    with pytest.raises(PictureError, match="it is a link to nothing"):
        followed.read("dog/3.jpg")


@pytest.mark.parametrize("target", [".", "..", "../b", "c"])
def test_links_round_in_a_circle_are_answered(target: str, tmp_path: Path) -> None:
    fill(tmp_path, {"data/a/1.jpg": b"x"})
    (tmp_path / "data" / "a" / "c").symlink_to(target)
    (tmp_path / "data" / "b").symlink_to("a")
    with pytest.raises(DataError, match="which never ends: remove the link|is a link to nothing"):
        Folder(tmp_path / "data", follow_links=True).sizes()
    (tmp_path / "data" / "b").unlink()
    with pytest.raises(DataError, match=r"/a/c is a link to (a folder|nothing)"):
        Folder(tmp_path / "data").sizes()


@pytest.mark.parametrize("follow", [False, True])
def test_a_class_that_is_a_link_to_nothing_is_named(follow: bool, tmp_path: Path) -> None:
    fill(tmp_path, {"a/1.jpg": b"x"})
    (tmp_path / "b").symlink_to("gone")
    with pytest.raises(DataError, match=r"/b is a link to nothing \(gone\): mend or remove it"):
        Folder(tmp_path, follow).sizes()


def test_folders_of_operating_systems_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, {"a/1.jpg": b"x", "__MACOSX/a/1.jpg": b"x", "a/@eaDir/1.jpg/thumb.jpg": b"x", ".git/1.jpg": b"x"})
    assert list(Folder(tmp_path).sizes()) == ["a/1.jpg"]
    assert Folder(tmp_path).folders() == ("a",)


def test_what_is_not_a_regular_file_or_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "nowhere.jpg").symlink_to("lost.jpg")
    with pytest.raises(PictureError, match="not a regular file"):
        Folder(tmp_path).read("pipe.jpg")
    with pytest.raises(PictureError, match="link to nothing: No such file"):
        Folder(tmp_path).read("nowhere.jpg")
    assert set(Folder(tmp_path).sizes()) == {"pipe.jpg", "nowhere.jpg"}


def test_an_absurdly_large_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(2**30)  # sparse
    with pytest.raises(PictureError, match="1073741824 bytes"):
        Folder(tmp_path).read("huge.jpg")


def zipped(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_a_zip_archive_reads_as_a_folder_does(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("d/", b""), ("d/2.jpg", b"xx"), ("d/1.jpg", b"x"))
    source = open_source(path)
    assert list(source.sizes().items()) == [("d/1.jpg", 1), ("d/2.jpg", 2)]
    assert source.read("d/2.jpg") == b"xx"


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/passwd", "a/../../evil", "C:/evil", "..\\evil"])
def test_a_zip_member_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        Zip(zipped(tmp_path / "a.zip", (name, b"x"))).sizes()


def test_a_zip_member_that_is_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DataError, match="is a link"):
        Zip(zipped(tmp_path / "a.zip", (link, b"/etc/passwd"))).sizes()


def test_a_damaged_zip_member_has_a_reason_and_a_cut_archive_is_refused(tmp_path: Path) -> None:
    content = zipped(tmp_path / "a.zip", ("1.jpg", b"precious")).read_bytes()
    (tmp_path / "b.zip").write_bytes(content.replace(b"precious", b"preciouz"))
    with pytest.raises(PictureError, match="CRC"):
        Zip(tmp_path / "b.zip").read("1.jpg")
    (tmp_path / "c.zip").write_bytes(content[:-30])
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        Zip(tmp_path / "c.zip").sizes()


def tarred(path: Path, *members: tuple[str, bytes], link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return path


def test_the_wanted_members_of_a_tar_archive_are_read(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar.gz", ("d/train", b"1"), ("d/meta", b"2"), ("d/other", b"3"))
    assert read_tar(path, ("train", "meta")) == {"train": b"1", "meta": b"2"}
    with pytest.raises(DataError, match="holds no test"):
        read_tar(path, ("train", "test"))


def test_a_tar_archive_that_leads_out_or_is_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leads out"):
        read_tar(tarred(tmp_path / "a.tar.gz", ("../train", b"1")), ("train",))
    with pytest.raises(DataError, match="is a link"):
        read_tar(tarred(tmp_path / "b.tar.gz", ("train", b"1"), link="/etc/passwd"), ("train",))
    content = tarred(tmp_path / "c.tar.gz", ("train", os.urandom(5000))).read_bytes()
    (tmp_path / "d.tar.gz").write_bytes(content[:-2000])
    with pytest.raises(DataError, match="cannot be read as a tar archive"):
        read_tar(tmp_path / "d.tar.gz", ("train",))


def test_an_archive_is_read_whether_tar_or_zip(tmp_path: Path) -> None:
    members = ("d/train", b"1"), ("d/meta", b"2"), ("d/other", b"3")
    zipped(tmp_path / "a.zip", ("__MACOSX/d/train", b"fork"), *members)
    tarred(tmp_path / "a.tar.gz", *members)
    for name in ("a.zip", "a.tar.gz"):
        assert read_archive(tmp_path / name, ("train", "meta")) == {"train": b"1", "meta": b"2"}
        with pytest.raises(DataError, match="holds no test and no nothing"):
            read_archive(tmp_path / name, ("train", "test", "nothing"))


@given(st.binary(max_size=200))
def test_what_is_neither_tar_nor_zip_is_told_in_one_sentence(content: bytes) -> None:
    with TemporaryDirectory() as name:
        (path := Path(name) / "c.tar.gz").write_bytes(content)
        with pytest.raises(DataError) as told:
            read_archive(path, ("train",))
    assert "neither a tar nor a zip archive" in str(told.value) or "holds no train" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_damaged_member_of_a_zip_is_named(tmp_path: Path) -> None:
    content = zipped(tmp_path / "a.zip", ("train", b"precious")).read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"precious", b"preciouz"))
    with pytest.raises(DataError, match="'train' is damaged .*CRC.*fetch the archive again"):
        read_archive(tmp_path / "a.zip", ("train",))
    with pytest.raises(DataError, match="does not exist: name a folder or an archive after --from"):
        read_archive(tmp_path / "lost.zip", ("train",))


def test_a_path_that_is_not_there_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--from"):
        open_source(tmp_path / "lost")
