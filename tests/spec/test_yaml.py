"""YAML that is broken, hostile or ambiguous gets one clear line at the right place."""

from __future__ import annotations

import time

import pytest

from harness.spec.reading.yaml_source import MAX_BYTES, plain_value, read_yaml


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "1:1: the file is empty"),
        (b"\n# nothing here\n", "1:1: the file is empty"),
        (b"---\n...\n", "1:1: the file is empty"),
        (b"a: 1\nb: \xe9\n", "2:4: the file is not UTF-8 text: save it as UTF-8"),
        ("a: é\n".encode("utf-16"), "1:1: the file is not UTF-8 text: save it as UTF-8"),
        (b"a: 1\nb: x\x01y\n", "2:1: the file holds a control character that YAML does not allow"),
        (b"a:\n\t- b\n", "2:1: a tab stands in the indentation: YAML wants spaces"),
        (b"a: 1\n---\nb: 2\n", "2:1: a second document begins here: one file holds one document"),
        (b"a: 1\nb: 2\na: 3\n", "3:1: key 'a' is given twice (first on line 1)"),
        (b"a: !!str 1\n", "1:4: tags (!!str) are not used here; quotes make text of anything"),
        (b"a: !!python/object/apply:os.system [ls]\n", "1:4: tags (!!python/object/apply:os.system) are not used here"),
        (b"a: {x: 1}\nb:\n  <<: {y: 2}\n", "3:3: merge keys (<<) are not used here; write the keys out"),
        (b"a: *b\n", "1:4: alias *b names no anchor above it"),
        (b"a: &a [1, *a]\n", "1:11: alias *a stands inside its own anchor"),
        (b"1: x\n", "1:1: key 1 is not text: write it in quotes"),
        (b"on: x\n", "1:1: on means true to some readers of YAML and text to others"),
        (b"? [a, b]\n: x\n", "1:3: a key must be a word"),
        (
            b"a: {{ input.x }}\n",
            "1:5: a key must be a word; `{{ ... }}` at the beginning of a value must stand in quotes",
        ),
        (b"a: [1, 2\n", "2:1: not valid YAML: a ',' or ']' is missing"),
        (b"role: @turn\n", "1:7: not valid YAML: a value cannot begin with this character: write it in quotes"),
        (b'a: "b\n', "2:1: not valid YAML: a quote that was opened is never closed"),
        (b"a: b: c\n", "1:5: not valid YAML: a ': ' stands inside a value: write the value in quotes"),
        (b"[" * 5000, "1:51: nested more than 50 levels deep"),
        (b"a: no\n", '1:4: no means false to some readers of YAML and text to others: write false, or "no" in quotes'),
        (b"a: 0644\n", "1:4: readers of YAML disagree about 0644: write it in quotes if it is text"),
        (b"a: 9:30\n", "1:4: readers of YAML disagree about 9:30"),
        (b"a: 1_000\n", "1:4: readers of YAML disagree about 1_000"),
        (b"a: .inf\n", "1:4: .inf is not a number JSON can say"),
        (b"a: 12e4567\n", "1:4: the number is too large"),
        (b"a: 99999999999999999999\n", "1:4: the number does not fit 64 bits"),
        (b"a: " + b"9" * 10_000 + b"\n", "1:4: the number does not fit 64 bits"),
    ],
)
def test_what_is_wrong_with_yaml_is_said_in_one_line_with_its_place(text: bytes, problem: str) -> None:
    _, faults = read_yaml(text)
    said = [f"{fault.line}:{fault.column}: {fault.message}" for fault in faults]
    assert len(said) == 1
    assert said[0].startswith(problem)
    assert "\n" not in said[0]


def test_a_file_past_the_size_limit_is_not_parsed() -> None:
    _, faults = read_yaml(b"a: " + b"x" * MAX_BYTES)
    assert "1 MiB is the most" in faults[0].message


def test_aliases_that_explode_are_stopped_early() -> None:
    lines = [b"a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [b"b%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 10)]
    begin = time.process_time()
    _, faults = read_yaml(b"\n".join(lines))
    assert "expands to more than" in faults[0].message
    assert time.process_time() - begin < 5


def test_an_ordinary_alias_is_allowed() -> None:
    root, faults = read_yaml(b"a: &x {k: 1}\nb: *x\n")
    assert not faults
    assert root is not None
    assert root.data == {"a": {"k": 1}, "b": {"k": 1}}


def test_all_faults_that_can_be_got_over_are_told_at_once() -> None:
    _, faults = read_yaml(b"a: no\nb: 0644\na: 2\nc: !x y\n")
    assert [fault.line for fault in faults] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("0", 0), ("-7", -7), ("0x1F", 31),
        ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("2026-01-31", "2026-01-31"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"), ("y", "y"), ("yes sir", "yes sir"), ("1.2.3", "1.2.3"),
        ("=", "="), ("1e", "1e"), ("tRUE", "tRUE"),
    ],
)  # fmt: skip
def test_unquoted_words_mean_what_json_and_yaml_1_2_say(written: str, value: object) -> None:
    assert plain_value(written) == value
    assert type(plain_value(written)) is type(value)


def test_every_value_knows_its_place() -> None:
    root, _ = read_yaml("é: [1, {b: 2}]\ntext: |\n  one\n  two\n".encode())
    assert root is not None
    place = root.at(("é", 1, "b"))
    assert (place.line, place.column) == (1, 12)
    assert root.at(("é", 1)).keys["b"] == (1, 9)
    assert root.at(("text",)).block
    assert root.at(("é", 7, "nothing")).line == 1


def test_a_number_that_goes_on_for_ever_is_read_at_once() -> None:
    begin = time.process_time()
    assert plain_value("1" + "_" * 500_000 + "x") == "1" + "_" * 500_000 + "x"
    assert time.process_time() - begin < 2
