from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scoring.numbers import single_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42), ("The total is 42.", 42), ("-3", -3), ("\u22123.5 C", -3.5), ("\u20133", -3), ("+7", 7),
        ("1,234.50 EUR", 1234.5), ("EUR 1,234.50", 1234.5), ("EUR1,234.50", 1234.5), ("$1,234", 1234),
        ("-$5", -5), ("$-5", -5), ("1'234'567", 1234567), ("1\u202f234,5", 1234.5), ("1_000", 1000),
        ("1.234,50", 1234.5), ("12,5 kg", 12.5), ("0,125", 0.125), ("1e3", 1000), ("2.5E-2", 0.025), (".5", 0.5),
        ("12 %", 12), ("12%", 12), ("5kg", 5), ("3 apples", 3), ("2 million", 2e6), ("1.5 billion dollars", 1.5e9),
        ("Q3 revenue: 17", 17), ("order-7 costs 12", 12), ("(42)", 42), ("[42]", 42), ("**42**", 42),
        ("x=42", 42), ("temperature:-5", -5), ("It is 42. So: 42!", 42), ("42\n", 42), ("- 5 apples", 5), ("007", 7),
        ("answer: 1,234,567.", 1234567),
    ],
)  # fmt: skip
def test_the_one_number(text, number):
    assert single_number(text) == pytest.approx(number)


@pytest.mark.parametrize(
    "text",
    [
        "", "none", "3 apples and 4 pears", "3-4", "3/4", "1.2.3", "1,23,4", "2026-01-05", "10:30", "1e999", "Q3",
        "five", "between 3 and 5", "3 or 3.5", "12,34,56", "1'23", "order-7", "\u0663",
    ],
)  # fmt: skip
def test_what_is_not_one_number(text):
    assert single_number(text) is None


@given(st.integers(-(10**12), 10**12), st.sampled_from(["{}", "{:,}", "{:_}", "It is {}.", "{:,} EUR", "about {} km"]))
def test_every_integer_is_read_back(value, form):
    assert single_number(form.format(value)) == value


@given(st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from(["{:.3f}", "{:,.3f}", "${:.3f}", "= {:.3f} m"]))
def test_every_decimal_is_read_back(value, form):
    assert single_number(form.format(value)) == pytest.approx(round(value, 3), abs=1e-9)


@given(st.text(alphabet="0123456789.,'-+eE$ %ab\u2212\u202f", max_size=60))
def test_no_text_breaks_it(text):
    value = single_number(text)
    assert value is None or abs(value) < float("inf")


def test_long_texts_are_read_in_linear_time():
    assert single_number("1," * 200_000) is None
    assert single_number("a" * 200_000 + " 5") == 5
    assert single_number("9" * 5_000) is None
