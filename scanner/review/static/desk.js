// One doubt at a time: choose, confirm, and the next one is there.

import { $, $$, clearMessages, element, get, onKeys, post, say, texts } from "/static/base.js";
import { showBlank, Viewer } from "/static/viewer.js";

const words = texts("desk-texts");
const place = $("#place");
/** Where the next doubt waits; its names are apart from those of the one on the screen. */
const waiting = $("#waiting").attachShadow({ mode: "closed" });
const HOLD_EVERY_MS = 40_000;
const DIGITS = 9;
const PAN = 0.15;

/** What of the doubt on the screen has been chosen so far. */
let state = null;
/** The next one, fetched before it is needed: its address, and a promise of it. */
let ahead = null;
let isBusy = false;
/** What the server was asked last: settled when it has answered and that is on the screen. */
let request = Promise.resolve();
let lastActive = Date.now();

const doubt = () => $("#doubt", place);
const data = () => doubt().dataset;

function about() {
  const { sheet, contest = null } = data();
  return { sheet: Number(sheet), contest };
}

/** Tell the server something; the filters go along, so that it knows what comes next. */
const send = (what, body) => post(`/desk/${what}${place.dataset.query}`, body);

// --- what is chosen ---------------------------------------------------------------------------

function begin() {
  state = { chosen: new Set(), verdict: null, group: 0, notes: [], unsent: {}, viewers: [] };
  for (const root of $$(".viewer", place)) state.viewers.push(new Viewer(root));
  $$(".option[data-option]", place).forEach((option) =>
    option.addEventListener("click", () => toggle(option)),
  );
  $(".option[data-verdict]", place)?.addEventListener("click", () => choose("accept"));
  for (const button of $$("[data-act]", place)) {
    button.addEventListener("click", () => acts[button.dataset.act]());
  }
  $("#more", place)?.addEventListener("click", () => turnGroup(1));
  $("#fewer", place)?.addEventListener("click", () => turnGroup(-1));
  // Enter confirms wherever one is, also on an option that was reached by Tab.
  $(".options", place).addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) confirm();
  });
  turnGroup(0);
  tell();
  fetchAhead();
}

const isOpen = () => "open" in data();
const options = () => $$(".option[data-option]", place);

function toggle(option) {
  if (!isOpen()) return;
  const { chosen } = state;
  const id = option.dataset.option;
  const wasThere = chosen.has(id);
  // Of one choice a second one takes the place; that too many are marked is said by its own key.
  if (Number(data().max) === 1 && !("struck" in data())) chosen.clear();
  if (wasThere) chosen.delete(id);
  else chosen.add(id);
  state.verdict = chosen.size > 0 ? "options" : null;
  tell();
}

function choose(verdict) {
  if (!isOpen()) return;
  const isBack = state.verdict === verdict;
  state.chosen.clear();
  state.verdict = isBack ? null : verdict;
  tell();
}

/** What is saved: of names that are struck out, those are chosen that are left. */
function outcome() {
  if (state.verdict === null) return null;
  const isStruck = "struck" in data();
  if (state.verdict === "accept" || state.verdict === "overvote") {
    return { verdict: state.verdict, options: [] };
  }
  if (state.verdict === "blank" && !isStruck) return { verdict: "blank", options: [] };
  const ids = options().map((option) => option.dataset.option);
  const chosen = ids.filter((id) => state.chosen.has(id) !== isStruck);
  if (chosen.length > Number(data().max)) return { verdict: "overvote", options: [] };
  return chosen.length > 0
    ? { verdict: "options", options: chosen }
    : { verdict: "blank", options: [] };
}

/** Show what is chosen, and what it comes to. */
function tell() {
  for (const option of options()) {
    option.setAttribute("aria-pressed", state.chosen.has(option.dataset.option));
  }
  const accept = $(".option[data-verdict]", place);
  accept?.setAttribute("aria-pressed", state.verdict === "accept");
  for (const act of ["blank", "invalid"]) {
    const verdict = { blank: "blank", invalid: "overvote" }[act];
    $(`[data-act=${act}]`, place)?.setAttribute("aria-pressed", state.verdict === verdict);
  }
  for (const outline of $$(".target[data-option]", place)) {
    outline.classList.toggle("chosen", state.chosen.has(outline.dataset.option));
  }
  const made = outcome();
  const answer = $("#answer", place);
  answer.textContent = isOpen() ? inWords(made) : "";
  answer.classList.toggle("is-invalid", made?.verdict === "overvote");
  $("[data-act=confirm]", place).disabled = made === null || !isOpen();
}

function inWords(made) {
  if (made === null) return words.nothing;
  if (made.verdict !== "options") return words[made.verdict];
  const labels = options()
    .filter((option) => made.options.includes(option.dataset.option))
    .map((option) => $(".label", option).textContent);
  return words.counts.replace("{answer}", labels.join(" · "));
}

