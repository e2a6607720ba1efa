/** Elements made and found. Whatever comes from a model or a file is put in as text: nothing here reads HTML. */

/** @typedef {Node|string|number|null|undefined|false} Child */

/**
 * A new element. Attributes are strings or numbers; `true` sets an empty one, and null, undefined and false none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string|number|boolean|null|undefined>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  dress(made, attributes);
  made.append(...present(children));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * A new element of a picture.
 * @param {string} tag
 * @param {Record<string, string|number|boolean|null|undefined>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function draw(tag, attributes = {}, ...children) {
  const made = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  dress(made, attributes);
  made.append(...present(children));
  return made;
}

/**
 * Put these children in the place of those that are there.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...present(children));
}

/**
 * The element of the page with this id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  return a(document.getElementById(id), kind, `#${id}`);
}

/**
 * The first element below `root` that matches.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function within(root, selector, kind) {
  return a(root.querySelector(selector), kind, selector);
}

/**
 * The field of a form with this name, a text field or a choice.
 * @param {HTMLFormElement} form
 * @param {string} name
 * @returns {HTMLInputElement}
 */
export function field(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/**
 * Call `work` when a form is sent or a button pressed, one at a time: what is pressed meanwhile is not available.
 * @param {HTMLFormElement|HTMLButtonElement} from
 * @param {() => Promise<void>|void} work
 */
export function when(from, work) {
  let busy = false;
  from.addEventListener(from instanceof HTMLFormElement ? "submit" : "click", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    from.setAttribute("aria-busy", "true");
    try {
      await work();
    } finally {
      busy = false;
      from.removeAttribute("aria-busy");
    }
  });
}

/**
 * @param {Element} made
 * @param {Record<string, string|number|boolean|null|undefined>} attributes
 */
function dress(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * @param {Child[]} children
 * @returns {(Node|string)[]}
 */
function present(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * @template {Element} T
 * @param {Element|null} found
 * @param {new () => T} kind
 * @param {string} what
 * @returns {T}
 */
function a(found, kind, what) {
  if (!(found instanceof kind)) throw new TypeError(`the page has no ${what}`);
  return found;
}
