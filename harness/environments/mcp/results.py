"""What an MCP server answered, as an observation: text as it is, everything else told by what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from harness.environments.protocol import Observation

if TYPE_CHECKING:
    import mcp_types

_KEPT_BYTES = 64 << 10
"""Most of structured content that goes into the record."""


def observation(result: mcp_types.CallToolResult, characters: int, replaced: Mapping[str, str]) -> Observation:
    """A result as a model is shown it; `replaced` maps paths of this machine to what stands for them."""
    import mcp_types

    told: list[str] = []
    others = 0
    for block in result.content:
        if isinstance(block, mcp_types.TextContent):
            told.append(block.text)
            continue
        others += 1
        told.append(_told(block))
    data: dict[str, JsonValue] = {}
    structured = result.structured_content
    if structured is not None:
        written = json.dumps(structured, ensure_ascii=False)
        if len(written) <= _KEPT_BYTES:
            data["structured"] = json.loads(plain(written, replaced))
        else:
            data["structured_left_out"] = len(written)
        if not told:
            told.append(written)
    text, left_out = cut(plain("\n".join(told), replaced), characters)
    if left_out:
        data["truncated"] = left_out
    if others:
        data["not_text"] = others
    return Observation(text or "[no output]", error=result.is_error, data=data)


def plain(text: str, replaced: Mapping[str, str]) -> str:
    """Text that any store takes, without what only this machine has."""
    for here, everywhere in replaced.items():
        text = text.replace(here, everywhere)
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def cut(text: str, characters: int) -> tuple[str, int]:
    """At most about so many characters, the middle left out, and how many that were."""
    if len(text) <= characters:
        return text, 0
    tail = characters // 3
    head = characters - tail
    left_out = len(text) - characters
    return f"{text[:head]}\n[... {left_out} characters left out ...]\n{text[-tail:]}", left_out


def _told(block: mcp_types.ContentBlock) -> str:
    """A picture, a sound or a resource in words."""
    import mcp_types

    if isinstance(block, mcp_types.ImageContent | mcp_types.AudioContent):
        return f"[{block.type}: {block.mime_type}, {_bytes(block.data)} bytes]"
    if isinstance(block, mcp_types.ResourceLink):
        size = f", {block.size} bytes" if block.size is not None else ""
        return f"[link to a resource: {block.uri}{size}]"
    if not isinstance(block, mcp_types.EmbeddedResource):
        return f"[{block.type}]"
    resource = block.resource
    if isinstance(resource, mcp_types.TextResourceContents):
        return f"[resource {resource.uri}]\n{resource.text}"
    kind = resource.mime_type or "data"
    return f"[resource {resource.uri}: {kind}, {_bytes(resource.blob)} bytes]"


def _bytes(base64: str) -> int:
    """How many bytes a text in base64 stands for."""
    return len(base64.rstrip("=")) * 3 // 4
