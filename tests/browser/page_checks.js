// What test_pages.py asks of every page; each function gives a list of what is wrong.

/** Formulas that MathJax has not turned into glyphs, or has turned into an error. */
async function formulasNotTypeset() {
  const formulas = [...document.querySelectorAll("span.math, div.math")];
  if (!formulas.length) return [];
  if (!window.MathJax?.startup?.promise) return ["MathJax is not there"];
  await MathJax.startup.promise;
  const bad = formulas.filter((f) => !f.querySelector("mjx-container") || f.querySelector("mjx-merror"));
  return bad.map((f) => f.textContent.trim().slice(0, 80));
}

/** Images that did not load, or that say nothing to those who do not see them. */
async function imagesNotSeen() {
  const images = [...document.images];
  for (const image of images) image.loading = "eager"; // those below the fold too
  await Promise.allSettled(images.map((image) => image.decode()));
  const name = (image) => image.src.slice(0, 100);
  const empty = images.filter((i) => !i.complete || !i.naturalWidth).map((i) => `not loaded: ${name(i)}`);
  const mute = images.filter((i) => !i.alt.trim()).map((i) => `no alt text: ${name(i)}`);
  return [...empty, ...mute];
}

/** The page's width where it is larger than the window's, and who may have made it so. */
function widerThanTheWindow() {
  const page = document.scrollingElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter(
    (element) => element.getBoundingClientRect().right > page.clientWidth + 1,
  );
  const names = wide.slice(-5).map((element) => element.outerHTML.slice(0, 120));
  return [`${page.scrollWidth} > ${page.clientWidth} px`, ...names];
}

/** Relative luminance of a colour rgb(r, g, b) (WCAG 2). */
function luminance(colour) {
  const parts = colour.match(/[\d.]+/g).map((v) => v / 255);
  const [r, g, b] = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The opaque colour behind an element, also out of a shadow tree. */
function ground(element) {
  for (let e = element; e; e = e.parentElement ?? e.getRootNode().host) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!/, 0\)$/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
}

/** Texts of the book's own elements, and kinds of words in code, with a contrast below 4.5 (WCAG 2, 1.4.3). */
function hardToRead() {
  const own = [...document.querySelectorAll("*")].filter((element) => element.shadowRoot);
  const texts = own.flatMap((element) => [
    ...element.shadowRoot.querySelectorAll("span, legend, figcaption, button, th, td, p, small, label"),
  ]);
  const words = [...document.querySelectorAll("div.highlight span[class]")].filter((w) => w.textContent.trim());
  const kinds = new Map(words.map((word) => [word.className, word]));
  return [...texts.filter((text) => text.textContent.trim()), ...kinds.values()].flatMap((text) => {
    const pair = [getComputedStyle(text).color, ground(text)];
    const [low, high] = pair.map(luminance).sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    return contrast < 4.5 ? [`${text.textContent.trim()}: ${contrast.toFixed(2)}, ${pair.join(" on ")}`] : [];
  });
}

/** What axe-core finds outside of these selectors, but for what is excused: rules with selectors. */
async function violations(without, options, excuses) {
  const context = { include: document, exclude: without.map((selector) => [selector]) };
  const result = await axe.run(context, { resultTypes: ["violations"], preload: false, ...options });
  const excused = (rule, node) => {
    // Into a shadow tree axe leads by a list of selectors, one for each tree.
    const step = (root, selector) => (root?.shadowRoot ?? root)?.querySelector(selector);
    const element = [node.target[0]].flat().reduce(step, document);
    return excuses.some(([name, within]) => name === rule && element?.closest(within));
  };
  const told = (node) => [...node.any, ...node.all, ...node.none][0]?.message ?? "";
  return result.violations.flatMap(({ id, impact, nodes }) =>
    nodes
      .filter((node) => !excused(id, node))
      .map((node) => `${id} (${impact}): ${node.html.slice(0, 160)} | ${told(node).slice(0, 160)}`),
  );
}
