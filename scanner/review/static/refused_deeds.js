// Taking back what was done with sheets.

import { $$, post } from "/static/base.js";

for (const button of $$("button.undo")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { rework, why } = button.dataset;
      location.assign((await post(`/refused/undo/${rework}`, { why })).next);
    } catch {
      button.disabled = false;
    }
  });
}
