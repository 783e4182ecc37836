"""Reading and writing a folder that somebody hostile fills: the cases that once led out, and some more."""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.environments.sandbox import Folder
from harness.environments.sandbox.beneath import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="this kernel has no openat2")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the host's, beside the folder."""
    (tmp_path / "host").mkdir()
    secret = tmp_path / "host" / "secret"
    secret.write_text("secret")
    return secret


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "workspace"
    place.mkdir()
    (place / "plain").write_text("plain")
    (place / "sub").mkdir()
    return place


@pytest.fixture
def folder(place: Path) -> Iterator[Folder]:
    opened = Folder(os.open(place, os.O_RDONLY | os.O_DIRECTORY))
    yield opened
    opened.close()
    opened.close()


def make_link(place: Path, secret: Path) -> str:
    (place / "link").symlink_to(secret)
    return "link"


def make_folder_link(place: Path, secret: Path) -> str:
    (place / "link").symlink_to(secret.parent)
    return "link/secret"


def make_magic_link(place: Path, secret: Path) -> str:
    (place / "link").symlink_to(f"/proc/self/root{secret}")
    return "link"


def make_relative_link(place: Path, secret: Path) -> str:
    (place / "sub" / "link").symlink_to("../../host/secret")
    return "sub/link"


def make_hard_link(place: Path, secret: Path) -> str:
    (place / "hard").hardlink_to(secret)
    return "hard"


def make_pipe(place: Path, secret: Path) -> str:
    os.mkfifo(place / "pipe")
    return "pipe"


def climb(place: Path, secret: Path) -> str:
    return "sub/../../host/secret"


def name_it_whole(place: Path, secret: Path) -> str:
    return str(secret)


def name_a_folder(place: Path, secret: Path) -> str:
    return "sub"


def name_the_top(place: Path, secret: Path) -> str:
    return "."


def name_with_nul(place: Path, secret: Path) -> str:
    return "plain\0"


def name_no_text(place: Path, secret: Path) -> str:
    return "\ud800"


WAYS_OUT = [
    (make_link, errno.ELOOP),
    (make_folder_link, errno.ELOOP),
    (make_magic_link, errno.ELOOP),
    (make_relative_link, errno.ELOOP),
    (make_hard_link, errno.EMLINK),
    (make_pipe, errno.ENXIO),
    (climb, errno.EXDEV),
    (name_it_whole, errno.EXDEV),
    (name_a_folder, errno.EISDIR),
    (name_the_top, errno.EISDIR),
    (name_with_nul, errno.EINVAL),
    (name_no_text, errno.EINVAL),
]


@pytest.mark.parametrize(("way", "refusal"), WAYS_OUT, ids=lambda value: getattr(value, "__name__", ""))
def test_reading_is_refused_at_once(
    folder: Folder, place: Path, outside: Path, way: Callable[[Path, Path], str], refusal: int
) -> None:
    path = way(place, outside)
    got: list[object] = []

    def read() -> None:
        try:
            got.append(folder.read(path, 100))
        except OSError as error:
            got.append(error.errno)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(20)
    assert got == [refusal]


@pytest.mark.parametrize(("way", "refusal"), WAYS_OUT, ids=lambda value: getattr(value, "__name__", ""))
def test_writing_never_reaches_the_host(
    folder: Folder, place: Path, outside: Path, way: Callable[[Path, Path], str], refusal: int
) -> None:
    path = way(place, outside)
    if way is make_hard_link:
        folder.write(path, b"new")  # a new file under the name; the host's file keeps its content
    else:
        with pytest.raises(OSError) as error:
            folder.write(path, b"new")
        assert error.value.errno == refusal
    assert outside.read_text() == "secret"


def test_a_folder_swapped_for_a_link_is_noticed_by_the_kernel(folder: Folder, place: Path, outside: Path) -> None:
    """No moment between check and use: a thread swaps the folder for a link as fast as it can."""
    (place / "sub" / "secret").write_text("inside")
    (place / "way-out").symlink_to(outside.parent)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (place / "sub").rename(place / "aside")
            (place / "way-out").rename(place / "sub")
            (place / "sub").rename(place / "way-out")
            (place / "aside").rename(place / "sub")

    swapping = threading.Thread(target=swap)
    swapping.start()
    seen = set()
    try:
        for _ in range(2000):
            try:
                seen.add(folder.read("sub/secret", 100))
            except OSError as error:
                assert error.errno in (errno.ENOENT, errno.ELOOP)
    finally:
        stop.set()
        swapping.join()
    assert seen <= {b"inside"}


def test_write_makes_folders_keeps_the_mode_and_leaves_nothing_else(folder: Folder, place: Path) -> None:
    folder.write("a/b/c", b"one")
    (place / "a/b/c").chmod(0o750)
    folder.write("a/b/c", b"two")
    assert (place / "a/b/c").read_bytes() == b"two"
    assert stat.S_IMODE((place / "a/b/c").stat().st_mode) == 0o750
    assert os.listdir(place / "a/b") == ["c"]


def test_read_is_bounded(folder: Folder) -> None:
    assert folder.read("plain", 3) == b"pla"


def test_the_way_is_cleared_of_links_and_special_files_only(folder: Folder, place: Path, outside: Path) -> None:
    (place / "tests").symlink_to(outside.parent)
    folder.clear_the_way("tests/secret")
    folder.write("tests/secret", b"hidden test")
    assert outside.read_text() == "secret"
    assert (place / "tests/secret").read_bytes() == b"hidden test"
    folder.clear_the_way("plain")
    assert (place / "plain").exists()


def test_walk_is_sorted_and_enters_no_link(folder: Folder, place: Path, outside: Path) -> None:
    (place / "sub" / "x").write_text("")
    (place / "door").symlink_to(outside.parent)
    (place / "nested").mkdir()
    assert [(entry.path, entry.link) for entry in folder.walk()] == [
        ("door", str(outside.parent)),
        ("nested", None),
        ("plain", None),
        ("sub", None),
        ("sub/x", None),
    ]
    with pytest.raises(OSError):
        list(folder.walk("door"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take on another user's rights")
def test_root_uses_the_rights_of_the_owner(place: Path) -> None:
    place.chmod(0o777)
    (place / "roots").write_text("x")
    (place / "roots").chmod(0o600)
    owned = Folder(os.open(place, os.O_RDONLY | os.O_DIRECTORY), owner=60_600)
    result: list[object] = []

    def use() -> None:
        owned.write("theirs", b"x")
        try:
            result.append(owned.read("roots", 10))
        except PermissionError:
            result.append("refused")
        (place / "after").write_text("root again")

    using = threading.Thread(target=use)
    using.start()
    using.join()
    owned.close()
    assert result == ["refused"]
    assert (place / "theirs").stat().st_uid == 60_600
    assert (place / "after").stat().st_uid == 0
