/** How a model stands among several, by the verdicts of its pairs. */

/** @typedef {import("./shapes.js").PairComparison} Pair */

/**
 * The models that this one was found better than.
 * @param {Pair[]} comparisons
 * @param {number} target
 */
export function beaten(comparisons, target) {
  return comparisons.flatMap(({ a, b, verdict }) => {
    if (verdict === "a" && a === target) return [b];
    return verdict === "b" && b === target ? [a] : [];
  });
}

/**
 * The model that was found better than every other, null where none was.
 * @param {import("./shapes.js").Summary} summary
 */
export function winner({ targets, comparisons }) {
  const found = targets.findIndex((_, target) => targets.length > 1 && beaten(comparisons, target).length === targets.length - 1);
  return found < 0 ? null : found;
}
