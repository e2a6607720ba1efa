/** Small pictures of the latencies: how they are distributed, and the same question's by all models. */

import { draw, fill, make } from "./dom.js";
import { count, counted, duration } from "./numbers.js";

/** @typedef {import("./result_table.js").Row} Row */

const LEFT = 4;
const RIGHT = 4;
const BINS = 40;
/** Widths in CSS pixels. Where two pictures fit side by side is the style sheet's to say. */
const SIDE_BY_SIDE = 880;
const PADDING = 42;
const NARROWEST = 260;
const WIDEST = 900;
/** Up to so many values each is a dot of its own; more make bars. */
const DOTTED = 120;
const PAIRS = 30;

/**
 * @param {Element} place
 * @param {Row[]} rows
 * @param {string[]} labels
 */
export function showCharts(place, rows, labels) {
  const answered = rows.filter((row) => row.ok && row.latency !== null);
  const groups = labels.map((label, target) => ({ label, target, values: answered.filter((row) => row.target === target).map((row) => Number(row.latency)) }));
  const some = groups.some((group) => group.values.length > 1);
  const room = place.clientWidth || SIDE_BY_SIDE;
  const width = Math.min(WIDEST, Math.max(NARROWEST, (room < SIDE_BY_SIDE ? room : room / 2 - 10) - PADDING));
  fill(place, some && distribution(groups, width), labels.length > 1 && pairs(answered, labels, width));
}

/**
 * @param {{label: string, target: number, values: number[]}[]} groups
 * @param {number} width
 */
function distribution(groups, width) {
  const all = groups.flatMap((group) => group.values);
  const scale = scaled(Math.max(0, ...all), LEFT, width);
  const thick = width / BINS - 2;
  const height = 92;
  const bands = groups.map((group, index) => {
    const top = index * (height + 26);
    const binned = bins(group.values, scale.most);
    const dotted = group.values.length <= DOTTED;
    const peak = Math.max(1, ...binned);
    const step = Math.min((height - 30) / peak, 8);
    const marks = binned.flatMap((number, bin) => {
      const x = scale.x(((bin + 0.5) / BINS) * scale.most);
      if (!dotted) return number ? [draw("rect", { class: `datum hue-${group.target}`, x: x - thick / 2, y: top + height - (number / peak) * (height - 26), width: thick, height: (number / peak) * (height - 26), rx: 1 })] : [];
      return Array.from({ length: number }, (_, nth) => draw("circle", { class: `datum hue-${group.target}`, cx: x, cy: top + height - 5 - nth * step, r: 4 }));
    });
    const middle = median(group.values);
    const line = middle === null ? [] : [draw("line", { class: "median", x1: scale.x(middle), x2: scale.x(middle), y1: top + 20, y2: top + height })];
    return draw("g", {}, draw("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: top + height, y2: top + height }), ...marks, ...line, draw("text", { x: LEFT, y: top + 12 }, fitting(group.label, width / 7.5)));
  });
  const bottom = groups.length * (height + 26) - 12;
  const spoken = groups.map((group) => `${group.label}: ${count(group.values.length)} answers, median ${duration(median(group.values))}, slowest ${duration(group.values.length ? Math.max(...group.values) : null)}`).join("; ");
  return picture("How long answers took", `${spoken}. The line is the median.`, width, bottom + 18, ...bands, axis(scale, bottom + 4));
}

/**
 * @param {Row[]} answered
 * @param {string[]} labels
 * @param {number} width
 */
function pairs(answered, labels, width) {
  /** @type {Map<string, Map<number, number>>} */
  const found = new Map();
  for (const row of answered) {
    if (row.repeat !== 0) continue;
    const times = found.get(row.prompt) ?? new Map();
    found.set(row.prompt, times.set(row.target, Number(row.latency)));
  }
  const whole = [...found].filter(([, times]) => times.size === labels.length).map(([prompt, times]) => ({ prompt, times, least: Math.min(...times.values()), most: Math.max(...times.values()) }));
  if (!whole.length) return null;
  const shown = [...whole].sort((one, other) => other.most - other.least - (one.most - one.least)).slice(0, PAIRS);
  const scale = scaled(Math.max(...shown.map((each) => each.most)), Math.min(140, width * 0.32, 14 + 6.2 * Math.max(...shown.map((each) => each.prompt.length))), width);
  const row = 20;
  const letters = Math.floor(scale.left / 6.2);
  const marks = shown.flatMap(({ prompt, times, least, most }, index) => {
    const y = index * row + 12;
    const dots = labels.map((label, target) => draw("circle", { class: `datum hue-${target}`, cx: scale.x(Number(times.get(target))), cy: y, r: 4.5 }, draw("title", {}, `${label}: ${duration(times.get(target))}`)));
    return [draw("text", { x: 0, y: y + 4, class: "small" }, fitting(prompt, letters)), draw("line", { class: "between", x1: scale.x(least), x2: scale.x(most), y1: y, y2: y }), ...dots];
  });
  const bottom = shown.length * row + 8;
  const wins = labels.map((label, target) => [label, whole.filter(({ times, least }) => times.get(target) === least).length]);
  const most = whole.length > shown.length ? ` The ${shown.length} largest differences of ${count(whole.length)} are shown.` : "";
  const about = `Of ${counted(whole.length, "question")}, ${wins.map(([label, number]) => `${label} was fastest on ${number}`).join(", ")}.${most}`;
  const key = make("span", { class: "key" }, ...labels.map((label, target) => make("span", { class: `dot hue-${target}` }, label)));
  return picture("The same question, each model", about, width, bottom + 20, ...marks, axis(scale, bottom), key);
}

/**
 * As much of a text as so many letters show.
 * @param {string} text
 * @param {number} letters
 */
function fitting(text, letters) {
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

/**
 * @param {string} title
 * @param {string} about
 * @param {number} width
 * @param {number} height
 * @param {...Element} inside what is no part of the picture stands below it
 */
function picture(title, about, width, height, ...inside) {
  const drawn = inside.filter((each) => each instanceof SVGElement);
  const beside = inside.filter((each) => !(each instanceof SVGElement));
  return make(
    "figure",
    {},
    make("figcaption", {}, make("strong", {}, title), make("span", {}, about), ...beside),
    draw("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${about}` }, ...drawn),
  );
}

/** @typedef {{most: number, step: number, left: number, x: (value: number) => number}} Scale */

/**
 * From zero to a round number.
 * @param {number} largest
 * @param {number} left
 * @param {number} width
 * @returns {Scale}
 */
function scaled(largest, left, width) {
  const rough = Math.max(largest, 0.001) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const most = Math.ceil(largest / step) * step || step;
  return { most, step, left, x: (value) => left + 6 + (value / most) * (width - RIGHT - left - 30) };
}

/**
 * @param {Scale} scale
 * @param {number} y
 */
function axis(scale, y) {
  const ticks = Math.round(scale.most / scale.step);
  const marks = Array.from({ length: ticks + 1 }, (_, index) => {
    const value = index * scale.step;
    return draw("text", { x: scale.x(value), y: y + 10, class: "tick" }, value ? duration(value) : "0");
  });
  return draw("g", {}, ...marks);
}

/**
 * How many values lie in each of the bins from zero to `most`.
 * @param {number[]} values
 * @param {number} most
 */
function bins(values, most) {
  const found = new Array(BINS).fill(0);
  for (const value of values) found[Math.min(BINS - 1, Math.floor((value / most) * BINS))] += 1;
  return found;
}

/** @param {number[]} values */
function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
