/**
 * Server-sent events (WHATWG HTML, section 9.2) read from a response: `EventSource` cannot send a bearer token.
 */

import { reached } from "./api.js";

/** @typedef {{name: string, id: string, data: any}} ServerEvent `data` is read as JSON. */

/**
 * The events of a response, until it ends. Raises Unreachable when it breaks off.
 * @param {Response} response
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* eventsOf(response) {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event = fresh();
  try {
    for (;;) {
      const { done, value } = await reached(() => reader.read());
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line !== "") add(event, line);
        else {
          if (event.data.length) yield { name: event.name, id: event.id, data: JSON.parse(event.data.join("\n")) };
          event = fresh();
        }
      }
    }
  } finally {
    // Whoever stops listening closes the connection with it. One that broke off says so again, and was told of above.
    await reader.cancel().catch(() => undefined);
  }
}

/** @returns {{name: string, id: string, data: string[]}} */
function fresh() {
  return { name: "message", id: "", data: [] };
}

/**
 * @param {{name: string, id: string, data: string[]}} event
 * @param {string} line
 */
function add(event, line) {
  const colon = line.indexOf(":");
  const key = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (key === "event") event.name = value;
  else if (key === "id") event.id = value;
  else if (key === "data") event.data.push(value);
}
