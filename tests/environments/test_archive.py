"""Folders as archives: the same folder always gives the same bytes, and no archive writes elsewhere."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.environments.sandbox import Folder, entries, pack, unpack
from harness.environments.sandbox.beneath import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="this kernel has no openat2")
MIB = 1 << 20


class Places:
    """Opens folders and closes them at the end."""

    def __init__(self) -> None:
        self.opened: list[Folder] = []

    def __call__(self, path: Path) -> Folder:
        path.mkdir(exist_ok=True)
        self.opened.append(Folder(os.open(path, os.O_RDONLY | os.O_DIRECTORY)))
        return self.opened[-1]


@pytest.fixture
def at() -> Iterator[Places]:
    places = Places()
    yield places
    for folder in places.opened:
        folder.close()


def fill(place: Path) -> None:
    place.mkdir()
    (place / "b").write_bytes(b"\xff\0binary")
    (place / "a").mkdir()
    (place / "a" / "run.sh").write_text("#!/bin/sh\n")
    (place / "a" / "run.sh").chmod(0o755)
    (place / "link").symlink_to("/etc/shadow")
    (place / os.fsdecode(b"bad-\xff-name")).write_text("x")
    os.mkfifo(place / "pipe")


def test_what_is_packed_comes_back(tmp_path: Path, at: Places) -> None:
    fill(tmp_path / "one")
    packed = pack(at(tmp_path / "one"), MIB)
    unpack(at(tmp_path / "two"), packed.data)
    assert not packed.truncated
    assert (tmp_path / "two/b").read_bytes() == b"\xff\0binary"
    assert os.access(tmp_path / "two/a/run.sh", os.X_OK)
    assert os.readlink(tmp_path / "two/link") == "/etc/shadow"
    assert not (tmp_path / "two/pipe").exists()
    assert pack(at(tmp_path / "two"), MIB).data == packed.data


def test_times_and_owners_do_not_show(tmp_path: Path, at: Places) -> None:
    for name, time in (("one", 1_000_000_000), ("two", 1_700_000_000)):
        fill(tmp_path / name)
        os.utime(tmp_path / name / "b", (time, time))
    one, two = (pack(at(tmp_path / name), MIB).data for name in ("one", "two"))
    assert one == two
    assert {(header.uid, header.mtime) for header, _ in entries(one)} == {(0, 0)}


def test_what_does_not_fit_is_left_out_and_said(tmp_path: Path, at: Places) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/big").write_bytes(bytes(50_000))
    (tmp_path / "one/small").write_bytes(b"x")
    packed = pack(at(tmp_path / "one"), 10_000)
    assert packed.truncated
    assert [header.name for header, _ in entries(packed.data)] == ["small"]
    assert len(packed.data) < 21_000


def hostile(*members: tuple[str, bytes, str]) -> bytes:
    """An archive of members given as name, type and link target."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, target in members:
            header = tarfile.TarInfo(name)
            header.type, header.linkname = kind, target
            header.size = 5 if kind == tarfile.REGTYPE else 0
            tar.addfile(header, io.BytesIO(b"owned"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [("../escaped", tarfile.REGTYPE, "")],
        [("a/../../escaped", tarfile.REGTYPE, "")],
        [("{outside}/escaped", tarfile.REGTYPE, "")],
        [("door", tarfile.SYMTYPE, "{outside}"), ("door/escaped", tarfile.REGTYPE, "")],
        [("door", tarfile.SYMTYPE, ".."), ("door/escaped", tarfile.DIRTYPE, "")],
    ],
)
def test_hostile_archives_write_nothing_outside(
    tmp_path: Path, at: Places, members: list[tuple[str, bytes, str]]
) -> None:
    whole = [(name.format(outside=tmp_path), kind, target.format(outside=tmp_path)) for name, kind, target in members]
    with pytest.raises(OSError):
        unpack(at(tmp_path / "workspace"), hostile(*whole))
    assert not (tmp_path / "escaped").exists()


def test_absurd_times_and_sparse_bombs_do_no_harm(tmp_path: Path, at: Places) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        late = tarfile.TarInfo("late")
        late.pax_headers = {"mtime": "1e300"}
        tar.addfile(late)
        bomb = tarfile.TarInfo("bomb")
        bomb.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 50), "GNU.sparse.name": "bomb"}
        tar.addfile(bomb)
    unpack(at(tmp_path / "workspace"), buffer.getvalue())
    assert os.listdir(tmp_path / "workspace") == ["late"]


def test_devices_and_hard_links_of_an_archive_are_passed_over(tmp_path: Path, at: Places) -> None:
    data = hostile(
        ("device", tarfile.CHRTYPE, ""), ("hard", tarfile.LNKTYPE, "/etc/passwd"), ("f", tarfile.REGTYPE, "")
    )
    unpack(at(tmp_path / "workspace"), data)
    assert os.listdir(tmp_path / "workspace") == ["f"]


@pytest.mark.parametrize("data", [b"", b"no archive", b"x" * 2048])
def test_what_is_no_archive_is_said(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a workspace archive"):
        list(entries(data))


@pytest.mark.parametrize("name", ["/out", "/", "..", "a/..", "a/../../out"])
def test_names_that_lead_out_are_refused_also_right_below_the_top(tmp_path: Path, at: Places, name: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for each in ("a/one", name):
            tar.addfile(tarfile.TarInfo(each))
    target = at(tmp_path / "target")
    with pytest.raises(OSError):
        unpack(target, buffer.getvalue())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "one", "target"]


def test_a_name_that_comes_twice_is_the_last_one(tmp_path: Path, at: Places) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for content in (b"first", b"last"):
            header = tarfile.TarInfo("d/f")
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    unpack(at(tmp_path / "target"), buffer.getvalue())
    assert (tmp_path / "target/d/f").read_bytes() == b"last"
