"""The child process that serves one embedded model. Run as a program of its own; imports nothing of the harness.

It reads one line of JSON from standard input (what to serve), serves llama.cpp's OpenAI-compatible API on a free
port of 127.0.0.1, writes one line of JSON with the address to standard output, and leaves when standard input ends.
The parent holds the other end, so the child goes with it however it goes.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xllamacpp

_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the whole group; the parent decides
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    _die_with(asked["parent"])
    address_out = os.dup(1)
    os.dup2(2, 1)  # whatever the engine prints belongs to the log
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    _set(parameters, asked)
    server = xllamacpp.Server(parameters)
    os.write(address_out, (json.dumps({"address": server.listening_address}) + "\n").encode())
    os.close(address_out)
    while os.read(0, 4096):
        pass
    os._exit(0)  # the engine's threads are not waited for


def _set(parameters: xllamacpp.CommonParams, asked: dict[str, Any]) -> None:
    parameters.model.path = asked["path"]
    parameters.model_alias = {asked["name"]}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [asked["key"]]
    parameters.cors_origins = ""
    parameters.endpoint_slots = False
    parameters.ui = False
    parameters.n_parallel = asked["n_parallel"]
    parameters.n_ctx = asked["n_ctx"] * asked["n_parallel"]
    parameters.cpuparams.n_threads = asked["n_threads"]
    parameters.cpuparams_batch.n_threads = asked["n_threads"]
    parameters.use_jinja = True
    parameters.warmup = True
    parameters.cache_ram_mib = 512
    parameters.verbosity = 1


def _die_with(parent: int) -> None:
    """On Linux the kernel kills this process with its parent, should standard input be held open by someone else."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    serve()
