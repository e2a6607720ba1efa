/** The six steps: which is shown, which can be gone to, and where the focus goes. */

import { byId, fill, make } from "./dom.js";
import { Visit } from "./visit.js";

export const STEPS = [
  ["welcome", "Welcome"],
  ["task", "Task"],
  ["connect", "Connect"],
  ["run", "Run"],
  ["ask", "Ask"],
  ["export", "Export & erase"],
];

/** @typedef {{enter: () => void|Promise<void>}} Step is told each time it is shown */

export class Steps {
  /**
   * @param {Visit} visit
   * @param {Record<string, Step>} steps
   */
  constructor(visit, steps) {
    this.visit = visit;
    this.steps = steps;
    this.shown = "";
    visit.addEventListener("change", () => this.list());
    addEventListener("hashchange", () => this.show(this.asked()));
  }

  /** Show the step of the address, or the one that was shown last. */
  begin() {
    this.show(location.hash ? this.asked() : this.visit.known.step, false);
  }

  /**
   * Go to a step; the browser's Back leads to the one before.
   * @param {string} name
   */
  go(name) {
    if (location.hash === `#${name}`) this.show(name);
    else location.hash = name;
  }

  /** @param {string} name */
  open(name) {
    const { session, suite, tested, run } = this.visit.known;
    const targets = this.visit.targets();
    if (name === "welcome") return true;
    if (!session) return false;
    if (name === "run") return Boolean(run) || Boolean(suite && targets.length && targets.every((each) => tested[each.id]?.success));
    return name === "ask" ? Boolean(run) : true;
  }

  asked() {
    return location.hash.slice(1);
  }

  /**
   * @param {string} wanted
   * @param {boolean} [focus] whether a person went there
   */
  show(wanted, focus = true) {
    const known = STEPS.some(([name]) => name === wanted);
    const name = known && this.open(wanted) ? wanted : this.furthest(known ? wanted : "welcome");
    for (const [each] of STEPS) byId(each, HTMLElement).hidden = each !== name;
    if (name !== this.asked()) history.replaceState(null, "", `#${name}`);
    this.shown = name;
    this.visit.learn({ step: name });
    const title = byId(`${name}-title`, HTMLElement);
    document.title = `${title.textContent} · Ownkey workbench`;
    if (focus) {
      title.focus({ preventScroll: true });
      scrollTo({ top: 0 });
    }
    return this.steps[name]?.enter();
  }

  /**
   * The last step before `wanted` that can be gone to.
   * @param {string} wanted
   */
  furthest(wanted) {
    let found = "welcome";
    for (const [name] of STEPS) {
      if (this.open(name)) found = name;
      if (name === wanted) break;
    }
    return found;
  }

  list() {
    const items = STEPS.map(([name, label], index) => {
      const inside = [make("span", { class: "step-number", "aria-hidden": "true" }, index + 1), make("span", { class: "step-name" }, label)];
      const current = name === this.shown;
      if (this.open(name)) return make("li", {}, make("a", { href: `#${name}`, "aria-current": current && "step" }, ...inside));
      return make("li", {}, make("a", { role: "link", "aria-disabled": "true", "aria-current": current && "step" }, ...inside));
    });
    fill(byId("steps", HTMLOListElement), ...items);
  }
}
