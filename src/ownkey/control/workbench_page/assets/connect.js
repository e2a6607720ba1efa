/** Step 3: one model, or several to compare, each with its connection tested. */

import { byId, fill, make, when } from "./dom.js";
import { ModelForm } from "./model_form.js";
import { count } from "./numbers.js";
import { notice, tell } from "./telling.js";

/** So many models are compared in one run. */
const COMPARED = 8;

export class Connect {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.told = byId("connect-told", HTMLElement);
    this.more = byId("add-model", HTMLButtonElement);
    /** @type {Map<string, ModelForm>} */
    this.forms = new Map();
    /** @type {import("./model_form.js").Offer|null} */
    this.offer = null;
    when(this.more, () => this.add());
    when(byId("connect-next", HTMLButtonElement), () => this.next());
  }

  async enter() {
    fill(this.told);
    try {
      const terms = await this.page.terms();
      const presets = (await this.page.api.call("GET", "/workbench/presets")).items;
      const credentials = terms.account ? (await this.page.accounts.call("GET", "/credentials")).items : [];
      this.offer = { presets, account: terms.account, credentials };
    } catch (error) {
      if (!(await this.page.life.ended(error))) tell(this.told, error);
    }
    this.show();
  }

  /** A form for each model, and the way to another. */
  show() {
    const { models, tested, session } = this.page.visit.known;
    for (const [name, form] of this.forms) {
      if (models.some((model) => model.name === name)) continue;
      form.form.remove();
      this.forms.delete(name);
    }
    models.forEach((model, index) => {
      const form = this.forms.get(model.name) ?? this.made(model.name);
      form.number(index + 1, models.length);
      if (this.offer) form.show(this.offer, index ? models[0].target : null);
    });
    const most = Math.min(COMPARED, session?.limits.targets ?? COMPARED);
    const first = models[0].target;
    this.more.hidden = models.length >= most || (models.length === 1 && !(first && tested[first.id]?.success));
    byId("most-models", HTMLElement).textContent = models.length >= most ? `${count(most)} models are the most in one comparison here.` : "";
  }

  /** @param {string} name */
  made(name) {
    const form = new ModelForm(this.page, name, () => this.changed(), () => this.remove(name));
    this.forms.set(name, form);
    byId("models", HTMLElement).append(form.form);
    return form;
  }

  changed() {
    fill(this.told);
    this.show();
  }

  add() {
    const { visit } = this.page;
    const { models } = visit.known;
    const name = String(Math.max(...models.map((model) => Number(model.name))) + 1);
    visit.learn({ models: [...models, { name, target: null, made: "" }] });
    this.changed();
    this.forms.get(name)?.begin();
  }

  /** @param {string} name */
  async remove(name) {
    const { visit } = this.page;
    const form = this.forms.get(name);
    await form?.testing;
    const target = form?.target();
    visit.learn({ models: visit.known.models.filter((model) => model.name !== name) });
    form?.forget();
    this.changed();
    (this.more.hidden ? byId("connect-next", HTMLElement) : this.more).focus();
    if (!target) return;
    try {
      await form?.remove(target.id);
    } catch (error) {
      if (!(await this.page.life.ended(error))) tell(this.told, error);
    }
  }

  /** Go on, once every model is tested as it stands in its form. */
  async next() {
    fill(this.told);
    for (const form of this.forms.values()) {
      if (form.stale() ? await form.test() : form.works()) continue;
      if (!this.page.visit.known.session) return;
      fill(this.told, notice("bad", make("p", {}, `The connection to ${form.called()} does not work yet: what to do stands with its test.`)));
      return;
    }
    this.page.steps().go(this.page.visit.known.suite ? "run" : "task");
  }
}
