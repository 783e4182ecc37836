"""What relays show: who sets a task up well, who finishes well, and whether one's own course matters."""

from harness.compare.interventions.relay.analysis import relay
from harness.compare.interventions.relay.result import Cell, Effect, Handover, Point, Relay, Sham

__all__ = ["Cell", "Effect", "Handover", "Point", "Relay", "Sham", "relay"]
