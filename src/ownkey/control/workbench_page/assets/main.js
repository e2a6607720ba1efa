/** The page: six steps that share one visit. */

import { Api } from "./api.js";
import { Ask } from "./ask.js";
import { Connect } from "./connect.js";
import { Detail } from "./detail.js";
import { keepDrafts } from "./drafts.js";
import { EraseAndExport } from "./leaving.js";
import { Lifetime } from "./lifetime.js";
import { Running } from "./running.js";
import { Steps } from "./steps.js";
import { Task } from "./task.js";
import { Visit } from "./visit.js";
import { Welcome } from "./welcome.js";

/**
 * What the steps share. `api` speaks for the session, `accounts` for whoever is signed in. `terms` is what a new
 * session would be.
 * @typedef {{
 *   visit: Visit,
 *   api: Api,
 *   accounts: Api,
 *   life: Lifetime,
 *   detail: Detail,
 *   terms: () => Promise<import("./shapes.js").Terms>,
 *   forgetTerms: () => void,
 *   steps: () => Steps,
 * }} Page
 */

/** @param {Storage} storage */
function open(storage) {
  const visit = new Visit(storage);
  const api = new Api(() => visit.known.session?.token ?? null);
  const accounts = new Api(() => null);
  /** @type {Promise<import("./shapes.js").Terms>|null} */
  let terms = null;
  /** @type {Steps} */
  let steps;
  /** @type {Page} */
  const page = {
    visit,
    api,
    accounts,
    life: new Lifetime(visit, api, () => steps),
    detail: new Detail(api, visit),
    async terms() {
      terms ??= accounts.call("GET", "/workbench/terms");
      try {
        return await terms;
      } catch (error) {
        terms = null;
        throw error;
      }
    },
    forgetTerms() {
      terms = null;
    },
    steps: () => steps,
  };
  keepDrafts(document, "page", visit);
  const running = new Running(page);
  steps = new Steps(visit, {
    welcome: new Welcome(page),
    task: new Task(page),
    connect: new Connect(page),
    run: running,
    ask: new Ask(page, running.table),
    export: new EraseAndExport(page),
  });
  steps.begin();
}

open(sessionStorage);
