# SPDX-License-Identifier: Apache-2.0
"""Chromium without a screen, driven as a person would: pages are opened, links clicked with the mouse, and what the
browser said and asked for meanwhile is kept. It is spoken with over two pipes, by the DevTools protocol: each message
is JSON with a zero byte behind."""

import base64
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 60  # seconds for what has to happen some time

# Keeps what a page's policy forbade, from before its first script.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""


class BrowserError(Exception):
    pass


class Pipe:
    """The two pipes to a Chromium, and what comes by them."""

    def __init__(self, arguments):
        read, self.write_to = os.pipe()
        self.read_from, write = os.pipe()
        # Chromium has them as 3 and 4.
        command = ["sh", "-c", f'exec "$@" 3<&{read} 4>&{write}', "sh", *arguments]
        self.process = subprocess.Popen(
            command, pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(read)
        os.close(write)
        self.buffer = b""
        self.number = 0

    def send(self, method, session, parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_to, data) :]
        return self.number

    def receive(self, seconds):
        """The next message. None: there is none within this time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            readable, _, _ = select.select([self.read_from], [], [], max(0, end - time.monotonic()))
            if not readable:
                return None
            data = os.read(self.read_from, 1 << 16)
            if not data:
                raise BrowserError("chromium has ended")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.read_from)
        os.close(self.write_to)


class Browser:
    """A browser of its own with one page, and nothing in it from before; ends with the block."""

    def __init__(self, width=1200, height=900):
        self.folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        arguments = [
            "chromium", "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-extensions",
            "--no-default-browser-check", "--hide-scrollbars", f"--window-size={width},{height}",
            f"--user-data-dir={self.folder.name}", "about:blank",
        ]  # fmt: skip
        if os.geteuid() == 0:
            arguments.insert(1, "--no-sandbox")  # which root cannot have
        self.pipe = Pipe(arguments)
        self.session = None
        self.said, self.asked, self.loaded = [], [], 0
        pages = [target for target in self.command("Target.getTargets")["targetInfos"] if target["type"] == "page"]
        found = self.command("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self.session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")
        self.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.pipe.close()
        self.folder.cleanup()

    # --- the protocol ---

    def command(self, method, **parameters):
        number = self.pipe.send(method, self.session, parameters)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = self.pipe.receive(end - time.monotonic())
            if message and message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']}")
                return message["result"]
            self._take(message or {})
        raise BrowserError(f"{method}: no answer")

    def _take(self, event):
        details = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(details["request"]["url"])
            case "Log.entryAdded":
                self.said.append(f"{details['entry']['level']}: {details['entry']['text']}")
            case "Runtime.consoleAPICalled":
                self.said.append(f"{details['type']}: {[one.get('value') for one in details['args']]}")
            case "Runtime.exceptionThrown":
                self.said.append(f"exception: {details['exceptionDetails']}")
            case "Page.javascriptDialogOpening":
                self.said.append(f"dialog: {details['message']}")
                self.pipe.send("Page.handleJavaScriptDialog", self.session, {"accept": False})
            case "Page.loadEventFired":
                self.loaded += 1

    def _until_loaded(self, before):
        end = time.monotonic() + PATIENCE
        while self.loaded == before:
            if time.monotonic() > end:
                raise BrowserError("the page does not load")
            self._take(self.pipe.receive(1) or {})

    # --- what people do ---

    def open(self, url):
        before = self.loaded
        found = self.command("Page.navigate", url=str(url))
        if found.get("errorText"):
            raise BrowserError(f"{url}: {found['errorText']}")
        self._until_loaded(before)

    def run(self, expression):
        """The value of JavaScript that is evaluated in the page."""
        found = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def text(self, css):
        """What people read of the first such element. None: there is none."""
        return self.run(f"document.querySelector({json.dumps(css)})?.innerText")

    def texts(self, css):
        return self.run(f"[...document.querySelectorAll({json.dumps(css)})].map((one) => one.innerText)")

    def click(self, css, loads=False):
        """With the mouse, in the middle of the first such element. `loads`: another page, which is waited for."""
        box = self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(css)}); one.scrollIntoView({{block: 'center'}});"
            " const box = one.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        before = self.loaded
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        if loads:
            self._until_loaded(before)

    def scheme(self, name):
        """What who looks prefers: light or dark."""
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def scripts(self, allowed):
        self.command("Emulation.setScriptExecutionDisabled", value=not allowed)

    def screenshot(self, path):
        """All of the page, however long, as PNG."""
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def printed(self):
        """As PDF."""
        return base64.b64decode(self.command("Page.printToPDF", printBackground=True)["data"])

    def until(self, what):
        end = time.monotonic() + PATIENCE
        while not (value := what()):
            if time.monotonic() > end:
                raise BrowserError("it did not come to be")
            time.sleep(0.05)
        return value

    # --- what the browser says of it ---

    def complaints(self):
        """What the console said so far, and what the policy of this page forbade."""
        violations = self.run("window.violations")  # by then all events before it have come
        return [*self.said, *(violations or [])]

    def requests(self):
        """The addresses of all that was asked for so far."""
        self.run("0")
        return self.asked
