/** Says what went wrong, at the place where it happened, with what to do. */

import { Refused, Unreachable } from "./api.js";
import { fill, make } from "./dom.js";

/**
 * A notice: good, bad or plain.
 * @param {"good"|"bad"|"plain"} kind
 * @param {...import("./dom.js").Child} children
 */
export function notice(kind, ...children) {
  return make("div", { class: `notice ${kind}` }, ...children);
}

/**
 * Put an error's words into `place`. What is none of the server's or the network's is a fault of ours and goes on.
 * @param {Element} place
 * @param {unknown} error
 */
export function tell(place, error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
  const wait = error instanceof Refused && error.wait ? ` You can try again in ${error.wait} s.` : "";
  fill(place, notice("bad", make("p", {}, error.message + wait)));
}

/**
 * The field of a form that the server's refusal is about, marked and focused; whether there is one.
 * @param {HTMLFormElement} form
 * @param {unknown} error
 * @param {Record<string, string>} [names] the API's names where ours differ
 */
export function point(form, error, names = {}) {
  for (const marked of form.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
  if (!(error instanceof Refused)) return false;
  const told = error.param || error.errors[0]?.field || "";
  const field = form.elements.namedItem(names[told] ?? told);
  if (!(field instanceof HTMLElement)) return false;
  field.setAttribute("aria-invalid", "true");
  unfold(field);
  field.focus();
  return true;
}

/**
 * Open what an element is folded away in.
 * @param {Element} element
 */
export function unfold(element) {
  const box = element.closest("details");
  if (box) box.open = true;
}
