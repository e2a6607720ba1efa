/** Step 5: a talk with the tested model about its own results. */

import { Unreachable } from "./api.js";
import { citation, linked } from "./citations.js";
import { byId, field, fill, make, when } from "./dom.js";
import { eventsOf } from "./events.js";
import { counted } from "./numbers.js";
import { notice, tell } from "./telling.js";

const OPENERS = ["What should I know about these results?", "Which questions went wrong, and why?", "Where were you slowest?"];
/** The server takes a hundred turns of 20,000 characters. */
const TURNS = 99;
const LONGEST = 20_000;

export class Ask {
  /**
   * @param {import("./main.js").Page} page
   * @param {import("./result_table.js").ResultTable} table
   */
  constructor(page, table) {
    this.page = page;
    this.table = table;
    this.told = byId("ask-told", HTMLElement);
    this.log = byId("talk", HTMLElement);
    this.form = byId("ask-form", HTMLFormElement);
    this.speaking = new AbortController();
    when(this.form, () => this.send());
    byId("hush", HTMLButtonElement).addEventListener("click", () => this.speaking.abort());
    when(byId("ask-next", HTMLButtonElement), () => page.steps().go("export"));
    byId("question", HTMLTextAreaElement).addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
  }

  enter() {
    fill(this.told);
    const labels = this.table.labels;
    byId("ask-whom-field", HTMLElement).hidden = labels.length < 2;
    const whom = byId("ask-whom", HTMLSelectElement);
    const chosen = whom.value;
    fill(whom, ...labels.map((label, index) => make("option", { value: index }, label)));
    if (chosen && Number(chosen) < labels.length) whom.value = chosen;
    fill(this.log, ...this.page.visit.known.turns.map((turn) => this.turn(turn.role, turn.content)));
    this.openers();
  }

  openers() {
    const fresh = this.page.visit.known.turns.length === 0;
    fill(
      byId("openers", HTMLElement),
      ...(fresh ? OPENERS : []).map((words) => {
        const button = make("button", { type: "button", class: "chip" }, words);
        button.addEventListener("click", () => {
          field(this.form, "question").value = words;
          this.form.requestSubmit();
        });
        return button;
      }),
    );
  }

  async send() {
    const { visit } = this.page;
    const question = field(this.form, "question");
    const asked = question.value.trim();
    if (!asked) {
      fill(this.told, notice("bad", make("p", {}, "Write a question first.")));
      question.focus();
      return;
    }
    fill(this.told);
    const turns = [...visit.known.turns, { role: /** @type {const} */ ("user"), content: asked }];
    const mine = this.turn("user", asked);
    const answer = this.turn("assistant", "");
    this.log.append(mine, answer);
    fill(byId("openers", HTMLElement));
    byId("hush", HTMLElement).hidden = false;
    const said = await this.spoken(turns, answer);
    byId("hush", HTMLElement).hidden = true;
    if (said) {
      visit.learn({ turns: [...turns, { role: /** @type {const} */ ("assistant"), content: said }] });
      question.value = "";
      question.dispatchEvent(new Event("input"));
    } else {
      mine.remove();
      answer.remove();
      this.openers();
    }
    question.focus();
  }

  /**
   * What the model says, shown as it comes; empty where it failed, which is told.
   * @param {{role: string, content: string}[]} turns
   * @param {HTMLElement} place
   */
  async spoken(turns, place) {
    const { api, visit, life } = this.page;
    const words = place.querySelector(".words") ?? place;
    const target = Number(byId("ask-whom", HTMLSelectElement).value || 0);
    const messages = turns.slice(-TURNS).map((turn) => ({ ...turn, content: turn.content.slice(0, LONGEST) }));
    this.speaking = new AbortController();
    place.setAttribute("aria-busy", "true");
    let said = "";
    let ended = false;
    try {
      const response = await api.open("POST", `/workbench/runs/${visit.known.run}/chat`, { json: { messages, target }, signal: this.speaking.signal });
      for await (const event of eventsOf(response)) {
        if (event.name === "delta") {
          said += event.data.text;
          fill(words, said);
          this.log.scrollTop = this.log.scrollHeight;
        } else if (event.name === "error") {
          ended = true;
          fill(this.told, notice("bad", make("p", {}, make("strong", {}, event.data.message)), make("p", {}, event.data.advice)));
        } else if (event.name === "done") {
          ended = true;
          if (event.data.left_out) place.append(make("p", { class: "hint" }, `${counted(event.data.left_out, "request")} did not fit into its context and were told as figures only.`));
        }
      }
      if (!ended) throw new Unreachable();
    } catch (error) {
      if (!(await life.ended(error))) tell(this.told, error);
    }
    place.removeAttribute("aria-busy");
    fill(words, ...linked(said, (cited) => this.find(cited, target)));
    return said;
  }

  /**
   * How to open the result that is cited.
   * @param {string} cited
   * @param {number} target
   */
  find(cited, target) {
    const rows = this.table.rows().filter((row) => citation(row.prompt) === cited);
    const row = rows.find((each) => each.target === target) ?? rows[0];
    return row ? () => void this.page.detail.open(row, this.table.labels[row.target] ?? "") : null;
  }

  /**
   * @param {"user"|"assistant"} role
   * @param {string} content
   */
  turn(role, content) {
    const target = Number(byId("ask-whom", HTMLSelectElement).value || 0);
    const who = role === "user" ? "You" : (this.table.labels[target] ?? "The model");
    const words = role === "user" ? [content] : linked(content, (cited) => this.find(cited, target));
    return make("div", { class: `turn ${role}` }, make("p", { class: "who" }, who), make("p", { class: "words" }, ...words));
  }
}
