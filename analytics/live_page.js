// SPDX-License-Identifier: Apache-2.0
// Takes the page anew every few seconds: what it says changes, where the reader is does not. Who selects text, or looks
// at something else, is left alone.
"use strict";
(() => {
  const EVERY = 5000; // milliseconds; more and more while there is no answer
  const SLOWEST = 6;
  let failures = 0;

  const say = (text) => {
    document.getElementById("live-state").textContent = text;
  };
  const isReading = () => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  };
  // How far tables are scrolled to the side, by their name.
  const scrolled = (main) =>
    new Map([...main.querySelectorAll(".scroll")].map((one) => [one.getAttribute("aria-label"), one.scrollLeft]));
  // Which heading of which table, window of time or table has the keyboard.
  const focused = () => {
    const element = document.activeElement;
    const table = element.closest("main table");
    if (table) return `#${table.id} th:nth-child(${element.closest("th").cellIndex + 1}) button`;
    if (element.matches("main .scroll")) return `main .scroll[aria-label="${element.getAttribute("aria-label")}"]`;
    return element.matches("main a") ? `main a[href="${element.getAttribute("href")}"]` : null;
  };
  const replace = (fresh) => {
    const old = document.querySelector("main");
    const next = fresh.querySelector("main");
    const left = scrolled(old);
    const focus = focused();
    old.replaceWith(document.adoptNode(next));
    next.dispatchEvent(new CustomEvent("mailtap:updated", { bubbles: true }));
    next.querySelectorAll(".scroll").forEach((one) => {
      one.scrollLeft = left.get(one.getAttribute("aria-label")) ?? 0;
    });
    if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  };
  const refresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "omit" });
    if (!answer.ok) throw new Error(answer.statusText);
    replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  };
  const turn = async () => {
    try {
      const held = document.hidden || isReading();
      if (!held) await refresh();
      failures = 0;
      say(held ? "held while text is selected" : "live");
    } catch (error) {
      failures += 1;
      say("no answer: these figures are old");
    }
    setTimeout(turn, EVERY * Math.min(failures + 1, SLOWEST));
  };
  say("live");
  setTimeout(turn, EVERY);
})();
