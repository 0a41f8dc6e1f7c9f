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
  const replace = (fresh) => {
    const old = document.querySelector("main");
    const next = fresh.querySelector("main");
    const opened = [...old.querySelectorAll("details")].map((one) => one.open);
    next.querySelectorAll("details").forEach((one, index) => {
      one.open = opened[index] === true;
    });
    old.replaceWith(document.adoptNode(next));
    next.dispatchEvent(new CustomEvent("mailtap:updated", { bubbles: true }));
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
