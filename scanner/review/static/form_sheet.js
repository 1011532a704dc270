// The page of the form as a drawing in millimetres, and what the pointer does on it.

import { $, $$ } from "/static/base.js";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 6;
const SMALLEST_DRAG_MM = 0.8;
const STILL_PX = 3;
const HANDLE_PX = 8;
const SIDES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

function draw(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const rectangle = ({ x, y, w, h }) => ({ x, y, width: w, height: h });

const meets = (one, other) =>
  one.x < other.x + other.w &&
  other.x < one.x + one.w &&
  one.y < other.y + other.h &&
  other.y < one.y + one.h;

/** The drawing. `on` is told of what was drawn: drawn(tool, box), selected by dragging, moved. */
export class Sheet {
  constructor(model, on) {
    this.model = model;
    this.on = on;
    this.tool = "select";
    this.zoom = 0;
    this.box = $("#sheet");
    this.svg = $("#drawing");
    this.rubber = $("#rubber");
    this.drag = null;
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.follow(event));
    this.svg.addEventListener("pointerup", () => this.release());
    this.svg.addEventListener("pointercancel", () => this.stop());
    this.svg.addEventListener("dblclick", (event) => this.takeQuestion(event));
    this.box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.fit()).observe(this.box);
  }

  get size() {
    return this.model.state.draft.header.pages.find((page) => page.number === this.model.page);
  }

  /** Pixels of the screen for a millimetre. */
  get scale() {
    return this.svg.getBoundingClientRect().width / this.size.width_mm;
  }

  use(tool) {
    this.tool = tool;
    this.svg.setAttribute("class", `tool-${tool}`);
  }

  render() {
    const { width_mm: width, height_mm: height, number } = this.size;
    if (this.shown !== number) {
      this.shown = number;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const blank = $("#blank");
      blank.setAttribute("width", width);
      blank.setAttribute("height", height);
      blank.setAttribute("href", `/form/blank/${number}.png`);
      this.fit();
    }
    this.drawFrames();
    this.drawZones();
    this.drawTargets();
    this.mark();
  }

  drawFrames() {
    const frames = [];
    for (const question of this.model.questions.values()) {
      const own = question.targets.map((key) => this.model.targets.get(key));
      const here = own.filter((option) => option.page === this.model.page);
      if (!here.length) continue;
      const x = Math.min(...here.map((o) => o.x)) - 1.6;
      const y = Math.min(...here.map((o) => o.y)) - 1.6;
      const right = Math.max(...here.map((o) => o.x + o.w)) + 1.6;
      const bottom = Math.max(...here.map((o) => o.y + o.h)) + 1.6;
      const look = `frame c${question.place % COLOURS}`;
      frames.push(draw("rect", { ...rectangle({ x, y, w: right - x, h: bottom - y }), rx: 1.2, class: look }));
    }
    $("#frames").replaceChildren(...frames);
  }

  drawZones() {
    const zones = [];
    for (const [key, zone] of this.model.areas) {
      if (zone.page !== this.model.page) continue;
      const kind = zone.id === undefined ? "private" : "comments";
      const group = draw("g", { class: `zone ${kind}`, "data-key": key });
      group.append(draw("rect", rectangle(zone)));
      if (kind === "private") {
        const { x, y, w, h } = zone;
        group.append(draw("path", { d: `M${x} ${y}L${x + w} ${y + h}M${x} ${y + h}L${x + w} ${y}` }));
      }
      zones.push(group);
    }
    $("#zones").replaceChildren(...zones);
  }

  drawTargets() {
    const targets = [];
    for (const [key, option] of this.model.targets) {
      if (option.page !== this.model.page) continue;
      const question = this.model.questionOf.get(key);
      const look = question ? `c${question.place % COLOURS}` : "loose";
      const group = draw("g", { class: `target ${look}`, "data-key": key });
      const isRound = option.shape === "oval" || option.shape === "circle";
      const corner = isRound ? { rx: option.w / 2, ry: option.h / 2 } : {};
      group.append(draw("rect", { ...rectangle(option), ...corner }));
      const number = this.model.numbers.get(key) ?? "?";
      const size = Math.min(0.75 * option.h, (1.4 * option.w) / `${number}`.length, 4);
      const x = option.x + option.w / 2;
      const y = option.y + option.h / 2 + 0.36 * size;
      group.append(draw("text", { x, y, "font-size": size, "text-anchor": "middle" }, number));
      targets.push(group);
    }
    $("#targets").replaceChildren(...targets);
  }

  /** Show what is selected, with handles on a single thing. */
  mark() {
    const { selected } = this.model;
    for (const group of $$("[data-key]", this.svg)) {
      group.classList.toggle("selected", selected.has(Number(group.dataset.key)));
    }
    const handles = [];
    const key = [...selected][0];
    const part = selected.size === 1 ? this.model.part(key) : null;
    if (part && part.page === this.model.page) {
      const side = Math.min(HANDLE_PX / this.scale, 4);
      for (const name of SIDES) {
        const x = name.includes("w") ? part.x : name.includes("e") ? part.x + part.w : part.x + part.w / 2;
        const y = name.includes("n") ? part.y : name.includes("s") ? part.y + part.h : part.y + part.h / 2;
        const away = side * 0.9;
        const cx = x + (name.includes("w") ? -away : name.includes("e") ? away : 0);
        const cy = y + (name.includes("n") ? -away : name.includes("s") ? away : 0);
        handles.push(
          draw("rect", {
            ...rectangle({ x: cx - side / 2, y: cy - side / 2, w: side, h: side }),
            class: `handle ${name}`,
            "data-side": name,
          }),
        );
      }
    }
    $("#handles").replaceChildren(...handles);
  }

  /** Bring the selected things before the eyes. */
  show() {
    const parts = [...this.model.selected].map((key) => this.model.part(key));
    const here = parts.filter((part) => part?.page === this.model.page);
    if (!here.length) return;
    const x = Math.min(...here.map((part) => part.x));
    const y = Math.min(...here.map((part) => part.y));
    const right = Math.max(...here.map((part) => part.x + part.w));
    const bottom = Math.max(...here.map((part) => part.y + part.h));
    const { scale, box } = this;
    const rim = 30;
    const isSeen =
      x * scale >= box.scrollLeft &&
      right * scale <= box.scrollLeft + box.clientWidth &&
      y * scale >= box.scrollTop + rim &&
      bottom * scale <= box.scrollTop + box.clientHeight - rim;
    if (isSeen) return;
    box.scrollTo({
      left: ((x + right) / 2) * scale - box.clientWidth / 2,
      top: ((y + bottom) / 2) * scale - box.clientHeight / 2,
    });
  }

  /** Width and height for the zoom: at 0 the page is as wide as there is room. */
  fit() {
    if (!this.shown) return;
    const width = Math.max(this.box.clientWidth - 2, 100) * 1.25 ** this.zoom;
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", (width * this.size.height_mm) / this.size.width_mm);
    this.mark();
  }

  /** Larger or smaller, the place under a point staying where it is. */
  zoomBy(steps, at = null) {
    const { box } = this;
    const seen = box.getBoundingClientRect();
    const x = at ? at.clientX - seen.left : box.clientWidth / 2;
    const y = at ? at.clientY - seen.top : box.clientHeight / 2;
    const before = this.scale;
    this.zoom = Math.max(-4, Math.min(12, this.zoom + steps));
    this.fit();
    const grown = this.scale / before;
    box.scrollTo((box.scrollLeft + x) * grown - x, (box.scrollTop + y) * grown - y);
  }

  whole() {
    const { width_mm: width, height_mm: height } = this.size;
    const wide = this.box.clientWidth - 2;
    const fits = ((this.box.clientHeight - 4) * width) / height;
    this.zoom = Math.min(0, Math.log(fits / wide) / Math.log(1.25));
    this.fit();
  }

  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? 1 : -1, event);
  }

  /** The middle of what is seen, in millimetres. */
  middle() {
    const { box, scale } = this;
    const width = Math.min(box.clientWidth, this.size.width_mm * scale);
    const height = Math.min(box.clientHeight, this.size.height_mm * scale);
    return { x: (box.scrollLeft + width / 2) / scale, y: (box.scrollTop + height / 2) / scale };
  }

  at(event) {
    const seen = this.svg.getBoundingClientRect();
    return { x: (event.clientX - seen.left) / this.scale, y: (event.clientY - seen.top) / this.scale };
  }

  keyAt(event) {
    const group = event.target.closest?.("[data-key]");
    return group ? Number(group.dataset.key) : null;
  }

  press(event) {
    if (event.button !== 0) return;
    const start = this.at(event);
    const key = this.keyAt(event);
    const side = event.target.dataset?.side;
    this.box.focus({ preventScroll: true });
    if (this.tool === "hand") {
      this.drag = { kind: "hand", key, x: event.clientX, y: event.clientY, moved: false };
      if (event.pointerType === "mouse") this.svg.setPointerCapture(event.pointerId);
      return;
    }
    if (side) this.drag = { kind: "resize", side, start };
    else if (this.tool === "select" && key !== null) this.drag = this.grasp(key, start, event);
    else this.drag = { kind: "rubber", start, adds: event.shiftKey };
    if (this.drag) Object.assign(this.drag, { x: event.clientX, y: event.clientY });
    this.svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  grasp(key, start, event) {
    const { model } = this;
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      model.toggle(key);
      return null;
    }
    if (!model.selected.has(key)) model.select([key]);
    return { kind: "move", start, key };
  }

  follow(event) {
    if (!this.drag) return;
    const now = this.at(event);
    const { kind, start } = this.drag;
    if (kind === "hand") {
      const dx = event.clientX - this.drag.x;
      const dy = event.clientY - this.drag.y;
      if (Math.hypot(dx, dy) > STILL_PX) this.drag.moved = true;
      if (event.pointerType !== "mouse") return;
      this.box.scrollBy(-dx, -dy);
      this.drag.x = event.clientX;
      this.drag.y = event.clientY;
      return;
    }
    this.drag.moved ||= Math.hypot(event.clientX - this.drag.x, event.clientY - this.drag.y) > STILL_PX;
    if (!this.drag.moved) return;
    this.drag.now = now;
    if (kind === "move") this.shiftBy(now.x - start.x, now.y - start.y);
    else this.stretch(kind === "resize" ? this.resized(now) : this.spanned(now));
  }

  shiftBy(dx, dy) {
    for (const group of $$(".selected", this.svg)) group.setAttribute("transform", `translate(${dx} ${dy})`);
    $("#handles").setAttribute("transform", `translate(${dx} ${dy})`);
  }

  stretch(box) {
    for (const [name, value] of Object.entries(rectangle(box))) this.rubber.setAttribute(name, value);
    this.rubber.removeAttribute("hidden");
  }

  spanned(now) {
    const { start } = this.drag;
    return {
      x: Math.min(start.x, now.x),
      y: Math.min(start.y, now.y),
      w: Math.abs(now.x - start.x),
      h: Math.abs(now.y - start.y),
    };
  }

  resized(now) {
    const { side, start } = this.drag;
    const { x, y, w, h } = this.model.part([...this.model.selected][0]);
    const dx = now.x - start.x;
    const dy = now.y - start.y;
    const left = side.includes("w") ? Math.min(x + dx, x + w - 1) : x;
    const top = side.includes("n") ? Math.min(y + dy, y + h - 1) : y;
    const right = side.includes("e") ? Math.max(x + w + dx, x + 1) : x + w;
    const bottom = side.includes("s") ? Math.max(y + h + dy, y + 1) : y + h;
    return { x: left, y: top, w: right - left, h: bottom - top };
  }

  release() {
    const { drag } = this;
    if (!drag) return;
    // A click is no drag, even if the page was scrolled under it.
    drag.now ??= drag.start;
    const box = drag.kind === "rubber" ? this.spanned(drag.now) : null;
    const size = drag.kind === "resize" ? this.resized(drag.now) : null;
    this.stop();
    if (drag.kind === "hand") {
      if (!drag.moved) this.model.select(drag.key === null ? [] : [drag.key]);
    } else if (drag.kind === "move") {
      if (drag.moved) this.on.moved(drag.now.x - drag.start.x, drag.now.y - drag.start.y);
      else this.model.select([drag.key]);
    } else if (drag.kind === "resize") {
      if (drag.moved) this.on.resized(size);
    } else this.finish(box, drag);
  }

  finish(box, drag) {
    const isDrag = box.w > SMALLEST_DRAG_MM && box.h > SMALLEST_DRAG_MM;
    if (this.tool === "select" || this.tool === "group") {
      const keys = isDrag ? this.model.here().filter((key) => meets(this.model.part(key), box)) : [];
      const targets = keys.filter((key) => this.model.isTarget(key));
      const chosen = targets.length ? targets : keys;
      this.model.select(chosen, { add: drag.adds });
      if (this.tool === "group" && targets.length) this.on.grouped();
    } else if (isDrag) this.on.drawn(this.tool, box);
  }

  stop() {
    this.drag = null;
    this.rubber.setAttribute("hidden", "");
    $("#handles").removeAttribute("transform");
  }

  takeQuestion(event) {
    const question = this.model.questionOf.get(this.keyAt(event));
    if (question) this.model.select(question.targets);
  }
}
