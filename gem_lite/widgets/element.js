// Shared by the book's elements: numbers in, colours out, and a base class that starts each element once.

/** Numbers from base64 of little-endian float32. */
function decodeNumbers(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** Three significant digits, as Python's `three_digits` writes them. */
function threeDigits(number) {
  if (number === Infinity) return "∞";
  if (number === 0) return "0";
  const rounded = Number(number.toPrecision(3));
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return decimals > 6 ? rounded.toExponential(2) : rounded.toFixed(decimals);
}

/** A number with so many decimals, as Python's `fixed` writes it: a real minus, and none before a zero. */
function fixed(number, decimals) {
  return number.toFixed(decimals).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
}

// Nine colours of matplotlib's "inferno", evenly spaced: dark is little, bright is much, also in grey.
const INFERNO = [
  [0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85],
  [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164],
];

/** Colour [r, g, b] of a number between 0 and 1. */
function inferno(t) {
  const place = Math.min(Math.max(t, 0), 1) * (INFERNO.length - 1);
  const left = Math.min(Math.floor(place), INFERNO.length - 2);
  return INFERNO[left].map((low, i) => Math.round(low + (INFERNO[left + 1][i] - low) * (place - left)));
}

/** Draws one pixel per number (rows by columns) into the canvas; `colour` gives [r, g, b] of an index. */
function drawPixels(canvas, rows, columns, colour) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) pixels.data.set([...colour(i), 255], 4 * i);
  context.putImageData(pixels, 0, 0);
}

/** The text, never broken over two lines: a number stays with its unit, and with what it is the value of. */
function unbroken(text) {
  return text.replaceAll(" ", "\u00a0");
}

/** An element with a class and a text. */
function textElement(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** A row of a table: a heading and a cell for every text. */
function tableRow(className, heading, cells, tag = "td") {
  const row = document.createElement("tr");
  row.className = className;
  row.append(textElement("th", "", heading), ...cells.map((text) => textElement(tag, "", text)));
  return row;
}

/** A new SVG element with these attributes at the end of one that is there. */
function addSvg(parent, tag, attributes = {}) {
  const element = document.createElementNS(parent.namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

/** Marks below a slider: pairs of a text and its place from 0 to 1. */
function addTicks(ticks, marks) {
  for (const [text, place] of marks) {
    const tick = textElement("span", "tick", text);
    tick.style.left = `${100 * place}%`;
    ticks.append(tick);
  }
}

/** Outline of an arrow from one place to another, in SVG; nothing where they are the same. */
function arrowPath([x0, y0], [x1, y1], head, shaft = 0) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 1e-6) return "";
  const size = Math.min(head, 0.75 * length);
  const [along, across] = [[(x1 - x0) / length, (y1 - y0) / length], [(y0 - y1) / length, (x1 - x0) / length]];
  const at = (far, aside) => [x0 + far * along[0] + aside * across[0], y0 + far * along[1] + aside * across[1]];
  const [back, half] = [length - size, shaft / 2];
  const corners = [[0, half], [back, half], [back, size / 2], [length, 0], [back, -size / 2], [back, -half], [0, -half]];
  return `M${corners.map(([far, aside]) => at(far, aside)).join("L")}Z`;
}

/** Calls `move` with the event while a pointer that went down on the handle moves, wherever it goes. */
function onDrag(handle, move) {
  // A finger must not scroll the page instead. Inside SVG browsers overlook the style sheet's touch-action.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  handle.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault(); // no text is selected; the focus has to be asked for
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", move, { once: true }); // where it was let go counts, too
    handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", move), { once: true });
  });
}

/** Place [x, y] of a pointer in the units of the SVG's view box. */
function placeInSvg(svg, event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [place.x, place.y];
}

/**
 * What the book's elements have in common. A class on top of it gives `template`, the HTML of its shadow tree,
 * and `begin`, which fills and draws it; `this.data` then holds what Python sent. Node, which tests the
 * arithmetic, has no HTMLElement.
 */
class BookElement extends (globalThis.HTMLElement ?? Object) {
  connectedCallback() {
    this.start();
  }

  /** Reads the data and draws; does nothing before they are there, and nothing the second time. */
  start() {
    const text = this.querySelector('script[type="application/json"]');
    if (!text || this.shadowRoot) return;
    this.data = JSON.parse(text.textContent);
    this.attachShadow({ mode: "open" }).innerHTML = `<style>${STYLE}</style>${this.constructor.template}`;
    this.begin();
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }
}

/**
 * Defines the element once and starts the copies that the page has read so far: the second element of a page is
 * connected before its children are read, and is started by the script that stands behind it.
 */
function defineOnce(tag, elementClass) {
  if (typeof customElements === "undefined") return;
  if (!customElements.get(tag)) customElements.define(tag, elementClass);
  document.querySelectorAll(tag).forEach((element) => element.start());
}