/** With more than nine options the digits stand for nine of them at a time. */
function turnGroup(step) {
  const last = Math.floor(Math.max(options().length - 1, 0) / DIGITS);
  state.group = Math.min(Math.max(state.group + step, 0), last);
  const digits = new Map();
  for (const option of options()) {
    const isMeant = Number(option.dataset.group) === state.group;
    option.classList.toggle("has-digit", isMeant);
    digits.set(option.dataset.option, isMeant);
    if (isMeant && step) option.scrollIntoView({ block: "nearest" });
  }
  for (const outline of $$(".target[data-option]", place)) {
    outline.classList.toggle("has-digit", digits.get(outline.dataset.option) ?? false);
  }
  if (last === 0) return;
  $("#fewer", place).disabled = state.group === 0;
  $("#more", place).disabled = state.group === last;
}

function digit(number) {
  if ("contest" in data()) {
    const option = options()[state.group * DIGITS + number - 1];
    if (option) toggle(option);
  } else if (number === 1) choose("accept");
  else if (number === 2) acts.void();
}

// --- what is sent -----------------------------------------------------------------------------

/** One request at a time: a key pressed twice is no second decision. */
function alone(work) {
  if (!isBusy) request = carryOut(work);
}

async function carryOut(work) {
  isBusy = true;
  place.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    if (error.name !== "RequestError" && error.status === undefined) throw error;
  } finally {
    isBusy = false;
    place.removeAttribute("aria-busy");
  }
}

function confirm() {
  const made = outcome();
  if (!isOpen()) return;
  if (made === null) {
    $("#answer", place).textContent = words.choose;
    return;
  }
  save(made);
}

const knownOf = (made) =>
  Number(["accept", "refuse"].includes(made.verdict) ? data().knownSheet : data().known);

const save = (made, known = knownOf(made)) =>
  alone(async () => {
    const { crop } = data();
    const note = state.notes.join("\n");
    const answer = await send("decide", { ...about(), known, crop, note, ...made });
    if (answer.saved) await moveOn(answer);
    else disagree(answer, made);
  });

/** Somebody else was faster: what was chosen here stays, and is saved only if that is wanted. */
function disagree(answer, made) {
  $("#conflict-title").textContent = answer.title;
  $("#conflict-text").textContent = answer.text;
  $("#conflict-mine").hidden = !answer.may_save;
  openDialog($("#conflict"), (choice) => {
    if (choice === "mine") save(made, answer.known);
    if (choice === "look") alone(() => show(data().url, { isNew: false }));
    if (choice === "on") acts.next();
  });
}

/** What the server says comes next. */
async function moveOn(answer) {
  $("#left").textContent = answer.status;
  if (answer.next) await show(answer.next, { isHeld: true });
  else location.assign(answer.queue);
}

const acts = {
  confirm,
  blank: () => choose("blank"),
  invalid: () => "contest" in data() && choose("overvote"),
  skip: () => isSomebody() && alone(async () => moveOn(await send("skip", about()))),
  undo: () =>
    isSomebody() &&
    alone(async () => {
      const answer = await send("undo", about());
      if (answer.saved) {
        $("#left").textContent = answer.status;
        await show(answer.next, { isHeld: true });
      }
      say(answer.text, { kind: answer.saved ? "good" : "warn" });
    }),
  note: () => isSomebody() && ask("note", (text) => alone(() => addNote(text))),
  escalate() {
    if (!$("[data-act=escalate]", place)) return;
    ask("escalate", (note) =>
      alone(async () => moveOn(await send("escalate", { ...about(), note }))),
    );
  },
  void: () => isOpen() && ask("void", (why) => save({ verdict: "refuse", options: [], why })),
  next: () => go(data().next),
  previous: () => go(data().previous),
  outlines() {
    const isShown = !place.classList.toggle("no-outlines");
    $("[data-act=outlines]", place).setAttribute("aria-pressed", isShown);
  },
};

const isSomebody = () => $("[data-act=note]", place) !== null;

async function addNote(text) {
  const answer = await send("note", { ...about(), note: text });
  state.notes.push(text);
  delete state.unsent.note;
  const remarks = $("#remarks", place);
  remarks.hidden = false;
  $("ul", remarks).append(element("li", {}, answer.text));
  say(answer.said);
}

// --- from one to the next ---------------------------------------------------------------------

function go(address) {
  if (address) alone(() => show(address));
  else say(words.end, { kind: "warn" });
}

async function show(address, { isNew = true, isHeld = false } = {}) {
  const isAhead = ahead?.address === address && isNew;
  const former = Number(data().sheet);
  const part = (isAhead && (await ahead.part.catch(() => null))) || (await fetchPart(address));
  ahead = null;
  // The very nodes whose pictures have come already: pictures are never kept by the browser.
  place.replaceChildren(...part.nodes);
  waiting.replaceChildren();
  document.title = part.title;
  if (isNew && address !== location.pathname + location.search) {
    history.pushState(null, "", address);
  }
  clearMessages();
  begin();
  $("#question", place).focus({ preventScroll: true });
  window.scrollTo(0, 0);
  if (!isHeld) hold(former);
}

