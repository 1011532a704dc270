// The queue: a filter is applied as soon as it is chosen, Enter begins.

import { $, $$, onKeys } from "/static/base.js";

const filters = $("#filters");
for (const choice of $$("select", filters)) {
  choice.addEventListener("change", () => filters.requestSubmit());
}
$(".apply button", filters).hidden = true;

onKeys({ Enter: () => $("#begin")?.click() });
