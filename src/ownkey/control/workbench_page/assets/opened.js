/** Figures are renewed while people read them: what they opened stays open, and the focus stays where it was. */

import { fill } from "./dom.js";

/**
 * Put these children in the place of those that are there. Each `details` that has a `data-key` stays as it was.
 * @param {Element} place
 * @param {...import("./dom.js").Child} children
 */
export function renew(place, ...children) {
  const before = new Map(keyed(place).map((details) => [details.dataset.key, details.open]));
  const at = document.activeElement;
  const focused = at?.matches("summary") && place.contains(at) ? at.closest("details")?.dataset.key : undefined;
  fill(place, ...children);
  for (const details of keyed(place)) {
    details.open = before.get(details.dataset.key) ?? details.open;
    if (details.dataset.key === focused) details.querySelector("summary")?.focus({ preventScroll: true });
  }
}

/**
 * @param {Element} place
 * @returns {HTMLDetailsElement[]}
 */
function keyed(place) {
  return [...place.querySelectorAll("details")].filter((details) => details.dataset.key !== undefined);
}
