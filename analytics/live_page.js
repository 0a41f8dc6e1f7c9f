"use strict";
// The page, taken anew every few seconds: what it says changes, where the reader is does not.
(() => {
  const EVERY = 5000;
  const state = document.getElementById("live-state");
  const parts = ["live-now", "main"];
  const place = (id) => document.getElementById(id) || document.querySelector(id);
  let held = 0;

  const selecting = () => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  };
  const refresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "omit" });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of parts) {
      const next = fresh.getElementById(id) || fresh.querySelector(id);
      const old = place(id);
      if (next && old) old.replaceWith(document.adoptNode(next));
    }
    document.dispatchEvent(new CustomEvent("mailtap:fresh"));
  };
  const turn = async () => {
    try {
      if (document.hidden || selecting()) state.textContent = "paused";
      else {
        await refresh();
        state.textContent = "live";
      }
      held = 0;
    } catch (error) {
      held += 1;
      state.textContent = "no answer: these figures are old";
    }
    setTimeout(turn, EVERY * Math.min(held + 1, 6));
  };
  state.textContent = "live";
  setTimeout(turn, EVERY);
})();
