"""A headless Chromium for tests, spoken to over a pipe: the DevTools protocol, without a driver and without a port."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PROGRAM = next((found for name in NAMES if (found := shutil.which(name))), None)
HERE = PROGRAM is not None and sys.platform != "win32"
browser_test = [
    pytest.mark.browser,
    pytest.mark.skipif(not HERE, reason=f"no Chromium here; looked for {', '.join(NAMES)}"),
]
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}
_LIMIT_S = 60.0


class Browser:
    """One browser process. `with Browser() as browser: page = browser.open(path)`."""

    def __init__(self, folder: Path) -> None:
        import fcntl  # there is none on Windows

        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # Numbers that neither 3 nor 4 can overwrite: those two are what the browser reads and writes.
        high = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (theirs_in, theirs_out)]

        def as_3_and_4() -> None:
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        assert PROGRAM
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        flags += ["--hide-scrollbars", "--disable-background-networking", "--disable-component-update"]
        self._process = subprocess.Popen(
            [PROGRAM, *flags, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=as_3_and_4,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (theirs_in, theirs_out, *high):
            os.close(one)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Send a command and wait for its answer; events on the way are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method: str) -> dict[str, Any]:
        """The next event of that name, one that has come already included."""
        while not (found := [event for event in self.events if event.get("method") == method]):
            self.events.append(self._read())
        self.events.remove(found[0])
        return found[0]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], _LIMIT_S)
            chunk = os.read(self._from, 1 << 20) if ready else b""
            assert chunk, "the browser says nothing any more"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(
        self, path: Path, *, width: int = 1280, height: int = 800, dark: bool = False, script: bool = True
    ) -> "Page":
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session, path, width, height, dark, script)


class Page:
    """A page in a tab, loaded. `problems` and `requests` are what it complained of and what it asked for."""

    def __init__(
        self, browser: Browser, session: str, path: Path, width: int, height: int, dark: bool, script: bool
    ) -> None:
        self._browser, self._session = browser, session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        is_phone = width < 500
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone)
        self.ask("Emulation.setTouchEmulationEnabled", enabled=is_phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        calm = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme, calm])
        if not script:
            self.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.ask("Page.navigate", url=path.as_uri())
        browser.wait_for("Page.loadEventFired")

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **parameters)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_until(self, expression: str) -> None:
        limit = time.monotonic() + 10
        while not self.value(expression):
            assert time.monotonic() < limit, f"never true: {expression}"
            time.sleep(0.03)

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of an element's first line in the window."""
        name = json.dumps(selector)
        return tuple(
            self.value(f"(r => [r.left, r.top, r.right, r.bottom])(document.querySelector({name}).getClientRects()[0])")
        )

    def _middle(self, selector: str) -> dict[str, float]:
        left, top, right, bottom = self.box(selector)
        return {"x": (left + right) / 2, "y": (top + bottom) / 2}

    def hover(self, selector: str) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", **self._middle(selector))

    def click(self, selector: str) -> None:
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **self._middle(selector))

    def tap(self, selector: str) -> None:
        self.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[self._middle(selector)])
        self.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, key: str, *, shift: bool = False) -> None:
        named = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 if shift else 0}
        text = {"text": "\r"} if key == "Enter" else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **named)

    def type(self, text: str) -> None:
        self.ask("Input.insertText", text=text)

    def screenshot(self, *, whole: bool = False) -> str:
        """A PNG in base64."""
        return self.ask("Page.captureScreenshot", captureBeyondViewport=whole)["data"]

    def print(self) -> str:
        """A PDF in base64."""
        return self.ask("Page.printToPDF")["data"]

    def _mine(self, method: str) -> list[dict[str, Any]]:
        self.value("0")  # what was on the way has come
        events = self._browser.events
        return [
            event["params"]
            for event in events
            if event.get("method") == method and event.get("sessionId") == self._session
        ]

    @property
    def problems(self) -> list[str]:
        said = [str(one["exceptionDetails"]) for one in self._mine("Runtime.exceptionThrown")]
        said += [str(one["args"]) for one in self._mine("Runtime.consoleAPICalled")]
        return said + [one["entry"]["text"] for one in self._mine("Log.entryAdded")]

    @property
    def requests(self) -> list[str]:
        return [one["request"]["url"] for one in self._mine("Network.requestWillBeSent")]

    @property
    def blocked(self) -> list[str]:
        """Those of the requests that the page's policy did not let go."""
        failed = {one["requestId"] for one in self._mine("Network.loadingFailed") if one.get("blockedReason") == "csp"}
        asked = self._mine("Network.requestWillBeSent")
        return [one["request"]["url"] for one in asked if one["requestId"] in failed]
