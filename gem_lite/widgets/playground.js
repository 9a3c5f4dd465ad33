// <gem-playground>: retrieval under settings that move, searched and judged in the browser.
// The numbers are those of gem_lite.search, gem_lite.whitening and gem_lite.evaluate on the same descriptors.

const KINDS = ["negative", "positive", "junk"];
const SIGNS = { positive: "✓", junk: "–", negative: "✕" };
const POOLINGS = { spoc: 1, gem: null, mac: Infinity }; // the exponent that a pooling stands for
const SHOWN = 24; // answers, until all are asked for

/** Rows of numbers from 16-bit integers, with a scale for every row and every column. */
function decodeRows({ rows, columns, values, byRow, byColumn }) {
  const text = atob(values);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  const [rowScales, columnScales] = [decodeNumbers(byRow), decodeNumbers(byColumn)];
  const numbers = new Float64Array(rows * columns);
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, k++) numbers[k] = view.getInt16(2 * k, true) * rowScales[i] * columnScales[j];
  }
  return { rows, columns, numbers };
}

/** The first numbers of every row, brought to length one; a zero row stays zero. */
function unitRows(matrix, kept = matrix.columns) {
  const columns = Math.min(kept, matrix.columns);
  const numbers = new Float64Array(matrix.rows * columns);
  for (let i = 0; i < matrix.rows; i++) {
    const row = matrix.numbers.subarray(i * matrix.columns, i * matrix.columns + columns);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let j = 0; j < columns; j++) numbers[i * columns + j] = row[j] / length;
  }
  return { rows: matrix.rows, columns, numbers };
}

/** Inner products of all rows of two matrices, (a.rows, b.rows). */
function products(a, b) {
  const [width, numbers, left, right] = [a.columns, new Float64Array(a.rows * b.rows), a.numbers, b.numbers];
  for (let i = 0, k = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++, k++) {
      // Two sums at a time: an addition need not wait for the one before it.
      let [even, odd, x, y] = [0, 0, i * width, j * width];
      for (const end = x + width - 1; x < end; x += 2, y += 2) {
        even += left[x] * right[y];
        odd += left[x + 1] * right[y + 1];
      }
      if (width % 2) even += left[x] * right[y];
      numbers[k] = even + odd;
    }
  }
  return { rows: a.rows, columns: b.rows, numbers };
}

/** y = P (x - m) for every row x; lengths are not yet one. */
function whiten(matrix, { mean, components }) {
  const centred = matrix.numbers.map((x, i) => x - mean.numbers[i % matrix.columns]);
  return products({ ...matrix, numbers: centred }, components);
}

function row(matrix, i) {
  return matrix.numbers.subarray(i * matrix.columns, (i + 1) * matrix.columns);
}

/** Indices of the scores, best first; equal ones in the order they come in. */
function bestFirst(scores) {
  return Uint16Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
}

/** α-weighted query expansion: q + Σ (qᵀx)^α x over the n nearest, without the query's own picture. */
function expandQueries(queries, database, n, alpha, own) {
  const scores = products(queries, database);
  const moved = { ...queries, numbers: queries.numbers.slice() };
  for (let q = 0; q < queries.rows; q++) {
    const target = row(moved, q);
    const similarities = row(scores, q);
    for (const near of bestFirst(similarities).filter((i) => i !== own[q]).subarray(0, n)) {
      const weight = alpha > 0 ? Math.max(similarities[near], 0) ** alpha : 1;
      row(database, near).forEach((x, j) => (target[j] += weight * x));
    }
  }
  return unitRows(moved);
}

/** Corners [recall, precision] of the curve, two for each positive; junk is passed over. */
function precisionRecall(order, kinds) {
  const total = kinds.reduce((sum, kind) => sum + (kind === 1), 0);
  const corners = [];
  let [place, found] = [0, 0];
  for (const image of order) {
    if (kinds[image] === 2) continue;
    if (kinds[image] === 1) {
      corners.push([found / total, place ? found / place : 1], [(found + 1) / total, (found + 1) / (place + 1)]);
      found++;
    }
    place++;
  }
  return corners;
}

/** Average precision, the area under those corners by trapezoids; not a number without positives. */
function averagePrecision(corners) {
  const heights = corners.reduce((sum, [, precision]) => sum + precision, 0);
  return heights / corners.length; // two corners for each positive, as wide as one share of the recall
}

