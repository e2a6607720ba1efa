/** Calls of `/api/v1`. Errors come as `Refused` (the server's problem document) or `Unreachable`. */

const BASE = "/api/v1";

/** The server said no, and why. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{detail?: string, code?: string, param?: string, errors?: {line?: number, column?: number|null, field?: string, message: string}[]}} problem RFC 9457
   * @param {number|null} wait seconds after which one may try again
   */
  constructor(status, problem, wait) {
    super(problem.detail || `The server answered with status ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.param = problem.param ?? "";
    this.errors = problem.errors ?? [];
    this.wait = wait;
  }
}

/** The server could not be reached, or broke off. */
export class Unreachable extends Error {
  constructor() {
    super("Ownkey cannot be reached just now. Nothing you typed is lost: see whether it runs and you are online, then try again.");
  }
}

/** @typedef {{query?: Record<string, string|number|undefined>, json?: unknown, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} Options */

/** `token` gives the session's secret, or null before there is one. */
export class Api {
  /** @param {() => string|null} token */
  constructor(token) {
    this.token = token;
  }

  /**
   * The response, its body not yet read. Raises Refused, Unreachable.
   * @param {string} method
   * @param {string} path
   * @param {Options} [options]
   */
  async open(method, path, options = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined && value !== "") query.set(name, String(value));
    }
    const headers = new Headers(options.headers);
    const token = this.token();
    if (token) headers.set("authorization", `Bearer ${token}`);
    let body = options.body;
    if (options.json !== undefined) {
      headers.set("content-type", "application/json");
      body = JSON.stringify(options.json);
    }
    const address = `${BASE}${path}${query.size ? `?${query}` : ""}`;
    const response = await reached(() => fetch(address, { method, headers, body, signal: options.signal }));
    if (!response.ok) throw await refused(response);
    return response;
  }

  /**
   * The answer as data, null where there is none. Raises Refused, Unreachable.
   * @param {string} method
   * @param {string} path
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async call(method, path, options) {
    const response = await this.open(method, path, options);
    return response.status === 204 ? null : reached(() => response.json());
  }
}

/**
 * The network's errors are all `TypeError`; an abort passes as it is.
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
export async function reached(ask) {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) throw new Unreachable();
    throw error;
  }
}

/** @param {Response} response */
async function refused(response) {
  const kind = response.headers.get("content-type") ?? "";
  const problem = kind.includes("json") ? await reached(() => response.json()) : {};
  const wait = Number(response.headers.get("retry-after"));
  return new Refused(response.status, problem, wait > 0 ? wait : null);
}
