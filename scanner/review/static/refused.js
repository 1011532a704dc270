// One refused sheet: turn it, put its corners right, read it again; or say what else it is.

import "/static/refused_deeds.js";
import { $, $$, onKeys, post, texts } from "/static/base.js";

const MARGIN = 0.12;
const STEP = 0.002;
const LARGE_STEP = 0.02;
/** Half the width of what a finger hits. */
const FINGER_PX = 22;
const FIRST_CORNERS = [[0.06, 0.06], [0.94, 0.06], [0.94, 0.94], [0.06, 0.94]];

const words = texts("refused-texts");
const bench = $("#bench");
const sheet = bench.dataset.sheet;
const why = () => $("#why").value;
const keys = {};

/** An element of a drawing. */
const drawn = (name) => document.createElementNS($("#scan").namespaceURI, name);

/** Send one of the actions, and go where its answer leads. */
async function act(what, body) {
  const buttons = $$("button", bench).filter((button) => !button.disabled);
  buttons.forEach((button) => (button.disabled = true));
  try {
    location.assign((await post(`/refused/${sheet}/${what}`, { why: why(), ...body })).next);
  } catch {
    buttons.forEach((button) => (button.disabled = false));
  }
}

// --- the scan with its four corners -----------------------------------------------------------

class Scan {
  constructor(root) {
    this.root = root;
    this.image = $("#scan-image");
    this.frame = $("#frame");
    this.size = [Number(root.dataset.width), Number(root.dataset.height)];
    this.turned = 0;
    /** As shares of the scan as it was scanned. */
    this.corners = FIRST_CORNERS.map((point) => [...point]);
    this.hasCorners = false;
    this.handles = this.corners.map((_point, place) => this.makeHandle(place));
    $("#handles").append(...this.handles);
    this.draw();
    window.addEventListener("resize", () => this.draw());
  }

  /** Width and height as it is shown now. */
  get shown() {
    const [width, height] = this.size;
    return this.turned % 180 ? [height, width] : [width, height];
  }

  turn(degrees) {
    this.turned = (this.turned + degrees + 360) % 360;
    this.draw();
  }

  showCorners(hasCorners) {
    this.hasCorners = hasCorners;
    this.draw();
    if (hasCorners) this.handles[0].focus();
  }

  /** A share of the scan as a place on the picture, and back. */
  toPicture([x, y]) {
    const [width, height] = this.shown;
    const turned = { 0: [x, y], 90: [1 - y, x], 180: [1 - x, 1 - y], 270: [y, 1 - x] };
    const [u, v] = turned[this.turned];
    return [u * width, v * height];
  }

  toShare([px, py]) {
    const [width, height] = this.shown;
    const [u, v] = [px / width, py / height];
    return { 0: [u, v], 90: [v, 1 - u], 180: [1 - u, 1 - v], 270: [1 - v, u] }[this.turned];
  }

  draw() {
    const [width, height] = this.shown;
    const margin = this.hasCorners ? MARGIN * Math.max(width, height) : 0;
    const box = [-margin, -margin, width + 2 * margin, height + 2 * margin];
    this.root.setAttribute("viewBox", box.join(" "));
    this.image.setAttribute("width", width);
    this.image.setAttribute("height", height);
    const joint = this.root.dataset.src.includes("?") ? "&" : "?";
    const source = `${this.root.dataset.src}${joint}turn=${this.turned}`;
    if (this.image.getAttribute("href") !== source) this.image.setAttribute("href", source);
    const pixel = 1 / (this.root.getScreenCTM()?.a || 1);
    const places = this.corners.map((point) => this.toPicture(point));
    this.frame.setAttribute("points", places.map((point) => point.join(",")).join(" "));
    this.frame.toggleAttribute("hidden", !this.hasCorners);
    this.handles.forEach((handle, place) => {
      handle.setAttribute("transform", `translate(${places[place].join(" ")})`);
      handle.toggleAttribute("hidden", !this.hasCorners);
      const [hit, ring, dot] = handle.children;
      const radius = 0.022 * Math.max(width, height);
      hit.setAttribute("r", Math.max(radius, FINGER_PX * pixel));
      ring.setAttribute("r", radius);
      dot.setAttribute("r", radius / 8);
    });
  }

