"""The few addresses of the Hugging Face Hub that fetching one file takes, on loopback."""

from __future__ import annotations

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubServer:
    """Serves `/OWNER/NAME/resolve/REVISION/FILE`; counts requests by method."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """`files`: `owner/name/file` -> content."""
        self.files = files
        self.seen: list[str] = []
        self.drip = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, *, body: bool) -> None:
                hub.seen.append(f"{self.command} {self.path}")
                owner, _, rest = self.path.strip("/").partition("/")
                name, _, rest = rest.partition("/resolve/")
                revision, _, file = rest.partition("/")
                content = hub.files.get(f"{owner}/{name}/{file}")
                if content is None:
                    known = any(path.startswith(f"{owner}/{name}/") for path in hub.files)
                    self.send_response(404)
                    self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("X-Repo-Commit", COMMIT if revision == "main" else revision)
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if body:
                    time.sleep(hub.drip)
                    self.wfile.write(content)

            def log_message(self, *_: Any) -> None: ...

        return Handler