/** The exponent whose whitening serves p: the nearest in 1/√p. */
function serving(p, fitted) {
  const distance = (q) => Math.abs(p ** -0.5 - q ** -0.5);
  return fitted.reduce((best, q) => (distance(q) < distance(best) ? q : best));
}

/** Searches all queries under one setting. What has been decoded and whitened once is kept. */
class Retriever {
  constructor({ bodies, queries, photos }) {
    this.bodies = bodies;
    this.own = queries.map((query) => query.row);
    this.kinds = queries.map(({ positives, junk }) => {
      const kinds = new Uint8Array(photos.length);
      positives.forEach((image) => (kinds[image] = 1));
      junk.forEach((image) => (kinds[image] = 2));
      return kinds;
    });
    this.kept = new Map();
  }

  once(name, make) {
    if (!this.kept.has(name)) this.kept.set(name, make());
    return this.kept.get(name);
  }

  /** The network that was trained with the chosen pooling, or else the one that has the exponent. */
  body(settings, p) {
    const fitting = this.bodies.filter(({ state, layers }) => state === settings.state && layers.some((l) => l.p === p));
    return fitting.find(({ pooling }) => pooling === settings.pooling) ?? fitting[0];
  }

  /** Descriptors of database and queries, and what is to be said of where they come from. */
  describe(settings) {
    const p = POOLINGS[settings.pooling] ?? settings.p;
    const body = this.body(settings, p);
    const name = `${this.bodies.indexOf(body)} ${p}`;
    const raw = this.once(name, () => {
      const layer = body.layers.find((l) => l.p === p);
      return [layer.database, layer.queries].map((rows) => unitRows(decodeRows(rows)));
    });
    if (settings.whitening === "none") return { p, body, rows: raw, dimensions: raw[0].columns };
    const fitted = serving(p, body.whitenings.map((whitening) => whitening.p));
    const whitened = this.once(`${name} ${settings.whitening}`, () => {
      const coded = body.whitenings.find((whitening) => whitening.p === fitted)[settings.whitening];
      const affine = { mean: decodeRows(coded.mean), components: decodeRows(coded.components) };
      return raw.map((rows) => whiten(rows, affine));
    });
    const rows = whitened.map((matrix) => unitRows(matrix, settings.dimensions));
    return { p, body, fitted, rows, dimensions: rows[0].columns };
  }

  search(settings) {
    const described = this.describe(settings);
    let [database, queries] = described.rows;
    if (settings.n) queries = expandQueries(queries, database, settings.n, settings.alpha, this.own);
    const scores = products(queries, database);
    const orders = this.own.map((_, q) => bestFirst(row(scores, q)));
    const curves = orders.map((order, q) => precisionRecall(order, this.kinds[q]));
    const aps = curves.map(averagePrecision);
    const answered = aps.filter((ap) => !Number.isNaN(ap));
    const map = answered.reduce((a, b) => a + b, 0) / answered.length;
    return { ...described, scores, orders, curves, aps, map };
  }
}

const NAMES = {
  pooling: { spoc: "SPoC", gem: "GeM", mac: "MAC" },
  whitening: { none: "none", PCAw: "PCA", Lw: "learned" },
};
const TITLES = { state: "Network", pooling: "Pooling", whitening: "Whitening" };
const SLIDERS = {
  p: { label: "Exponent", symbol: "p", note: () => "" },
  dimensions: { label: "Dimensions", symbol: "d", note: () => "" },
  n: { label: "Expansion by", symbol: "n", note: (n) => (n ? (n === 1 ? " answer" : " answers") : " (off)") },
  alpha: { label: "Weighted by s<sup>α</sup>", symbol: "α", note: (alpha) => (alpha ? "" : " (AQE)") },
};

