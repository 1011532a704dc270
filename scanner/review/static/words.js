// The overview of the written words: pages are looked at for added ink while it is open.

import { $, onKeys, post, texts } from "/static/base.js";

const data = texts("words-data");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
const number = new Intl.NumberFormat(document.documentElement.lang);

function show(progress) {
  const written = Object.fromEntries(
    Object.entries(progress).map(([name, figure]) => [name, number.format(figure)]),
  );
  $("#looking").max = Math.max(progress.total, 1);
  $("#looking").value = progress.done;
  for (const id of ["looking-text", "found"]) {
    const text = $(`#${id}`);
    text.textContent = fill(text.dataset.text, written);
  }
}

async function look() {
  let { done, total } = data;
  while (done < total && !document.hidden) {
    const progress = await post("/words/measure");
    show(progress);
    if (progress.done === done) return;
    ({ done, total } = progress);
    Object.assign(data, { done, total });
  }
}

onKeys({ Enter: () => $("#begin").requestSubmit() });
document.addEventListener("visibilitychange", () => look().catch(() => {}));
look().catch(() => {});
