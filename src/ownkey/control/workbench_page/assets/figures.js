/** The figures of each model: the few that matter most, then all of them with formula, sample size and cautions. */

import { fill, make } from "./dom.js";
import { amount, count, counted, dollars, duration, share } from "./numbers.js";
import { notice } from "./telling.js";

/** @type {Record<string, string>} */
export const NAMES = {
  latency_ms: "Latency",
  ttft_ms: "Time to first token",
  ttfo_ms: "Time to first answer token",
  tpot_ms: "Time per output token",
  chunk_gap_ms: "Gap between chunks",
  tokens_per_second: "Tokens per second",
  decode_tokens_per_second: "Tokens per second, decoding",
  input_tokens: "Input tokens",
  output_tokens: "Output tokens",
  reasoning_tokens: "Reasoning tokens",
  answer_characters: "Answer, characters",
  answer_words: "Answer, words",
  backoff_ms: "Waited between attempts",
  connect_ms: "Connecting",
  late_ms: "Sent late",
  cost_usd: "Cost",
  score: "Score",
  success: "Answered",
  first_attempt: "Answered at first attempt",
  passed: "Passed",
  system_tokens_per_second: "Tokens per second, all together",
  cost_per_passed_usd: "Cost per passed answer",
  good: "Met all objectives",
  duration_ms: "Duration",
  requests_per_second: "Requests per second",
  goodput_per_second: "Goodput",
  quality_adjusted_goodput: "Goodput of passed answers",
};

const COLUMNS = /** @type {const} */ (["avg", "p50", "p95", "p99", "min", "max"]);
const WEAK = "too few answers to carry this percentile";

/**
 * @param {Element} place
 * @param {import("./shapes.js").Summary} summary
 */
export function showFigures(place, summary) {
  const open = openOnes(place);
  const formulas = new Map(summary.definitions.map((each) => [each.name, each.formula]));
  fill(
    place,
    ...summary.targets.map((target) => model(target, formulas)),
    summary.cautions.length > 0 && make("div", { class: "cautions" }, make("h2", {}, "Read with care"), make("ul", {}, ...summary.cautions.map((caution) => make("li", {}, caution)))),
    summary.load && make("p", { class: "hint" }, `Load: ${summary.load}.`),
  );
  for (const details of place.querySelectorAll("details")) details.open = open.has(details.dataset.key);
}

/**
 * What is open stays open when the figures are renewed.
 * @param {Element} place
 */
function openOnes(place) {
  return new Set([...place.querySelectorAll("details")].filter((details) => details.open).map((details) => details.dataset.key));
}

/**
 * @param {import("./shapes.js").TargetSummary} target
 * @param {Map<string, string>} formulas
 */
function model(target, formulas) {
  const id = `figures-${target.target}`;
  return make(
    "section",
    { class: "model-figures", "aria-labelledby": id },
    make("h2", { id }, target.label),
    tiles(target, formulas),
    ...(target.failures ?? []).map((failure) =>
      notice("bad", make("p", {}, make("strong", {}, `${counted(failure.count, "call")} failed: ${failure.kind.replaceAll("_", " ")}. `), failure.advice), make("p", { class: "hint" }, failure.example)),
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
  const metrics = target.metrics ?? {};
  const spread = (/** @type {string} */ name) => metrics[name];
  const latency = spread("latency_ms");
  const ttft = spread("ttft_ms");
  const pace = spread("tokens_per_second");
  return make(
    "dl",
    { class: "tiles" },
    rate("success", target.success, formulas),
    target.passed && rate("passed", target.passed, formulas),
    latency && tile("latency_ms", duration(latency.p50), `median of ${count(latency.count)}; ${duration(latency.min)} to ${duration(latency.max)}`, formulas),
    ttft && tile("ttft_ms", duration(ttft.p50), `median of ${count(ttft.count)}`, formulas),
    pace && tile("tokens_per_second", amount(pace.avg, pace.unit), `on average of ${count(pace.count)}`, formulas),
    target.cost_usd !== null && tile("cost_usd", dollars(target.cost_usd), target.unpriced ? `${count(target.unpriced)} answers left out: no price` : `for ${counted(target.requests, "request")}`, formulas),
    target.cost_per_passed_usd !== null && tile("cost_per_passed_usd", dollars(target.cost_per_passed_usd), "each", formulas),
  );
}

/**
 * @param {string} name
 * @param {import("./shapes.js").Rate} found
 * @param {Map<string, string>} formulas
 */
function rate(name, found, formulas) {
  const likely = found.total ? `; 95 % interval ${share(found.low)} to ${share(found.high)}` : "";
  return tile(name, share(found.total ? found.rate : null), `${count(found.count)} of ${count(found.total)}${likely}`, formulas);
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} about
 * @param {Map<string, string>} formulas
 */
function tile(name, value, about, formulas) {
  return make("div", { title: formulas.get(name) }, make("dt", {}, NAMES[name] ?? name), make("dd", {}, make("strong", {}, value), make("span", {}, about)));
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
    ["system_tokens_per_second", known(system_tokens_per_second)],
    ["requests_per_second", known(requests_per_second)],
    ["goodput_per_second", known(goodput_per_second)],
    ["quality_adjusted_goodput", known(quality_adjusted_goodput)],
    ["cost_per_passed_usd", cost_per_passed_usd === null ? null : dollars(cost_per_passed_usd)],
  ];
  const rows = [...rates, ...single].flatMap((each) => {
    if (!each || each[1] === null) return [];
    const [name, value] = /** @type {[string, string]} */ (each);
    const formula = formulas.get(name);
    return [make("tr", {}, make("th", { scope: "row" }, NAMES[name] ?? name, formula && make("small", {}, formula)), make("td", { class: "number" }, value))];
  });
  return make("table", { class: "all-figures" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Of the run"), make("th", { scope: "col", class: "number" }, "value"))), make("tbody", {}, ...rows));
}

/** @param {number|null} value */
function known(value) {
  return value === null ? null : amount(value, "");
}
