"""The file tools on an open folder: patches as a whole or not at all, and bytes that are not meant to change."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.environments import Observation
from harness.environments.sandbox import Folder
from harness.environments.workspace.tools import call_file_tool, file_tools


class Desk:
    """A folder and the full toolset."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = Folder(os.open(place, os.O_RDONLY | os.O_DIRECTORY))

    def put(self, **files: str | bytes) -> None:
        for name, content in files.items():
            path = self.place / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def do(self, tool: str, **arguments: Any) -> Observation:
        schema = {each.name: each.parameters for each in file_tools("full")}[tool]
        jsonschema.validate(arguments, schema)
        return call_file_tool(self.folder, tool, arguments, 3000)

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.place)): path.read_bytes() for path in self.place.rglob("*") if path.is_file()
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.folder.close()


SEVERAL = """\
The change, as agreed.

diff --git a/a.txt b/b.txt
rename from a.txt
rename to b.txt
--- a/a.txt
+++ b/b.txt
@@ -1,3 +1,3 @@
 one
-two
+2
 three
--- a/c.txt
+++ b/c.txt
@@ -1 +1,2 @@
 see
+saw
--- /dev/null
+++ b/new/d.sh
@@ -0,0 +1 @@
+#!/bin/sh
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
"""


class TestPatches:
    def test_several_files_are_changed_created_deleted_and_renamed_at_once(self, desk: Desk) -> None:
        desk.put(a_txt="one\ntwo\nthree\n", c_txt="see\n", gone_txt="gone\n")
        done = desk.do("apply_patch", patch=SEVERAL)
        assert not done.error
        assert done.text.splitlines() == [
            "Patched:",
            "renamed a.txt to b.txt (1 hunk)",
            "changed c.txt (1 hunk)",
            "created new/d.sh",
            "deleted gone.txt",
        ]
        assert desk.files() == {"b.txt": b"one\n2\nthree\n", "c.txt": b"see\nsaw\n", "new/d.sh": b"#!/bin/sh\n"}

    @pytest.mark.parametrize(
        ("hunk", "reason"),
        [
            ("@@ -1,2 +1,2 @@\n one\n-too\n+2\n", "hunk 1: it wants the line 'too', but line 2 of the file is 'two'"),
            ("@@ -1 +1 @@\n-nothing of it\n+2\n", "hunk 1: the line 'nothing of it' is not in the file"),
            ("@@ -9 +9 @@\n-x\n+2\n", "hunk 1 fits at lines 4, 5"),
            ("@@ -1 +1 @@\n-one\n+1\n@@ -3 +3 @@\n-tree\n+3\n", "hunk 2: the line 'tree'"),
            ("@@ -3,3 +3,3 @@\n three\n x\n x\n-y\n+z\n", "hunk 1: it wants the line 'y', but the file ends there"),
            ("@@-1\n-one\n", "hunk 1: '@@-1' is no header"),
            ("@@ -1 +1 @@\n-one\n*two\n", "hunk 1: '*two' begins with none of space, '-' and '+'"),
        ],
    )
    def test_one_that_does_not_fit_changes_nothing_and_names_the_hunk(self, desk: Desk, hunk: str, reason: str) -> None:
        desk.put(a_txt="one\ntwo\nthree\nx\nx\n", c_txt="see\n")
        before = desk.files()
        first = "--- a/c.txt\n+++ b/c.txt\n@@ -1 +1 @@\n-see\n+saw\n"
        done = desk.do("apply_patch", patch=f"{first}--- a/a.txt\n+++ b/a.txt\n{hunk}")
        assert done.error
        assert done.text.startswith("Nothing was changed: a.txt, hunk")
        assert reason in done.text
        assert desk.files() == before

    def test_wrong_counts_and_moved_lines_do_no_harm(self, desk: Desk) -> None:
        desk.put(a_txt="0\n1\n2\none\ntwo\n")
        done = desk.do("apply_patch", patch="--- a/a.txt\n+++ b/a.txt\n@@ -1,7 +1,9 @@\n one\n-two\n+2\n+3\n")
        assert not done.error
        assert desk.files()["a.txt"] == b"0\n1\n2\none\n2\n3\n"

    def test_removed_lines_that_look_like_headers_are_lines(self, desk: Desk) -> None:
        desk.put(a_sql="-- note\n++ x\nend\n")
        done = desk.do("apply_patch", patch="--- a/a.sql\n+++ b/a.sql\n@@ -1,3 +1,2 @@\n--- note\n+++ y\n-++ x\n end\n")
        assert not done.error, done.text
        assert desk.files()["a.sql"] == b"++ y\nend\n"

    def test_line_ends_missing_ends_and_foreign_bytes_are_kept(self, desk: Desk) -> None:
        desk.put(win_txt=b"a\r\nb\r\nc", latin_txt=b"caf\xe9\nold\n")
        patch = (
            "--- a/win.txt\n+++ b/win.txt\n@@ -1,3 +1,4 @@\n a\n+x\n b\n c\n\\ No newline at end of file\n"
            "--- a/latin.txt\n+++ b/latin.txt\n@@ -2 +2 @@\n-old\n+new\n"
        )
        assert not desk.do("apply_patch", patch=patch).error
        assert desk.files() == {"win.txt": b"a\r\nx\r\nb\r\nc", "latin.txt": b"caf\xe9\nnew\n"}
        ends = "--- a/win.txt\n+++ b/win.txt\n@@ -4 +4 @@\n-c\n\\ No newline at end of file\n+c\n"
        assert not desk.do("apply_patch", patch=ends).error
        assert desk.files()["win.txt"].endswith(b"c\r\n")

    def test_files_that_stand_in_the_way_are_kept(self, desk: Desk) -> None:
        desk.put(a_txt="a\n", b_txt="b\n")
        (desk.place / "link").symlink_to("/etc/passwd")
        for patch, reason in (
            ("--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+x\n", "it is there already"),
            ("diff --git a/a.txt b/b.txt\nrename from a.txt\nrename to b.txt\n", "is there already"),
            ("--- a/none\n+++ b/none\n@@ -1 +1 @@\n-a\n+b\n", "there is no such file"),
            ("--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n", "is not in the file"),
            ("--- a/link\n+++ b/link\n@@ -1 +1 @@\n-a\n+b\n", "symbolic link"),
            ("--- /dev/null\n+++ b/../out\n@@ -0,0 +1 @@\n+x\n", "outside the workspace"),
            ("GIT binary patch", "it holds no file"),
            ("@@ -1 +1 @@\n-a\n+b\n", "before the names of its file"),
        ):
            done = desk.do("apply_patch", patch=patch)
            assert done.error
            assert reason in done.text
        assert desk.files()["a.txt"] == b"a\n"
        assert not (desk.place.parent / "out").exists()

    def test_what_cannot_be_written_puts_the_rest_back(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.put(a_txt="a\n", b_txt="b\n", gone_txt="gone\n")
        write = Folder.write

        def full(self: Folder, path: str, content: bytes, *rest: Any) -> None:
            if content == b"B\n":
                raise OSError(28, "No space left on device")
            write(self, path, content, *rest)

        monkeypatch.setattr(Folder, "write", full)
        before = desk.files()
        names = (("a", "A"), ("b", "B"))
        patch = "".join(f"--- a/{n}.txt\n+++ b/{n}.txt\n@@ -1 +1 @@\n-{n}\n+{new}\n" for n, new in names)
        done = desk.do("apply_patch", patch=patch + "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n")
        assert (done.text, done.error) == ("The disk is full.", True)
        assert desk.files() == before


class TestBytes:
    def test_a_binary_file_is_told_with_size_and_type_and_read_in_hexadecimal(self, desk: Desk) -> None:
        desk.put(a_png=b"\x89PNG\r\n\x1a\n" + bytes(300), data=b"\x00\x01ok")
        told = desk.do("read_file", path="a.png")
        assert told.error
        assert "binary file of 308 bytes (PNG image)" in told.text
        shown = desk.do("read_file", path="a.png", hex=0)
        assert shown.text.startswith("00000000  89 50 4e 47 0d 0a 1a 0a 00")
        assert shown.text.endswith("[... the file has 308 bytes; go on with hex=256 ...]")
        assert desk.do("read_file", path="data", hex=2).text == f"00000002  {'6f 6b':<47}  ok"
        assert "there is no byte 9" in desk.do("read_file", path="data", hex=9).text

    def test_lines_are_read_by_start_and_number(self, desk: Desk) -> None:
        desk.put(a_txt="1\n2\n3\n4\n", odd_txt="a\x0cb\u2028c\nd\n")
        assert desk.do("read_file", path="a.txt", start=2, lines=2).text == "2\n3\n"
        assert desk.do("read_file", path="a.txt", start=4, lines=9).text == "4\n"
        assert desk.do("read_file", path="a.txt", start=5).error
        assert desk.do("read_file", path="odd.txt").data["lines"] == 2

    def test_edits_keep_line_ends_and_foreign_bytes(self, desk: Desk) -> None:
        desk.put(win_txt=b"a\r\nb\r\nend", latin_txt=b"caf\xe9 old", mixed_txt=b"a\r\nb\n")
        assert desk.do("read_file", path="win.txt").text == "a\nb\nend\n[the lines end in CR LF]"
        assert not desk.do("edit_file", path="win.txt", old="a\nb", new="c\nd\ne").error
        assert not desk.do("edit_file", path="latin.txt", old="old", new="new").error
        assert desk.do("edit_file", path="latin.txt", old="new", new="n\u00e9w").error
        assert not desk.do("edit_file", path="mixed.txt", old="b\n", new="c\n").error
        assert desk.files() == {"win.txt": b"c\r\nd\r\ne\r\nend", "latin.txt": b"caf\xe9 new", "mixed.txt": b"a\r\nc\n"}
        assert "[1 bytes are not UTF-8" in desk.do("read_file", path="latin.txt").text

    def test_writing_keeps_crlf_and_refuses_to_replace_what_is_no_text(self, desk: Desk) -> None:
        desk.put(win_txt=b"a\r\n", latin_txt=b"caf\xe9", a_bin=b"\0\1")
        assert desk.do("write_file", path="win.txt", content="b\nc\n").text == (
            "Wrote 6 bytes to win.txt. Its lines end in CR LF, as before."
        )
        for name in ("latin.txt", "a.bin"):
            assert "is no UTF-8 text" in desk.do("write_file", path=name, content="x").text
        assert desk.files() == {"win.txt": b"b\r\nc\r\n", "latin.txt": b"caf\xe9", "a.bin": b"\0\1"}


class TestSearching:
    def test_patterns_and_globs(self, desk: Desk) -> None:
        desk.put(src__a_py="def one():\n    pass\n", src__b_txt="def two\n", bin=b"def \0")
        assert desk.do("search", pattern=r"^def \w+").text == "src/a.py:1: def one():\nsrc/b.txt:1: def two"
        assert desk.do("search", pattern="def", glob="*.py").text == "src/a.py:1: def one():"
        assert desk.do("search", pattern="def", glob="src/*.txt").text == "src/b.txt:1: def two"
        assert "no regular expression" in desk.do("search", pattern="(").text

    def test_a_pattern_that_backtracks_is_stopped(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("harness.environments.workspace.file_tools.searching._SECONDS", 0.2)
        desk.put(a_txt="a" * 40 + "!\n")
        done = desk.do("search", pattern="(a|aa)+$")
        assert done.error
        assert "not done after 0.2 seconds" in done.text

    def test_gits_own_files_are_left_out_unless_asked_for(self, desk: Desk) -> None:
        desk.put(a_txt="word\n")
        (desk.place / ".git").mkdir()
        (desk.place / ".git/config").write_text("word\n")
        assert desk.do("search", pattern="word").text == "a.txt:1: word"
        assert desk.do("list_files").text == ".git/\na.txt (5 bytes)"
        assert desk.do("list_files", folder=".git").text == ".git/config (5 bytes)"


def test_one_file_written_in_two_ways_is_one_file_in_a_patch(desk: Desk) -> None:
    desk.put(a_txt="one\ntwo\n")
    two = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+ONE\n--- a/./a.txt\n+++ b/.//a.txt\n@@ -2 +2 @@\n-two\n+TWO\n"
    assert not desk.do("apply_patch", patch=two).error
    assert desk.files() == {"a.txt": b"ONE\nTWO\n"}
    onto_itself = "diff --git a/a.txt b/./a.txt\nrename from a.txt\nrename to ./a.txt\n"
    assert not desk.do("apply_patch", patch=onto_itself).error
    assert desk.files() == {"a.txt": b"ONE\nTWO\n"}


def test_a_patch_with_a_number_of_five_thousand_digits_is_refused(desk: Desk) -> None:
    desk.put(a_txt="one\n")
    seen = desk.do("apply_patch", patch=f"--- a/a.txt\n+++ b/a.txt\n@@ -{'9' * 5000} +1 @@\n-two\n+ONE\n")
    assert seen.error and "Nothing was changed" in seen.text


def test_a_long_hunk_of_like_lines_is_looked_for_in_time_that_grows_with_the_file_alone(desk: Desk) -> None:
    desk.put(a_txt="a\n" * 100_000)
    seen = desk.do("apply_patch", patch="--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n" + " a\n" * 15_000 + "-b\n")
    assert seen.error and "it wants the line 'b', but line 15001 of the file is 'a'" in seen.text


def test_hunks_are_not_looked_for_without_end(desk: Desk) -> None:
    desk.put(a_txt="".join(f"{number}\n" for number in range(300_000)))
    hunks = "".join(f"@@\n-{number}\n+x\n" for number in range(5, 1000, 5))
    seen = desk.do("apply_patch", patch=f"--- a/a.txt\n+++ b/a.txt\n{hunks}")
    assert seen.error and "too long to look for it" in seen.text


@pytest.mark.parametrize("pattern", ["(?R)", "(?P<a>x(?&a))", "(x(?1)?)"])
def test_a_pattern_that_calls_itself_is_refused(desk: Desk, pattern: str) -> None:
    desk.put(a_txt="x\n")
    assert "cannot call" in desk.do("search", pattern=pattern).text
    assert desk.do("search", pattern=r"x\(?R?").data["hits"] == 1


@pytest.mark.parametrize("arguments", [{"pattern": "zz"}, {"text": "zz"}])
def test_a_search_of_very_many_lines_comes_to_an_end(
    desk: Desk, arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.environments.workspace.file_tools.searching._SECONDS", 0.0)
    desk.put(a_txt="a\n" * 20_000)
    tool = "search"
    seen = call_file_tool(desk.folder, tool, arguments, 3000)
    assert seen.error and "was not done" in seen.text