async function fetchPart(address, options = {}) {
  const { html, title } = await get(address.replace(/^\/desk\//, "/desk-part/"), options);
  const nodes = [...new DOMParser().parseFromString(html, "text/html").body.childNodes];
  return { nodes, title };
}

/** Have the next doubt and its pictures here before they are wanted. */
function fetchAhead() {
  const address = data().next;
  if (!address) return;
  const mine = { address };
  ahead = mine;
  mine.part = fetchPart(address, { background: true });
  mine.part.then(({ nodes }) => ahead === mine && waiting.replaceChildren(...nodes), () => {});
}

/** Keep the sheet for oneself as long as one is at it. */
async function hold(former = null) {
  if (!isOpen()) return;
  const { sheet } = data();
  const answer = await send("hold", { ...about(), former }).catch(() => null);
  if (answer?.held_by && data().sheet === sheet) {
    delete data().open;
    $("#answer", place).textContent = answer.text;
    $("[data-act=confirm]", place).disabled = true;
  }
}

// --- dialogs ----------------------------------------------------------------------------------

function openDialog(dialog, closed) {
  dialog.returnValue = "";
  dialog.addEventListener("close", () => closed(dialog.returnValue), { once: true });
  dialog.showModal();
}

const askDialog = $("#ask");
const askText = $("#ask-text");

/** Ask for a text: why a sheet is void, what the committee is to see, a note.
 *
 * It is about the doubt on the screen, so not while another is on its way; and what could not be
 * sent is there again when it is asked for again.
 */
function ask(kind, done) {
  if (isBusy) return;
  $("#ask-title").textContent = words[`${kind}Title`];
  $("#ask-hint").textContent = words[`${kind}Hint`];
  $("#ask-label").textContent = words[`${kind}Label`];
  $("#ask-yes").textContent = words[`${kind}Yes`];
  $("#ask-reasons").hidden = kind !== "void";
  askText.value = state.unsent[kind] ?? "";
  askText.required = kind !== "escalate";
  openDialog(askDialog, (choice) => {
    if (choice !== "yes") return;
    state.unsent[kind] = askText.value.trim();
    done(state.unsent[kind]);
  });
  if (kind === "void") $(".reason", askDialog).focus();
  else askText.focus();
}

for (const reason of $$(".reason", askDialog)) {
  reason.addEventListener("click", () => {
    askText.value = reason.value;
    $("#ask-yes").focus();
  });
}
askDialog.addEventListener("keydown", (event) => {
  if (event.target === askText) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("#ask-yes").click();
    }
    return;
  }
  const reasons = $$(".reason", askDialog);
  if (!$("#ask-reasons").hidden) reasons[Number(event.key) - 1]?.click();
});

// --- keys -------------------------------------------------------------------------------------

const whole = () => state.viewers.find((viewer) => viewer.root.id === "whole");

function toggleBlank() {
  const isShown = whole().toggleBlank();
  const crop = $(".crop", place);
  if (crop) showBlank(crop, isShown);
}

const keys = {
  0: acts.blank,
  i: acts.invalid,
  Enter: (event) => !event.repeat && confirm(),
  u: acts.undo,
  s: acts.skip,
  e: acts.escalate,
  v: acts.void,
  n: acts.note,
  o: () => whole().turn(),
  b: toggleBlank,
  h: acts.outlines,
  f: () => whole().fit(),
  "+": () => whole().larger(),
  "=": () => whole().larger(),
  "-": () => whole().smaller(),
  "?": () => $("#keys").showModal(),
  PageDown: () => turnGroup(1),
  PageUp: () => turnGroup(-1),
  ArrowLeft: (event) => (event.shiftKey ? whole().pan(-PAN, 0) : acts.previous()),
  ArrowRight: (event) => (event.shiftKey ? whole().pan(PAN, 0) : acts.next()),
  ArrowUp: () => whole().pan(0, -PAN),
  ArrowDown: () => whole().pan(0, PAN),
};
for (let number = 1; number <= DIGITS; number += 1) {
  keys[number] = (event) => !event.repeat && digit(number);
}
onKeys(keys);

$("#help").addEventListener("click", () => $("#keys").showModal());
$("#next").addEventListener("click", acts.next);
$("#previous").addEventListener("click", acts.previous);
window.addEventListener("popstate", async () => {
  const address = location.pathname + location.search;
  for (const dialog of $$("dialog[open]")) dialog.close();
  // What is on its way comes first, and may bring the next doubt with it.
  while (isBusy) await request.catch(() => {});
  alone(() => show(address));
});
for (const sign of ["keydown", "pointerdown"]) {
  document.addEventListener(sign, () => {
    lastActive = Date.now();
  });
}
// Whoever does nothing for a while gives the sheet back: it is not kept any longer.
setInterval(() => {
  if (Date.now() - lastActive < HOLD_EVERY_MS) hold();
}, HOLD_EVERY_MS);

begin();
hold();
