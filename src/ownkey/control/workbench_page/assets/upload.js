/** One's own suite: chosen or dropped, sent, and what is wrong with it told by line. */

import { Refused } from "./api.js";
import { byId, field, fill, make } from "./dom.js";
import { counted, size } from "./numbers.js";
import { notice, tell } from "./telling.js";

const EXCERPT = 120;

export class Upload {
  /**
   * @param {import("./main.js").Page} page
   * @param {(suite: import("./shapes.js").Suite) => void} done
   */
  constructor(page, done) {
    this.page = page;
    this.done = done;
    this.told = byId("upload-told", HTMLElement);
    const input = byId("file", HTMLInputElement);
    const drop = byId("drop", HTMLElement);
    input.addEventListener("change", async () => {
      if (input.files?.[0]) await this.send(input.files[0]);
      // The same file can be chosen again once it is mended.
      input.value = "";
    });
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", async (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) await this.send(file);
    });
  }

  /** @param {File} file */
  async send(file) {
    const limit = this.page.visit.known.session?.limits.suite_bytes ?? Infinity;
    if (file.size > limit) {
      this.refuse(`“${file.name}” has ${size(file.size)}; at most ${size(limit)} fit here. Split it, or sign in for larger ones.`);
      return;
    }
    fill(this.told, make("p", { class: "hint" }, `Reading “${file.name}” …`));
    const mapping = field(byId("suites", HTMLFormElement), "mapping").value;
    try {
      const query = { filename: file.name.slice(-200), mapping };
      const suite = await this.page.api.call("POST", "/workbench/suites", { query, body: file });
      const notes = (suite.notes ?? []).map((/** @type {string} */ note) => make("li", {}, note));
      fill(this.told, notice("good", make("p", {}, `“${suite.name}” is ready: ${counted(suite.prompts, "question")}.`), notes.length > 0 && make("ul", {}, ...notes)));
      this.done(suite);
    } catch (error) {
      if (error instanceof Refused && error.errors.some((each) => each.line !== undefined)) await this.faults(file, error);
      else if (!(await this.page.life.ended(error))) tell(this.told, error);
    }
  }

  /**
   * Every fault with its line as it stands in the file.
   * @param {File} file
   * @param {Refused} error
   */
  async faults(file, error) {
    const lines = (await file.text()).split(/\r\n|\r|\n/);
    const items = error.errors.map((fault) => {
      const place = fault.line ? `Line ${fault.line}${fault.column ? `, column ${fault.column}` : ""}` : "The whole file";
      const text = fault.line ? (lines[fault.line - 1] ?? "").slice(0, EXCERPT) : "";
      return make("li", {}, make("strong", {}, place), `: ${fault.message}`, text.trim() !== "" && make("code", { class: "excerpt" }, text));
    });
    const many = error.errors.length === 1 ? "one thing is" : `${error.errors.length} things are`;
    fill(
      this.told,
      notice("bad", make("p", {}, `“${file.name}” cannot be read yet: ${many} wrong. Mend the file and choose it again.`), make("ul", { class: "faults" }, ...items)),
    );
  }

  /** @param {string} words */
  refuse(words) {
    fill(this.told, notice("bad", make("p", {}, words)));
  }
}
