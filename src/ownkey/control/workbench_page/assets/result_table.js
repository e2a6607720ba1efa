/**
 * The results, newest first, a page of rows at a time: however many there are, the document holds a hundred. Of each
 * only what a row shows is kept; the whole is asked for when it is opened.
 */

import { byId, fill, make } from "./dom.js";
import { count, counted, dollars, duration } from "./numbers.js";

const PAGE = 100;
const MOST = 20_000;
const EXCERPT = 90;
const REDRAWN_EVERY = 150;

/**
 * @typedef {{seq: number, target: number, prompt: string, position: number, repeat: number, warmUp: boolean, ok: boolean, passed: boolean|null, said: string, latency: number|null, ttft: number|null, tokens: number|null, cost: string|null}} Row
 */

export class ResultTable {
  /** @param {import("./detail.js").Detail} detail */
  constructor(detail) {
    this.detail = detail;
    /** @type {Map<string, Row>} */
    this.kept = new Map();
    /** @type {string[]} */
    this.labels = [];
    this.page = 0;
    this.seen = 0;
    this.drawing = 0;
    byId("filter", HTMLSelectElement).addEventListener("change", () => {
      this.page = 0;
      this.draw();
    });
  }

  clear() {
    this.kept.clear();
    this.page = 0;
    this.seen = 0;
    this.draw();
  }

  /** @param {string[]} labels the models' */
  name(labels) {
    this.labels = labels;
    byId("results-table", HTMLElement).classList.toggle("single", labels.length < 2);
  }

  /** @param {import("./shapes.js").Result} result */
  add(result) {
    const { seq, target, position, repeat, warm_up: warmUp } = result;
    this.seen = Math.max(this.seen, seq);
    const place = `${target}.${position}.${repeat}.${warmUp}`;
    if (this.kept.size >= MOST && !this.kept.has(place)) return;
    const said = result.failure ? result.failure.message : result.answer;
    // Deleted first: a result made again is new.
    this.kept.delete(place);
    this.kept.set(place, {
      seq,
      target,
      prompt: result.prompt_id,
      position,
      repeat,
      warmUp,
      ok: result.status === "ok",
      passed: result.passed,
      said: said.length > EXCERPT ? `${said.slice(0, EXCERPT)} …` : said,
      latency: result.latency_ms,
      ttft: result.ttft_ms,
      tokens: result.output_tokens,
      cost: result.cost_usd,
    });
    if (!this.drawing) this.drawing = setTimeout(() => this.draw(), REDRAWN_EVERY);
  }

  /** The results in the figures: warm-up is not. */
  rows() {
    return [...this.kept.values()].filter((row) => !row.warmUp);
  }

  /** How many calls failed. */
  failures() {
    return this.rows().filter((row) => !row.ok).length;
  }

  /** The number of the newest result. */
  last() {
    return this.seen;
  }

  chosen() {
    const filter = byId("filter", HTMLSelectElement).value;
    const all = [...this.kept.values()].reverse();
    if (filter === "failed") return all.filter((row) => !row.ok);
    return filter === "wrong" ? all.filter((row) => row.ok && row.passed === false) : all;
  }

  draw() {
    clearTimeout(this.drawing);
    this.drawing = 0;
    const chosen = this.chosen();
    const pages = Math.max(1, Math.ceil(chosen.length / PAGE));
    this.page = Math.min(this.page, pages - 1);
    const shown = chosen.slice(this.page * PAGE, (this.page + 1) * PAGE);
    const body = byId("results", HTMLTableSectionElement);
    const focused = document.activeElement?.closest("#results button")?.getAttribute("data-seq");
    fill(body, ...shown.map((row) => this.row(row)));
    if (focused) /** @type {HTMLElement|null} */ (body.querySelector(`[data-seq="${focused}"]`))?.focus({ preventScroll: true });
    const more = this.kept.size >= MOST ? ` The table holds the first ${count(MOST)}; figures and exports hold all.` : "";
    byId("results-count", HTMLElement).textContent = `${counted(chosen.length, "result")}.${more}`;
    fill(byId("pager", HTMLElement), ...(pages > 1 ? this.pager(pages) : []));
  }

  /** @param {number} pages */
  pager(pages) {
    const turn = (/** @type {string} */ words, /** @type {number} */ by) => {
      const button = make("button", { type: "button", disabled: this.page + by < 0 || this.page + by >= pages }, words);
      button.addEventListener("click", () => {
        this.page += by;
        this.draw();
      });
      return button;
    };
    return [turn("Newer", -1), make("span", { class: "hint" }, `Page ${this.page + 1} of ${pages}`), turn("Older", 1)];
  }

  /** @param {Row} row */
  row(row) {
    const open = make("button", { type: "button", class: "link", "data-seq": row.seq }, row.prompt, row.repeat > 0 && ` ×${row.repeat + 1}`);
    open.addEventListener("click", () => void this.detail.open(row, this.labels[row.target] ?? ""));
    const [kind, word] = outcome(row);
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, open),
      make("td", {}, this.labels[row.target]),
      make("td", {}, make("span", { class: `outcome ${kind}` }, word)),
      make("td", { class: "said" }, row.said),
      make("td", { class: "number" }, duration(row.latency)),
      make("td", { class: "number" }, duration(row.ttft)),
      make("td", { class: "number" }, count(row.tokens)),
      make("td", { class: "number" }, dollars(row.cost)),
    );
  }
}

/**
 * A class and a word.
 * @param {{ok: boolean, passed: boolean|null, warmUp: boolean}} row
 * @returns {[string, string]}
 */
export function outcome(row) {
  if (!row.ok) return ["bad", "call failed"];
  if (row.warmUp) return ["plain", "warm-up"];
  if (row.passed === null) return ["plain", "answered"];
  return row.passed ? ["good", "passed"] : ["wrong", "not passed"];
}
