/** One model to test: chosen, connected, and the connection tested. The key is sent once and leaves the field at once. */

import { Refused } from "./api.js";
import { showCheck } from "./checked.js";
import { choicesOf, endpointOf } from "./choices.js";
import { byId, field, fill, make, when, within } from "./dom.js";
import { keepDrafts } from "./drafts.js";
import { point, tell } from "./telling.js";

const SUGGESTED = 8;
/** A label has a hundred characters at most, some of which tell it apart from others. */
const LABELLED = 70;
const NAMES = { input_usd_per_million: "input_usd", output_usd_per_million: "output_usd", "prices.input_usd_per_million": "input_usd", "prices.output_usd_per_million": "output_usd" };

/** @typedef {{presets: import("./shapes.js").Preset[], account: string|null, credentials: {id: string, label: string, provider: string}[]}} Offer the endpoints and stored keys there are */

export class ModelForm {
  /**
   * @param {import("./main.js").Page} page
   * @param {string} name tells the model apart from the others of the visit
   * @param {() => void} changed
   * @param {() => Promise<void>} removed
   */
  constructor(page, name, changed, removed) {
    this.page = page;
    this.name = name;
    this.changed = changed;
    const made = /** @type {DocumentFragment} */ (byId("model-template", HTMLTemplateElement).content.cloneNode(true));
    this.form = within(made, "form", HTMLFormElement);
    // Until the endpoints are known: its fields depend on them.
    this.form.hidden = true;
    /** @type {import("./choices.js").Choice[]} */
    this.choices = [];
    /** What the choices were made of. */
    this.offered = "";
    /** The test under way; whether the connection then works.
     * @type {Promise<boolean>|null} */
    this.testing = null;
    /** The check whose result is shown.
     * @type {unknown} */
    this.drawn = null;
    keepDrafts(this.form, `model${name}`, page.visit);
    field(this.form, "preset").addEventListener("change", () => {
      this.choose(true);
      this.changed();
    });
    when(this.form, async () => void (await this.test()));
    when(within(this.form, "[data-part=remove]", HTMLButtonElement), removed);
  }

  /** @param {string} name */
  part(name) {
    return within(this.form, `[data-part=${name}]`, HTMLElement);
  }

  model() {
    return this.page.visit.known.models.find((each) => each.name === this.name);
  }

  /** The target this form made, if it has. */
  target() {
    return this.model()?.target ?? null;
  }

  /**
   * The model's place among the others.
   * @param {number} place from 1
   * @param {number} count
   */
  number(place, count) {
    const title = count > 1 ? `Model ${place}` : "Model";
    this.form.setAttribute("aria-label", title);
    this.part("head").hidden = count === 1;
    this.part("title").textContent = title;
    this.part("remove").hidden = place === 1;
    this.part("removed").textContent = ` ${title.toLowerCase()}`;
  }

  /** Let it be filled in. */
  begin() {
    this.form.scrollIntoView({ block: "nearest" });
    field(this.form, "model").focus();
  }

  /** What was typed is not wanted any more. */
  forget() {
    const { visit } = this.page;
    const others = Object.entries(visit.known.drafts).filter(([name]) => !name.startsWith(`model${this.name}.`));
    visit.learn({ drafts: Object.fromEntries(others) });
  }

  /**
   * @param {Offer} offer
   * @param {import("./shapes.js").Target|null} first the model to compare with
   */
  show(offer, first) {
    const offered = JSON.stringify([offer, first]);
    if (offered !== this.offered) this.offers(offer, first);
    this.offered = offered;
    const target = this.target();
    const check = target && this.page.visit.known.tested[target.id];
    const kept = target?.kind === "direct" && target.masked_key;
    field(this.form, "api_key").placeholder = kept ? `${kept} is kept` : this.choice().key === "optional" ? "if it asks for one" : "";
    const suggestions = this.part("suggestions");
    const models = check && !check.success ? check.models.slice(0, SUGGESTED) : [];
    suggestions.hidden = models.length === 0;
    fill(suggestions, make("span", {}, "It has:"), ...models.map((model) => this.suggestion(model)));
    // Drawn anew only with news: what was opened stays open.
    if (this.testing || this.drawn === (check ?? null)) return;
    this.drawn = check ?? null;
    if (target && check) showCheck(this.part("result"), check, target);
    else fill(this.part("result"));
  }

  /**
   * @param {Offer} offer
   * @param {import("./shapes.js").Target|null} first
   */
  offers({ presets, account, credentials }, first) {
    this.choices = choicesOf(presets, account, first);
    const select = within(this.form, "[name=preset]", HTMLSelectElement);
    fill(select, ...this.choices.map((choice) => make("option", { value: choice.name }, choice.label)));
    select.value = this.page.visit.known.drafts[`model${this.name}.preset`] ?? "";
    if (select.selectedIndex < 0) select.selectedIndex = 0;
    const stored = within(this.form, "[name=credential]", HTMLSelectElement);
    const keys = credentials.map((each) => make("option", { value: each.id }, each.label || each.provider));
    fill(stored, make("option", { value: "" }, "whichever Ownkey chooses"), ...keys);
    stored.value = this.target()?.credential ?? "";
    this.choose(false);
    this.form.hidden = false;
  }

  choice() {
    return this.choices[within(this.form, "[name=preset]", HTMLSelectElement).selectedIndex];
  }

  /** @param {boolean} anew whether the address of the choice replaces what stands there */
  choose(anew) {
    const choice = this.choice();
    const url = field(this.form, "endpoint_url");
    if (choice.address !== null && (anew || !url.value)) {
      url.value = choice.address;
      url.dispatchEvent(new Event("input"));
    }
    this.part("url").hidden = choice.address === null;
    this.part("key").hidden = choice.key === "none";
    this.part("credential").hidden = !choice.stored;
    this.part("hint").textContent = choice.hint;
    this.part("prices").hidden = choice.stored;
  }

