"""Somebody whom Alertmanager tells: a webhook on loopback that keeps what it is told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.harness.patience import eventually


class Webhook:
    """Notifications by the last part of the address: `with Webhook() as webhook: … webhook.url`."""

    def __init__(self) -> None:
        self._told: list[tuple[str, dict[str, Any]]] = []
        told = self._told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.append((self.path.strip("/"), json.loads(body)))
                self.send_response(200)
                self.end_headers()

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

    def told(self, receiver: str, alertname: str, **labels: str) -> list[dict[str, Any]]:
        """The firing alerts of this name and these labels that came for a receiver, each once."""
        wanted = {"alertname": alertname, **labels}
        found = {
            one["fingerprint"]: one
            for name, said in list(self._told)
            for one in said["alerts"]
            if name == receiver and one["status"] == "firing" and wanted.items() <= one["labels"].items()
        }
        return list(found.values())

    def waits_for(
        self, receiver: str, alertname: str, *, seconds: float = 120, **labels: str
    ) -> list[dict[str, Any]]:
        """The same, once there is one."""
        return eventually(lambda: self.told(receiver, alertname, **labels), timeout=seconds, every=0.2)