const TEMPLATE = `
<div class="card" role="group" aria-label="Retrieval playground">
  <fieldset class="queries"><legend>Query: the part in the box is asked with</legend></fieldset>
  <output aria-live="polite"></output>
  <div class="result">
    <figure class="asked"><div class="frame"><img><i class="box"></i></div></figure>
    <div class="words">
      <p class="how"></p>
      <div class="buttons">
        <button type="button" class="keep">Keep to compare</button>
        <button type="button" class="reset">Start again</button>
      </div>
    </div>
    <figure class="curve">
      <svg viewBox="-13 -4 120 121" role="img">
        <path class="grid" d="M0,0H100M0,50H100M0,100H100M0,0V100M50,0V100M100,0V100"></path>
        <path class="before"></path><path class="now"></path>
        <text x="-2" y="3" class="y">1</text><text x="-2" y="102" class="y">0</text>
        <text x="100" y="110" class="x">1</text><text x="0" y="110" class="x">0</text>
        <text x="50" y="112" class="x">recall</text>
        <text transform="translate(-5 50) rotate(-90)" class="x">precision</text>
      </svg>
    </figure>
  </div>
  <div class="answers">
    <p class="legend"><span>Answers, best first:</span> <span><b>✓</b> positive</span> <span><b>✕</b> negative</span>
      <span><b>–</b> junk, not counted</span></p>
    <ol class="strip"></ol>
    <svg class="places" viewBox="0 0 1 10" preserveAspectRatio="none" role="img">
      <path class="negative"></path><path class="junk"></path><path class="positive"></path>
    </svg>
    <p class="legend places-legend"></p>
    <button type="button" class="more" aria-expanded="false"></button>
  </div>
  <div class="controls"><div class="left"></div><div class="right"></div></div>
</div>`;

const percent = (share) => (Number.isNaN(share) ? "unknown" : `${(100 * share).toFixed(1)}\u00a0%`);
const exponentName = (p) => (p === Infinity ? "∞" : String(p));

/** Difference to what was kept, in points, or nothing. */
function change(now, before) {
  if (before === undefined || Number.isNaN(now - before)) return "";
  const points = (100 * (now - before)).toFixed(1).replace(/^-0\.0$/, "0.0");
  return ` (${points.startsWith("-") ? "−" : "+"}${points.replace("-", "")})`;
}

class Playground extends BookElement {
  static template = TEMPLATE;

  begin() {
    // JSON has no ∞: null stands for it.
    const exponents = [this.data.settings, ...this.data.bodies.flatMap((body) => [...body.layers, ...body.whitenings])];
    for (const owner of exponents) owner.p ??= Infinity;
    this.data.choices.p = this.data.choices.p.map((p) => p ?? Infinity);
    this.retriever = new Retriever(this.data);
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.chosen = { ...this.data.settings };
    this.gemExponent = this.chosen.p;
    this.fillIn();
    this.listen();
    this.show();
  }

  get settings() {
    return { ...this.chosen };
  }

  /** Some or all of query, state, pooling, p, whitening, dimensions, n and alpha. */
  set settings(changes) {
    const next = { ...this.chosen, ...changes };
    if ("p" in changes && !("pooling" in changes)) next.pooling = "gem"; // whoever moves p wants GeM
    if (next.pooling === "gem") this.gemExponent = next.p = "p" in changes ? next.p : this.gemExponent;
    else next.p = POOLINGS[next.pooling];
    next.dimensions = Math.min(next.dimensions, this.data.choices.dimensions.at(-1));
    this.chosen = next;
    this.show();
  }

  fillIn() {
    const { photos, queries, aspect, choices } = this.data;
    this.style.setProperty("--aspect", aspect);
    queries.forEach((query, i) => this.find(".queries").append(this.queryButton(query, i)));
    const [left, right] = [this.find(".left"), this.find(".right")];
    const states = Object.fromEntries(this.data.bodies.map(({ state }) => [state, state]));
    left.append(this.radios("state", states), this.radios("pooling"), this.slider("p", choices.p), this.radios("whitening"));
    right.append(...["dimensions", "n", "alpha"].map((name) => this.slider(name, choices[name])));
    this.tiles = photos.map((photo) => {
      const tile = textElement("li", "", "");
      const picture = Object.assign(document.createElement("img"), { src: photo });
      const [sign, score] = [textElement("b", "", ""), textElement("span", "score", "")];
      sign.ariaHidden = "true";
      tile.append(picture, sign, " ", score);
      return { tile, picture, sign, score };
    });
    this.find(".places").setAttribute("viewBox", `0 0 ${photos.length} 10`);
  }

  queryButton({ row: image, box }, i) {
    const label = textElement("label", "choice", "");
    const button = Object.assign(document.createElement("input"), { type: "radio", name: "query", value: i });
    const frame = textElement("div", "frame", "");
    const alt = `Query ${i + 1} of ${this.data.queries.length}`;
    frame.append(Object.assign(document.createElement("img"), { src: this.data.photos[image], alt }));
    frame.append(Object.assign(textElement("i", "box", ""), { style: this.boxStyle(box) }));
    label.append(button, frame);
    return label;
  }

