// A picture to be zoomed and moved: by wheel, by dragging, by two fingers, by keys.

import { $, $$ } from "/static/base.js";

const LARGEST = 12;
const STEP = 1.4;

/**
 * The frame of a zoomed picture: what part of it is seen.
 * @param {{width: number, height: number}} whole The picture.
 * @param {{x: number, y: number, zoom: number}} view Its corner and its magnification.
 */
function within({ width, height }, { x, y, zoom }) {
  const [w, h] = [width / zoom, height / zoom];
  return {
    zoom,
    x: Math.min(Math.max(x, -w / 4), width - (3 * w) / 4),
    y: Math.min(Math.max(y, -h / 4), height - (3 * h) / 4),
  };
}

/** One SVG picture. */
class Picture {
  constructor(svg) {
    this.svg = svg;
    this.whole = { width: Number(svg.dataset.width), height: Number(svg.dataset.height) };
    this.view = { x: 0, y: 0, zoom: 1 };
    this.fingers = new Map();
    svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.#press(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      svg.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
    svg.addEventListener("dblclick", (event) => this.zoom(STEP * STEP, this.#at(event)));
  }

  /** Magnify by a factor, so that one point, in pixels of the picture, stays where it is. */
  zoom(factor, [x, y] = this.#middle()) {
    const zoom = Math.min(Math.max(this.view.zoom * factor, 1), LARGEST);
    const kept = this.view.zoom / zoom;
    this.show({ zoom, x: x - (x - this.view.x) * kept, y: y - (y - this.view.y) * kept });
  }

  /** Move by a share of what is seen. */
  pan(dx, dy) {
    const { width, height } = this.whole;
    const { x, y, zoom } = this.view;
    this.show({ zoom, x: x + (dx * width) / zoom, y: y + (dy * height) / zoom });
  }

  show(view) {
    this.view = view.zoom === 1 ? { x: 0, y: 0, zoom: 1 } : within(this.whole, view);
    const { x, y, zoom } = this.view;
    const size = [this.whole.width / zoom, this.whole.height / zoom];
    this.svg.setAttribute("viewBox", [x, y, ...size].join(" "));
    this.svg.classList.toggle("is-zoomed", zoom > 1);
  }

  fit() {
    this.show({ x: 0, y: 0, zoom: 1 });
  }

  #middle() {
    const { x, y, zoom } = this.view;
    return [x + this.whole.width / zoom / 2, y + this.whole.height / zoom / 2];
  }

  /** The point of the picture below a finger. */
  #at({ clientX, clientY }) {
    const point = new DOMPoint(clientX, clientY).matrixTransform(
      this.svg.getScreenCTM().inverse(),
    );
    return [point.x, point.y];
  }

  #wheel(event) {
    event.preventDefault();
    this.zoom(STEP ** (-event.deltaY / 200), this.#at(event));
  }

  #press(event) {
    if (event.button > 0) return;
    this.svg.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, event);
  }

  #move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.fingers.values()].find((one) => one.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      this.zoom(apart(event) / Math.max(apart(before), 1), this.#at(other));
    } else {
      const [x, y] = this.#at(before);
      const [nowX, nowY] = this.#at(event);
      this.show({ ...this.view, x: this.view.x + x - nowX, y: this.view.y + y - nowY });
    }
    this.fingers.set(event.pointerId, event);
  }
}

/** Show or hide the blank form in place of the scan, on all pictures below an element. */
export function showBlank(root, isShown) {
  for (const blank of $$(".of-blank[data-href]", root)) {
    if (isShown && !blank.hasAttribute("href")) blank.setAttribute("href", blank.dataset.href);
    blank.setAttribute("visibility", isShown ? "visible" : "hidden");
  }
}

/** The pages of a sheet, one of them shown, with buttons to look at them. */
export class Viewer {
  /** @param {Element} root Made by the macro `viewer` of the template. */
  constructor(root) {
    this.root = root;
    this.sides = $$(".side", root);
    this.pictures = $$(".side-picture", root).map((one) => new Picture($("svg", one)));
    this.shown = Math.max(
      this.sides.findIndex((side) => side.getAttribute("aria-pressed") === "true"),
      0,
    );
    this.blankButton = $(".show-blank", root);
    this.sides.forEach((side, number) => side.addEventListener("click", () => this.turn(number)));
    this.blankButton.addEventListener("click", () => this.toggleBlank());
    $(".zoom-in", root).addEventListener("click", () => this.zoom(STEP));
    $(".zoom-out", root).addEventListener("click", () => this.zoom(1 / STEP));
    $(".zoom-fit", root).addEventListener("click", () => this.fit());
  }

  get #picture() {
    return this.pictures[this.shown];
  }

  /** Show a page by its place, or the next one. */
  turn(number = (this.shown + 1) % Math.max(this.pictures.length, 1)) {
    this.shown = number;
    this.sides.forEach((side, place) => side.setAttribute("aria-pressed", place === number));
    $$(".side-picture", this.root).forEach((one, place) => {
      one.hidden = place !== number;
    });
  }

  toggleBlank() {
    const isShown = this.blankButton.getAttribute("aria-pressed") !== "true";
    this.blankButton.setAttribute("aria-pressed", isShown);
    showBlank(this.root, isShown);
    return isShown;
  }

  zoom(factor) {
    this.#picture?.zoom(factor);
  }

  larger() {
    this.zoom(STEP);
  }

  smaller() {
    this.zoom(1 / STEP);
  }

  pan(dx, dy) {
    this.#picture?.pan(dx, dy);
  }

  fit() {
    this.#picture?.fit();
  }
}
