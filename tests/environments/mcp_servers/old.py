"""A small MCP server of the first protocol version, written against the text of it and nothing else.

It keeps a notebook in `notes.txt` of its working folder, and misbehaves in as many ways as it has tools for.
"""

import json
import os
import sys
import time
from pathlib import Path

NOTES = Path("notes.txt")
TEXT = {"text": {"type": "string"}}


def tool(name: str, properties: dict, *, reads: bool = False) -> dict:
    return {
        "name": name,
        "description": f"The tool {name}.",
        "inputSchema": {"type": "object", "properties": properties, "required": list(properties)},
        **({"annotations": {"readOnlyHint": True}} if reads else {}),
    }


TOOLS = [
    tool("read", {}, reads=True),
    tool("add", TEXT),
    tool("where", {}, reads=True),
    tool("remember", TEXT),
    tool("fail", {}, reads=True),
    tool("long", {"size": {"type": "integer"}}, reads=True),
    tool("others", {}, reads=True),
    tool("chatter", {}, reads=True),
    tool("ask", {}, reads=True),
    tool("notes.of/the day", {}, reads=True),
    tool("sleep", {"seconds": {"type": "number"}}, reads=True),
    tool("hoard", {"megabytes": {"type": "integer"}}),
    tool("die", {"words": {"type": "string"}}),
]
remembered: list[str] = []


def send(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(said: str, *, error: bool = False) -> dict:
    return {"content": [{"type": "text", "text": said}], **({"isError": True} if error else {})}


def call(name: str, arguments: dict) -> dict:
    if name in ("read", "notes.of/the day"):
        return text(NOTES.read_text() if NOTES.exists() else "(no notes)")
    if name == "add":
        with NOTES.open("a") as notes:
            notes.write(arguments["text"] + "\n")
        return text(f"{len(NOTES.read_text().splitlines())} notes")
    if name == "where":
        return text(f"{Path.cwd()} {__file__} {sys.prefix} {sorted(os.environ)}")
    if name == "remember":
        remembered.append(arguments["text"])
        return text(" ".join(remembered))
    if name == "fail":
        return text("There is no ink.", error=True)
    if name == "long":
        return text("x" * arguments["size"])
    if name == "others":
        return {
            "content": [
                {"type": "image", "data": "AAAA", "mimeType": "image/png"},
                {"type": "audio", "data": "AAAAAA==", "mimeType": "audio/wav"},
                {"type": "resource", "resource": {"uri": "note://1", "mimeType": "text/plain", "text": "ash"}},
                {"type": "resource", "resource": {"uri": "note://2", "mimeType": "image/gif", "blob": "AAA="}},
                {"type": "resource_link", "uri": "note://3", "name": "third"},
            ],
            "structuredContent": {"leaves": 5},
        }
    if name == "chatter":
        sys.stdout.write("this is no message\n")
        send({"method": "notifications/message", "params": {"level": "info", "data": "busy"}})
        send({"method": "notifications/progress", "params": {"progressToken": 1, "progress": 0.5}})
        sys.stderr.write("on the other side\n" * 20_000)
        return text("done")
    if name == "ask":
        send({"id": "q1", "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 5}})
        while True:
            answer = json.loads(sys.stdin.readline())
            if answer.get("id") == "q1":
                return text(json.dumps(sorted(answer)))
    if name == "sleep":
        time.sleep(arguments["seconds"])
        return text("rested")
    if name == "hoard":
        remembered.append("x" * (arguments["megabytes"] << 20))
        time.sleep(30)
        return text("kept")
    if name == "die":
        sys.stderr.write(arguments["words"] + "\n")
        sys.stderr.flush()
        os._exit(3)
    raise KeyError(name)


def answer(message: dict) -> dict:
    method, params = message["method"], message.get("params") or {}
    if method == "initialize":
        return {
            "result": {
                "protocolVersion": "2024-11-05",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "notebook", "version": "1"},
            }
        }
    if method == "tools/list":  # in two pages
        half = len(TOOLS) // 2
        if params.get("cursor"):
            return {"result": {"tools": TOOLS[half:]}}
        return {"result": {"tools": TOOLS[:half], "nextCursor": "more"}}
    if method == "tools/call":
        try:
            return {"result": call(params["name"], params.get("arguments") or {})}
        except KeyError as error:
            return {"error": {"code": -32602, "message": f"unknown tool {error}"}}
    return {"error": {"code": -32601, "message": "Method not found"}}


for line in sys.stdin:
    request = json.loads(line)
    if "method" in request and "id" in request:
        send({"id": request["id"], **answer(request)})