  boxStyle([left, top, width, height]) {
    return `left:${left}%;top:${top}%;width:${width}%;height:${height}%`;
  }

  radios(name, names = NAMES[name]) {
    const group = textElement("fieldset", "words-only", "");
    group.append(textElement("legend", "", TITLES[name]));
    for (const [value, text] of Object.entries(names)) {
      const label = textElement("label", "choice word", "");
      label.append(Object.assign(document.createElement("input"), { type: "radio", name, value }));
      label.append(textElement("span", "", text));
      group.append(label);
    }
    return group;
  }

  slider(name, stops) {
    const whole = textElement("div", `slider ${name}`, "");
    const { label, symbol } = SLIDERS[name];
    whole.innerHTML = `<label class="control"><span class="name"><span>${label}</span> <span class="value"></span></span>
      <input type="range" name="${name}" min="0" max="${stops.length - 1}" step="1"></label>
      <div class="ticks" aria-hidden="true"></div>`;
    whole.querySelector("input").ariaLabel = `${label.replace(/<.*?>/g, "")} (${symbol})`;
    stops.forEach((stop, i) => {
      const tick = textElement("span", "tick", exponentName(stop));
      tick.style.left = `${(100 * i) / (stops.length - 1)}%`;
      whole.querySelector(".ticks").append(tick);
    });
    return whole;
  }

  listen() {
    this.shadowRoot.addEventListener("input", ({ target }) => {
      const { name, value, type } = target;
      if (type === "range") this.settings = { [name]: this.data.choices[name][value] };
      else this.settings = { [name]: name === "query" ? Number(value) : value };
    });
    this.find(".keep").addEventListener("click", () => {
      this.reference = this.reference ? undefined : this.found;
      this.show();
    });
    this.find(".reset").addEventListener("click", () => {
      this.reference = undefined;
      this.gemExponent = this.data.settings.p;
      this.settings = { ...this.data.settings };
    });
    this.find(".more").addEventListener("click", ({ currentTarget }) => {
      currentTarget.ariaExpanded = String(currentTarget.ariaExpanded !== "true");
      this.showAnswers();
    });
  }

  show() {
    this.found = this.retriever.search(this.chosen);
    this.showControls();
    this.showWords();
    this.showCurve();
    this.showAnswers();
    this.showPlaces();
  }

  showControls() {
    for (const name of ["query", "state", "pooling", "whitening"]) {
      const buttons = [...this.shadowRoot.querySelectorAll(`input[name=${name}]`)];
      buttons.find((button) => button.value === String(this.chosen[name])).checked = true;
    }
    for (const [name, { symbol, note }] of Object.entries(SLIDERS)) {
      const slider = this.find(`input[name=${name}]`);
      const value = name === "dimensions" ? this.found.dimensions : this.chosen[name];
      slider.value = this.data.choices[name].indexOf(this.chosen[name]);
      slider.ariaValueText = `${symbol} = ${exponentName(value)}${note(value)}`;
      this.find(`.slider.${name} .value`).textContent = slider.ariaValueText;
    }
    this.find("input[name=dimensions]").disabled = this.chosen.whitening === "none";
    this.find("input[name=alpha]").disabled = this.chosen.n === 0;
    const { row: image, box } = this.data.queries[this.chosen.query];
    const asked = this.find(".asked img");
    Object.assign(asked, { src: this.data.photos[image], alt: `Query ${this.chosen.query + 1}, the part in the box` });
    this.find(".asked .box").style = this.boxStyle(box);
  }

  showWords() {
    const { query, n, alpha, whitening } = this.chosen;
    const { p, body, fitted, dimensions, aps, map } = this.found;
    const number = (className, title, value, old) => {
      const whole = textElement("span", className, "");
      whole.append(textElement("b", "", `${title} ${percent(value)}`), textElement("i", "", change(value, old)));
      return whole;
    };
    this.find("output").replaceChildren(
      textElement("span", "asking", `Query ${query + 1} of ${aps.length}`), " ",
      number("ap", "AP", aps[query], this.reference?.aps[query]), " ",
      number("map", "mAP", map, this.reference?.map),
    );
    const network = body.state === "fine-tuned"
      ? `Network fine-tuned with ${NAMES.pooling[body.pooling]}` : "Network off the shelf";
    const parts = [`${network}, pooled at ${unbroken(`p = ${exponentName(p)}`)}`];
    parts.push(whitening === "none"
      ? `all ${dimensions} numbers, not whitened`
      : `${NAMES.whitening[whitening]} whitening fitted at ${unbroken(`p = ${exponentName(fitted)}`)}, first ${dimensions} numbers`);
    if (n) parts.push(`queries expanded, ${unbroken(`n = ${n}`)}, ${unbroken(`α = ${alpha}`)}`);
    this.find(".how").textContent =
      `AP of this query, mAP of all ${aps.length}. ${parts.join("; ")}. ${this.reference ? "In brackets and dashed: against what you kept." : ""}`;
    this.find(".keep").textContent = this.reference ? "Forget what was kept" : "Keep to compare";
    this.find(".keep").ariaPressed = String(Boolean(this.reference));
  }

