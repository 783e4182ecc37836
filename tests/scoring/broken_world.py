"""Kinds of environment as careless hands write them; each is wrong in one way, which its name says."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel

from harness.environments import Environment, FinalState, Observation, StateReader, Tool

POKE = Tool("poke", "Poke.", {"type": "object", "properties": {}, "additionalProperties": False}, True)


class Nothing(BaseModel):
    """No options."""


class Reader(StateReader):
    async def as_data(self) -> Any:
        return {}


class Sound(Environment):
    kind: ClassVar[str] = "sound"
    Options = Nothing
    Setup = Nothing

    @classmethod
    def tools(cls, options: Any, role: str) -> Any:
        return [POKE]

    @classmethod
    async def open(cls, opening: Any) -> Any:
        return cls()

    async def call(self, role: str, tool: str, arguments: Any) -> Any:
        return Observation("ouch")

    async def final_state(self) -> Any:
        return FinalState("sound", b"")

    @classmethod
    async def read_state(cls, state: Any, opening: Any) -> Any:
        return Reader()


def _boom(*_: Any) -> Any:
    raise KeyError("boom")


async def _boom_later(*_: Any) -> Any:
    raise KeyError("boom")


async def _none(*_: Any) -> Any:
    return None


def _kind(name: str, **parts: Any) -> type:
    return type(name, (Sound,), {**parts, "__module__": __name__})


OwnTasksRaise = _kind("OwnTasksRaise", own_tasks=classmethod(_boom))
OwnTasksAreNumbers = _kind("OwnTasksAreNumbers", own_tasks=classmethod(lambda cls, options: [1, 2]))
ToolsRaise = _kind("ToolsRaise", tools=classmethod(_boom))
ToolsAreNone = _kind("ToolsAreNone", tools=classmethod(lambda cls, options, role: None))
SchemaIsNone = _kind("SchemaIsNone", tools=classmethod(lambda *_: [Tool("poke", "x", {"type": "banana"}, True)]))
OptionsAreNone = _kind("OptionsAreNone", Options=5)
SetupIsNone = _kind("SetupIsNone", Setup=None)
OpeningRaises = _kind("OpeningRaises", open=classmethod(_boom_later))
CallRaises = _kind("CallRaises", call=_boom_later)
CallGivesNone = _kind("CallGivesNone", call=_none)
EndRaises = _kind("EndRaises", final_state=_boom_later)
EndGivesNone = _kind("EndGivesNone", final_state=_none)
FinishedRaises = _kind("FinishedRaises", finished=_boom)
CloseRaises = _kind("CloseRaises", close=_boom_later)
