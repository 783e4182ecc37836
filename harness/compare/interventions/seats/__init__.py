"""Traded seats: what a model gets in each seat, what it leaves the others, and what it makes them do."""

from harness.compare.interventions.seats.analysis import seats
from harness.compare.interventions.seats.result import Seats

__all__ = ["Seats", "seats"]
