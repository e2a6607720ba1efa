/** Step 1: what happens, how long it lives, what is kept and who sees it; then the session begins. */

import { byId, field, fill, make, when } from "./dom.js";
import { count, lifetime } from "./numbers.js";
import { notice, tell } from "./telling.js";

export class Welcome {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.told = byId("welcome-told", HTMLElement);
    const form = byId("sign-in", HTMLFormElement);
    when(byId("begin", HTMLButtonElement), () => this.begin());
    when(form, () => this.signIn(form));
  }

  async enter() {
    try {
      this.show(await this.page.terms());
    } catch (error) {
      tell(this.told, error);
    }
  }

  /** @param {import("./shapes.js").Terms} terms */
  show(terms) {
    const { session } = this.page.visit.known;
    const { limits, account } = terms;
    const life = lifetime(limits.session_s);
    const facts = [
      ["What happens", "You pick questions, connect a model, run them, and read figures that say how sure they are. It takes a few minutes."],
      ["How long", account ? `A session lives ${life}. You can erase it at any time.` : `A session lives ${life} and is then erased by itself. You can erase it sooner at any time.`],
      ["What is kept", `Until then: your key, encrypted; your questions; the answers and their figures. Afterwards nothing${account ? " but the account of requests that went through this gateway, without any text" : ""}.`],
      ["Who sees it", account ? "You alone: this tab, and you wherever you are signed in." : "This tab alone: it holds a secret that nobody else has. Close the tab and nobody can read the session, not even you."],
      ["How much", `Up to ${count(limits.calls_a_run)} calls a run, ${limits.concurrency} at a time. The endpoint charges its own price for each; you see an estimate before anything is sent.`],
    ];
    fill(byId("welcome-facts", HTMLElement), ...facts.map(([term, about]) => make("div", {}, make("dt", {}, term), make("dd", {}, about))));
    fill(
      byId("welcome-account", HTMLElement),
      account && notice("plain", make("p", {}, "You are signed in as ", make("strong", {}, account), ": the session will be yours.")),
      terms.simulated && notice("plain", make("p", {}, "Every well-known provider is a simulator here: any key works, nothing is billed, and answers are made up.")),
    );
    byId("sign-in-box", HTMLElement).hidden = account !== null;
    byId("begin", HTMLElement).textContent = session ? "Go on with your session" : "Begin";
  }

  async begin() {
    const { visit, api, steps } = this.page;
    fill(this.told);
    fill(byId("over", HTMLElement));
    if (visit.known.session === null) {
      try {
        const { id, token, expires_at, anonymous, limits } = await api.call("POST", "/workbench/sessions");
        visit.learn({ session: { id, token, expires_at, anonymous, limits }, tested: {}, run: null, turns: [] });
      } catch (error) {
        tell(this.told, error);
        return;
      }
    }
    fill(byId("receipt", HTMLElement));
    steps().go("task");
  }

  /** @param {HTMLFormElement} form */
  async signIn(form) {
    const told = byId("sign-in-told", HTMLElement);
    fill(told);
    const password = field(form, "password");
    try {
      await this.page.api.call("POST", "/auth/login", { json: { email: field(form, "email").value, password: password.value } });
      this.page.forgetTerms();
      await this.enter();
      byId("begin", HTMLElement).focus();
    } catch (error) {
      tell(told, error);
    } finally {
      password.value = "";
    }
  }
}
