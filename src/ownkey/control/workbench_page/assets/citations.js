/** The ids of prompts that a model cites in brackets become links to the results. All else stays text. */

import { make } from "./dom.js";

const CITED = /\[([^[\]\n]{1,80})\]/g;
const LONGEST = 60;

/**
 * An id as the model was told it: one word without brackets.
 * @param {string} id
 */
export function citation(id) {
  const shown = id.replace(/[[\]\s]+/gu, "_");
  const letters = [...shown];
  return letters.length <= LONGEST ? shown : `${letters.slice(0, LONGEST - 1).join("")}…`;
}

/**
 * A text as nodes. `[a, b]` cites two.
 * @param {string} text
 * @param {(cited: string) => (() => void)|null} find what opening a citation does, null for one that is none
 * @returns {(Node|string)[]}
 */
export function linked(text, find) {
  /** @type {(Node|string)[]} */
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(CITED)) {
    const links = match[1].split(/\s*[,;]\s*/).map((cited) => ({ cited, open: find(cited) }));
    if (links.some(({ open }) => open === null)) continue;
    nodes.push(text.slice(from, match.index), "[");
    links.forEach(({ cited, open }, index) => {
      const link = make("button", { type: "button", class: "link" }, cited);
      link.addEventListener("click", () => open?.());
      nodes.push(...(index ? [", "] : []), link);
    });
    nodes.push("]");
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes;
}
