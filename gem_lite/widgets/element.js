// Shared by the book's elements: numbers in, colours out, and an element that is defined only once.

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

/**
 * Defines the element once and starts the copies that the page has read so far. `start` of the class must do
 * nothing while its data are missing and nothing when called again: the second element of a page is connected
 * before its children are read, and is started by the script that stands behind it.
 */
function defineOnce(tag, elementClass) {
  if (!customElements.get(tag)) customElements.define(tag, elementClass);
  document.querySelectorAll(tag).forEach((element) => element.start());
}
