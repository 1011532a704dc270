// What the page knows of the draft, and how it asks the server for the next one.

import { RequestError, clearMessages, get, post } from "/static/base.js";

/** The draft with quick ways into it. */
export class Model {
  constructor(state) {
    this.listeners = [];
    this.selected = new Set();
    this.page = state.draft.header.pages[0].number;
    this.queue = Promise.resolve();
    this.waiting = 0;
    this.take(state);
  }

  /** Show a state of the server's. */
  take(state) {
    this.state = state;
    this.targets = new Map(state.draft.targets.map((target) => [target.key, target.option]));
    this.areas = new Map(state.draft.areas.map((area) => [area.key, area.zone]));
    this.questions = new Map(state.draft.questions.map((question) => [question.key, question]));
    this.questionOf = new Map();
    this.numbers = new Map();
    let number = 0;
    state.draft.questions.forEach((question, place) => {
      question.place = place;
      for (const key of question.targets) {
        this.questionOf.set(key, question);
        this.numbers.set(key, (number += 1));
      }
    });
    this.loose = [...this.targets.keys()].filter((key) => !this.questionOf.has(key));
    if (state.selected.length) this.selected = new Set(state.selected);
    for (const key of this.selected) if (!this.part(key)) this.selected.delete(key);
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  changed(what) {
    for (const listener of this.listeners) listener(what);
  }

  /** A target's option or a zone, whichever has that key. */
  part(key) {
    return this.targets.get(key) ?? this.areas.get(key);
  }

  isTarget(key) {
    return this.targets.has(key);
  }

  /** Keys of the targets and zones of the page that is shown. */
  here() {
    const keys = [...this.targets.keys(), ...this.areas.keys()];
    return keys.filter((key) => this.part(key).page === this.page);
  }

  /** Keys of all targets in the order of the form, loose ones last. */
  inOrder() {
    return [...this.numbers.keys(), ...this.loose];
  }

  select(keys, { add = false, show = false } = {}) {
    this.selected = new Set(add ? [...this.selected, ...keys] : keys);
    const first = this.part([...this.selected].at(-1));
    if (show && first && first.page !== this.page) this.page = first.page;
    this.changed(show ? "show" : "selection");
  }

  toggle(key) {
    if (!this.selected.delete(key)) this.selected.add(key);
    this.changed("selection");
  }

  turnTo(page) {
    this.page = page;
    this.selected = new Set();
    this.changed("page");
  }

  /** Send a message for the state that is shown when its turn comes; true if it was done. */
  send(address, message = {}) {
    this.waiting += 1;
    this.changed("busy");
    const turn = this.queue.then(async () => {
      try {
        this.take(await post(address, { seen: this.state.number, ...message }));
        clearMessages();
        this.changed("draft");
        return true;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        await this.refresh(error.status);
        return false;
      } finally {
        this.waiting -= 1;
        this.changed("busy");
      }
    });
    this.queue = turn;
    return turn;
  }

  edit(edit) {
    return this.send("/form/edit", { edit });
  }

  /** What is shown goes back to what the server has; after 409 that is another window's. */
  async refresh(status) {
    if (status === 409) {
      try {
        this.take(await get("/form/state", { background: true }));
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
      }
    }
    this.changed("draft");
  }
}

/** A text with its {names} replaced. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
