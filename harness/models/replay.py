"""A model that says again what was recorded: every return to a moment of a recorded trial stands on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.models.protocol import CallKey, ModelReply, ModelRequest, ProviderFault


class ReplayModel:
    """Answers each call with the reply recorded under the same key.

    Raises `ProviderFault` of kind `replay` for a call that was not recorded: the scaffold took another way.
    """

    def __init__(self, name: str, replies: Mapping[CallKey, ModelReply]) -> None:
        self.name = name
        self._replies = replies

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The recorded reply; nothing is waited for this time."""
        reply = self._replies.get(request.key)
        if reply is None:
            key = request.key
            where = f"node {key.node}, role {key.role}, lane {key.lane}, visit {key.visit}"
            raise ProviderFault("replay", f"model '{self.name}': no reply was recorded for {where}", [])
        return replace(reply, waited=0.0)

    async def close(self) -> None:
        """Nothing to end."""
