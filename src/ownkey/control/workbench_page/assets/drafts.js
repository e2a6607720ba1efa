/** What is typed into fields marked `data-draft` outlives a reload. Fields for secrets are not marked. */

import { Visit } from "./visit.js";

/**
 * Fill the fields below `root` with what was typed before, and keep what is typed from now on.
 * @param {ParentNode} root
 * @param {string} prefix tells apart two forms with the same fields
 * @param {Visit} visit
 */
export function keepDrafts(root, prefix, visit) {
  for (const field of root.querySelectorAll("[data-draft]")) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement)) continue;
    const name = `${prefix}.${field.name}`;
    const known = visit.known.drafts[name];
    if (known !== undefined) field.value = known;
    field.addEventListener("input", () => {
      visit.known.drafts[name] = field.value;
      visit.keep();
    });
  }
}
