"""TextArena (https://github.com/LeonGuertler/TextArena, MIT): text games for one player and for several."""

from harness.adapters.textarena.environment import TextArena

__all__ = ["TextArena"]
