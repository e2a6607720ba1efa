/** The comparison: the verdict in words on top, then each measure with its interval. */

import { draw, make } from "./dom.js";
import { NAMES } from "./metric_names.js";
import { amount, count, points, share } from "./numbers.js";
import { renew } from "./opened.js";
import { beaten, winner } from "./standing.js";

const WIDTH = 120;
const HEIGHT = 18;
/** Up to so many pairs are shown in full without being asked for. */
const FEW = 3;

/**
 * @param {Element} place
 * @param {import("./shapes.js").Summary} summary
 */
export function showVerdicts(place, summary) {
  const labels = summary.targets.map((target) => target.label);
  const pairs = summary.comparisons.map((pair) => comparison(pair, labels[pair.a] ?? "A", labels[pair.b] ?? "B"));
  if (pairs.length < 2) renew(place, ...pairs);
  else renew(place, overall(summary), make("details", { class: "quiet pairs", "data-key": "pairs", open: pairs.length <= FEW }, make("summary", {}, `All ${count(pairs.length)} pairs, one by one`), ...pairs));
}

/**
 * Of more than two models: whether one is better than all others.
 * @param {import("./shapes.js").Summary} summary
 */
function overall(summary) {
  const { targets, comparisons } = summary;
  const best = winner(summary);
  const most = targets.map((_, target) => beaten(comparisons, target).length);
  const none = Math.max(...most) === 0 ? "No model could be shown to be better than another." : "No model could be shown to be better than all others. The table says which is better than which.";
  const words = best === null ? none : `${targets[best].label} is better than each of the other ${count(targets.length - 1)} models.`;
  return make("section", { class: `verdict ${best === null ? "" : `hue-${best}`}`, "aria-label": "All models compared" }, make("p", { class: "eyebrow" }, `Which of ${count(targets.length)} models?`), make("p", { class: "words" }, words));
}

/**
 * @param {import("./shapes.js").PairComparison} pair
 * @param {string} a
 * @param {string} b
 */
function comparison(pair, a, b) {
  const preference = pair.preference;
  const hues = { a: `hue-${pair.a}`, b: `hue-${pair.b}`, cannot_tell: "" };
  const columns = ["Measure", a, b, "Difference, 95 % interval", "p, corrected", "Pairs"];
  return make(
    "section",
    { class: `verdict ${hues[pair.verdict]}`, "aria-label": `${a} compared with ${b}` },
    make("p", { class: "eyebrow" }, `${a} or ${b}?`),
    make("p", { class: "words" }, pair.words),
    preference &&
      make("p", {}, `The judge ${preference.judge} preferred ${a} ${count(preference.a_wins)} times and ${b} ${count(preference.b_wins)} times, with ${count(preference.ties)} ties. It contradicted itself when the order was turned in ${share(preference.flip_rate)} of the pairs; those are ties.`),
    pair.metrics.length > 0 &&
      make(
        "details",
        { class: "quiet", "data-key": `${pair.a}.${pair.b}` },
        make("summary", {}, "What carries this verdict"),
        make(
          "div",
          { class: "scroll", role: "region", "aria-label": `Measures of ${a} and ${b}`, tabindex: "0" },
          make("table", { class: "measures" }, make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...pair.metrics.map((metric) => measure(metric, hues[metric.verdict])))),
        ),
        make("ul", {}, ...pair.metrics.map((metric) => make("li", {}, metric.words))),
      ),
  );
}

/**
 * @param {import("./shapes.js").MetricComparison} metric
 * @param {string} hue of the better model
 */
function measure(metric, hue) {
  const { unit, low, high, difference } = metric;
  const name = NAMES[metric.metric] ?? metric.metric.replaceAll("_", " ");
  const words = `${signed(difference, unit)} (${signed(low, unit)} to ${signed(high, unit)})`;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name, make("small", {}, `${metric.method}; ${metric.higher_is_better ? "more" : "less"} is better`)),
    make("td", {}, amount(metric.a, unit)),
    make("td", {}, amount(metric.b, unit)),
    make("td", {}, interval(metric, hue), words),
    make("td", {}, metric.p_adjusted < 0.001 ? "< 0.001" : metric.p_adjusted.toPrecision(2)),
    make("td", {}, count(metric.pairs)),
  );
}

/**
 * @param {number} value
 * @param {string} unit
 */
function signed(value, unit) {
  const size = unit === "share" ? points(Math.abs(value)) : amount(Math.abs(value), unit);
  return value < 0 ? `−${size}` : value > 0 ? `+${size}` : size;
}

/**
 * The interval with zero in the middle: one that does not touch zero tells.
 * @param {import("./shapes.js").MetricComparison} metric
 * @param {string} hue
 */
function interval(metric, hue) {
  const widest = Math.max(Math.abs(metric.low), Math.abs(metric.high), Number.MIN_VALUE);
  const x = (/** @type {number} */ value) => WIDTH / 2 + (value / widest) * (WIDTH / 2 - 6);
  const y = HEIGHT / 2;
  return draw(
    "svg",
    { class: `interval ${hue}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    draw("line", { class: "zero", x1: WIDTH / 2, x2: WIDTH / 2, y1: 1, y2: HEIGHT - 1 }),
    draw("line", { class: "reach", x1: x(metric.low), x2: x(metric.high), y1: y, y2: y }),
    draw("circle", { cx: x(metric.difference), cy: y, r: 4 }),
  );
}
