#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The live page in a browser: its figures are those of the tap and change by themselves, its windows are chosen by the
mouse, with and without scripts; nothing of it comes from elsewhere, and no name that a stranger chose does anything."""

import json
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.chromium import Browser, BrowserError  # noqa: E402
from lib.tap import Tap  # noqa: E402
from lib.watched import Watched, strange_traffic, traffic  # noqa: E402

PATIENCE = 60  # seconds for what has to happen some time
WINDOWS = {"15m": "15 minutes", "1h": "hour", "24h": "day"}


class Visitor(Browser):
    """Goes from page to page of a tap, and keeps what the browser had to say on the way."""

    def __init__(self):
        super().__init__()
        self.asked, self.said = [], []

    def _keep(self):
        self.asked += self.requests()
        self.said += self.complaints()
        self.events.clear()

    def visit(self, url):
        self._keep()
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def follow(self, selector):
        """A link, by a click."""
        self._keep()
        self.click(selector)
        self.wait_for("Page.loadEventFired")

    def text(self, selector):
        """What people read of the first such element."""
        return self.ask(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        return self.ask(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.innerText)")

    def until(self, what):
        end = time.monotonic() + PATIENCE
        while not (value := what()):
            if time.monotonic() > end:
                raise BrowserError("it did not come to be")
            time.sleep(0.05)
        return value

    def all_said(self):
        self.ask("0")  # what comes before its answer has come, too
        self._keep()
        return self.said, self.asked


def sessions_of(browser):
    """How many sessions the page says there are."""
    return int(re.search(r"([0-9]+) sessions?", browser.text("#overview .lead"))[1])


def windows(tap, browser, service, name):
    for window, words in WINDOWS.items():
        browser.follow(f"a[href='/?window={window}']")
        shown, expected = sessions_of(browser), service.live(window)["window"]["sessions"]
        tap.check(shown == expected, f"{name}: a click on the last {words}: {expected} sessions", [shown])
        current = browser.texts("[aria-current=page]")
        tap.check(current == [f"last {words}"], f"{name}: which is marked", current)
        rows = browser.texts("#sessions td")
        counts = [row["sessions"] for row in service.live(window)["tables"]["verdicts"]]
        missing = [count for count in counts if str(count) not in rows]
        tap.check(not missing, f"{name}: {len(counts)} verdicts and reasons in the table", missing)


def changes_by_itself(tap, browser, service, more):
    browser.visit(f"http://{service.name}/?window=24h")
    tap.check(browser.text("#live-state") == "live", "it says that it is live")
    before = sessions_of(browser)
    browser.ask("document.documentElement.scrollTop = 150; window.mine = 1")
    service.packets(more)
    browser.until(lambda: sessions_of(browser) != before)
    shown, expected = sessions_of(browser), service.live()["window"]["sessions"]
    tap.check(shown == expected > before, f"{before} sessions become {expected} by themselves", [shown])
    kept = browser.ask("window.mine === 1 && document.documentElement.scrollTop")
    tap.check(kept == 150, "the page is not loaded anew, and stays where it was scrolled to", [kept])


def keeps_its_order(tap, browser):
    """A table that was sorted stays so."""
    column = "#table-verdicts th:nth-child(3) button"
    browser.click(column)
    first = browser.texts("#table-verdicts td:nth-child(3)")
    browser.click(column)
    turned = browser.texts("#table-verdicts td:nth-child(3)")
    browser.window(390, 900)  # in which tables are wider than the page
    scroll = "document.querySelector('#table-servers').parentElement.scrollLeft"
    browser.ask(f"{scroll} = 40; document.querySelector('{column}').focus({{ preventScroll: true }})")
    made = browser.text("#now time")
    browser.until(lambda: browser.text("#now time") != made)
    left = browser.ask(scroll)
    focus = browser.ask(f"document.activeElement === document.querySelector('{column}')")
    tap.check(left == 40 and focus, "a table stays where it was scrolled to, and the keyboard where it was", [left, focus])
    browser.window(1280, 900)
    after = browser.texts("#table-verdicts td:nth-child(3)")
    tap.check(first == turned[::-1] != turned == after, "a table that was sorted by clicks stays so", [first, turned, after])


def alerts(tap, browser, service):
    """They are of the whole run: that is said, and how many are not shown."""
    said, live = browser.text("#stripping"), service.live()
    listed = browser.texts(".alert h4")
    tap.check("Alerts since the run began" in said and len(listed) == len(live["alerts"]), "all alerts of the run", [len(listed)])
    stand_for = sum(line["left_out"] + 1 for line in live["alerts"])
    tap.check(stand_for == live["alerts_count"] and "left out" not in said.split("Alerts since")[1], f"{stand_for} of them, all there")
    several = [line["left_out"] + 1 for line in live["alerts"] if line["left_out"]]
    numbers = [int(found[1]) for found in (re.search(r"(\d+) alerts, with those like it", text) for text in listed) if found]
    tap.check(numbers == several, f"{len(several)} stand for several", numbers)


def is_left_alone(tap, browser):
    """Who selects text does not have it taken away."""
    browser.ask("document.getSelection().selectAllChildren(document.querySelector('#overview'))")
    browser.until(lambda: browser.text("#live-state").startswith("held"))
    tap.check(browser.ask("document.getSelection().toString().length") > 10, "what is selected stays")
    browser.ask("document.getSelection().removeAllRanges()")
    browser.until(lambda: browser.text("#live-state") == "live")


def without_scripts(tap, browser, service):
    browser.script(False)
    browser.visit(f"http://{service.name}/")
    windows(tap, browser, service, "without scripts")
    browser.script(True)


def nothing_else(tap, browser, service, name):
    complaints, asked = browser.all_said()
    tap.check(not complaints, f"{name}: the console and the policy have nothing to say", complaints[:5])
    outside = [url for url in asked if not url.startswith((f"http://{service.name}/", "data:"))]
    tap.check(asked and not outside, f"{name}: {len(asked)} requests, all to the tap", outside)


def looks(tap, browser):
    """What it looks like is for people to say; here, that there is something."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for scheme in ("light", "dark"):
            browser.window(1200, 900, scheme)
            browser.screenshot(Path(folder) / scheme)
            sizes.append((Path(folder) / scheme).read_bytes())
        tap.check(min(map(len, sizes)) > 10000 and sizes[0] != sizes[1], "light and dark are two")
        browser.print(Path(folder) / "pdf")
        tap.check((Path(folder) / "pdf").read_bytes().startswith(b"%PDF-"), "it prints")


