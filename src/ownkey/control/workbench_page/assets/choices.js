/** The endpoints a model form offers, each with the fields it needs and what is sent for it. */

/**
 * `address` is filled in where the endpoint has one, null where no address is given at all. `from` is the target whose
 * endpoint and key are used again.
 * @typedef {{name: string, label: string, address: string|null, hint: string, key: "needed"|"optional"|"none", stored: boolean, from?: import("./shapes.js").Target}} Choice
 */

/**
 * @param {import("./shapes.js").Preset[]} presets
 * @param {string|null} account
 * @param {import("./shapes.js").Target|null} first the model to compare with
 * @returns {Choice[]}
 */
export function choicesOf(presets, account, first) {
  /** @type {Choice[]} */
  const found = [];
  if (first) {
    const hint = "The address and the key of the first model are used again.";
    found.push({ name: "same", label: "The same endpoint", address: null, hint, key: "none", stored: false, from: first });
  }
  if (account) {
    const hint = "A model or route of yours in this gateway, for example openai/gpt-5-mini. Your stored keys pay as always.";
    found.push({ name: "gateway", label: "This gateway, as you", address: null, hint, key: "none", stored: true });
  }
  for (const preset of presets) {
    const key = preset.needs_key ? "needed" : "optional";
    found.push({ name: preset.name, label: preset.label, address: preset.base_url ?? "", hint: preset.hint, key, stored: false });
  }
  return found;
}

/**
 * The endpoint's part of a new target. `previous` is the target of this form that was made before, whose key goes on to
 * be used where no other is given.
 * @param {Choice} choice
 * @param {{url: string, key: string, credential: string}} typed
 * @param {import("./shapes.js").Target|null} previous
 * @returns {Record<string, string>}
 */
export function endpointOf(choice, typed, previous) {
  if (choice.stored) return typed.credential ? { credential: typed.credential } : {};
  if (choice.from) {
    const { id, kind, preset, base_url, credential } = choice.from;
    if (kind === "gateway") return credential ? { credential } : {};
    return { ...(preset ? { preset } : {}), endpoint_url: base_url ?? "", key_from: id };
  }
  // A preset's name brings its prices along, and they are those of its own address.
  /** @type {Record<string, string>} */
  const endpoint = typed.url === choice.address ? { preset: choice.name, endpoint_url: typed.url } : { endpoint_url: typed.url };
  if (typed.key) return { ...endpoint, api_key: typed.key };
  const known = previous?.kind === "direct" && previous.masked_key && sameAddress(previous.base_url, typed.url);
  return known ? { ...endpoint, endpoint_url: previous.base_url ?? "", key_from: previous.id } : endpoint;
}

/**
 * A connection test may have found the endpoint at the address with `/v1`.
 * @param {string|null} known
 * @param {string} typed
 */
function sameAddress(known, typed) {
  const bare = (/** @type {string} */ url) => url.trim().replace(/\/+$/, "").replace(/\/v1$/, "");
  return known !== null && bare(known) === bare(typed);
}
