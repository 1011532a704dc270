// One place with words: typed, saved, and on to the next, with the hands on the keyboard.

import { $, get, post, say, texts } from "/static/base.js";

const data = texts("zone-data");
const words = texts("zone-texts");
const form = $("#typing");
const field = $("#text");
const before = field?.value ?? "";
let isLeaving = false;
let isBusy = false;

function goOn() {
  isLeaving = true;
  location.assign(data.next);
}

async function enter(kind) {
  const text = kind === "text" ? field.value.trim() : "";
  if (kind === "text" && !text) {
    say(words.empty, { kind: "bad" });
    field.focus();
    return;
  }
  if (isBusy) return;
  isBusy = true;
  try {
    await post("/words/typed", { sheet: data.sheet, comment: data.comment, kind, text });
    goOn();
  } catch {
    isBusy = false;
    field.focus();
  }
}

async function suggest() {
  const { text } = await get(data.suggestion, { background: true });
  if (!text || field.value) return;
  $("#suggestion").textContent = text;
  $("#suggested").hidden = false;
}

function take() {
  if ($("#suggested").hidden) return;
  field.value = $("#suggestion").textContent;
  field.focus();
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    enter("text");
  });
  $("#nothing").addEventListener("click", () => enter("nothing"));
  $("#illegible").addEventListener("click", () => enter("illegible"));
  $("#take").addEventListener("click", take);
  $("#back").addEventListener("click", () => history.back());
  field.addEventListener("keydown", (event) => {
    // The Enter that ends a syllable of an input method is not the one that saves.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    enter("text");
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && field.value !== before) event.preventDefault();
  });
  field.focus();
}

const keys = {
  F2: take,
  F8: () => enter("nothing"),
  F9: () => enter("illegible"),
  PageUp: () => history.back(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const action = event.key === "PageDown" ? () => $("#skip").click() : form && keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
if (data.suggestion) suggest().catch(() => {});
if (data.nextPicture) new Image().src = data.nextPicture;
