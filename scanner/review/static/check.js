// A new random check: the list is published, then the seed is typed, then it is drawn.

import { $, get, post } from "/static/base.js";

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
const publish = $("#publish");
const seed = $("#seed");
const draw = $("#draw");
let published = "";

function digits() {
  return seed.value.replace(/\s/g, "").length;
}

function update() {
  const note = $("#digits");
  note.textContent = fill(note.dataset.text, { n: digits(), most: seed.dataset.suggested });
  $("#enough").value = Math.min(digits(), Number(seed.dataset.suggested));
  draw.disabled = !published || !digits() || !$("#drawn").checkValidity();
}

if (publish) {
  publish.addEventListener("click", async () => {
    publish.disabled = true;
    $("#working").hidden = false;
    try {
      const found = await get("/check/population");
      published = found.fingerprint;
      const number = new Intl.NumberFormat(document.documentElement.lang);
      $("#size").textContent = number.format(found.size);
      $("#fingerprint").textContent = found.fingerprint;
      $("#published").hidden = false;
      $("#drawn").max = Math.max(1, Math.min(Number($("#drawn").max), found.size));
    } catch {
      // It was said at the top of the page.
    } finally {
      publish.disabled = false;
      $("#working").hidden = true;
      update();
    }
  });
  seed.addEventListener("input", update);
  $("#drawn").addEventListener("input", update);
  seed.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !draw.disabled) draw.click();
  });
  draw.addEventListener("click", async () => {
    draw.disabled = true;
    $("#drawing").hidden = false;
    try {
      const asked = { seed: seed.value, drawn: Number($("#drawn").value), published };
      const { number } = await post("/check/draw", asked);
      location.assign(`/check/${number}`);
    } catch {
      update();
    } finally {
      $("#drawing").hidden = true;
    }
  });
  update();
}
