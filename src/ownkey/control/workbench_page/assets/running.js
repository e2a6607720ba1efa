/** Step 4: the run under way. Results stream in, figures follow, and what failed can be tried again. */

import { Refused, Unreachable } from "./api.js";
import { showCharts } from "./charts.js";
import { byId, fill, make, when } from "./dom.js";
import { showEarlier } from "./earlier.js";
import { showFigures } from "./figures.js";
import { follow } from "./following.js";
import { count, counted } from "./numbers.js";
import { PlanForm } from "./plan_form.js";
import { Promotion } from "./promotion.js";
import { ResultTable } from "./result_table.js";
import { notice, tell } from "./telling.js";
import { showVerdicts } from "./verdicts.js";

const OPEN = ["pending", "running"];
/** Figures are asked for again this long after they came, or after a multiple of the time that took. */
const FIGURES_EVERY = 1500;
const FIGURES_SHARE = 5;
/** How often a screen reader is told of the progress. */
const SPOKEN_EVERY = 10_000;

export class Running {
  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.told = byId("live-told", HTMLElement);
    this.form = new PlanForm(page, (run) => this.begun(run));
    this.table = new ResultTable(page.detail);
    this.promotion = new Promotion(page);
    this.followed = new AbortController();
    this.figuresAt = 0;
    this.spokenAt = 0;
    /** @type {import("./shapes.js").Plan|null} */
    this.plan = null;
    this.shownRun = "";
    when(byId("cancel", HTMLButtonElement), () => this.act("cancel"));
    when(byId("retry", HTMLButtonElement), () => this.act("retry-failed"));
    when(byId("again", HTMLButtonElement), () => this.another());
    when(byId("run-next", HTMLButtonElement), () => page.steps().go("ask"));
    page.visit.addEventListener("change", () => {
      // A session that ended takes its run along.
      if (page.visit.known.run === null && this.shownRun) this.clear();
    });
    if (page.visit.known.run) void this.show(page.visit.known.run);
  }

  async enter() {
    const { run } = this.page.visit.known;
    byId("plan", HTMLElement).hidden = run !== null;
    byId("live", HTMLElement).hidden = run === null;
    byId("earlier", HTMLElement).hidden = run !== null;
    if (run === null) await Promise.all([this.form.enter(), this.earlier()]);
    else if (run !== this.shownRun) await this.show(run);
  }

  /** Runs made before can be looked at again. */
  async earlier() {
    const { session } = this.page.visit.known;
    if (!session) return;
    try {
      const { runs } = await this.page.api.call("GET", `/workbench/sessions/${session.id}`);
      showEarlier(byId("earlier", HTMLElement), runs, (run) => this.begun(run));
    } catch (error) {
      await this.failed(error);
    }
  }

  /** @param {import("./shapes.js").Run} run */
  begun(run) {
    this.page.visit.learn({ run: run.id, turns: [] });
    byId("run-title", HTMLElement).focus({ preventScroll: true });
    void this.enter();
  }

  clear() {
    this.followed.abort();
    this.shownRun = "";
    this.plan = null;
    this.table.clear();
    this.promotion.hide();
    for (const id of ["verdicts", "figures", "charts", "live-told"]) fill(byId(id, HTMLElement));
  }

  /**
   * Follow a run from its first result.
   * @param {string} run
   */
  async show(run) {
    this.clear();
    this.shownRun = run;
    try {
      const found = await this.page.api.call("GET", `/workbench/runs/${run}`, { query: { results: 0 } });
      this.plan = /** @type {import("./shapes.js").Plan} */ (found.plan);
      this.table.name(this.plan.targets.map((target) => target.label));
      this.progress(found);
      await this.follow(run, 0);
    } catch (error) {
      await this.failed(error);
    }
  }

  /**
   * @param {string} run
   * @param {number} after
   */
  async follow(run, after) {
    this.followed.abort();
    const following = new AbortController();
    this.followed = following;
    const ended = await follow(
      this.page.api,
      run,
      after,
      {
        result: (result) => this.table.add(result),
        progress: ({ status, round, done, total }) => {
          this.progress({ status, round, progress: { done, total }, detail: "" });
          void this.figures(run);
        },
        lost: () => fill(this.told, notice("bad", make("p", {}, "The connection to Ownkey is lost. The run goes on there, or begins again where it was when Ownkey does; this page looks for it and shows what it missed."))),
        back: () => fill(this.told),
      },
      following.signal,
    );
    fill(this.told);
    // Erased, perhaps from elsewhere, while it was followed.
    if (!ended.progress) throw new Refused(404, { detail: "This run is erased: plan another one." }, null);
    this.progress(ended);
    if (!ended.metrics) return;
    this.draw(ended.metrics);
    if (this.plan) this.promotion.offer(run, this.plan, ended.metrics);
  }

  /** @param {unknown} error */
  async failed(error) {
    if (await this.page.life.ended(error)) return;
    tell(this.told, error);
  }

  /** @param {Pick<import("./shapes.js").Run, "status"|"round"|"progress"|"detail">} run */
  progress({ status, round, progress: { done, total }, detail }) {
    const bar = byId("progress", HTMLProgressElement);
    bar.max = Math.max(total, 1);
    bar.value = done;
    const again = round > 1 ? `, round ${round}` : "";
    const words = `${WORDS[status] ?? status}${again}: ${count(done)} of ${counted(total, "call")}`;
    byId("progress-words", HTMLElement).textContent = detail ? `${words}. ${detail}` : words;
    const open = OPEN.includes(status);
    const rest = done < total || this.table.failures() > 0;
    byId("cancel", HTMLElement).hidden = !open;
    byId("retry", HTMLElement).hidden = open || !rest;
    byId("again", HTMLElement).hidden = open;
    byId("run-next", HTMLElement).hidden = open;
    byId("live", HTMLElement).setAttribute("aria-busy", String(open));
    const now = performance.now();
    if (open && now - this.spokenAt < SPOKEN_EVERY) return;
    this.spokenAt = now;
    byId("progress-spoken", HTMLElement).textContent = words;
  }

  /**
   * The figures so far, not so often that asking for them becomes the work.
   * @param {string} run
   */
  async figures(run) {
    const began = performance.now();
    if (began < this.figuresAt) return;
    this.figuresAt = Infinity;
    try {
      const found = await this.page.api.call("GET", `/workbench/runs/${run}`, { query: { results: 0 } });
      if (this.shownRun === run && OPEN.includes(found.status)) this.draw(found.metrics);
    } catch (error) {
      // The events tell of lost connections and ended sessions; figures that are late are no news.
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    } finally {
      const took = performance.now() - began;
      this.figuresAt = performance.now() + Math.max(FIGURES_EVERY, FIGURES_SHARE * took);
    }
  }

  /** @param {import("./shapes.js").Summary} summary */
  draw(summary) {
    if (!summary.targets.some((target) => target.requests)) return;
    showVerdicts(byId("verdicts", HTMLElement), summary);
    showFigures(byId("figures", HTMLElement), summary);
    showCharts(byId("charts", HTMLElement), this.table.rows(), summary.targets.map((target) => target.label));
  }

  /** @param {"cancel"|"retry-failed"} deed */
  async act(deed) {
    const run = this.shownRun;
    fill(this.told);
    try {
      const told = await this.page.api.call("POST", `/workbench/runs/${run}/${deed}`);
      if (told.status !== "cancelled") this.progress(told);
      if (deed === "retry-failed") {
        this.promotion.hide();
        void this.follow(run, this.table.last()).catch((error) => this.failed(error));
      }
    } catch (error) {
      await this.failed(error);
    }
  }

  /** Plan another run; this one stays stored until the session ends. */
  async another() {
    this.page.visit.learn({ run: null, turns: [] });
    await this.enter();
    byId("run-title", HTMLElement).focus();
  }
}

/** @type {Record<string, string>} */
const WORDS = { pending: "Waiting to begin", running: "Running", completed: "Done", failed: "Failed", cancelled: "Cancelled" };
