"""What designs of seatings promise, whatever the number of models and seats."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from harness.intervene.seats.designs import Field, full_design, meetings, prime_powers, square_design

FIELDS = st.sampled_from([(2, 1), (3, 1), (2, 2), (5, 1), (7, 1), (2, 3), (3, 2), (11, 1)])


@given(models=st.integers(2, 9), seats=st.integers(2, 5))
def test_every_ordered_pair_of_models_meets_in_every_pair_of_seats_equally_often(models: int, seats: int) -> None:
    design = square_design(models, seats)
    assert len(meetings(design.seatings, models)) == 1
    assert len(set(design.seatings)) == len(design.seatings)
    assert len(design.seatings) <= models**seats


@given(models=st.integers(2, 12))
def test_three_seats_have_a_latin_square_of_any_order(models: int) -> None:
    design = square_design(models, 3)
    assert len(design.seatings) == models**2
    assert meetings(design.seatings, models) == {1}
    assert design.note == ""


@given(prime_power=FIELDS, data=st.data())
def test_of_a_prime_power_up_to_one_seat_more_than_models_it_has_the_square_of_the_models(
    prime_power: tuple[int, int], data: st.DataObject
) -> None:
    models = prime_power[0] ** prime_power[1]
    seats = data.draw(st.integers(2, min(models + 1, 6)))
    design = square_design(models, seats)
    assert len(design.seatings) == models**2
    assert meetings(design.seatings, models) == {1}


def test_two_seats_have_no_smaller_design_than_every_seating() -> None:
    assert square_design(4, 2).seatings == full_design(4, 2).seatings


def test_where_there_is_no_square_a_larger_array_is_used_and_that_is_said() -> None:
    """No two Latin squares of order 6 are orthogonal to each other (Tarry 1900)."""
    design = square_design(6, 4)
    assert len(design.seatings) == 72
    assert "no orthogonal array of 36 seatings for 4 seats and 6 models" in design.note
    two = square_design(2, 6)
    assert len(two.seatings) == 8
    assert meetings(two.seatings, 2) == {2}


def test_the_full_design_is_every_seating_once() -> None:
    assert sorted(full_design(3, 3).seatings) == sorted(itertools.product(range(3), repeat=3))


@given(prime_power=FIELDS, data=st.data())
def test_fields_are_fields(prime_power: tuple[int, int], data: st.DataObject) -> None:
    field = Field(*prime_power)
    element = st.integers(0, field.order - 1)
    a, b, c = data.draw(element), data.draw(element), data.draw(element)
    assert field.multiply(a, field.add(b, c)) == field.add(field.multiply(a, b), field.multiply(a, c))
    assert field.multiply(a, field.multiply(b, c)) == field.multiply(field.multiply(a, b), c)
    assert field.multiply(a, 1) == a
    if a:
        assert sorted(field.multiply(a, other) for other in range(field.order)) == list(range(field.order))


@given(number=st.integers(2, 5000))
def test_prime_powers_multiply_to_the_number(number: int) -> None:
    product = 1
    for prime, power in prime_powers(number):
        product *= prime**power
    assert product == number
