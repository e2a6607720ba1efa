/** Numbers as people read them. No line breaks between a number and its unit. */

const GAP = "\u00a0";

/** @param {number|null|undefined} value milliseconds */
export function duration(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return `${value.toFixed(2)}${GAP}ms`;
  if (value < 1000) return `${value < 10 ? value.toFixed(1) : Math.round(value)}${GAP}ms`;
  return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)}${GAP}s`;
}

/** @param {number|null|undefined} value 0 to 1 */
export function share(value) {
  if (value === null || value === undefined) return "–";
  // Never 100 % or 0 % where it is not quite; halves as the server rounds them in its sentences.
  const digits = (value > 0.995 && value < 1) || (value > 0 && value < 0.005) ? 1 : 0;
  return `${(value * 100).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven" })}${GAP}%`;
}

/** @param {number} value a difference of shares, rounded as the server does in its sentences */
export function points(value) {
  return `${(value * 100).toLocaleString("en", { maximumFractionDigits: 0, roundingMode: "halfEven" })}${GAP}points`;
}

/** @param {string|number|null|undefined} value USD */
export function dollars(value) {
  if (value === null || value === undefined) return "–";
  const amount = Number(value);
  if (amount === 0) return "$0";
  if (amount < 0.000001) return "under $0.000001";
  return amount < 1 ? `$${amount.toPrecision(3).replace(/0+$/, "")}` : `$${amount.toFixed(2)}`;
}

/** @param {number|null|undefined} value */
export function count(value) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en");
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/**
 * A figure in its unit.
 * @param {number|null|undefined} value
 * @param {string} unit
 */
export function amount(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "ms") return duration(value);
  if (unit === "share") return share(value);
  if (unit === "USD") return dollars(value);
  if (value === 0 || Math.abs(value) >= 100) return count(Math.round(value));
  return Number(value.toPrecision(3)).toString();
}

/**
 * A pace with its unit, such as `12.3 requests/s`.
 * @param {number|null} value
 * @param {string} unit
 */
export function pace(value, unit) {
  return `${amount(value, "")}${GAP}${unit}`;
}

/**
 * A time to go, as `59:03` or in days.
 * @param {number} seconds
 */
export function remaining(seconds) {
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} days`;
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** @param {number} seconds */
export function lifetime(seconds) {
  if (seconds >= 86_400) return counted(Math.round(seconds / 86_400), "day");
  return seconds === 3600 ? "one hour" : counted(Math.round(seconds / 3600), "hour");
}

/** @param {number} bytes */
export function size(bytes) {
  return bytes >= 1024 * 1024 ? `${Math.round(bytes / 1024 / 1024)} MB` : `${Math.round(bytes / 1024)} KB`;
}
