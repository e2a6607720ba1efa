/** Step 3: one model, or two to compare, each with its connection tested. */

import { byId, fill, make, when } from "./dom.js";
import { ModelForm } from "./model_form.js";
import { notice, tell } from "./telling.js";

export class Connect {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.told = byId("connect-told", HTMLElement);
    this.box = byId("second-box", HTMLDetailsElement);
    this.first = new ModelForm(page, byId("first-model", HTMLElement), 0, () => this.changed());
    this.second = new ModelForm(page, byId("second-model", HTMLElement), 1, () => this.changed());
    this.alone = make("button", { type: "button" }, "Do not compare");
    byId("second-model", HTMLElement).append(this.alone);
    when(this.alone, () => this.drop());
    when(byId("connect-next", HTMLButtonElement), () => this.next());
  }

  async enter() {
    fill(this.told);
    try {
      const terms = await this.page.terms();
      const presets = (await this.page.api.call("GET", "/workbench/presets")).items;
      const stored = terms.account ? (await this.page.accounts.call("GET", "/credentials")).items : [];
      this.first.offer(presets, terms, stored);
      this.second.offer(presets, terms, stored);
    } catch (error) {
      if (!(await this.page.life.ended(error))) tell(this.told, error);
    }
    this.box.open = this.box.open || this.second.target() !== undefined;
    this.changed();
  }

  changed() {
    const { targets, tested } = this.page.visit.known;
    const ready = targets.length > 0 && tested[targets[0].id]?.success;
    this.box.hidden = !ready && this.second.target() === undefined;
    this.alone.hidden = this.second.target() === undefined;
    const same = this.second.choices.find((choice) => choice.from);
    if (same) same.from = targets[0];
    else if (targets[0] && this.second.choices.length) void this.enter();
    fill(this.told);
  }

  async drop() {
    const { visit } = this.page;
    const second = this.second.target();
    if (!second || !visit.known.session) return;
    visit.learn({ targets: visit.known.targets.slice(0, 1) });
    this.box.open = false;
    this.second.made = "";
    this.second.show();
    this.changed();
    try {
      await this.second.remove(visit.known.session.id, second.id);
    } catch (error) {
      tell(this.told, error);
    }
  }

  next() {
    const { suite, targets, tested } = this.page.visit.known;
    const bad = targets.find((target) => !tested[target.id]?.success);
    const words = !targets.length
      ? "Test the connection first: a run against an endpoint that does not answer teaches nothing."
      : bad
        ? `The connection to ${bad.label} does not work yet: what to do stands with its test.`
        : "";
    if (words) {
      fill(this.told, notice("bad", make("p", {}, words)));
      return;
    }
    this.page.steps().go(suite ? "run" : "task");
  }
}
