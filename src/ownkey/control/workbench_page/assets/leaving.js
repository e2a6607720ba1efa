/** Step 6: files of the run, then everything erased, with a receipt. */

import { reached } from "./api.js";
import { byId, fill, make, when } from "./dom.js";
import { counted } from "./numbers.js";
import { notice, tell } from "./telling.js";

const FILES = [
  ["html", "Report", "One page with charts that opens offline, for people"],
  ["csv", "CSV", "One row a request, for spreadsheets"],
  ["json", "JSON", "All figures and results, with a schema"],
  ["jsonl", "JSON lines", "One request a line, for scripts"],
  ["junit", "JUnit", "Pass and fail, for build servers"],
];
/** @type {Record<string, [string, string?]>} */
const WORDS = {
  sessions: ["session"],
  keys: ["key"],
  data_keys: ["encryption key"],
  targets: ["model"],
  suites: ["uploaded set of questions", "uploaded sets of questions"],
  prompts: ["uploaded question"],
  runs: ["run"],
  results: ["result"],
};

export class EraseAndExport {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.told = byId("export-told", HTMLElement);
    fill(byId("files", HTMLUListElement), ...FILES.map(([format, name, about]) => this.file(format, name, about)));
    when(byId("erase", HTMLButtonElement), () => this.ask());
  }

  enter() {
    const run = this.page.visit.known.run !== null;
    byId("leaving", HTMLElement).hidden = false;
    byId("export-none", HTMLElement).hidden = run;
    byId("files", HTMLElement).hidden = !run;
    byId("erase-actions", HTMLElement).hidden = false;
    for (const id of ["export-told", "erase-told", "receipt"]) fill(byId(id, HTMLElement));
  }

  /**
   * @param {string} format
   * @param {string} name
   * @param {string} about
   */
  file(format, name, about) {
    const button = make("button", { type: "button" }, name);
    when(button, () => this.save(format));
    return make("li", {}, button, make("span", {}, about));
  }

  /** @param {string} format */
  async save(format) {
    const { api, visit, life } = this.page;
    fill(this.told);
    try {
      const response = await api.open("GET", `/workbench/runs/${visit.known.run}/export`, { query: { format } });
      const address = URL.createObjectURL(await reached(() => response.blob()));
      const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? `run.${format}`;
      make("a", { href: address, download: name }).click();
      // The download has its own hold on the data once it has begun.
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      fill(this.told, notice("good", make("p", {}, `${name} is saved.`)));
    } catch (error) {
      if (!(await life.ended(error))) tell(this.told, error);
    }
  }

  /** Erasing is for good, so it is asked once more, in place. */
  ask() {
    const told = byId("erase-told", HTMLElement);
    const sure = make("button", { type: "button", class: "danger" }, "Yes, erase it all");
    const no = make("button", { type: "button" }, "Keep it");
    no.addEventListener("click", () => {
      this.enter();
      byId("erase", HTMLElement).focus();
    });
    when(sure, () => this.erase());
    byId("erase-actions", HTMLElement).hidden = true;
    fill(told, notice("plain", make("p", {}, "This cannot be undone. Have you exported what you need?"), make("div", { class: "actions" }, sure, no)));
    sure.focus();
  }

  async erase() {
    const { api, visit, life, steps } = this.page;
    const { session } = visit.known;
    if (!session) return;
    const told = byId("erase-told", HTMLElement);
    try {
      const receipt = await api.call("DELETE", `/workbench/sessions/${session.id}`);
      visit.forget();
      for (const form of document.forms) form.reset();
      fill(told);
      this.receipt(receipt);
      steps().list();
    } catch (error) {
      if (!(await life.ended(error))) tell(told, error);
    }
  }

  /** @param {import("./shapes.js").Receipt} receipt */
  receipt(receipt) {
    const place = byId("receipt", HTMLElement);
    const went = Object.entries(receipt.deleted).filter(([, number]) => number > 0);
    const items = went.map(([kind, number]) => make("li", {}, counted(number, ...(WORDS[kind] ?? [kind]))));
    const back = make("button", { type: "button", class: "primary" }, "Back to the beginning");
    back.addEventListener("click", () => this.page.steps().go("welcome"));
    const title = make("h2", { tabindex: "-1" }, "Receipt");
    byId("leaving", HTMLElement).hidden = true;
    fill(
      place,
      notice(
        "good",
        title,
        make("p", {}, "Everything is erased, ", make("time", { datetime: receipt.erased_at }, new Date(receipt.erased_at).toLocaleString()), ":"),
        make("ul", {}, ...items),
        make("p", {}, receipt.scrubbed ? "The database file was cleaned, so that nothing of it can be read there." : "The database frees the space in its own time."),
        ...receipt.kept.map((words) => make("p", {}, words)),
        make("p", {}, "This tab has forgotten it, too."),
      ),
      make("div", { class: "actions" }, back),
    );
    title.focus();
  }
}
