// The form's page: its tools, its keys, saving.

import { $, $$, RequestError, get, isTyping, say, texts as textsOf } from "/static/base.js";
import { Model, fill } from "/static/form_model.js";
import { QuestionList, showChosen, showFindings, showForm } from "/static/form_panel.js";
import { Sheet } from "/static/form_sheet.js";

const CHECK_MS = 500;
const PROPOSE_MS = 900;
const AGAIN_MS = 2000;
const STEP_MM = 0.1;
const USUAL_MM = 4.5;
const ZONE_MM = { w: 120, h: 14 };

const texts = textsOf("form-texts");
const model = new Model(textsOf("form-state"));
const questions = new QuestionList(model, texts);
const sheet = new Sheet(model, { moved, resized, drawn, grouped });
let faults = 0;

// --- what is shown -------------------------------------------------------------------------

model.onChange((what) => {
  if (what === "busy") {
    $("#bench").setAttribute("aria-busy", String(model.waiting > 0 || nudged !== null));
    return;
  }
  if (what !== "draft") sendNudge();
  sheet.render();
  if (what === "show") sheet.show();
  showState();
  // The fields wait for the last of several answers: an earlier one takes back nothing done since.
  if (what === "draft" && model.waiting > 1) return;
  if (what === "draft") {
    questions.render();
    showForm(model, texts);
    later("check", CHECK_MS, check);
    later("propose", PROPOSE_MS, propose);
  } else questions.mark({ follow: true });
  showChosen(model, texts);
});

function showState() {
  const { state } = model;
  $("#undo").disabled = !state.can_undo;
  $("#redo").disabled = !state.can_redo;
  $("#save").disabled = state.is_saved;
  $("#save").textContent = state.is_saved ? texts.allSaved : texts.unsaved;
  if (state.is_saved) $("#taken-up")?.remove();
  for (const tab of $$("[data-page]")) {
    tab.setAttribute("aria-selected", String(Number(tab.dataset.page) === model.page));
  }
}

const waiting = new Map();

/** Do something when nothing has happened for a while. */
function later(name, milliseconds, action) {
  clearTimeout(waiting.get(name));
  waiting.set(name, setTimeout(action, milliseconds));
}

async function inBackground(address) {
  try {
    return await get(address, { background: true });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return null;
  }
}

async function check() {
  const health = await inBackground("/form/check");
  if (health && health.number === model.state.number) faults = showFindings(model, health, texts);
  if (health && !health.is_complete) later("check", AGAIN_MS, check);
}

async function propose() {
  const { number } = model.state;
  const printed = await inBackground("/form/proposals");
  if (printed && !printed.is_ready) later("propose", AGAIN_MS, propose);
  else if (printed && number === model.state.number) questions.propose(printed);
}

// --- tools ---------------------------------------------------------------------------------