  /** Test the connection of what is typed, unless that is under way; whether it works. */
  test() {
    this.testing ??= this.tried();
    return this.testing;
  }

  async tried() {
    const told = this.part("told");
    const body = this.body();
    const before = this.target();
    fill(told);
    point(this.form, null);
    try {
      return await this.check(body);
    } catch (error) {
      if (await this.page.life.ended(error)) return false;
      tell(told, error);
      point(this.form, error, NAMES);
      const lost = "api_key" in body && !field(this.form, "api_key").value && this.target() === before;
      if (lost) told.append(make("p", { class: "hint" }, "The key was taken out of the field when it was sent: give it again."));
      return false;
    } finally {
      this.testing = null;
      this.changed();
    }
  }

  /**
   * Make the target and test it.
   * @param {Record<string, unknown>} body
   * @returns {Promise<boolean>}
   */
  async check(body) {
    const { visit, api } = this.page;
    const { session } = visit.known;
    if (session === null) return false;
    if (!body.model) throw new Refused(400, { detail: "Give the model’s name, as the endpoint calls it.", param: "model" }, null);
    const target = await this.stored(session.id, body);
    if (target.key_hint) fill(this.part("told"), make("p", { class: "hint" }, target.key_hint));
    this.drawn = "asking";
    fill(this.part("result"), make("p", { class: "hint" }, "Asking the endpoint a few small questions. This takes a few seconds …"));
    const check = await api.call("POST", `/workbench/sessions/${session.id}/test`, { json: { target_id: target.id } });
    const known = await api.call("GET", `/workbench/sessions/${session.id}`);
    visit.learn({ tested: { ...visit.known.tested, [target.id]: check } });
    visit.model(this.name, { target: known.targets.find((/** @type {{id: string}} */ each) => each.id === target.id) ?? target });
    return check.success;
  }

  /** Whether what is typed has not been tested as it stands. */
  stale() {
    const target = this.target();
    return !target || !(target.id in this.page.visit.known.tested) || this.differs();
  }

  /** Whether the connection worked when it was tested last. */
  works() {
    const target = this.target();
    return Boolean(target && this.page.visit.known.tested[target.id]?.success);
  }

  /** What the model is called, for people. */
  called() {
    return field(this.form, "model").value.trim() || (this.form.getAttribute("aria-label") ?? "").toLowerCase();
  }

  /** Whether the target there is was made of something else. */
  differs() {
    const choice = this.choice();
    return (choice.key !== "none" && field(this.form, "api_key").value.trim() !== "") || this.typed() !== this.model()?.made;
  }

  /** What a target is made of, but its key. */
  typed() {
    const { name, from, address, stored } = this.choice();
    const names = ["model", ...(address === null ? [] : ["endpoint_url"]), ...(stored ? ["credential"] : ["input_usd", "output_usd"])];
    const same = from && [from.kind, from.base_url, from.credential, from.masked_key];
    return JSON.stringify([name, same ?? null, ...names.map((each) => field(this.form, each).value.trim())]);
  }

  /** What is typed, as the API takes it. */
  body() {
    const typed = { url: field(this.form, "endpoint_url").value.trim(), key: field(this.form, "api_key").value.trim(), credential: field(this.form, "credential").value };
    const model = field(this.form, "model").value.trim();
    const input = field(this.form, "input_usd").value.trim();
    const output = field(this.form, "output_usd").value.trim();
    const prices = !this.choice().stored && (input || output) ? { prices: { input_usd_per_million: input || "0", output_usd_per_million: output || "0" } } : {};
    return { model, label: this.label(model), ...endpointOf(this.choice(), typed, this.target()), ...prices };
  }

  /**
   * The model's name, or what tells it apart where another model has the same.
   * @param {string} model
   */
  label(model) {
    const taken = new Set(this.page.visit.known.models.flatMap(({ name, target }) => (target && name !== this.name ? [target.label] : [])));
    const short = model.slice(0, LABELLED);
    const where = this.choice().from ? [] : [`${short} (${this.choice().label})`];
    const numbered = [...taken].map((_, index) => `${short} (${index + 2})`);
    return [short, ...where, ...numbered].find((each) => !taken.has(each)) ?? short;
  }

  /**
   * A target made of this, or the one there is where it was made of the same.
   * @param {string} session
   * @param {Record<string, unknown>} body
   * @returns {Promise<import("./shapes.js").Target>}
   */
  async stored(session, body) {
    const previous = this.target();
    if (previous && !this.differs()) return previous;
    const made = this.typed();
    field(this.form, "api_key").value = "";
    const target = await this.page.api.call("POST", `/workbench/sessions/${session}/targets`, { json: body });
    this.page.visit.model(this.name, { target, made });
    if (previous) await this.remove(previous.id);
    return target;
  }

  /**
   * Take out a target that is not wanted any more. One that a run has tested stays with it.
   * @param {string} target
   */
  async remove(target) {
    const { session } = this.page.visit.known;
    if (session === null) return;
    try {
      await this.page.api.call("DELETE", `/workbench/sessions/${session.id}/targets/${target}`);
    } catch (error) {
      if (!(error instanceof Refused && (error.status === 409 || error.status === 404))) throw error;
    }
  }

  /** @param {string} model */
  suggestion(model) {
    const button = make("button", { type: "button", class: "chip" }, model);
    button.addEventListener("click", () => {
      const input = field(this.form, "model");
      input.value = model;
      input.dispatchEvent(new Event("input"));
      this.form.requestSubmit();
    });
    return button;
  }
}
