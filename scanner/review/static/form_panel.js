// The lists beside the page: questions with their answers, what is selected, what was found.

import { $, $$, element } from "/static/base.js";
import { fill } from "/static/form_model.js";

const COLOURS = 6;

/** Children in this order, those that stand right left alone, so that focus stays. */
function arrange(parent, children) {
  children.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
  while (parent.children.length > children.length) parent.lastChild.remove();
}

document.addEventListener("input", (event) => (event.target.dataset.typing = "yes"), true);
document.addEventListener("change", (event) => delete event.target.dataset.typing, true);

/** A field shows a value, unless somebody is typing in it. */
function put(field, value) {
  if (document.activeElement !== field || !field.dataset.typing) field.value = value;
}

function copy(template) {
  return $(template).content.firstElementChild.cloneNode(true);
}

function grow(field) {
  field.rows = Math.min(4, Math.max(1, Math.ceil(field.value.length / 46)));
}

/** The list of questions. */
export class QuestionList {
  constructor(model, texts) {
    this.model = model;
    this.texts = texts;
    this.list = $("#questions");
    this.rows = new Map();
    this.options = new Map();
    this.labels = new Map();
    this.titles = new Map();
  }

  /** What is printed, as the server has read it. */
  propose({ labels, titles }) {
    this.labels = new Map(labels.map((one) => [one.key, one]));
    this.titles = new Map(titles.map((one) => [one.key, one]));
    this.render();
  }

  render() {
    const { model } = this;
    const questions = [...model.questions.values()];
    $("#question-count").textContent = questions.length || "";
    arrange(this.list, questions.map((question) => this.row(question)));
    const alive = (map, known) => [...map.keys()].filter((key) => !known.has(key)).forEach((key) => map.delete(key));
    alive(this.rows, model.questions);
    alive(this.options, model.targets);
    $("#nothing-yet").hidden = model.targets.size > 0;
    $("#loose").hidden = model.loose.length === 0;
    $("#loose-what").textContent = fill(this.texts.loose, { n: model.loose.length });
    this.mark();
  }

  row(question) {
    let row = this.rows.get(question.key);
    if (!row) {
      row = copy("#question-row");
      row.dataset.key = question.key;
      this.listen(row, question.key);
      this.rows.set(question.key, row);
    }
    const swatch = $(".swatch", row);
    swatch.className = `swatch c${question.place % COLOURS}`;
    swatch.textContent = question.place + 1;
    swatch.setAttribute("aria-label", `${swatch.title}: ${question.title || this.texts.untitled}`);
    const title = $(".title", row);
    put(title, question.title);
    grow(title);
    put($(".max", row), question.max);
    $(".max", row).max = question.targets.length;
    $(".breakdown", row).checked = question.breakdown;
    this.offer($(".printed", row), title, this.titles.get(question.key), question.title);
    arrange($(".options", row), question.targets.map((key) => this.option(key)));
    return row;
  }

  option(key) {
    let row = this.options.get(key);
    if (!row) {
      row = copy("#option-row");
      row.dataset.key = key;
      this.listenToOption(row, key);
      this.options.set(key, row);
    }
    const option = this.model.targets.get(key);
    $(".place-of", row).textContent = this.model.numbers.get(key) ?? "?";
    const label = $(".label", row);
    put(label, option.label);
    this.offer($(".accept", row), label, this.labels.get(key), option.label);
    return row;
  }

  /** Show what is printed where nothing was typed, and where it was read with little confidence. */
  offer(place, field, printed, now) {
    const isNew = Boolean(printed?.text) && !now;
    const isUnsure = Boolean(printed) && printed.text === now && printed.sure < 0.75;
    field.placeholder = isNew ? printed.text : this.texts.untitled;
    field.classList.toggle("unsure", isUnsure);
    field.title = isUnsure ? this.texts.unsure : "";
    place.hidden = !isNew;
    const button = place.matches("button") ? place : $("button", place);
    if (isNew) button.textContent = place === button ? this.texts.take : fill(this.texts.printed, printed);
    button.title = isNew ? fill(this.texts.printed, printed) : "";
  }

