"""The nursery, and the cells it forks."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import socket
import struct

import duckdb

from .database import Connection, Refused

_LENGTHS, _PID = struct.Struct("!II"), struct.Struct("!I")
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def serve(line: socket.socket, opening: dict[str, object]) -> None:
    """Answer requests until the other end is gone."""
    connection: Connection | None = None
    while (request := receive(line)) is not None:
        payload = b""
        try:
            if connection is None:
                connection = Connection(str(opening["now"]), int(str(opening["memory_mb"])))
            match request.get("do"):
                case "run":
                    answer: dict[str, object] = connection.run(request)
                case "tables":
                    answer = {"tables": connection.tables()}
                case "data":
                    answer = {}
                    payload = json.dumps(connection.data(_number(request["rows"]), _number(request["text"]))).encode()
                case "image":
                    answer, payload = {}, connection.image()
                case _:
                    answer = {"version": duckdb.__version__}
        except Refused as refused:
            answer = {"refused": str(refused.args[0]), "line": refused.args[1] if len(refused.args) > 1 else 0}
        except (duckdb.Error, MemoryError) as error:
            answer = {"broken": str(error)[:500]}
        if connection is not None and connection.spoiled:
            answer["spoiled"] = True
        head = json.dumps(answer).encode()
        line.sendall(_LENGTHS.pack(len(head), len(payload)) + head + payload)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def receive(line: socket.socket) -> dict[str, object] | None:
    """The next request; None at the end."""
    lengths = _exactly(line, _LENGTHS.size)
    if lengths is None:
        return None
    text = _exactly(line, _LENGTHS.unpack(lengths)[0])
    return None if text is None else json.loads(text)


def _exactly(line: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = line.recv(min(size - len(parts), 2**20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def confine(opening: dict[str, object]) -> None:
    """Put this process under its limits, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder, uid = str(opening["folder"]), int(str(opening["uid"]))
    with open("/proc/self/statm") as file:  # noqa: PTH123 - as below
        pages = int(file.read().split()[0])
    os.chdir(folder)
    if uid >= 0:
        with contextlib.suppress(PermissionError):  # a container may not let its root do that
            os.chroot(folder)
            os.chdir("/")
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    room = pages * resource.getpagesize() + (int(str(opening["memory_mb"])) + 256) * 2**20
    limits = {resource.RLIMIT_AS: room, resource.RLIMIT_FSIZE: int(str(opening["file_bytes"])), resource.RLIMIT_CORE: 0}
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def nursery(control: socket.socket) -> None:
    """Fork a cell for each message, until the harness is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the harness's to handle
    own = os.getpid()
    duckdb.connect(config={"threads": "1"}).close()  # loads what is loaded at first use
    gc.freeze()
    while True:
        message, sockets, _, _ = socket.recv_fds(control, 65536, 1)
        if not message:
            return
        if os.fork():
            os.close(sockets[0])
            continue
        control.close()
        try:
            confine(json.loads(message))
            if os.getppid() == own:
                line = socket.socket(fileno=sockets[0])
                line.sendall(_PID.pack(os.getpid()))
                serve(line, json.loads(message))
        finally:
            os._exit(0)


if __name__ == "__main__":
    import pytz  # type: ignore[import-untyped]  # noqa: F401 - DuckDB asks for it when it hands out moments in time

    nursery(socket.socket(fileno=0))
    os._exit(0)  # DuckDB's module complains of what is left where the interpreter ends in order