def goes_away(tap, browser, service):
    browser.visit(f"http://{service.name}/")
    before = sessions_of(browser)
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    browser.until(lambda: "no answer" in browser.text("#live-state"))
    browser.events.clear()  # that nobody answered is said there, too
    tap.check(sessions_of(browser) == before, "the tap is gone: the page says so, and keeps its figures")


def ordinary(tap, mailtap, pcaps):
    packets = traffic(pcaps, 24)
    half = len(packets) // 2
    with tempfile.TemporaryDirectory() as folder, Watched(mailtap, folder) as service, Visitor() as browser:
        service.packets(packets[:half])
        browser.visit(f"http://{service.name}/")
        windows(tap, browser, service, "page")
        changes_by_itself(tap, browser, service, packets[half:])
        keeps_its_order(tap, browser)
        is_left_alone(tap, browser)
        alerts(tap, browser, service)
        looks(tap, browser)
        without_scripts(tap, browser, service)
        nothing_else(tap, browser, service, "page")
        goes_away(tap, browser, service)


def strange(tap, mailtap, pcaps):
    with tempfile.TemporaryDirectory() as folder, Watched(mailtap, folder) as service, Visitor() as browser:
        packets = strange_traffic(pcaps)
        service.packets(packets)
        browser.visit(f"http://{service.name}/?window=24h")
        tap.check(sessions_of(browser) > 40, "hostile names: the sessions are there")
        before = browser.text("#now time")
        browser.until(lambda: browser.text("#now time") != before)
        nothing_else(tap, browser, service, "hostile names")
        made = browser.ask("document.querySelectorAll('img, iframe, object, embed, form, main script, [onerror], [onload]').length")
        tap.check(made == 0, "and no element is a stranger's", [made])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    if not tap.needs("chromium"):
        return tap.done()
    ordinary(tap, options.mailtap, options.pcaps)
    strange(tap, options.mailtap, options.pcaps)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
