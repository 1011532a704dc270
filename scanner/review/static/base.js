// What every page needs: sending a change, and saying what went wrong.

/** The first element that a selector finds below a root, or null. */
export const $ = (selector, root = document) => root.querySelector(selector);

/** All elements that a selector finds below a root, as an array. */
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** The texts that a template gave to a script: a JSON block with that id. */
export const texts = (id) => JSON.parse($(`#${id}`)?.textContent ?? "{}");

const words = texts("base-texts");
const messages = $("#messages");

// On a narrow screen the navigation is wider than the page.
const place = $("nav [aria-current]");
if (place) place.closest("ul").scrollLeft = place.offsetLeft - 8;

/** An element with attributes and children; a string among them is text, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Take away what was said. */
export function clearMessages() {
  messages.replaceChildren();
}

/**
 * Say something at the top of the page.
 * @param {string} text What is said.
 * @param {{kind?: "good"|"bad", remedy?: string, link?: [string, string]}} more
 *   Its kind, what to do about it, and a link: [address, text].
 */
export function say(text, { kind = "good", remedy = "", link = null } = {}) {
  const close = element("button", { type: "button", class: "quiet close" }, words.close);
  const said = element("div", { class: `message ${kind}` }, element("strong", {}, text));
  if (kind === "bad") said.setAttribute("role", "alert");
  if (remedy) said.append(" ", remedy);
  if (link) said.append(" ", element("a", { href: link[0] }, link[1]));
  said.append(close);
  close.addEventListener("click", () => said.remove());
  messages.replaceChildren(said);
}

/** What went wrong with a request; `status` is 0 where no answer came. */
export class RequestError extends Error {
  constructor(status, message, remedy = "") {
    super(message);
    this.status = status;
    this.remedy = remedy;
  }
}

async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", redirect: "error", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, words.offline, words.offlineRemedy);
  }
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const body = isJson ? await answer.json() : {};
  if (!answer.ok) {
    throw new RequestError(answer.status, body.message ?? answer.statusText, body.remedy ?? "");
  }
  return body;
}

/** Show a failed request; any other error goes on. */
export function complain(error) {
  if (!(error instanceof RequestError)) throw error;
  const here = location.pathname + location.search;
  const link =
    error.status === 401 ? [`/sign-in?next=${encodeURIComponent(here)}`, words.signIn] : null;
  say(error.message, { kind: "bad", remedy: error.remedy, link });
}

/**
 * Send a change to the server.
 * @returns {Promise<object>} Its answer. On a fault it is said at the top of the page, and the
 *   promise fails with a RequestError (whoever needs to know catches it).
 */
export async function post(address, body = {}, { signal } = {}) {
  try {
    return await ask(address, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRF-Token": $('meta[name="csrf"]').content,
      },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error instanceof RequestError) complain(error);
    throw error;
  }
}

/**
 * Ask the server for something.
 * @param {{background?: boolean}} options `background` for what a page asks by itself, such as
 *   live figures: it does not keep anybody signed in, and a fault is not shown.
 */
export async function get(address, { background = false, signal } = {}) {
  const headers = { Accept: "application/json", ...(background ? { "X-Background": "1" } : {}) };
  try {
    return await ask(address, { headers, signal });
  } catch (error) {
    if (error instanceof RequestError && !background) complain(error);
    throw error;
  }
}

/** Whether a key is meant for a field that is being typed in, and so for no shortcut. */
export function isTyping(event) {
  const at = event.target;
  const isField = at.matches?.("textarea, select, [contenteditable]");
  const isText = at.matches?.("input:not([type=checkbox], [type=radio], [type=button])");
  return Boolean(isField || isText);
}

/**
 * Keys that do something, by their name as `event.key` has it (letters in lower case).
 * A key with Ctrl, Alt or Meta stays the browser's; a field that is being typed in keeps its own.
 */
export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (isTyping(event) || $("dialog[open]")) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    const isPress = event.key === "Enter" || event.key === " ";
    if (isPress && event.target.closest?.("a, button, summary")) return;
    event.preventDefault();
    action(event);
  });
}
