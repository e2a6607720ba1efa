/** One model to test: chosen, connected, and the connection tested. The key is sent once and leaves the field at once. */

import { Refused } from "./api.js";
import { showCheck } from "./checked.js";
import { choicesOf, endpointOf } from "./choices.js";
import { byId, field, fill, make, when, within } from "./dom.js";
import { keepDrafts } from "./drafts.js";
import { point, tell } from "./telling.js";

const SUGGESTED = 8;
const NAMES = { input_usd_per_million: "input_usd", output_usd_per_million: "output_usd", "prices.input_usd_per_million": "input_usd", "prices.output_usd_per_million": "output_usd" };

export class ModelForm {
  /**
   * @param {import("./main.js").Page} page
   * @param {HTMLElement} place
   * @param {0|1} index the model's place in the run
   * @param {() => void} changed
   */
  constructor(page, place, index, changed) {
    this.page = page;
    this.index = index;
    this.changed = changed;
    place.append(byId("model-template", HTMLTemplateElement).content.cloneNode(true));
    this.form = within(place, "form", HTMLFormElement);
    // Until the endpoints are known: its fields depend on them.
    this.form.hidden = true;
    this.form.setAttribute("aria-label", index ? "Second model" : "Model");
    /** @type {import("./choices.js").Choice[]} */
    this.choices = [];
    /** What the last target was made of, but its key. */
    this.made = "";
    keepDrafts(this.form, `model${index}`, page.visit);
    field(this.form, "preset").addEventListener("change", () => this.choose(true));
    when(this.form, () => this.test());
  }

  /** @param {string} name */
  part(name) {
    return within(this.form, `[data-part=${name}]`, HTMLElement);
  }

  /** The target this form made, if it has. */
  target() {
    return /** @type {import("./shapes.js").Target|undefined} */ (this.page.visit.known.targets[this.index]);
  }

  /**
   * Offer these endpoints.
   * @param {import("./shapes.js").Preset[]} presets
   * @param {import("./shapes.js").Terms} terms
   * @param {{id: string, label: string, provider: string}[]} credentials
   */
  offer(presets, terms, credentials) {
    const first = this.index ? this.page.visit.known.targets[0] : undefined;
    this.choices = choicesOf(presets, terms.account, first);
    const select = within(this.form, "[name=preset]", HTMLSelectElement);
    fill(select, ...this.choices.map((choice) => make("option", { value: choice.name }, choice.label)));
    select.value = this.page.visit.known.drafts[`model${this.index}.preset`] ?? "";
    if (select.selectedIndex < 0) select.selectedIndex = 0;
    const stored = credentials.map((each) => make("option", { value: each.id }, each.label || each.provider));
    fill(within(this.form, "[name=credential]", HTMLSelectElement), make("option", { value: "" }, "whichever Ownkey chooses"), ...stored);
    this.choose(false);
    this.show();
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
    within(this.part("key"), "input", HTMLInputElement).placeholder = choice.key === "optional" ? "if it asks for one" : "";
    this.part("prices").hidden = choice.stored;
  }

  async test() {
    const { visit, api, life } = this.page;
    const told = this.part("told");
    const { session } = visit.known;
    if (session === null) return;
    fill(told);
    point(this.form, null);
    const body = this.body();
    try {
      const target = (await this.stored(session.id, body)) ?? this.target();
      if (!target) return;
      fill(this.part("result"), make("p", { class: "hint" }, "Asking the endpoint a few small questions. This takes a few seconds …"));
      const check = await api.call("POST", `/workbench/sessions/${session.id}/test`, { json: { target_id: target.id } });
      const known = await api.call("GET", `/workbench/sessions/${session.id}`);
      const targets = [...visit.known.targets];
      targets[this.index] = known.targets.find((/** @type {{id: string}} */ each) => each.id === target.id) ?? target;
      visit.learn({ targets, tested: { ...visit.known.tested, [target.id]: check } });
    } catch (error) {
      if (await life.ended(error)) return;
      tell(told, error);
      point(this.form, error, NAMES);
      if ("api_key" in body && this.made !== without(body)) told.append(make("p", { class: "hint" }, "The key was taken out of the field when it was sent: give it again."));
    }
    this.show();
    this.changed();
  }

  /** What is typed, as the API takes it; the key leaves its field. */
  body() {
    const key = field(this.form, "api_key");
    const typed = { url: field(this.form, "endpoint_url").value.trim(), key: key.value.trim(), credential: field(this.form, "credential").value };
    key.value = "";
    const input = field(this.form, "input_usd").value.trim();
    const output = field(this.form, "output_usd").value.trim();
    const prices = !this.choice().stored && (input || output) ? { prices: { input_usd_per_million: input || "0", output_usd_per_million: output || "0" } } : {};
    return { model: field(this.form, "model").value.trim(), ...endpointOf(this.choice(), typed, this.target()), ...prices };
  }

  /**
   * A target made of this; null where the one there is was made of the same.
   * @param {string} session
   * @param {Record<string, unknown>} body
   * @returns {Promise<import("./shapes.js").Target|null>}
   */
  async stored(session, body) {
    const { visit, api } = this.page;
    const previous = this.target();
    if (previous && !("api_key" in body) && without(body) === this.made) return null;
    const target = await api.call("POST", `/workbench/sessions/${session}/targets`, { json: body });
    this.made = without(body);
    const targets = [...visit.known.targets];
    targets[this.index] = target;
    visit.learn({ targets });
    if (previous) await this.remove(session, previous.id);
    return target;
  }

  /**
   * Take out a target that is not wanted any more. One that a run has tested stays with it.
   * @param {string} session
   * @param {string} target
   */
  async remove(session, target) {
    try {
      await this.page.api.call("DELETE", `/workbench/sessions/${session}/targets/${target}`);
    } catch (error) {
      if (!(error instanceof Refused && (error.status === 409 || error.status === 404))) throw error;
    }
  }

  show() {
    const target = this.target();
    const check = target && this.page.visit.known.tested[target.id];
    const suggestions = this.part("suggestions");
    const models = check && !check.success ? check.models.slice(0, SUGGESTED) : [];
    suggestions.hidden = models.length === 0;
    fill(suggestions, make("span", {}, "It has:"), ...models.map((model) => this.suggestion(model)));
    if (target && check) showCheck(this.part("result"), check, target);
    else fill(this.part("result"));
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

/**
 * What a target is made of, but its key.
 * @param {Record<string, unknown>} body
 */
function without(body) {
  return JSON.stringify({ ...body, api_key: undefined, key_from: undefined });
}
