/** The figures of a model that matter most: each a name, a value with its unit, and what that rests on. */

import { amount, count, counted, dollars, duration, pace, share } from "./numbers.js";

/**
 * @param {import("./shapes.js").TargetSummary} target
 * @returns {[string, string, string][]}
 */
export function headlines(target) {
  const { latency_ms: latency, ttft_ms: ttft, tokens_per_second: speed } = target.metrics ?? {};
  const { success, passed, good, goodput_per_second: goodput, quality_adjusted_goodput: adjusted, cost_usd: cost, cost_per_passed_usd: each } = target;
  /** @type {([string, string, string]|null|undefined)[]} */
  const found = [
    rate("success", success),
    passed && rate("passed", passed),
    latency && ["latency_ms", duration(latency.p50), `median of ${count(latency.count)}; ${duration(latency.min)} to ${duration(latency.max)}`],
    ttft && ["ttft_ms", duration(ttft.p50), `median of ${count(ttft.count)}`],
    speed && ["tokens_per_second", amount(speed.avg, speed.unit), `on average of ${count(speed.count)}`],
    good && rate("good", good),
    goodput === null ? null : ["goodput_per_second", pace(goodput, "/s"), "requests that met all objectives"],
    good === null || adjusted === null ? null : ["quality_adjusted_goodput", pace(adjusted, "/s"), "requests that passed and met all objectives"],
    cost === null ? null : ["cost_usd", dollars(cost), target.unpriced ? `${count(target.unpriced)} answers left out: no price` : `for ${counted(target.requests, "request")}`],
    each === null ? null : ["cost_per_passed_usd", dollars(each), "each"],
  ];
  return found.flatMap((one) => (one ? [one] : []));
}

/**
 * @param {string} name
 * @param {import("./shapes.js").Rate} found
 * @returns {[string, string, string]}
 */
function rate(name, found) {
  const likely = found.total ? `; 95\u00a0% interval ${share(found.low)} to ${share(found.high)}` : "";
  return [name, share(found.total ? found.rate : null), `${count(found.count)} of ${count(found.total)}${likely}`];
}
