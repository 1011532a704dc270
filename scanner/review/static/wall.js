// The wall: crops are picked by mouse, touch or keys; a screen is entered as a whole.

import { $, $$, get, onKeys, post, say, texts } from "/static/base.js";

const data = texts("wall-data");
const words = texts("wall-texts");
const wall = $("#wall");
const crops = wall ? $$(".crop", wall) : [];
const sizes = ["small", "medium", "large"];
let isLeaving = false;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
const picked = () => crops.filter((crop) => crop.getAttribute("aria-pressed") === "true");

function pick(crop) {
  if (crop.getAttribute("aria-disabled") === "true") return;
  crop.setAttribute("aria-pressed", String(crop.getAttribute("aria-pressed") !== "true"));
  const note = $("#picked");
  note.textContent = fill(note.dataset.text, { n: picked().length });
}

function goTo(crop) {
  for (const other of crops) other.tabIndex = other === crop ? 0 : -1;
  crop.focus();
}

/** How many crops lie beside each other. */
function columns() {
  const top = crops[0].offsetTop;
  const second = crops.findIndex((crop) => crop.offsetTop > top);
  return second < 0 ? crops.length : second;
}

function step(by) {
  const at = crops.indexOf(document.activeElement);
  if (at < 0) goTo(crops.find((crop) => crop.tabIndex === 0) ?? crops[0]);
  else if (crops[at + by]) goTo(crops[at + by]);
}

async function enter() {
  const button = $("#done");
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    const answer = await post("/wall/looked", {
      ...data.asked,
      shown: crops.map((crop) => crop.dataset.spot),
      odd: picked().map((crop) => crop.dataset.spot),
    });
    isLeaving = true;
    const said = answer.flagged ? fill(words.flagged, { n: answer.flagged }) : "";
    const last = data.next ? "" : words.last;
    sessionStorage.setItem("wall-said", `${said} ${last}`.trim());
    location.assign(data.next || data.end);
  } catch {
    button.disabled = false;
  }
}

function show(crop) {
  $("#under").textContent = crop.getAttribute("aria-label");
}

async function showProgress() {
  const { seen, total } = await get(data.progress, { background: true });
  $("#progress").max = Math.max(total, 1);
  $("#progress").value = seen;
  const text = $("#progress-text");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  text.textContent = fill(text.dataset.text, {
    seen: number.format(seen),
    total: number.format(total),
  });
}

function setSize(size) {
  if (!sizes.includes(size)) return;
  for (const other of sizes) wall.classList.toggle(other, other === size);
  $("#size").value = size;
  localStorage.setItem("wall-size", size);
}

if (wall) {
  setSize(localStorage.getItem("wall-size") ?? "small");
  $("#size").addEventListener("change", (event) => setSize(event.target.value));
  wall.addEventListener("click", (event) => {
    const crop = event.target.closest(".crop");
    if (!crop) return;
    goTo(crop);
    pick(crop);
  });
  wall.addEventListener("focusin", (event) => show(event.target));
  wall.addEventListener("pointerover", (event) => {
    const crop = event.target.closest(".crop");
    if (crop) show(crop);
  });
  // Enter on a crop is for the screen; a crop is picked by the space bar.
  wall.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    enter();
  });
  $("#done").addEventListener("click", enter);
  onKeys({
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    ArrowUp: () => step(-columns()),
    ArrowDown: () => step(columns()),
    Enter: enter,
    s: () => $("#skip")?.click(),
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && picked().length) event.preventDefault();
  });
  if (data.nextSprite) {
    window.addEventListener("load", () => {
      new Image().src = data.nextSprite;
    });
  }
}

for (const choice of $$("#filters select, #filters input")) {
  choice.addEventListener("change", () => {
    // Options of another question, and questions of another form, are not asked for.
    const later = { form: ["contest", "option"], contest: ["option"] }[choice.name] ?? [];
    for (const name of later) {
      const other = $(`#${name}`);
      if (other) other.value = "";
    }
    $("#filters").requestSubmit();
  });
}

const said = sessionStorage.getItem("wall-said");
if (said) say(said);
sessionStorage.removeItem("wall-said");
showProgress().catch(() => {});
