"""The far side of `harness.adapters.worker`: run by another Python, it serves the functions of one script.

    python -P serve.py agentdojo/script.py

Needs the standard library only, since the harness is not installed there. One request a line comes in,
`{"id": 1, "call": "open", "with": {...}}`, and one answer a line goes out, `{"id": 1, "result": ...}` or
`{"id": 1, "error": "ValueError: ..."}`; the first line out says that the script is loaded. Requests are served one
after another. When the other side is gone the process ends at once, whatever it is doing.
"""

import importlib.util
import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO, TypeAlias

Requests: TypeAlias = "queue.SimpleQueue[dict[str, Any]]"


def main(path: str) -> None:
    """Serve the functions of the script at `path` until standard input ends."""
    # What the package prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    requests: Requests = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    spec = importlib.util.spec_from_file_location(Path(path).parent.name + "_script", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    _say(answers, json.dumps({"ready": True}))
    while True:
        request = requests.get()
        try:
            answer = {"result": _function(script, request["call"])(**request["with"])}
            line = json.dumps({"id": request["id"], **answer})
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the other side is told, the next request is served
            line = json.dumps({"id": request["id"], "error": f"{type(error).__name__}: {error}"})
        _say(answers, line)


def _function(script: ModuleType, name: str) -> Callable[..., object]:
    if name.startswith("_") or name not in script.SERVED:
        raise LookupError(f"no function {name!r}")
    function: Callable[..., object] = getattr(script, name)
    return function


def _read(requests: Requests) -> None:
    # A file of its own: the interpreter waits for the lock of sys.stdin when it ends.
    with os.fdopen(os.dup(0), "rb") as lines:
        for line in lines:
            requests.put(json.loads(line))
    os._exit(0)


def _say(answers: TextIO, line: str) -> None:
    try:
        answers.write(line + "\n")
        answers.flush()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