function use(tool) {
  sheet.use(tool);
  for (const button of $$("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  const isOne = tool === "draw" && !$("#find-rest").checked;
  const name = { draw: isOne ? "drawOne" : "draw", private: "privateTool", comments: "commentsTool" }[tool] ?? tool;
  $("#doing").textContent = texts[name];
}

async function moved(dx, dy) {
  await model.edit({ do: "move", keys: [...model.selected], dx, dy });
}

async function resized(place) {
  await model.edit({ do: "place", key: [...model.selected][0], place });
}

async function grouped() {
  await act("group");
}

async function drawn(tool, place) {
  const { page } = model;
  if (tool === "private" || tool === "comments") {
    if (await model.edit({ do: "zone", page, place, kind: tool })) use("select");
  } else if ($("#find-rest").checked) await findLike(page, place);
  else await model.edit({ do: "add", page, place, shape: usualShape() });
}

async function findLike(page, place) {
  const before = model.targets.size;
  $("#doing").textContent = texts.working;
  const isDone = await model.send("/form/find", { page, place });
  use(isDone ? "select" : sheet.tool);
  if (isDone) $("#doing").textContent = fill(texts.found, { n: model.targets.size - before });
}

function usualShape() {
  return [...model.targets.values()].at(-1)?.shape ?? "box";
}

/** What is done with all that is selected. */
async function act(name) {
  sendNudge();
  const keys = [...model.selected];
  if (!keys.length) return;
  const targets = keys.filter((key) => model.isTarget(key));
  if (name === "find") {
    const { x, y, w, h, page } = model.part(keys[0]);
    await findLike(page, { x, y, w, h });
  } else if (name === "read") {
    $("#doing").textContent = texts.working;
    await model.send("/form/read", { keys: targets, again: true });
    use(sheet.tool);
  } else if (name === "group") {
    if (!targets.length) return;
    const isDone = await model.edit({ do: "group", keys: targets });
    if (isDone) await model.send("/form/read", { keys: targets, again: false });
  } else await model.edit({ do: name, keys: name === "release" ? targets : keys });
}

/** One of the usual size in the middle of what is seen, for those who use no pointer. */
async function putInTheMiddle() {
  const { tool } = sheet;
  const known = [...model.targets.values()].at(-1);
  const size = tool === "draw" ? { w: known?.w ?? USUAL_MM, h: known?.h ?? USUAL_MM } : ZONE_MM;
  const middle = sheet.middle();
  const place = { x: Math.max(0, middle.x - size.w / 2), y: Math.max(0, middle.y - size.h / 2), ...size };
  if (tool === "draw") {
    const isDone = await model.edit({ do: "add", page: model.page, place, shape: usualShape() });
    if (isDone) use("select");
  } else await drawn(tool, place);
}

// --- keys ----------------------------------------------------------------------------------

const TOOLS = { s: "select", q: "group", b: "draw", p: "private", w: "comments", h: "hand" };
const ACTIONS = { g: "group", f: "find", r: "read", d: "duplicate" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let nudged = null;

/** Arrows pressed quickly after one another make one edit. */
function nudge(event, [across, down]) {
  const step = event.shiftKey ? 10 * STEP_MM : STEP_MM;
  const does = event.altKey ? "resize" : "move";
  if (nudged && nudged.does !== does) sendNudge();
  nudged ??= { does, keys: [...model.selected], x: 0, y: 0 };
  nudged.x += across * step;
  nudged.y += down * step;
  if (does === "move") sheet.shiftBy(nudged.x, nudged.y);
  later("nudge", 250, sendNudge);
  model.changed("busy");
}

function sendNudge() {
  if (!nudged) return undefined;
  const { does, x, y } = nudged;
  const keys = nudged.keys.filter((key) => model.part(key));
  nudged = null;
  model.changed("busy");
  if (!keys.length) return undefined;
  const by = does === "move" ? { dx: x, dy: y } : { dw: x, dh: y };
  return model.edit({ do: does, keys, ...by });
}

function step(by, adds) {
  const order = model.inOrder();
  if (!order.length) return;
  const last = order.indexOf([...model.selected].filter((key) => model.isTarget(key)).at(-1));
  const start = order.findIndex((key) => model.targets.get(key).page === model.page);
  const place = last < 0 ? Math.max(start, 0) : last + by;
  model.select([order[(place + order.length) % order.length]], { add: adds, show: true });
}

function history(name) {
  sendNudge();
  return model.send(`/form/${name}`);
}

function plainKey(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onSheet = $("#sheet").contains(document.activeElement);
  if (key === "n") return step(event.shiftKey ? -1 : 1, event.altKey);
  if (key in ARROWS && model.selected.size && (onSheet || document.activeElement === document.body)) {
    return nudge(event, ARROWS[key]);
  }
  if (event.altKey) return false;
  if (key in TOOLS) return use(TOOLS[key]);
  if (key in ACTIONS) return void act(ACTIONS[key]);
  if (key === "Delete" || key === "Backspace") return void act("delete");
  if (key === "Escape") return escape();
  if (key === "t") return typeLabel();
  if (key === "Enter" && onSheet && !["select", "group", "hand"].includes(sheet.tool)) return void putInTheMiddle();
  if (key === "+" || key === "=") return sheet.zoomBy(1);
  if (key === "-") return sheet.zoomBy(-1);
  if (key === "0") return sheet.whole();
  if (/^[1-9]$/.test(key)) return turnTo(Number(key));
  return false;
}

function escape() {
  use("select");
  model.select([]);
}

function typeLabel() {
  openPart("questions");
  questions.focusOn([...model.selected].find((key) => model.isTarget(key)));
}

function turnTo(number) {
  const page = model.state.draft.header.pages[number - 1];
  if (page) model.turnTo(page.number);
}

function controlKey(event) {
  const key = event.key.toLowerCase();
  if (key === "s") return void askToSave();
  if (isTyping(event)) return false;
  if (key === "z") return void history(event.shiftKey ? "redo" : "undo");
  if (key === "y") return void history("redo");
  if (key === "a") return model.select(model.here());
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || $("dialog[open]")) return;
  const isControl = event.ctrlKey || event.metaKey;
  if (!isControl && isTyping(event)) {
    if (event.key === "Escape") $("#sheet").focus();
    return;
  }
  const isPress = event.key === "Enter" || event.key === " ";
  if (isPress && event.target.closest?.("a, button, summary, label")) return;
  if ((isControl ? controlKey(event) : plainKey(event)) !== false) event.preventDefault();
});

// --- the panel -----------------------------------------------------------------------------

function openPart(name) {
  for (const tab of $$("[data-part]")) {
    const isOpen = tab.dataset.part === name;
    tab.setAttribute("aria-selected", String(isOpen));
    $(`#part-${tab.dataset.part}`).hidden = !isOpen;
  }
}

for (const tab of $$("[data-part]")) tab.addEventListener("click", () => openPart(tab.dataset.part));
for (const tab of $$("[data-page]")) {
  tab.addEventListener("click", () => model.turnTo(Number(tab.dataset.page)));
}
for (const button of $$("[data-tool]")) button.addEventListener("click", () => use(button.dataset.tool));
for (const button of $$("[data-do]")) button.addEventListener("click", () => act(button.dataset.do));
$("#find-rest").addEventListener("change", () => use(sheet.tool));
$("#undo").addEventListener("click", () => history("undo"));
$("#redo").addEventListener("click", () => history("redo"));
$("#smaller").addEventListener("click", () => sheet.zoomBy(-1));
$("#larger").addEventListener("click", () => sheet.zoomBy(1));
$("#whole").addEventListener("click", () => sheet.whole());
$("#begin-anew")?.addEventListener("click", () => model.send("/form/anew"));
$("#make-questions").addEventListener("click", async () => {
  $("#doing").textContent = texts.working;
  await model.send("/form/questions");
  use(sheet.tool);
});

$("#shape").addEventListener("change", (event) => {
  const keys = [...model.selected].filter((key) => model.isTarget(key));
  model.edit({ do: "targets", keys, shape: event.target.value });
});
$("#belongs").addEventListener("change", async (event) => {
  const keys = [...model.selected].filter((key) => model.isTarget(key));
  const { value } = event.target;
  if (value === "new") await act("group");
  else if (value === "0") await model.edit({ do: "release", keys });
  else await model.edit({ do: "join", keys, question: Number(value) });
});
$("#chosen-place").addEventListener("change", () => {
  const place = Object.fromEntries($$("#chosen-place input").map((one) => [one.dataset.side, Number(one.value)]));
  model.edit({ do: "place", key: [...model.selected][0], place });
});
$("#zone-title").addEventListener("change", (event) => {
  model.edit({ do: "comments", key: [...model.selected][0], title: event.target.value });
});
$("#zone-private").addEventListener("change", (event) => {
  model.edit({ do: "comments", key: [...model.selected][0], private: event.target.checked });
});

$("#form-title").addEventListener("change", (event) => model.edit({ do: "form", title: event.target.value }));
$("#form-language").addEventListener("change", (event) => model.edit({ do: "form", language: event.target.value }));
for (const field of $$("[name=cancel]")) {
  field.addEventListener("change", () => model.edit({ do: "form", cancel: field.value }));
}
for (const field of $$("[name=review]")) {
  field.addEventListener("change", () => {
    const review = $$("[name=review]:checked").map((one) => one.value);
    model.edit({ do: "form", review });
  });
}
$("#form-shuffled").addEventListener("change", (event) => model.edit({ do: "form", shuffled: event.target.checked }));
$("#form-smallest").addEventListener("change", (event) => {
  if (event.target.reportValidity() && event.target.value) {
    model.edit({ do: "form", smallest_group: Number(event.target.value) });
  }
});
$("#former").addEventListener("change", (event) => {
  if (event.target.value) model.send("/form/former", { version: event.target.value });
});

// --- saving --------------------------------------------------------------------------------

const dialog = $("#save-dialog");

/** Ask for the version when all that was typed and moved has come to the server. */
async function askToSave() {
  const at = document.activeElement;
  at?.blur();
  sendNudge();
  await model.queue;
  if (document.activeElement === document.body) at?.focus({ preventScroll: true });
  openSave();
}

function openSave() {
  if (model.state.is_saved || dialog.open) return;
  $("#version").value = model.state.next_version;
  $("#save-faults").hidden = faults === 0;
  $("#save-faults").textContent = faults ? texts.faults : "";
  dialog.returnValue = "";
  dialog.showModal();
  $("#version").select();
}

$("#save").addEventListener("click", askToSave);
dialog.addEventListener("close", async () => {
  if (dialog.returnValue !== "save") return;
  const version = $("#version").value;
  if (await model.send("/form/save", { version })) say(fill(texts.saved, { version }));
});

use("select");
model.changed("draft");
