/** After a run: one of its models becomes a route, a name of the person's own that this gateway answers to. */

import { Refused } from "./api.js";
import { byId, field, fill, make, when, within } from "./dom.js";
import { winner } from "./standing.js";
import { notice, point, tell } from "./telling.js";

export class Promotion {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.section = byId("promotion", HTMLElement);
    this.form = byId("promote", HTMLFormElement);
    this.told = byId("promote-told", HTMLElement);
    this.run = "";
    when(this.form, () => this.promote());
  }

  hide() {
    this.section.hidden = true;
    for (const place of [this.told, byId("promoted", HTMLElement)]) fill(place);
  }

  /**
   * @param {string} run
   * @param {import("./shapes.js").Plan} plan
   * @param {import("./shapes.js").Summary} summary
   */
  offer(run, plan, summary) {
    const { session } = this.page.visit.known;
    this.hide();
    this.section.hidden = !summary.targets.some((target) => target.success.count);
    this.run = run;
    this.form.hidden = !session || session.anonymous;
    const about = "A route is a name of your own that this gateway answers to. When another model turns out better, you change the route and leave your programs alone.";
    const stored = plan.targets.some((target) => target.kind === "direct") ? " The model’s address and its key join your stored keys." : "";
    const account = " To make one you need an account: sign in on the first step before the session begins.";
    byId("promotion-words", HTMLElement).textContent = about + (this.form.hidden ? account : stored);
    const best = winner(summary);
    const labels = plan.targets.map((target, index) => make("option", { value: index, selected: index === best }, target.label));
    byId("promote-which", HTMLElement).hidden = labels.length < 2;
    fill(within(this.form, "select", HTMLSelectElement), labels.length > 1 && best === null && make("option", { value: "" }, "Choose one"), ...labels);
  }

  async promote() {
    const name = field(this.form, "name").value.trim();
    const target = field(this.form, "target").value;
    fill(this.told);
    try {
      if (target === "") throw refusal("Choose the model that the route shall lead to.", "target");
      if (!name) throw refusal("Give the route a name.", "name");
      const made = await this.page.accounts.call("POST", `/workbench/runs/${this.run}/promote`, { json: { name, target: Number(target) } });
      point(this.form, null);
      this.made(made.name, made.model);
    } catch (error) {
      if (await this.page.life.ended(error)) return;
      const told = await this.explained(error);
      tell(this.told, told);
      point(this.form, told);
    }
  }

  /**
   * In the page's words what the API says in its own.
   * @param {unknown} error
   */
  async explained(error) {
    if (!(error instanceof Refused)) return error;
    if (error.status === 409 && error.message.includes("`shadow`")) return refusal("This is the name of a model itself: take another one.", "name");
    if (error.status !== 401 && error.status !== 404) return error;
    this.page.forgetTerms();
    const terms = await this.page.terms().catch(() => null);
    return terms?.account !== null ? error : refusal("You are no longer signed in: sign in again on the first step, then come back here.");
  }

  /**
   * @param {string} name
   * @param {string} model
   */
  made(name, model) {
    const body = JSON.stringify({ model: name, messages: [{ role: "user", content: "Hello" }] });
    const base = `${location.origin}/v1`;
    const call = [`curl ${base}/chat/completions`, '-H "authorization: Bearer $OWNKEY_API_KEY"', '-H "content-type: application/json"', `-d '${body}'`].join(" \\\n  ");
    const words = make("p", {}, make("strong", {}, "The route is made. "), "Send ", make("code", {}, name), " as the model’s name, and ", make("code", {}, model), " answers:");
    const hint = make("p", { class: "hint" }, "Any OpenAI client does the same with the base URL ", make("code", {}, base), " and an API key of your account. ", make("code", {}, "ownkey routes"), " lists, changes and deletes routes.");
    fill(byId("promoted", HTMLElement), notice("good", words, make("pre", {}, call), hint));
  }
}

/**
 * A refusal of the page's own.
 * @param {string} detail
 * @param {string} [param] the field it is about
 */
function refusal(detail, param) {
  return new Refused(400, { detail, param }, null);
}
