// A check is read blind: one box after the other, by three keys.

import { $, $$, onKeys, post, texts } from "/static/base.js";

const data = texts("check-data");
const words = texts("check-texts");
const base = `/check/${data.number}`;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
let at = 0;
let isBusy = false;

function fetchBeforehand(box) {
  if (!box) return;
  new Image().src = box.crop;
  new Image().src = box.around;
}

function show() {
  const box = data.boxes[at];
  $("#back").disabled = at === 0;
  if (!box) {
    // More may have been drawn than were sent.
    if (data.read < data.drawn) location.reload();
    $("#reading").hidden = true;
    $("#all-read").hidden = false;
    $("#finish").classList.add("main");
    $("#finish").focus();
    return;
  }
  $("#reading").hidden = false;
  $("#all-read").hidden = true;
  $("#option").textContent = box.option;
  $("#question").textContent = box.question;
  $("#sheet").textContent = box.sheet;
  $("#crop").src = box.crop;
  $("#around").src = box.around;
  fetchBeforehand(data.boxes[at + 1]);
  fetchBeforehand(data.boxes[at + 2]);
}

function showProgress({ read, drawn }) {
  data.read = read;
  $("#progress").value = read;
  const text = $("#progress-text");
  text.textContent = fill(text.dataset.text, { read, drawn });
  $("#finish").disabled = read === 0;
}

async function answer(seen) {
  const box = data.boxes[at];
  if (isBusy || !box) return;
  isBusy = true;
  try {
    showProgress(await post(`${base}/read`, { place: box.place, seen }));
    at += 1;
    show();
  } catch {
    // It was said at the top of the page; the box stays.
  } finally {
    isBusy = false;
  }
}

function back() {
  if (at === 0 || isBusy) return;
  at -= 1;
  show();
}

async function finish() {
  if (data.read < data.drawn && !window.confirm(words.early)) return;
  $("#finish").disabled = true;
  try {
    await post(`${base}/end`);
    location.reload();
  } catch {
    $("#finish").disabled = false;
  }
}

for (const button of $$("[data-seen]")) {
  button.addEventListener("click", () => answer(button.dataset.seen));
}
$("#back").addEventListener("click", back);
$("#finish").addEventListener("click", finish);
onKeys({
  m: () => answer("marked"),
  u: () => answer("unmarked"),
  d: () => answer("cannot_tell"),
  ArrowLeft: back,
  Backspace: back,
});
if (data.boxes.length) show();
