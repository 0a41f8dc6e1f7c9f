# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven by its DevTools protocol over a pipe: no port, no other program, no library.

It gets a profile of its own, which is removed again. Real input: clicks and keys go the way that a mouse's and a
keyboard's do.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

DEADLINE = 60  # seconds that an answer may take
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-pipe"]  # fmt: skip


class BrowserError(Exception):
    pass


def find():
    """The program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-headless-shell")


class Browser:
    """With one tab. All events that it told of are in `events`."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="mailtap-chromium-")
        command_read, self.to = os.pipe()
        self.come_from, answer_write = os.pipe()

        def pipes():  # what Chromium expects: it reads 3 and writes 4
            high = os.dup2(command_read, 100), os.dup2(answer_write, 101)
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
            os.closerange(5, 102)

        self.process = subprocess.Popen(
            [find(), *FLAGS, f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=pipes, close_fds=False, env={**os.environ, "HOME": self.profile.name},
        )  # fmt: skip
        os.close(command_read)
        os.close(answer_write)
        self.left, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.come_from)
        shutil.rmtree(self.profile.name, ignore_errors=True)
        self.profile.cleanup()

    def _message(self, until):
        while b"\0" not in self.left:
            ready, _, _ = select.select([self.come_from], [], [], max(until - time.monotonic(), 0))
            more = os.read(self.come_from, 1 << 20) if ready else b""
            if not more:
                raise BrowserError("Chromium does not answer")
            self.left += more
        message, self.left = self.left.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data) :]
        until = time.monotonic() + DEADLINE
        while True:
            answer = self._message(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event):
        """Until an event of this name comes, counted from the last `open`."""
        until = time.monotonic() + DEADLINE
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self._message(until))

    # --- what a person does -------------------------------------------------------------------

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def window(self, width, height, scheme="light", media=""):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def script(self, enabled):
        self.call("Emulation.setScriptExecutionDisabled", value=not enabled)

    def ask(self, expression):
        """The value of an expression in the page, run beside its own scripts and their policy."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def click(self, selector):
        self.ask(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center', inline: 'center'}})")
        x, y = self.ask(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key, code, text=""):
        numbers = {"Enter": 13, "Tab": 9, " ": 32}
        common = {"key": key, "code": code, "windowsVirtualKeyCode": numbers[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    # --- what comes of it -----------------------------------------------------------------------

    def screenshot(self, path, clip=None):
        parameters = {"captureBeyondViewport": True}
        if clip:
            parameters["clip"] = dict(zip(("x", "y", "width", "height"), clip), scale=1)
        data = self.call("Page.captureScreenshot", format="png", **parameters)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def print(self, path):
        data = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def complaints(self):
        """What the page said in the console, what failed, and which scripts threw."""
        found = []
        for event in self.events:
            what, parameters = event.get("method"), event.get("params", {})
            if what == "Log.entryAdded":
                found.append(parameters["entry"]["text"])
            elif what == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
            elif what == "Runtime.consoleAPICalled":
                found.append(str(parameters["args"]))
        return found

    def requests(self):
        """The addresses that the page asked for, its own included."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