  showCurve() {
    const path = (corners) =>
      corners.length ? `M${corners.map(([x, y]) => `${(100 * x).toFixed(2)},${(100 - 100 * y).toFixed(2)}`).join("L")}` : "";
    const { query } = this.chosen;
    this.find(".now").setAttribute("d", path(this.found.curves[query]));
    this.find(".before").setAttribute("d", path(this.reference?.curves[query] ?? []));
    this.find(".curve svg").ariaLabel =
      `Precision over recall of query ${query + 1}; the area below it is its AP, ${percent(this.found.aps[query])}`;
  }

  /** What the image is to the chosen query, in words. */
  kindOf(image) {
    const { query } = this.chosen;
    return image === this.data.queries[query].row ? "the query's own picture" : KINDS[this.retriever.kinds[query][image]];
  }

  showAnswers() {
    const { query } = this.chosen;
    const [order, scores] = [this.found.orders[query], row(this.found.scores, query)];
    const all = this.find(".more").ariaExpanded === "true";
    const shown = Array.from(order.subarray(0, all ? order.length : SHOWN));
    const places = this.still.matches || all ? null : this.placesOf(this.visible ?? []);
    for (const image of shown) {
      const { tile, picture, sign, score } = this.tiles[image];
      const kind = KINDS[this.retriever.kinds[query][image]];
      tile.className = kind;
      picture.alt = this.kindOf(image);
      sign.textContent = SIGNS[kind];
      score.textContent = scores[image].toFixed(2).replace("-", "−");
    }
    this.find(".strip").replaceChildren(...shown.map((image) => this.tiles[image].tile));
    this.find(".strip").classList.toggle("all", all);
    this.find(".more").textContent = all ? "Show the first answers only" : `Show all ${order.length} answers`;
    this.visible = shown;
    if (places) this.glide(places);
  }

  placesOf(images) {
    return new Map(images.map((image) => {
      const { offsetLeft, offsetTop } = this.tiles[image].tile;
      return [image, [offsetLeft, offsetTop]];
    }));
  }

  /** Answers move from their old places to the new ones; those that come in appear. */
  glide(before) {
    const timing = { duration: 200, easing: "ease-out" };
    for (const [image, [x, y]] of this.placesOf(this.visible)) {
      const { tile } = this.tiles[image];
      const [oldX, oldY] = before.get(image) ?? [];
      if (oldX === undefined) tile.animate([{ opacity: 0 }, { opacity: 1 }], timing);
      else if (oldX !== x || oldY !== y) {
        tile.animate([{ transform: `translate(${oldX - x}px, ${oldY - y}px)` }, { transform: "none" }], timing);
      }
    }
  }

  /** One stroke for every image, best first: long for positives, middling for junk, short for negatives. */
  showPlaces() {
    const { query } = this.chosen;
    const [order, kinds] = [this.found.orders[query], this.retriever.kinds[query]];
    const lengths = { negative: [8.4, 10], junk: [5, 10], positive: [0, 10] };
    for (const [kind, [top, end]] of Object.entries(lengths)) {
      const strokes = Array.from(order, (image, x) => (KINDS[kinds[image]] === kind ? `M${x + 0.5},${top}V${end}` : ""));
      this.find(`.places .${kind}`).setAttribute("d", strokes.join(""));
    }
    const found = Array.from(order, (image, x) => (kinds[image] === 1 ? x + 1 : 0)).filter(Boolean);
    this.find(".places").ariaLabel = `The positives stand in places ${found.join(", ")}`;
    this.find(".places-legend").textContent =
      `All ${order.length} answers, best on the left: ${found.length} positives (long strokes), the last in place ${found.at(-1)}.`;
  }
}

defineOnce("gem-playground", Playground);
