"""Slack and PagerDuty on loopback: they keep what Alertmanager tells them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.harness.patience import eventually


class Webhook:
    """What was posted, by the path of the address: `with Webhook() as webhook: … webhook.url + "/slack"`."""

    def __init__(self) -> None:
        self._told: list[tuple[str, dict[str, Any]]] = []
        told = self._told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.append((self.path.strip("/"), json.loads(body)))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Webhook:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, path: str, text: str) -> list[dict[str, Any]]:
        """What came at a path and has this text somewhere."""
        return [said for where, said in list(self._told) if where == path and text in json.dumps(said)]

    def waits_for(self, path: str, text: str, *, seconds: float = 120) -> dict[str, Any]:
        """The first of these, once there is one."""
        return eventually(lambda: self.told(path, text), timeout=seconds, every=0.2)[0]
