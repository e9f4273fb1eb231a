// Warns a minute before a login ends for want of use, and keeps what was typed when it has ended. The server decides:
// this file asks it, because another tab may have used the login in the meantime. Without it logins end all the same.
"use strict";

(() => {
  const page = document.body;
  const warning = document.getElementById("idle-warning");
  const ended = document.getElementById("idle-ended");
  if (!page.dataset.alive || !warning || !ended) return;

  const WARN_MS = 60 * 1000;
  const IN_USE_MS = 2 * 60 * 1000;
  const PATIENCE_MS = 5000;
  let endsAt = Date.now() + page.dataset.seconds * 1000;
  let touchedAt = 0;
  let askAgainAt = 0;
  let isAsking = false;
  let isOver = false;

  const tokens = () => document.querySelectorAll("input[name=csrfmiddlewaretoken]");

  /** Ask the server (GET), or start the time anew (POST). Returns null where nobody is logged in any more. */
  async function ask(method) {
    const response = await fetch(page.dataset.alive, {
      method,
      redirect: "manual",
      cache: "no-store",
      headers: method === "POST" ? { "X-CSRFToken": tokens()[0].value } : {},
    });
    if (response.type === "opaqueredirect") return null;
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  }

  function hasUnsaved() {
    return [...document.querySelectorAll("main input, main textarea, main select")].some((field) => {
      if (field.type === "hidden" || field.type === "password") return false;
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected) && field.selectedIndex > 0;
      return field.value !== field.defaultValue;
    });
  }

  function over() {
    isOver = true;
    warning.close();
    if (hasUnsaved()) {
      if (!ended.open) ended.showModal();
    } else {
      location.assign(`${ended.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
  }

  function goOn(answer) {
    if (String(answer.who) !== page.dataset.who) {
      location.assign("/"); // somebody else logged in: what was typed is not theirs
      return;
    }
    isOver = false;
    endsAt = Date.now() + answer.seconds * 1000;
    for (const token of tokens()) token.value = answer.token;
    ended.close();
    if (answer.seconds * 1000 > WARN_MS) warning.close();
    else if (!warning.open) warning.showModal();
  }

  async function check() {
    if (isAsking || Date.now() < askAgainAt) return;
    isAsking = true;
    try {
      let answer = await ask("GET");
      const isInUse = Date.now() - touchedAt < IN_USE_MS;
      if (answer && answer.seconds * 1000 <= WARN_MS && isInUse) answer = await ask("POST");
      if (answer) goOn(answer);
      else over();
    } catch {
      askAgainAt = Date.now() + PATIENCE_MS; // the network is away: what is typed stays where it is
    } finally {
      isAsking = false;
    }
  }

  function tick() {
    if (isOver) return;
    const left = endsAt - Date.now();
    if (left <= WARN_MS && (!warning.open || left <= 0)) check();
    if (warning.open) document.getElementById("idle-left").textContent = Math.max(0, Math.ceil(left / 1000));
  }

  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, (event) => {
      if (!event.target.closest?.("dialog")) touchedAt = Date.now();
    });
  }
  document.getElementById("idle-stay").addEventListener("click", async () => {
    try {
      const answer = await ask("POST");
      if (answer) goOn(answer);
      else over();
    } catch {
      check();
    }
  });
  document.getElementById("idle-back").addEventListener("click", async () => {
    askAgainAt = 0;
    await check();
    if (ended.open) document.getElementById("idle-not-yet").hidden = false;
  });
  // Escape does not open what a logged out page covers.
  ended.addEventListener("cancel", (event) => event.preventDefault());
  ended.addEventListener("close", () => {
    if (isOver && hasUnsaved()) ended.showModal();
  });
  const look = () => document.visibilityState === "visible" && !isOver && check();
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", (event) => event.persisted && look());
  setInterval(tick, 1000);
})();
