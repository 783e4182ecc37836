"""A world with talk added: everything of the world is passed on to it, and the talk is kept beside."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, Field, JsonValue, create_model

from harness.environments.conversation.options import END, SAY, ConversationOptions
from harness.environments.conversation.room import Room
from harness.environments.conversation.state import TalkingReader, packed, unpacked
from harness.environments.conversation.talk import Talk, WordsRefusedError, last_words
from harness.environments.protocol import Environment, EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.errors import UserError


class ConversationError(UserError, EnvironmentFault):
    """Options of a conversation that do not fit the scenario: for the scenario's author to mend."""


class TalkingWorld(Environment):
    """One trial's world and what is said in it. `talking` makes a class of this for each kind of world."""

    World: ClassVar[type[Environment]]
    """The kind that talk is added to."""

    def __init__(self, world: Environment, options: BaseModel, roles: tuple[str, ...]) -> None:
        """Take over an open world."""
        self._world = world
        self._options = options
        self._talking = talk_options(options)
        self._roles = roles
        self._talk = Talk.begun(self._talking, roles)
        self._closed = False

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the world's tools that are in the role's hands, `say`, and `end_conversation` where it may."""
        talking = talk_options(options)
        return [*talking.in_hand(role, cls.World.tools(options, role)), *talking.talk_tools(role)]

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """Return the world's."""
        bring = getattr(cls.World, "own_tasks", None)  # a kind of one's own need not inherit from the protocol
        return [] if bring is None else cast(list[dict[str, Any]], bring(options))

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Open the world. Raises `EnvironmentFault`, and `ConversationError` where the options do not fit."""
        talking, roles = talk_options(opening.options), tuple(opening.roles)
        strangers = talking.strangers(roles)
        if strangers:
            raise ConversationError(
                f"`conversation` names roles that the scenario has not: {', '.join(strangers)}; "
                f"there are {', '.join(roles)}"
            )
        for role in roles:
            cls._check_tools(opening.options, talking, role)
        return cls(await cls.World.open(opening), opening.options, roles)

    @classmethod
    def _check_tools(cls, options: BaseModel, talking: ConversationOptions, role: str) -> None:
        names = [tool.name for tool in cls.World.tools(options, role)]
        wanted = talking.hands.get(role, [])
        unknown = [] if wanted == "all" else sorted(set(wanted) - set(names))
        if unknown:
            known = ", ".join(names) or "none"
            raise ConversationError(f"`hands` gives {role} the tool {unknown[0]!r}; the world has {known}")
        clash = sorted({SAY, END} & set(names))
        if clash:
            raise ConversationError(f"the world has a tool {clash[0]!r} of its own: no talk can be added to it")

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the world's facts."""
        return self._world.facts

    def turn(self) -> str | None:
        """Whose turn it is: as the world says where it says so, else whoever has not yet spoken."""
        return self._world.turn() or self._talk.speaker

    def finished(self) -> bool:
        """Whether the conversation is over, or the world has come to its end."""
        return self._talk.over or self._world.finished()

    async def news(self, role: str) -> str | None:
        """What the world has to tell, then what was said; with the speakers' names unless there is no doubt."""
        tell = getattr(self._world, "news", None)
        of_world: str | None = None if tell is None else await tell(role)
        said = self._talk.news(role, named=len(self._roles) > 2 or of_world is not None)
        parts = [part for part in (of_world, said) if part is not None]
        return "\n\n".join(parts) if parts else None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Talk, or use a tool of the world. What cannot be done is an error observation that changes nothing."""
        if self._closed:
            raise EnvironmentFault("the conversation is closed")
        problem = self._refused(role, tool)
        if problem is not None:
            return Observation(problem, error=True)
        if tool not in (SAY, END):
            self._talk.acted += 1
            return await self._world.call(role, tool, arguments)
        try:
            if tool == SAY:
                to = arguments.get("to")
                to = to if isinstance(to, str) and self._talking.private else None
                self._talk.say(role, last_words(arguments), to, self._talking, self._roles)
            else:
                self._talk.end(role, last_words(arguments), END, self._talking, self._roles)
        except WordsRefusedError as error:
            return Observation(f"Error: {error}", error=True)
        return Observation("The conversation is over." if self._talk.over else "Said.")

    def _refused(self, role: str, tool: str) -> str | None:
        """Why a role may not use a tool now."""
        if role not in self._roles:
            return f"there is no role '{role}' here"
        offered = [offer.name for offer in self.tools(self._options, role)]
        if tool not in offered:
            return f"there is no tool '{tool}'; there are {', '.join(offered)}"
        if self._talk.over:
            return "the conversation is over"
        turn = self.turn()
        if turn != role:
            return f"it is {turn}'s turn, not {role}'s"
        if tool not in (SAY, END) and self._world.turn() is None and self._talk.acted >= self._talking.actions_per_turn:
            return f"you have acted {self._talk.acted} times in this turn; say something now, with the tool '{SAY}'"
        return None

    async def snapshot(self) -> bytes | None:
        """Return the world's snapshot with the talk; None where the world takes none."""
        world = await self._world.snapshot()
        return None if world is None else packed(self._talk, self.World.kind, world)

    async def restore(self, snapshot: bytes) -> None:
        """Go back to a snapshot. Raises `EnvironmentFault` when it is none."""
        talk, _, world = unpacked(snapshot)
        if talk.speaker not in self._roles:
            raise EnvironmentFault(f"this is no state of this conversation: there is no role {talk.speaker!r}")
        await self._world.restore(world)
        self._talk = talk

    async def final_state(self) -> FinalState:
        """Return the world's final state with the talk."""
        world = await self._world.final_state()
        return FinalState(self.kind, packed(self._talk, world.kind, world.data), world.truncated)

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> TalkingReader:
        """Open a recorded state for checks."""
        talk, kind, data = unpacked(state.data)
        return TalkingReader(talk, await cls.World.read_state(FinalState(kind, data, state.truncated), opening))

    async def close(self) -> None:
        """Close the world; may be called twice."""
        self._closed = True
        await self._world.close()


def talk_options(options: BaseModel) -> ConversationOptions:
    """The part of a talking world's options that is about talk."""
    return cast(ConversationOptions, getattr(options, "conversation"))  # noqa: B009 - made by `talking`


@cache
def talking(world: type[Environment], kind: str) -> type[TalkingWorld]:
    """The class of a kind of world with talk added. Raises `LookupError` where that cannot be."""
    if issubclass(world, TalkingWorld):
        raise LookupError(f"environment kind '{kind}': talk is there already")
    if "conversation" in world.Options.model_fields:
        raise LookupError(f"environment kind '{kind}': the world has an option `conversation` of its own")
    field = Field(default_factory=ConversationOptions, description="How the roles talk with one another.")
    options = create_model(
        f"Talking{world.Options.__name__}", __base__=world.Options, __module__=__name__,
        __doc__=world.Options.__doc__, conversation=(ConversationOptions, field),
    )  # fmt: skip
    members: dict[str, object] = {"World": world, "kind": kind, "Options": options, "Setup": world.Setup}
    packages = getattr(world, "packages", None)
    if packages is not None:
        members["packages"] = packages
    return type(
        f"Talking{world.__name__}", (TalkingWorld,), {**members, "__module__": __name__, "__doc__": world.__doc__}
    )


Conversation = talking(Room, "conversation")
"""Talk and nothing else."""
