/** The countdown of the session's life, and what happens at its end. */

import { Api, Refused } from "./api.js";
import { byId, fill, make } from "./dom.js";
import { remaining } from "./numbers.js";
import { Steps } from "./steps.js";
import { notice } from "./telling.js";
import { Visit } from "./visit.js";

const SOON = 300;

export class Lifetime {
  /**
   * @param {Visit} visit
   * @param {Api} api
   * @param {() => Steps} steps
   */
  constructor(visit, api, steps) {
    this.visit = visit;
    this.api = api;
    this.steps = steps;
    visit.addEventListener("change", () => this.tick());
    setInterval(() => this.tick(), 1000);
    this.tick();
  }

  tick() {
    const { session } = this.visit.known;
    const place = byId("life", HTMLElement);
    place.hidden = session === null;
    if (session === null) return;
    const seconds = (Date.parse(session.expires_at) - Date.now()) / 1000;
    if (seconds <= 0) {
      this.over();
      return;
    }
    place.classList.toggle("soon", seconds < SOON);
    const time = remaining(seconds);
    if (place.dataset.time === time) return;
    place.dataset.time = time;
    fill(place, make("span", {}, "Session ends in "), make("time", {}, time));
  }

  /**
   * Whether an error means that the session is over; if so that is told, and what was typed stays.
   * @param {unknown} error
   */
  async ended(error) {
    const { session } = this.visit.known;
    if (!(error instanceof Refused) || error.status !== 404 || error.param || session === null) return false;
    try {
      await this.api.call("GET", `/workbench/sessions/${session.id}`);
      return false;
    } catch (second) {
      if (!(second instanceof Refused) || second.status !== 404) return false;
      // Another may have begun while this one was asked for.
      if (this.visit.known.session?.id === session.id) this.over();
      return true;
    }
  }

  over() {
    this.visit.end();
    const close = make("button", { type: "button" }, "Begin a new session");
    close.addEventListener("click", () => {
      fill(byId("over", HTMLElement));
      this.steps().go("welcome");
    });
    const words = "Your session is over: its keys, questions and results are erased. What you typed into the forms is still there, except for keys.";
    fill(byId("over", HTMLElement), notice("bad", make("p", {}, words), close));
    this.steps().list();
    byId("over", HTMLElement).scrollIntoView({ block: "start" });
  }
}
