// What test_widget_looks.py asks of an open widget; each function gives a list of what is wrong.

/** A colour of any notation as [red, green, blue, opacity], 0 to 255 and 0 to 1: as the browser paints it. */
function painted(colour) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}

/** The opaque colour behind an element, also out of its shadow tree. */
function behind(element) {
  for (let e = element; e; e = e.parentElement ?? e.getRootNode().host) {
    const colour = painted(getComputedStyle(e).backgroundColor);
    if (colour[3] === 1) return colour;
  }
  return [255, 255, 255, 1];
}

/** Contrast of two opaque colours (WCAG 2). */
function contrast(a, b) {
  const luminance = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((v) => (v <= 10.3 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Lines and marks of the widget's pictures, but those that only help the eye, with a contrast below 3. */
function faint(widget, helps) {
  const shapes = [...widget.shadowRoot.querySelectorAll("svg :is(path, circle, line, rect)")];
  const drawn = shapes.filter((shape) => shape.getAttribute("d") !== "" && !shape.matches(helps));
  const found = drawn.map((shape) => {
    const style = getComputedStyle(shape);
    const ground = behind(shape.ownerSVGElement);
    let opacity = 1;
    for (let e = shape; e !== shape.ownerSVGElement; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
    const best = Math.max(...[style.stroke, style.fill].filter((paint) => paint !== "none").map((paint) => {
      const colour = painted(paint);
      const share = opacity * colour[3];
      return contrast(ground, ground.map((z, i) => share * colour[i] + (1 - share) * z));
    }));
    return best < 3 ? `${shape.getAttribute("class")}: ${best.toFixed(2)}, ${style.stroke}, ${style.fill}` : "";
  });
  return { shapes: drawn.length, faint: [...new Set(found.filter(Boolean))] };
}

/** Words and numbers of the widget that are less than 11 pixels high on the screen. */
function tiny(widget) {
  const walker = document.createTreeWalker(widget.shadowRoot, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.closest("style") || !element.getClientRects().length) continue;
    const scale = element.ownerSVGElement ? Math.hypot(element.getScreenCTM().a, element.getScreenCTM().b) : 1;
    const size = scale * parseFloat(getComputedStyle(element).fontSize);
    if (size < 10.99) found.push(`${text}: ${size.toFixed(1)} px`);
  }
  return found;
}

/** Rows of the widget's table that take more than one line. */
function brokenRows(widget) {
  const rows = [...widget.shadowRoot.querySelectorAll("tbody tr")];
  return rows.filter((row) => row.offsetHeight > 30).map((row) => row.innerText);
}

/** Marks below a slider that the ring around its thumb would lie over. */
function ringedTicks(widget) {
  return [...widget.shadowRoot.querySelectorAll("input[type=range]")].flatMap((slider) => {
    const { top, height } = slider.getBoundingClientRect();
    const ticks = (slider.closest("label") ?? slider).parentElement.querySelector(".ticks");
    const ring = top + height / 2 + 14 + 3; // half a thumb, and the ring
    const below = ticks ? ticks.getBoundingClientRect().top - ring : 0;
    return below < 0 ? [`${slider.ariaLabel}: ${below} px`] : [];
  });
}
