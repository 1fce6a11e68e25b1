"""A hub on loopback for tests: what a Hugging Face hub says when a file is resolved, and what may go wrong with it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """Serves one file at /REPO/resolve/REVISION/FILE, which leads to /blob as files in large storage do."""

    content: bytes
    repo: str = "some/model"
    file: str = "model.gguf"
    token: str = ""  # what it must be asked with
    # How the answers to GET /blob are spoilt, one each, the last for all that follow: bytes after which the
    # connection breaks, or a status to answer with; None: not at all.
    breaks: list[int | None] = field(default_factory=lambda: [None])
    heads: list[int | None] = field(default_factory=lambda: [None])  # the same for the metadata, statuses alone
    retry_after: str = ""
    knows_ranges: bool = True
    sends: bytes | None = None  # instead of the content
    etag: str = ""
    says_size: bool = True
    says_error: str = ""  # X-Error-Code
    pause_s: float = 0.0  # before each piece of 16 kB
    location: str = ""  # where it leads; else to another host, as a hub's storage is
    port: int = 0
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, path, headers
    sent: int = 0  # bytes of bodies

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, method: str) -> list[dict[str, str]]:
        """Headers of the requests by this method for bytes, or for metadata."""
        return [headers for how, path, headers in self.seen if how == method and (method == "HEAD" or path == "/blob")]


def _next(answers: list[int | None]) -> int | None:
    return answers.pop(0) if len(answers) > 1 else answers[0]


class _Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.hub.seen.append(("HEAD", self.path, {key.lower(): value for key, value in self.headers.items()}))
        if (status := _next(self.hub.heads)) is not None:
            self.refuse(status)
        elif self.path == "/blob":
            self.describe(200)
        elif self.allowed():
            self.lead()

    def do_GET(self) -> None:
        self.hub.seen.append(("GET", self.path, {key.lower(): value for key, value in self.headers.items()}))
        if self.path == "/blob":
            self.send_blob()
        elif self.allowed():
            self.lead()

    @property
    def hub(self) -> Hub:
        return self.server.hub

    def refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code or self.hub.says_error:
            self.send_header("X-Error-Code", code or self.hub.says_error)
        if self.hub.retry_after:
            self.send_header("Retry-After", self.hub.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def allowed(self) -> bool:
        hub = self.hub
        repo, found, rest = unquote(self.path).lstrip("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self.refuse(401, "GatedRepo")
        elif not found or repo != hub.repo:
            self.refuse(401, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self.refuse(404, "RevisionNotFound")
        elif file != hub.file:
            self.refuse(404, "EntryNotFound")
        else:
            return True
        return False

    def lead(self) -> None:
        self.describe(302)

    def describe(self, status: int) -> None:
        self.send_response(status)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Etag", f'"{self.hub.etag or self.hub.sha256}"')
        if self.hub.says_size:
            self.send_header("X-Linked-Size", str(len(self.hub.content)))
        self.send_header("Location", self.hub.location or f"http://localhost:{self.hub.port}/blob")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_blob(self) -> None:
        hub = self.hub
        spoilt = _next(hub.breaks)
        if spoilt is not None and 400 <= spoilt < 600:
            self.refuse(spoilt)
            return
        body = hub.content if hub.sends is None else hub.sends
        start = 0
        asked = self.headers.get("Range", "")
        if asked and hub.knows_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.refuse(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        rest = body[start:] if spoilt is None else body[start : start + spoilt]
        for at in range(0, len(rest), 16_384):
            time.sleep(hub.pause_s)
            self.wfile.write(rest[at : at + 16_384])
            hub.sent += len(rest[at : at + 16_384])
        if spoilt is not None:
            self.close_connection = True


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub = hub  # type: ignore[attr-defined]
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that is killed hangs up
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
