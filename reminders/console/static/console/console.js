// The pages work without this file. With it, a page refreshes itself while somebody can see it, and a variable's name
// is put into a text with one press.
"use strict";

const REFRESH_SECONDS = 5;

function refresh() {
  if (document.visibilityState !== "visible") return;
  for (const part of document.querySelectorAll("[data-live]")) {
    part.dispatchEvent(new CustomEvent("refresh"));
  }
}

setTimeout(refresh, 1500);
setInterval(refresh, REFRESH_SECONDS * 1000);
document.addEventListener("visibilitychange", refresh);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const text = document.getElementById(button.dataset.into);
  text.focus();
  text.setRangeText(button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
});

for (const talk of document.querySelectorAll("[data-from-end]")) talk.scrollTop = talk.scrollHeight;
