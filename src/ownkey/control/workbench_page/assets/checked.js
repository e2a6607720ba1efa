/** What a connection test found, step by step. */

import { fill, make } from "./dom.js";
import { duration } from "./numbers.js";
import { notice } from "./telling.js";

const MARKS = /** @type {const} */ ([
  [true, "✓", "fine"],
  [false, "✗", "not"],
  [null, "–", "not known"],
]);
/** Steps after the answer tell what the endpoint can do, and none of them is a failure. */
const CONNECTING = new Set(["address", "connect", "authenticate", "answer"]);

/**
 * @param {Element} place
 * @param {import("./shapes.js").Check} check
 * @param {import("./shapes.js").Target} target
 */
export function showCheck(place, check, target) {
  const head = check.success
    ? notice(
        "good",
        make("p", {}, make("strong", {}, check.message), check.latency_ms !== null && ` The first small answer took ${duration(check.latency_ms)}.`),
        check.preview && make("p", { class: "preview" }, check.preview),
      )
    : notice("bad", make("p", {}, make("strong", {}, check.message)), check.advice && make("p", {}, check.advice));
  const connecting = check.steps.filter((step) => CONNECTING.has(step.name));
  const abilities = check.steps.filter((step) => !CONNECTING.has(step.name));
  const ways = make("ol", { class: "check-steps" }, ...connecting.map((step) => line(step, true)));
  const known = make("p", { class: "hint" }, target.label, target.base_url && ` at ${target.base_url}`, target.masked_key && `, with the key ${target.masked_key}`, ".");
  fill(
    place,
    head,
    check.success && target.prices === null && notice("plain", make("p", {}, "No price is known for this model, so costs cannot be told. Give the prices above and test again if you want them.")),
    check.success ? folded("How the connection was tested", ways) : ways,
    abilities.length > 0 && folded("What the endpoint can do", make("ul", { class: "check-steps" }, ...abilities.map((step) => line(step, false)))),
    known,
  );
}

/**
 * @param {string} head
 * @param {Element} inside
 */
function folded(head, inside) {
  return make("details", { class: "quiet" }, make("summary", {}, head), inside);
}

/**
 * @param {import("./shapes.js").CheckStep} step
 * @param {boolean} fatal
 */
function line(step, fatal) {
  const [, mark, spoken] = MARKS.find(([ok]) => ok === step.ok) ?? MARKS[2];
  const kind = step.ok === true ? "yes" : step.ok === false && fatal ? "no" : "open";
  return make(
    "li",
    { class: kind },
    make("span", { class: "mark", "aria-hidden": "true" }, mark),
    make("span", { class: "unseen" }, `${spoken}: `),
    make("strong", {}, step.name),
    make("span", {}, step.message),
    step.ms !== null && step.ms !== undefined && make("span", { class: "ms" }, duration(step.ms)),
  );
}
