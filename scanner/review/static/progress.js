// The figures refresh themselves, without moving anything that has not changed.

import { $, get, post, say, texts } from "./base.js";

const EVERY_MS = 4000;
const live = $("#live");
const stale = $("#stale");

/** Put a new part in place of the old one; what had the focus has it again. */
function replace(part) {
  const link = live.contains(document.activeElement)
    ? document.activeElement.getAttribute("href")
    : null;
  const parsed = new DOMParser().parseFromString(part, "text/html");
  live.replaceChildren(...parsed.body.childNodes);
  if (link) $(`a[href="${CSS.escape(link)}"]`, live)?.focus();
}

async function refresh() {
  if (document.hidden) return;
  try {
    const address = `${live.dataset.address}?since=${live.dataset.head}`;
    const now = await get(address, { background: true });
    if (now.part) replace(now.part);
    live.dataset.head = now.head;
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);

const form = $("#papers-form");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = {};
  for (const name of ["issued", "collected"]) {
    const value = form.elements[name].value.trim();
    if (value !== "") given[name] = Number(value);
  }
  try {
    await post("/progress/papers", given);
  } catch {
    return; // It has been said.
  }
  say(texts("progress-texts").saved);
  await refresh();
});
