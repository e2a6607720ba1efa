/** What a run may cost, in words. */

import { count, counted, dollars } from "./numbers.js";

/**
 * @param {import("./shapes.js").Preview} preview
 * @param {number} most how many calls a run may make
 * @returns {string}
 */
export function previewed(preview, most) {
  const { answers, judge, embeddings } = preview;
  const calls = counted(answers.calls, "call");
  if (answers.calls > most) return `${calls}, and ${count(most)} are the most in one run here: ask fewer questions or repeat them less.`;
  const grading = [
    judge.calls > 0 && ` The judge is asked ${counted(judge.calls, "time")} on top${beside(judge)}.`,
    embeddings.calls > 0 && ` Texts are embedded ${counted(embeddings.calls, "time")}${beside(embeddings)}.`,
  ].filter(Boolean);
  const whole = grading.length > 0 && preview.likely_usd !== null && Number(preview.most_usd) > 0 ? ` In all${amounts(preview)}.` : "";
  return `${calls}${cost(answers)}${grading.join("")}${whole}`;
}

/** @param {import("./shapes.js").Share} share */
function cost(share) {
  if (share.most_usd === null) return ". No price is known, so what they cost cannot be told; the endpoint charges what it charges.";
  if (Number(share.most_usd) === 0) return ", free of charge by the known prices.";
  return `,${amounts(share)} if every answer is as long as it may be (retries not counted).`;
}

/** @param {import("./shapes.js").Share} share */
function beside(share) {
  if (share.most_usd === null) return ", at a price that is not known";
  return Number(share.most_usd) === 0 ? ", free of charge" : `,${amounts(share)}`;
}

/** @param {{likely_usd: string|null, most_usd: string|null}} share */
function amounts(share) {
  return ` likely ${dollars(share.likely_usd)}, at most ${dollars(share.most_usd)}`;
}
