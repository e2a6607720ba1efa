/** How a run is made: sizes within the session's limits, what it may cost, then the start. */

import { Refused } from "./api.js";
import { byId, field, fill, when } from "./dom.js";
import { count } from "./numbers.js";
import { previewed } from "./spending.js";
import { point, tell, unfold } from "./telling.js";

const SETTLED = 350;
const NUMBERS = ["limit", "repeats", "concurrency", "max_tokens", "temperature", "warm_up", "retries"];
/** The API's names of what a request must meet, with those of the fields. */
const OBJECTIVES = { ttft_ms: "objective_ttft", tpot_ms: "objective_tpot", e2e_ms: "objective_e2e" };
const NAMES = { ...Object.fromEntries(Object.entries(OBJECTIVES).map(([name, ours]) => [`objectives.${name}`, ours])), "judge.model": "judge" };

export class PlanForm {
  /**
   * @param {import("./main.js").Page} page
   * @param {(run: import("./shapes.js").Run) => void} begun
   */
  constructor(page, begun) {
    this.page = page;
    this.begun = begun;
    this.form = byId("plan", HTMLFormElement);
    this.told = byId("plan-told", HTMLElement);
    this.timer = 0;
    this.asked = new AbortController();
    this.form.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.preview(), SETTLED);
    });
    when(this.form, () => this.start());
  }

  async enter() {
    const { suite, session } = this.page.visit.known;
    if (!suite || !session) return;
    const targets = this.page.visit.targets();
    const { limits } = session;
    const limit = field(this.form, "limit");
    limit.max = String(suite.prompts);
    if (!limit.value || Number(limit.value) > suite.prompts) limit.value = String(Math.min(suite.prompts, limits.calls_a_run));
    field(this.form, "concurrency").max = String(limits.concurrency);
    field(this.form, "max_tokens").max = String(limits.max_tokens);
    byId("limit-hint", HTMLElement).textContent = `of ${count(suite.prompts)} in “${suite.name}”`;
    byId("concurrency-hint", HTMLElement).textContent = `1 to ${limits.concurrency}`;
    byId("graders", HTMLElement).hidden = session.anonymous;
    const asked = new Intl.ListFormat("en").format(targets.map((target) => target.label));
    const turns = targets.length > 1 ? " The same questions go to each, in turn, so that the comparison is fair." : "";
    byId("plan-words", HTMLElement).textContent = `“${suite.name}” for ${asked}.${turns}`;
    await this.preview();
  }

  /** The plan as the API takes it. */
  body() {
    const { suite, session } = this.page.visit.known;
    const numbers = Object.fromEntries(NUMBERS.map((name) => [name, field(this.form, name).valueAsNumber]));
    const objectives = Object.entries(OBJECTIVES).flatMap(([name, ours]) => (field(this.form, ours).value ? [[name, field(this.form, ours).valueAsNumber]] : []));
    const cap = field(this.form, "max_cost_usd").value.trim();
    // What an account typed before is nothing a session without one may ask for.
    const [judge, embedding] = ["judge", "embedding_model"].map((name) => (session?.anonymous ? "" : field(this.form, name).value.trim()));
    return {
      suite_id: suite?.id,
      targets: this.page.visit.targets().map((target) => target.id),
      ...numbers,
      ...(cap ? { max_cost_usd: cap } : {}),
      ...(objectives.length ? { objectives: Object.fromEntries(objectives) } : {}),
      ...(judge ? { judge: { model: judge } } : {}),
      ...(embedding ? { embedding_model: embedding } : {}),
    };
  }

  async preview() {
    const { session } = this.page.visit.known;
    const spend = byId("spend", HTMLElement);
    if (!session || !this.valid()) return;
    this.asked.abort();
    this.asked = new AbortController();
    try {
      const found = await this.page.api.call("POST", `/workbench/sessions/${session.id}/runs/preview`, { json: this.body(), signal: this.asked.signal });
      fill(this.told);
      spend.textContent = previewed(found, session.limits.calls_a_run);
    } catch (error) {
      if (error instanceof DOMException || (await this.page.life.ended(error))) return;
      spend.textContent = "";
      tell(this.told, error);
    }
  }

  /** Whether every field holds what it may; if not, the browser's words are told and the field is marked. */
  valid() {
    for (const input of this.form.elements) {
      if (!(input instanceof HTMLInputElement)) continue;
      input.removeAttribute("aria-invalid");
      if (input.checkValidity()) continue;
      input.setAttribute("aria-invalid", "true");
      unfold(input);
      const label = input.labels?.[0]?.firstChild?.textContent?.trim() ?? input.name;
      this.told.textContent = "";
      tell(this.told, new Refused(400, { detail: `${label}: ${input.validationMessage}` }, null));
      return false;
    }
    return true;
  }

  async start() {
    const { session } = this.page.visit.known;
    if (!session || !this.valid()) return;
    fill(this.told);
    try {
      this.begun(await this.page.api.call("POST", `/workbench/sessions/${session.id}/runs`, { json: this.body() }));
    } catch (error) {
      if (await this.page.life.ended(error)) return;
      tell(this.told, error);
      point(this.form, error, NAMES);
    }
  }
}
