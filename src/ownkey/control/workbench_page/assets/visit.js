/**
 * What this tab knows of its visit. It is kept in the tab's session storage alone, so that a reload goes on where one
 * was, and closing the tab forgets the token. A key is never in it.
 */

const PLACE = "ownkey-workbench";

/**
 * A model to test: its form's name, the target that was made of it, and what that was made of, but its key.
 * @typedef {{name: string, target: import("./shapes.js").Target|null, made: string}} Model
 *
 * `step` is where one is; `models` has one at least; `tested` the last connection checks by the target's id; `turns`
 * the talk about the run.
 * @typedef {{
 *   step: string,
 *   session: {id: string, token: string, expires_at: string, anonymous: boolean, limits: import("./shapes.js").Limits} | null,
 *   suite: import("./shapes.js").Suite | null,
 *   models: Model[],
 *   tested: Record<string, import("./shapes.js").Check>,
 *   run: string | null,
 *   turns: {role: "user"|"assistant", content: string}[],
 *   drafts: Record<string, string>,
 * }} Known
 */

/** @returns {Known} */
function nothing() {
  return { step: "welcome", session: null, suite: null, models: [{ name: "0", target: null, made: "" }], tested: {}, run: null, turns: [], drafts: {} };
}

/** Dispatches `change` whenever something was learned. */
export class Visit extends EventTarget {
  /** @param {Storage} storage */
  constructor(storage) {
    super();
    this.storage = storage;
    this.known = { ...nothing(), ...read(storage) };
  }

  /** @param {Partial<Known>} news */
  learn(news) {
    Object.assign(this.known, news);
    this.keep();
    this.dispatchEvent(new Event("change"));
  }

  /** The models under test, in order: those whose targets are made. */
  targets() {
    return this.known.models.flatMap(({ target }) => target ?? []);
  }

  /**
   * Learn something of one model.
   * @param {string} name
   * @param {Partial<Model>} news
   */
  model(name, news) {
    this.learn({ models: this.known.models.map((each) => (each.name === name ? { ...each, ...news } : each)) });
  }

  /** Forget the session and all that was in it; what was typed into forms stays. */
  end() {
    const { drafts, models } = this.known;
    this.known = { ...nothing(), drafts, models: models.map(({ name }) => ({ name, target: null, made: "" })) };
    this.keep();
    this.dispatchEvent(new Event("change"));
  }

  /** Forget everything. */
  forget() {
    this.known = nothing();
    this.storage.removeItem(PLACE);
    this.dispatchEvent(new Event("change"));
  }

  keep() {
    try {
      this.storage.setItem(PLACE, JSON.stringify(this.known));
    } catch (error) {
      // Full or closed to us: the visit goes on, and only a reload would begin anew.
      if (!(error instanceof DOMException)) throw error;
    }
  }
}

/**
 * @param {Storage} storage
 * @returns {Partial<Known>}
 */
function read(storage) {
  try {
    return JSON.parse(storage.getItem(PLACE) ?? "{}");
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
