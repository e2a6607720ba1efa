/** What matters most of several models, a column each, and which of the others each is better than. */

import { make } from "./dom.js";
import { headlines } from "./headlines.js";
import { NAMES } from "./metric_names.js";
import { beaten } from "./standing.js";

/**
 * @param {import("./shapes.js").Summary} summary
 * @param {Map<string, string>} formulas
 */
export function sideBySide(summary, formulas) {
  const { targets, comparisons } = summary;
  const found = targets.map((target) => new Map(headlines(target).map(([name, ...figure]) => [name, figure])));
  // In the order of the model that has most of them: what one lacks another may have.
  const names = [...found].sort((one, other) => other.size - one.size).flatMap((each) => [...each.keys()]);
  const rows = [...new Set(names)].map((name) => row(NAMES[name], formulas.get(name), found.map((each) => cell(each.get(name)))));
  const better = targets.map((_, target) => make("td", {}, beaten(comparisons, target).map((other) => targets[other].label).join(", ") || "none"));
  const heads = targets.map((target, index) => make("th", { scope: "col" }, make("span", { class: `dot hue-${index}` }, target.label)));
  return make(
    "div",
    { class: "scroll beside", role: "region", "aria-label": "The models side by side", tabindex: "0" },
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, make("td", {}), ...heads)),
      make("tbody", {}, comparisons.length > 0 && row("Better than", "by the verdicts of the pairs", better), ...rows),
    ),
  );
}

/**
 * @param {string} name
 * @param {string|undefined} formula
 * @param {Element[]} cells
 */
function row(name, formula, cells) {
  return make("tr", {}, make("th", { scope: "row", title: formula }, name), ...cells);
}

/** @param {string[]|undefined} figure */
function cell(figure) {
  return make("td", {}, ...(figure ? [make("strong", {}, figure[0]), make("small", {}, figure[1])] : ["–"]));
}
