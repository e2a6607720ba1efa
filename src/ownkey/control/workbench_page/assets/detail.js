/** One result as a whole, in a dialog: what was asked, what came, how it was graded, how long it took. */

import { Api } from "./api.js";
import { byId, fill, make, when } from "./dom.js";
import { count, dollars, duration } from "./numbers.js";
import { tell } from "./telling.js";
import { Visit } from "./visit.js";

export class Detail {
  /**
   * @param {Api} api
   * @param {Visit} visit
   */
  constructor(api, visit) {
    this.api = api;
    this.visit = visit;
    this.dialog = byId("detail", HTMLDialogElement);
    when(byId("detail-close", HTMLButtonElement), () => this.dialog.close());
    // A click on the dialog itself is one beside its content.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /**
   * @param {import("./result_table.js").Row} row
   * @param {string} label the model's
   */
  async open(row, label) {
    const body = byId("detail-body", HTMLElement);
    byId("detail-title", HTMLElement).textContent = row.prompt;
    fill(body, make("p", { class: "hint" }, "Loading …"));
    if (!this.dialog.open) this.dialog.showModal();
    byId("detail-title", HTMLElement).focus();
    try {
      const result = await this.api.call("GET", `/workbench/runs/${this.visit.known.run}/results/${row.seq}`);
      fill(body, ...whole(result, label));
    } catch (error) {
      tell(body, error);
    }
  }
}

/**
 * @param {import("./shapes.js").Result} result
 * @param {string} label
 */
function whole(result, label) {
  const { failure } = result;
  const retried = result.attempts > 1 ? `, ${result.attempts} attempts` : "";
  return [
    make("p", { class: "hint" }, `${label}${result.repeat ? `, repeat ${result.repeat + 1}` : ""}${retried}`),
    ...result.prompt.map((message) => text(message.role === "user" ? "Asked" : message.role, message.content)),
    failure && text("The call failed", failure.message, "bad"),
    failure && make("p", {}, failure.advice),
    result.reasoning && make("details", { class: "quiet" }, make("summary", {}, "Reasoning"), make("pre", {}, result.reasoning)),
    !failure && text("Answer", result.answer || "(empty)"),
    result.grades.length > 0 && make("h3", {}, "Checks"),
    result.grades.length > 0 && make("ul", { class: "check-steps" }, ...result.grades.map(grade)),
    make("h3", {}, "Measured"),
    measured(result),
    ...result.cautions.map((caution) => make("p", { class: "caution" }, caution)),
  ];
}

/**
 * @param {string} head
 * @param {string} words
 * @param {string} [kind]
 */
function text(head, words, kind = "") {
  return make("div", { class: `spoken ${kind}` }, make("h3", {}, head), make("pre", {}, words));
}

/** @param {import("./shapes.js").Grade} found */
function grade(found) {
  const [kind, mark, word] = found.passed === null ? ["open", "–", "not graded"] : found.passed ? ["yes", "✓", "passed"] : ["no", "✗", "not passed"];
  return make("li", { class: kind }, make("span", { class: "mark", "aria-hidden": "true" }, mark), make("span", { class: "unseen" }, `${word}: `), make("strong", {}, found.check), make("span", {}, found.reason ?? ""));
}

/** @param {import("./shapes.js").Result} result */
function measured(result) {
  const rows = [
    ["Latency", duration(result.latency_ms)],
    ["Time to first token", duration(result.ttft_ms)],
    ["Input tokens", count(result.input_tokens)],
    ["Output tokens", `${count(result.output_tokens)}${result.tokens_source === "estimated" ? " (our estimate)" : ""}`],
    ["Cost", dollars(result.cost_usd)],
    ["Ended by", result.finish_reason ?? "–"],
  ];
  return make("dl", { class: "measured" }, ...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}
