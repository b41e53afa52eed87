"""A real browser, spoken to by its DevTools protocol: what a page says, complains of, fetches and looks like.

with Browser() as browser:
    browser.open(path.as_uri(), scheme="dark")
    assert browser.evaluate("document.title") == "GenAI report"
    assert browser.complaints == [] and browser.fetched == [path.as_uri()]
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.request import Request, urlopen

from websockets.sync.client import ClientConnection, connect

_SECONDS = 30.0
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")

PROGRAM = next(filter(None, map(shutil.which, _NAMES)), None)
"""The browser of this machine, if it has one."""


class Browser:
    """One page; a new one replaces it, with what it complained of (console and log) and fetched (addresses)."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.fetched: list[str] = []
        self._numbers = itertools.count(1)
        self._ends = ExitStack()

    def __enter__(self) -> Browser:
        assert PROGRAM is not None
        with ExitStack() as ends:
            folder = ends.enter_context(TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True))
            command = [PROGRAM, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
            process = ends.enter_context(subprocess.Popen(command, stdout=DEVNULL, stderr=DEVNULL))
            ends.callback(process.terminate)
            address = f"http://127.0.0.1:{_port(Path(folder))}/json/new?about:blank"
            with urlopen(Request(address, method="PUT"), timeout=_SECONDS) as answer:
                target = json.load(answer)["webSocketDebuggerUrl"]
            self._socket: ClientConnection = ends.enter_context(connect(target, max_size=None))
            self._ends = ends.pop_all()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def open(self, address: str, *, scheme: Literal["light", "dark"] = "light", width: int = 1280) -> None:
        """Load a page to its end."""
        self.complaints.clear()
        self.fetched.clear()
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Page.navigate", url=address)
        while self._receive().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """A key of the keyboard, by its name."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = "\r" if key == "Enter" else None
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **({"text": text} if text and kind == "keyDown" else {}),
            )

    def picture(self, path: Path, selector: str = "html") -> None:
        """What a part of the page looks like, as a PNG."""
        box = self.evaluate(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return {x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1} })()"
        )
        answer = self.send("Page.captureScreenshot", format="png", clip=box, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def send(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol and its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv(timeout=_SECONDS))
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.complaints.append(json.dumps(parameters))
            case "Network.requestWillBeSent":
                self.fetched.append(parameters["request"]["url"])
            case _:
                pass
        return message


def _port(folder: Path) -> int:
    """The port that the browser chose."""
    file = folder / "DevToolsActivePort"
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if file.exists() and len(lines := file.read_text(encoding="ascii").splitlines()) == 2:
            return int(lines[0])
        time.sleep(0.05)
    raise TimeoutError(f"{PROGRAM} did not start")
