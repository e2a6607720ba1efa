/** Follows a run to its end, over broken connections and restarts of the server. */

import { Api, Refused, Unreachable } from "./api.js";
import { eventsOf } from "./events.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

/**
 * @typedef {{
 *   result: (result: import("./shapes.js").Result) => void,
 *   progress: (progress: {status: import("./shapes.js").Status, round: number, done: number, total: number}) => void,
 *   lost: () => void,
 *   back: () => void,
 * }} Listener
 */

/**
 * The run as it ended, with its figures. Raises Refused when the run or its session is gone, AbortError when told to.
 * @param {Api} api
 * @param {string} run
 * @param {number} after the number of the last result that is known already
 * @param {Listener} listener
 * @param {AbortSignal} signal
 * @returns {Promise<import("./shapes.js").Run>}
 */
export async function follow(api, run, after, listener, signal) {
  let wait = FIRST_WAIT;
  let lost = false;
  for (;;) {
    try {
      const headers = { "last-event-id": String(after) };
      const response = await api.open("GET", `/workbench/runs/${run}/events`, { headers, signal });
      if (lost) listener.back();
      lost = false;
      for await (const event of eventsOf(response)) {
        wait = FIRST_WAIT;
        if (event.name === "result") {
          after = event.data.seq;
          listener.result(event.data);
        } else if (event.name === "progress") listener.progress(event.data);
        else if (event.name === "done") return event.data;
      }
    } catch (error) {
      const passing = error instanceof Unreachable || (error instanceof Refused && error.status >= 500);
      if (!passing) throw error;
    }
    signal.throwIfAborted();
    if (!lost) listener.lost();
    lost = true;
    await pause(wait, signal);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

/**
 * Wait, but no longer than until the browser is online again.
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const timer = setTimeout(() => end(resolve), milliseconds);
    /** @param {() => void} settle */
    const end = (settle) => {
      clearTimeout(timer);
      over.abort();
      settle();
    };
    addEventListener("online", () => end(resolve), { signal: over.signal });
    signal.addEventListener("abort", () => end(() => reject(signal.reason)), { signal: over.signal });
  });
}