  makeHandle(place) {
    const handle = drawn("g");
    handle.setAttribute("tabindex", "0");
    handle.setAttribute("role", "button");
    handle.setAttribute("class", "handle");
    handle.setAttribute("aria-label", words.corner.replace("{n}", place + 1));
    for (const part of ["hit", "ring", "dot"]) {
      handle.append(drawn("circle"));
      handle.lastChild.setAttribute("class", part);
    }
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.moveTo(place, this.placeOf(event));
    });
    handle.addEventListener("keydown", (event) => {
      const ways = {
        ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
      };
      const way = ways[event.key];
      if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const step = (event.shiftKey ? LARGE_STEP : STEP) * Math.max(...this.size);
      const [x, y] = this.toPicture(this.corners[place]);
      this.moveTo(place, [x + way[0] * step, y + way[1] * step]);
    });
    return handle;
  }

  placeOf(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      this.root.getScreenCTM().inverse(),
    );
    return [x, y];
  }

  moveTo(place, [x, y]) {
    const [width, height] = this.shown;
    const margin = MARGIN * Math.max(width, height);
    const inside = (value, most) => Math.min(Math.max(value, -margin), most + margin);
    this.corners[place] = this.toShare([inside(x, width), inside(y, height)]);
    this.draw();
  }
}

// --- reading it again -------------------------------------------------------------------------

function begin(root) {
  const scan = new Scan(root);
  let look = "";

  function discard() {
    look = "";
    $("#found").hidden = true;
    $("#result").hidden = true;
    root.removeAttribute("hidden");
  }

  function showCorners() {
    const button = $("#corners");
    if (button.disabled) return;
    discard();
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", isOn);
    $("#corner-hint").hidden = !isOn;
    $("#corners-of").hidden = !isOn;
    scan.showCorners(isOn);
  }

  function turn(degrees) {
    discard();
    scan.turn(degrees);
  }

  async function read() {
    if ($("#read").disabled) return;
    discard();
    const chosen = $("#as-page").selectedOptions[0].dataset;
    $("#read").disabled = true;
    $("#busy").hidden = false;
    try {
      show(
        await post(`/refused/${sheet}/read`, {
          page: Number(bench.dataset.page),
          turn: scan.turned,
          form: chosen.form ?? null,
          form_page: chosen.page ? Number(chosen.page) : null,
          corners: scan.hasCorners ? scan.corners : null,
          corners_of: $("input[name=corners-of]:checked").value,
        }),
      );
    } catch {
      // It was said at the top of the page.
    } finally {
      $("#read").disabled = false;
      $("#busy").hidden = true;
    }
  }

  function show(found) {
    look = found.look;
    $("#found-title").textContent = found.title;
    $("#found-lines").replaceChildren(
      ...found.lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
    );
    $("#found").classList.toggle("is-bad", !look);
    $("#keep").hidden = !look;
    $("#found").hidden = false;
    $("#found-title").focus();
    if (!look) return;
    const laid = $("#laid");
    laid.setAttribute("viewBox", `0 0 ${found.width} ${found.height}`);
    $("#laid-image").setAttribute("width", found.width);
    $("#laid-image").setAttribute("height", found.height);
    $("#laid-image").setAttribute("href", found.picture);
    $("#places").replaceChildren(...found.places.map(drawPlace));
    $("#result").hidden = false;
    root.setAttribute("hidden", "");
  }

  const keep = () => look && act("keep", { look });
  $("#turn-left").addEventListener("click", () => turn(-90));
  $("#turn-right").addEventListener("click", () => turn(90));
  $("#corners").addEventListener("click", showCorners);
  Object.assign(keys, { "[": () => turn(-90), "]": () => turn(90), c: showCorners });
  if (!$("#read-form")) return;
  $("#read-form").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  $("#keep").addEventListener("click", keep);
  $("#discard").addEventListener("click", discard);
  Object.assign(keys, { r: read, k: keep, Escape: discard });
}

function drawPlace({ state, x, y, w, h }) {
  const place = drawn("rect");
  for (const [name, value] of Object.entries({ x, y, width: w, height: h, rx: 0.6 })) {
    place.setAttribute(name, value);
  }
  place.setAttribute("class", state);
  return place;
}

// --- what else it may be ----------------------------------------------------------------------

for (const button of $$(".pair")) {
  button.addEventListener("click", () => act("pair", { other: Number(button.dataset.other) }));
}
for (const button of $$(".aside")) {
  button.addEventListener("click", () => act("aside", { kind: button.dataset.kind }));
}
$("#apart")?.addEventListener("click", () => act("apart", {}));
$("#type-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  act("type", { form: $("#type-as").value });
});
$("#copy-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  act("aside", { kind: "copy", copy_of: Number($("#copy-of").value) });
});

if ($("#scan")) begin($("#scan"));
onKeys(keys);
