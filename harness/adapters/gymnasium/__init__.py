"""Gymnasium (https://gymnasium.farama.org, MIT): environments whose state can be told in words."""

from harness.adapters.gymnasium.environment import Gymnasium

__all__ = ["Gymnasium"]