  listen(row, key) {
    const { model } = this;
    const change = (fields) => model.edit({ do: "question", key, ...fields });
    const title = $(".title", row);
    this.typing(title, () => change({ title: title.value }), () => this.titles.get(key)?.text);
    title.addEventListener("focus", () => this.pointAt(model.questions.get(key)?.targets ?? []));
    $(".max", row).addEventListener("change", (event) => {
      if (event.target.checkValidity()) change({ max: Number(event.target.value) });
      else event.target.reportValidity();
    });
    $(".breakdown", row).addEventListener("change", (event) => change({ breakdown: event.target.checked }));
    $(".swatch", row).addEventListener("click", () => {
      model.select(model.questions.get(key)?.targets ?? [], { show: true });
    });
    $(".printed button", row).addEventListener("click", () => change({ title: this.titles.get(key).text }));
    $(".up", row).addEventListener("click", () => model.edit({ do: "shift", question: key, by: -1 }));
    $(".down", row).addEventListener("click", () => model.edit({ do: "shift", question: key, by: 1 }));
    $(".order", row).addEventListener("click", () => model.edit({ do: "order", question: key }));
  }

  listenToOption(row, key) {
    const { model } = this;
    const change = (label) => model.edit({ do: "targets", keys: [key], label });
    const label = $(".label", row);
    this.typing(label, () => change(label.value), () => this.labels.get(key)?.text);
    label.addEventListener("focus", () => this.pointAt([key]));
    $(".place-of", row).addEventListener("click", () => model.select([key], { show: true }));
    $(".accept", row).addEventListener("click", () => change(this.labels.get(key).text));
    for (const [name, by] of [[".up", -1], [".down", 1]]) {
      $(name, row).addEventListener("click", () => this.shiftOption(key, by));
    }
  }

  /** Typing is sent when the field is left; Enter goes on to the next, and takes what is printed. */
  typing(field, send, printed) {
    field.addEventListener("input", () => field.matches("textarea") && grow(field));
    field.addEventListener("change", send);
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      if (!field.value && printed()) {
        field.value = printed();
        send();
      }
      const fields = $$(".title, .label", this.list);
      const next = fields[fields.indexOf(field) + (event.shiftKey ? -1 : 1)];
      next?.focus();
      next?.select();
    });
  }

  shiftOption(key, by) {
    const question = this.model.questionOf.get(key);
    if (!question) return;
    const keys = [...question.targets];
    const place = keys.indexOf(key);
    const other = Math.max(0, Math.min(keys.length - 1, place + by));
    [keys[place], keys[other]] = [keys[other], keys[place]];
    this.model.edit({ do: "order", question: question.key, keys });
  }

  pointAt(keys) {
    const { selected } = this.model;
    const isSame = keys.length === selected.size && keys.every((key) => selected.has(key));
    if (!isSame) this.model.select(keys, { show: true });
  }

  /** Show in the list what is selected on the page. */
  mark({ follow = false } = {}) {
    const { selected, questionOf } = this.model;
    let first = null;
    for (const [key, row] of this.options) {
      row.classList.toggle("selected", selected.has(key));
      if (selected.has(key)) first ??= row;
    }
    for (const [key, row] of this.rows) {
      const isOpen = [...selected].some((one) => questionOf.get(one)?.key === key);
      row.classList.toggle("open", isOpen);
    }
    const isHere = this.list.contains(document.activeElement);
    if (follow && first && !isHere) this.scrollTo(first.closest(".question"));
  }

  /** Bring a question into the list's own window; the page itself stays where it is. */
  scrollTo(row) {
    const part = $("#part-questions");
    const above = row.getBoundingClientRect().top - part.getBoundingClientRect().top;
    const below = above + row.offsetHeight - part.clientHeight;
    if (above < 0 || row.offsetHeight > part.clientHeight) part.scrollTop += above;
    else if (below > 0) part.scrollTop += below;
  }

  focusOn(key) {
    const field = this.options.get(key) && $(".label", this.options.get(key));
    field?.focus();
    field?.select();
  }
}

/** The card about what is selected. */
export function showChosen(model, texts) {
  const keys = [...model.selected];
  const targets = keys.filter((key) => model.isTarget(key));
  const zones = keys.filter((key) => !model.isTarget(key));
  $("#chosen").hidden = keys.length === 0;
  if (!keys.length) return;
  const zone = zones.length === 1 && keys.length === 1 ? model.areas.get(keys[0]) : null;
  const isWords = zone?.id !== undefined && zone !== null;
  $("#chosen-what").textContent = name(keys, targets, zone, isWords, texts);
  for (const action of ["group", "read"]) $(`[data-do="${action}"]`).hidden = targets.length === 0;
  $('[data-do="find"]').hidden = targets.length !== 1 || keys.length !== 1;
  $('[data-do="release"]').hidden = !targets.some((key) => model.questionOf.has(key));
  $("#chosen-shape").hidden = $("#chosen-question").hidden = targets.length === 0;
  const shapes = new Set(targets.map((key) => model.targets.get(key).shape));
  $("#shape").value = shapes.size === 1 ? [...shapes][0] : "";
  showQuestions(model, targets, texts);
  $("#chosen-place").hidden = keys.length !== 1;
  for (const field of $$("#chosen-place input")) {
    if (keys.length === 1) put(field, Math.round(model.part(keys[0])[field.dataset.side] * 100) / 100);
  }
  $("#chosen-title").hidden = $("#chosen-private").hidden = !isWords;
  if (isWords) {
    put($("#zone-title"), zone.title);
    $("#zone-private").checked = zone.private;
  }
}

