"""The final state of a world of several seats, opened for checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from harness.environments.protocol import Observation, StateReader


class SocietyReader(StateReader):
    """Answers with the ledger, the accounts and the rewards of the seats."""

    def __init__(self, data: dict[str, JsonValue], rewards: Callable[[], Mapping[str, float]]) -> None:
        """`rewards` is asked when the first is wanted: the best a world could come to may take a moment to find."""
        self._data = data
        self._rewards = rewards

    async def as_data(self) -> dict[str, JsonValue]:
        """The course of the world with its full ledger, the seats' accounts, and figures over both."""
        return self._data

    async def read_file(self, path: str) -> str | None:
        """There are none."""
        raise NotImplementedError("this world has no files; use a check of kind state, told or reward")

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """There are none."""
        raise NotImplementedError("this world has no tables; use a check of kind state, told or reward")

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        """There is nothing to run it on."""
        raise NotImplementedError("this world runs no commands; use a check of kind state, told or reward")

    async def reward(self, name: str, answer: str | None) -> float:
        """A seat's own reward by its name, raw as `NAME.raw`, or one of the whole world. Raises `LookupError`."""
        rewards = self._rewards()
        if name not in rewards:
            raise LookupError(f"there is no reward {name!r}; there are {', '.join(rewards)}")
        return rewards[name]
