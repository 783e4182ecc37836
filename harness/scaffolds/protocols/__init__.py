"""How models say what they do: native tool calls, one JSON object, or prose.

The rest of the room knows only `ActionProtocol`, found by `protocol_for`.
"""

from __future__ import annotations

from harness.scaffolds.protocols.arguments import validate_arguments
from harness.scaffolds.protocols.interface import ActionProtocol, Offer
from harness.scaffolds.protocols.json_object import JsonProtocol
from harness.scaffolds.protocols.native import NativeProtocol
from harness.scaffolds.protocols.text import TextProtocol
from harness.spec.scaffold import Protocol

__all__ = ["ActionProtocol", "Offer", "protocol_for", "validate_arguments"]


def protocol_for(settings: Protocol) -> ActionProtocol:
    """The protocol a scaffold asks for."""
    kinds: dict[str, type[NativeProtocol | JsonProtocol | TextProtocol]] = {
        "native": NativeProtocol,
        "json": JsonProtocol,
        "text": TextProtocol,
    }
    return kinds[settings.kind](settings)