function name(keys, targets, zone, isWords, texts) {
  if (zone) return isWords ? texts.words : texts.zone;
  if (targets.length !== keys.length) return fill(texts.things, { n: keys.length });
  return keys.length === 1 ? texts.oneBox : fill(texts.boxes, { n: keys.length });
}

function showQuestions(model, targets, texts) {
  const owners = new Set(targets.map((key) => model.questionOf.get(key)?.key ?? 0));
  const choices = [element("option", { value: "0" }, texts.noQuestion), element("option", { value: "new" }, texts.newQuestion)];
  for (const question of model.questions.values()) {
    const title = (question.title || texts.untitled).slice(0, 40);
    choices.push(element("option", { value: question.key }, `${question.place + 1}. ${title}`));
  }
  const list = $("#belongs");
  list.replaceChildren(element("option", { value: "", hidden: "" }), ...choices);
  list.value = owners.size === 1 ? [...owners][0] : "";
}

/** The form's own fields, and its zones. */
export function showForm(model, texts) {
  const { header } = model.state.draft;
  put($("#form-title"), header.title);
  const language = $("#form-language");
  if (![...language.options].some((one) => one.value === header.language)) {
    language.append(element("option", { value: header.language }, header.language));
  }
  language.value = header.language;
  const cancel = header.rule.cancel === "none" ? "none" : "fill-cancels";
  for (const field of $$("[name=cancel]")) field.checked = field.value === cancel;
  for (const field of $$("[name=review]")) field.checked = header.rule.review.includes(field.value);
  const secrecy = header.secrecy ?? { shuffled: false, smallest_group: 0 };
  $("#form-shuffled").checked = secrecy.shuffled;
  put($("#form-smallest"), secrecy.smallest_group);
  const rows = [...model.areas].map(([key, zone]) => {
    const kind = zone.id === undefined ? texts.private : texts.wordsZone;
    const where = fill(texts.page, { n: zone.page });
    const button = element("button", { type: "button", class: "quiet" }, `${kind}, ${where}${zone.title ? `: ${zone.title}` : ""}`);
    button.addEventListener("click", () => model.select([key], { show: true }));
    return element("li", {}, button);
  });
  $("#zone-list").replaceChildren(...rows);
  $("#zone-list-box").hidden = rows.length === 0;
  const former = $("#former");
  $("#former-box").hidden = model.state.former.length === 0;
  former.replaceChildren(former.options[0], ...model.state.former.map((version) => element("option", { value: version }, version)));
  former.value = "";
}

/** What `form check` finds, each finding leading to its place. */
export function showFindings(model, health, texts) {
  const faults = health.findings.filter((finding) => finding.is_fault).length;
  $("#score").textContent = health.score;
  $("#score").className = `count ${faults ? "bad" : health.findings.length ? "warn" : "good"}`;
  $("#score-line").textContent = fill(texts.score, { n: health.score });
  $("#comparing").hidden = health.is_complete;
  const rows = health.findings.map((finding) => {
    const row = copy("#finding-row");
    const badge = $(".badge", row);
    badge.textContent = `−${finding.weight} ${finding.is_fault ? texts.fault : texts.advice}`;
    badge.classList.add(finding.is_fault ? "bad" : "warn");
    const page = finding.page ? `${fill(texts.page, { n: finding.page })}: ` : "";
    $("strong", row).textContent = page + finding.message;
    $(".remedy", row).textContent = finding.remedy;
    $("button", row).addEventListener("click", () => {
      const keys = finding.keys.filter((key) => model.part(key));
      if (keys.length) model.select(keys, { show: true });
      else if (finding.page) model.turnTo(finding.page);
    });
    return row;
  });
  if (!rows.length) rows.push(element("li", { class: "good" }, texts.fine));
  $("#findings").replaceChildren(...rows);
  return faults;
}
