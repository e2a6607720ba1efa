/** Step 2: a curated suite or one's own, and a look at its questions. */

import { byId, fill, make, when } from "./dom.js";
import { counted } from "./numbers.js";
import { showPrompts } from "./prompts.js";
import { notice, tell } from "./telling.js";
import { Upload } from "./upload.js";

/** @type {Record<string, string>} */
const TASKS = { support: "Customer support", code: "Code generation", qa: "Questions and answers", creative: "Creative writing" };

export class Task {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    /** @type {import("./shapes.js").Suite[]} */
    this.suites = [];
    /** The list that the cards were made of. */
    this.shown = "";
    this.told = byId("task-told", HTMLElement);
    this.box = byId("prompts-box", HTMLDetailsElement);
    this.upload = new Upload(page, (suite) => this.uploaded(suite));
    const form = byId("suites", HTMLFormElement);
    form.addEventListener("change", (event) => this.changed(event));
    this.box.addEventListener("toggle", () => this.prompts());
    when(form, () => this.next());
  }

  async enter() {
    fill(this.told);
    this.chosen();
    try {
      this.suites = (await this.page.api.call("GET", "/workbench/suites")).items;
    } catch (error) {
      if (!(await this.page.life.ended(error))) tell(this.told, error);
      return;
    }
    this.show();
  }

  show() {
    const shown = JSON.stringify(this.suites);
    if (shown !== this.shown) this.cards();
    this.shown = shown;
    this.chosen();
  }

  cards() {
    const curated = this.suites.filter((suite) => suite.curated);
    const tasks = [...new Set(curated.map((suite) => suite.task ?? "other"))];
    fill(
      byId("suite-cards", HTMLElement),
      ...tasks.map((task) => {
        const cards = curated.filter((suite) => (suite.task ?? "other") === task).map((suite) => this.card(suite));
        return make("fieldset", {}, make("legend", {}, TASKS[task] ?? task), make("div", { class: "cards" }, ...cards));
      }),
    );
    fill(byId("own-cards", HTMLElement), ...this.suites.filter((suite) => !suite.curated).map((suite) => this.card(suite)));
  }

  /** @param {import("./shapes.js").Suite} suite */
  card(suite) {
    const radio = make("input", { type: "radio", name: "suite", value: suite.id });
    const head = suite.curated ? (suite.difficulty ?? suite.name) : suite.name;
    return make(
      "label",
      { class: "card choice" },
      radio,
      make("span", { class: "choice-head" }, make("strong", {}, head), make("span", { class: "tag" }, counted(suite.prompts, "question"))),
      suite.description && make("span", { class: "choice-about" }, suite.description),
    );
  }

  /** @param {Event} event */
  changed(event) {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== "suite") return;
    const { value } = event.target;
    const suite = this.suites.find((each) => each.id === value);
    if (suite) this.page.visit.learn({ suite });
    fill(this.told);
    this.chosen();
  }

  chosen() {
    const { suite } = this.page.visit.known;
    for (const radio of byId("suites", HTMLFormElement).querySelectorAll("input")) {
      if (radio.name === "suite") radio.checked = radio.value === suite?.id;
    }
    this.box.hidden = suite === null;
    if (suite === null) return;
    byId("prompts-summary", HTMLElement).textContent = `See the questions of “${suite.name}”`;
    if (this.box.open) void this.prompts();
  }

  async prompts() {
    const { suite } = this.page.visit.known;
    if (!this.box.open || suite === null) return;
    const place = byId("prompts", HTMLOListElement);
    try {
      const found = await this.page.api.call("GET", `/workbench/suites/${suite.id}`);
      showPrompts(place, found.items, found.prompts);
    } catch (error) {
      if (!(await this.page.life.ended(error))) tell(this.told, error);
    }
  }

  /** @param {import("./shapes.js").Suite} suite */
  uploaded(suite) {
    this.suites.push(suite);
    this.page.visit.learn({ suite });
    this.box.open = true;
    this.show();
  }

  next() {
    const { suite } = this.page.visit.known;
    if (suite === null) {
      fill(this.told, notice("bad", make("p", {}, "Choose one of the sets above, or upload your own, to go on.")));
      byId("suites", HTMLFormElement).querySelector("input")?.focus();
      return;
    }
    this.page.steps().go("connect");
  }
}
