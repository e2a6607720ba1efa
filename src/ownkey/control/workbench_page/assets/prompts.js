/** The questions of a suite, with what an answer must satisfy. */

import { fill, make } from "./dom.js";
import { count } from "./numbers.js";

const SHOWN = 100;

/**
 * @param {HTMLOListElement} place
 * @param {import("./shapes.js").Prompt[]} prompts the first of them
 * @param {number} total
 */
export function showPrompts(place, prompts, total) {
  const shown = prompts.slice(0, SHOWN);
  const rest = total - shown.length;
  fill(place, ...shown.map(prompt), rest > 0 && make("li", { class: "hint" }, `and ${count(rest)} more`));
}

/** @param {import("./shapes.js").Prompt} shown */
function prompt(shown) {
  const checks = (shown.checks ?? []).map((check) => make("li", {}, checkWords(check)));
  return make(
    "li",
    {},
    make("p", { class: "prompt-id" }, shown.id),
    ...shown.messages.map((message) => make("p", { class: "said" }, message.role !== "user" && make("span", { class: "tag" }, message.role), message.content)),
    checks.length > 0 && make("ul", { class: "checks" }, ...checks),
  );
}

/** @param {{type: string, value?: any, threshold?: number}} check */
export function checkWords(check) {
  const value = check.value === undefined || check.value === null ? "" : typeof check.value === "string" ? check.value : JSON.stringify(check.value);
  const limit = check.threshold === undefined || check.threshold === null ? "" : ` at ${check.threshold}`;
  const short = value.length > 160 ? `${value.slice(0, 160)} …` : value;
  return `${check.type}${limit}${short ? `: ${short}` : ""}`;
}
