/** The session's runs, to be opened again. */

import { fill, make } from "./dom.js";
import { count, counted } from "./numbers.js";

/**
 * @param {Element} place
 * @param {import("./shapes.js").Run[]} runs newest first
 * @param {(run: import("./shapes.js").Run) => void} open
 */
export function showEarlier(place, runs, open) {
  const items = runs.map((run) => {
    const { done, total } = run.progress;
    const button = make("button", { type: "button", class: "link" }, new Date(run.created_at).toLocaleString());
    button.addEventListener("click", () => open(run));
    return make("li", {}, button, make("span", { class: "hint" }, `${run.suite_id}, ${run.status}: ${count(done)} of ${counted(total, "call")}`));
  });
  fill(place, items.length > 0 && make("h2", {}, "Earlier runs"), items.length > 0 && make("ul", {}, ...items));
}
