// The proof that the record is whole.

import { $, element, get, texts } from "./base.js";

const words = texts("log-texts");
const proof = $("#proof");
const button = $("#verify");

function show(kind, ...what) {
  proof.replaceChildren(element("div", { class: `message ${kind}` }, ...what));
}

button.addEventListener("click", async () => {
  button.disabled = true;
  show("", words.working);
  try {
    const found = await get("/log/proof");
    if (found.faults.length > 0) {
      const list = element("ul", {}, ...found.faults.map((fault) => element("li", {}, fault)));
      show("bad", element("strong", {}, words.broken), list);
    } else {
      const whole = words.whole.replace("{number}", found.entries);
      const hash = element("code", {}, found.hash);
      show("good", element("strong", {}, whole), element("div", {}, words.last, hash));
    }
  } catch {
    proof.replaceChildren(); // It has been said.
  } finally {
    button.disabled = false;
  }
});
