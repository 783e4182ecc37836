"""MiniWoB++ (https://miniwob.farama.org, MIT): small web tasks, each a page that says what to do and rewards it."""

from harness.adapters.miniwob.environment import MiniWob

__all__ = ["MiniWob"]
