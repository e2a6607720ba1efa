/** The figures: of each model the few that matter most, then all of them with formula, sample size and cautions. */

import { make } from "./dom.js";
import { headlines } from "./headlines.js";
import { NAMES } from "./metric_names.js";
import { amount, count, counted, dollars, duration, pace, share } from "./numbers.js";
import { renew } from "./opened.js";
import { sideBySide } from "./side_by_side.js";
import { notice } from "./telling.js";

const COLUMNS = /** @type {const} */ (["avg", "p50", "p95", "p99", "min", "max"]);
const WEAK = "too few answers to carry this percentile";

/**
 * @param {Element} place
 * @param {import("./shapes.js").Summary} summary
 */
export function showFigures(place, summary) {
  const formulas = new Map(summary.definitions.map((each) => [each.name, each.formula]));
  const several = summary.targets.length > 1;
  renew(
    place,
    several && sideBySide(summary, formulas),
    ...summary.targets.map((target) => model(target, formulas, several)),
    summary.cautions.length > 0 && make("div", { class: "cautions" }, make("h2", {}, "Read with care"), make("ul", {}, ...summary.cautions.map((caution) => make("li", {}, caution)))),
    summary.load && make("p", { class: "hint" }, `Load: ${summary.load}.`),
    summary.spent && make("p", { class: "hint" }, summary.spent.words),
  );
}

/**
 * @param {import("./shapes.js").TargetSummary} target
 * @param {Map<string, string>} formulas
 * @param {boolean} several whether what matters most stands side by side with that of other models
 */
function model(target, formulas, several) {
  const id = `figures-${target.target}`;
  return make(
    "section",
    { class: "model-figures", "aria-label": target.label },
    !several && make("h2", {}, target.label),
    !several && tiles(target, formulas),
    ...(target.failures ?? []).map((failure) =>
      notice("bad", make("p", {}, make("strong", {}, several && `${target.label}: `, `${counted(failure.count, "call")} failed: ${failure.kind.replaceAll("_", " ")}. `), failure.advice), make("p", { class: "hint" }, failure.example)),
    ),
    make(
      "details",
      { class: "quiet", "data-key": id },
      make("summary", {}, `All figures of ${target.label}`),
      make("div", { class: "scroll", role: "region", "aria-label": `All figures of ${target.label}`, tabindex: "0" }, table(target, formulas), wholes(target, formulas)),
    ),
  );
}

/**
 * @param {import("./shapes.js").TargetSummary} target
 * @param {Map<string, string>} formulas
 */
function tiles(target, formulas) {
  const each = headlines(target).map(([name, value, about]) => make("div", { title: formulas.get(name) }, make("dt", {}, NAMES[name] ?? name), make("dd", {}, make("strong", {}, value), make("span", {}, about))));
  return make("dl", { class: "tiles" }, ...each);
}

/**
 * @param {import("./shapes.js").TargetSummary} target
 * @param {Map<string, string>} formulas
 */
function table(target, formulas) {
  const head = make("tr", {}, make("th", { scope: "col" }, "Metric"), ...COLUMNS.map((name) => make("th", { scope: "col", class: "number" }, name)), make("th", { scope: "col", class: "number" }, "n"));
  const rows = Object.entries(target.metrics ?? {}).map(([name, spread]) => {
    const weak = new Set(spread.cautions ?? []);
    const cells = COLUMNS.map((column) => {
      const value = amount(spread[column], spread.unit);
      const doubt = weak.has(column);
      return make("td", { class: doubt ? "number weak" : "number", title: doubt && WEAK }, value, doubt && make("span", { class: "star" }, "*"));
    });
    const formula = formulas.get(name);
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, NAMES[name] ?? name, formula && make("small", {}, formula)),
      ...cells,
      make("td", { class: "number" }, count(spread.count)),
    );
  });
  return make("table", { class: "all-figures" }, make("caption", {}, `* ${WEAK}`), make("thead", {}, head), make("tbody", {}, ...rows));
}

/**
 * What is one figure a run, and no distribution.
 * @param {import("./shapes.js").TargetSummary} target
 * @param {Map<string, string>} formulas
 */
function wholes(target, formulas) {
  const rates = /** @type {const} */ (["success", "first_attempt", "passed", "good"]).map((name) => {
    const rate = target[name];
    return rate && [name, `${share(rate.total ? rate.rate : null)} (${count(rate.count)} of ${count(rate.total)}; ${share(rate.low)} to ${share(rate.high)})`];
  });
  const { duration_ms, system_tokens_per_second, requests_per_second, goodput_per_second, quality_adjusted_goodput, cost_per_passed_usd } = target;
  const single = [
    ["duration_ms", duration(duration_ms)],
    ["system_tokens_per_second", known(system_tokens_per_second, "tokens/s")],
    ["requests_per_second", known(requests_per_second, "requests/s")],
    ["goodput_per_second", known(goodput_per_second, "requests/s")],
    ["quality_adjusted_goodput", known(quality_adjusted_goodput, "requests/s")],
    ["cost_per_passed_usd", cost_per_passed_usd === null ? null : dollars(cost_per_passed_usd)],
    ["cold_start", cold(target)],
  ];
  const rows = [...rates, ...single].flatMap((each) => {
    if (!each || each[1] === null) return [];
    const [name, value] = /** @type {[string, string]} */ (each);
    const formula = formulas.get(name);
    return [make("tr", {}, make("th", { scope: "row" }, NAMES[name] ?? name, formula && make("small", {}, formula)), make("td", { class: "number" }, value))];
  });
  return make("table", { class: "all-figures" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Of the run"), make("th", { scope: "col", class: "number" }, "value"))), make("tbody", {}, ...rows));
}

/**
 * @param {number|null} value
 * @param {string} unit
 */
function known(value, unit) {
  return value === null ? null : pace(value, unit);
}

/**
 * The times of the first call.
 * @param {import("./shapes.js").TargetSummary} target
 */
function cold(target) {
  const times = ["latency_ms", "ttft_ms"].flatMap((name) => (target.cold_start?.[name] === undefined ? [] : [`${NAMES[name]} ${duration(target.cold_start[name])}`]));
  return times.length ? times.join(", ") : null;
}
