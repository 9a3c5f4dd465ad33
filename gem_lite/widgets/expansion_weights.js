// <gem-expansion-weights>: the weights s^α of query expansion on the similarities of actual ranked lists.
// The numbers are those of gem_lite.search.expand_queries: similarities below 0 count as 0, α = 0 gives 1 to all.

const WIDTH = 300; // of a plot, in units of its own
const HEIGHT = 130;
const ALPHAS = [0, 10];

/** Weight of a neighbour. */
function weightOf(similarity, alpha) {
  return alpha === 0 ? 1 : Math.max(similarity, 0) ** alpha;
}

/** Numbers of a list of neighbours, nearest first: weights of all (0 beyond n), their sums, the new query. */
function expansion({ similarities, kinds, products }, n, alpha) {
  const count = similarities.length;
  const weights = Array.from(similarities, (s, i) => (i < n ? weightOf(s, alpha) : 0));
  const total = weights.reduce((a, b) => a + b, 0);
  // The new query is q + Σ w x; its products with the listed images, before its length is made 1.
  const moved = Array.from(similarities, (s, i) => {
    let sum = s;
    for (let j = 0; j < n && j < count; j++) sum += weights[j] * products[i * count + j];
    return sum;
  });
  const withQuery = 1 + weights.reduce((sum, w, i) => sum + w * similarities[i], 0);
  const length = Math.sqrt(withQuery + weights.reduce((sum, w, i) => sum + w * moved[i], 0));
  const on = (kind) => weights.reduce((sum, w, i) => sum + (kinds[i] === kind ? w : 0), 0);
  return {
    weights,
    total,
    shares: ["p", "j", "n"].map((kind) => (total ? (100 * on(kind)) / total : 0)),
    turn: (180 / Math.PI) * Math.acos(Math.min(1, withQuery / length)),
    order: moved.map((_, i) => i).sort((a, b) => moved[b] - moved[a] || a - b),
  };
}

/** A list as Python sent it, ready to be computed with: products of all pairs of images from those above the diagonal. */
function listOf({ similarities, kinds, products }) {
  const s = decodeNumbers(similarities);
  const upper = decodeNumbers(products);
  const all = new Float64Array(s.length ** 2);
  let at = 0;
  for (let i = 0; i < s.length; i++) {
    for (let j = i; j < s.length; j++) all[i * s.length + j] = all[j * s.length + i] = upper[at++];
  }
  return { similarities: s, kinds, products: all };
}

/** The part of the axis of similarities that a list needs, in whole tenths. */
function similarityRange(similarities) {
  const clipped = Array.from(similarities, (s) => Math.max(s, 0));
  const low = Math.floor(10 * Math.min(...clipped) + 1e-6);
  const high = Math.ceil(10 * Math.max(...clipped) - 1e-6);
  return [low / 10, Math.max(high, low + 1) / 10];
}

/** Places to name in a list: the first, the last, and round ones between. */
function namedPlaces(count) {
  const step = count > 50 ? 20 : count > 20 ? 10 : 5;
  const between = Array.from({ length: Math.floor(count / step) }, (_, i) => step * (i + 1));
  return [1, ...between.filter((place) => place <= count - step / 2), count];
}

const KINDS = { p: "right", n: "wrong", j: "junk" };

/** A weight beside its axis, which has room for five characters. */
const onAxis = (weight) => (weight >= 0.1 ? threeDigits(weight) : weight.toFixed(3));

class ExpansionWeights extends BookElement {
  static template = `
    <div class="card" role="group" aria-label="Weights of query expansion">
      <fieldset><legend>Ranked list</legend></fieldset>
      <div class="plots">
        <figure><div class="heights" aria-hidden="true"><span class="most"></span><span>0</span></div>
          <svg class="curve" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="line"></path><g></g></svg>
          <div class="ticks" aria-hidden="true"></div><figcaption>weight over similarity&nbsp;s; axis&nbsp;cut to this&nbsp;list</figcaption></figure>
        <figure><div class="heights" aria-hidden="true"><span class="top"></span><span>0</span><span class="top"></span></div>
          <svg class="bars" viewBox="0 ${-HEIGHT / 2} ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="zero" d="M0,0H${WIDTH}"></path><g></g></svg>
          <div class="ticks" aria-hidden="true"></div><figcaption>weight over place: landmark&nbsp;up, others&nbsp;down</figcaption></figure>
      </div>
      <div class="strips" aria-hidden="true">
        <span>before</span><svg class="before" viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none"></svg>
        <span>after</span><svg class="after" viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none"></svg>
      </div>
      <p class="key"><span class="right">shows the landmark</span><span class="junk">junk</span><span class="wrong">shows something else</span></p>
      <div class="lower"><div>
        <label class="control"><span class="name">Neighbours n <span class="value"></span></span>
          <input type="range" class="n" min="0" step="1" aria-label="Neighbours n"></label>
        <label class="control"><span class="name">Exponent α <span class="value"></span></span>
          <input type="range" class="alpha" min="${ALPHAS[0]}" max="${ALPHAS[1]}" step="0.1" aria-label="Exponent alpha"></label>
        <div class="presets"><button type="button" data-alpha="0">α&nbsp;=&nbsp;0: AQE</button><button type="button" data-alpha="3">α&nbsp;=&nbsp;3: α-QE</button></div>
      </div><output aria-live="polite"><table><tbody></tbody></table></output></div>
    </div>`;

  begin() {
    this.lists = this.data.lists.map(listOf);
    Object.assign(this, { list: 0, count: this.data.n, exponent: this.data.alpha });
    this.data.lists.forEach(({ name }, i) => {
      const label = textElement("label", "choice word", name);
      label.prepend(Object.assign(document.createElement("input"), { type: "radio", name: "list", value: i }));
      this.find("fieldset").append(label);
    });
    this.find("fieldset").addEventListener("change", ({ target }) => this.showList(Number(target.value)));
    this.find(".n").addEventListener("input", ({ target }) => (this.n = Number(target.value)));
    this.find(".alpha").addEventListener("input", ({ target }) => (this.alpha = Number(target.value)));
    this.find(".presets").addEventListener("click", ({ target }) => {
      if (target.dataset.alpha) this.alpha = Number(target.dataset.alpha);
    });
    this.showList(0);
  }

  get n() {
    return this.count;
  }

  set n(n) {
    this.count = n;
    this.show();
  }

  get alpha() {
    return this.exponent;
  }

  set alpha(alpha) {
    this.exponent = alpha;
    this.show();
  }

  /** All that is computed, as the sliders stand. */
  get result() {
    return expansion(this.lists[this.list], this.count, this.exponent);
  }

  /** Another list: a dot, a bar and a cell for every image, which then only move. */
  showList(i) {
    this.list = i;
    const { similarities, kinds } = this.lists[i];
    this.find(`input[value="${i}"]`).checked = true;
    this.find(".n").max = similarities.length;
    this.count = Math.min(this.count, similarities.length);
    this.range = similarityRange(similarities);
    this.showTicks();
    const [dots, bars] = [this.find(".curve g"), this.find(".bars g")];
    for (const group of [dots, bars, this.find(".before"), this.find(".after")]) group.replaceChildren();
    [...kinds].forEach((kind) => {
      addSvg(dots, "path", { class: KINDS[kind] });
      addSvg(bars, "rect", { class: KINDS[kind] });
    });
    this.fillStrip(".before", [...kinds].keys());
    this.show();
  }

  /** Marks below both plots. */
  showTicks() {
    const [similarities, places] = this.shadowRoot.querySelectorAll(".plots .ticks");
    const [low, high] = this.range;
    const count = this.lists[this.list].kinds.length;
    const tenths = Array.from({ length: Math.round(10 * (high - low)) + 1 }, (_, i) => low + i / 10);
    for (const ticks of [similarities, places]) ticks.replaceChildren();
    addTicks(similarities, tenths.map((s) => [fixed(s, 1), (s - low) / (high - low)]));
    addTicks(places, namedPlaces(count).map((place) => [place, (place - 0.5) / count]));
  }

  /** Cells in the order of a list; wrong ones are low, so that colour is not all that tells. */
  fillStrip(selector, order) {
    const { kinds } = this.lists[this.list];
    const width = WIDTH / kinds.length;
    const cells = { p: "", j: "", n: "" };
    [...order].forEach((i, place) => {
      const [top, height] = { p: [0, 10], j: [4, 6], n: [7, 3] }[kinds[i]];
      cells[kinds[i]] += `M${(place * width).toFixed(2)},${top}h${(0.85 * width).toFixed(2)}v${height}h${(-0.85 * width).toFixed(2)}z`;
    });
    this.find(selector).replaceChildren();
    for (const [kind, d] of Object.entries(cells)) addSvg(this.find(selector), "path", { class: KINDS[kind], d });
  }

  show() {
    const result = this.result;
    this.showPlots(result);
    this.fillStrip(".after", result.order);
    const [n, alpha] = [this.find(".n"), this.find(".alpha")];
    Object.assign(n, { value: this.count, ariaValueText: `n = ${this.count}` });
    Object.assign(alpha, { value: this.exponent, ariaValueText: `α = ${fixed(this.exponent, 1)}` });
    n.parentElement.querySelector(".value").textContent = this.count;
    alpha.parentElement.querySelector(".value").textContent = fixed(this.exponent, 1);
    for (const button of this.shadowRoot.querySelectorAll("button")) {
      button.ariaPressed = Number(button.dataset.alpha) === this.exponent;
    }
    const [right, junk, wrong] = result.shares.map((share) => `${fixed(share, 1)}\u00a0%`);
    const rows = [
      ["weight on the landmark", right],
      ["weight on junk", junk],
      ["weight on something else", wrong],
      ["all answers; the query: 1", fixed(result.total, 2)],
      ["the query turns by", `${fixed(result.turn, 1)}°`],
    ];
    this.find("tbody").replaceChildren(...rows.map(([name, text]) => tableRow("", name, [text])));
  }

  showPlots({ weights }) {
    const { similarities, kinds } = this.lists[this.list];
    const [low, high] = this.range;
    const most = weightOf(high, this.exponent);
    const across = (s) => WIDTH * ((s - low) / (high - low));
    const height = (weight) => (HEIGHT - 8) * (1 - weight / most) + 4;
    const curve = Array.from({ length: 101 }, (_, i) => low + ((high - low) * i) / 100);
    const points = curve.map((s) => `${across(s).toFixed(2)},${height(weightOf(s, this.exponent)).toFixed(2)}`);
    this.find(".line").setAttribute("d", `M${points.join("L")}`);
    this.find(".most").textContent = onAxis(most);
    const width = WIDTH / kinds.length;
    const top = Math.max(...weights); // a large α makes all of them small: the tallest bar keeps its height
    for (const label of this.shadowRoot.querySelectorAll(".top")) label.textContent = onAxis(top);
    const [dots, bars] = [this.find(".curve g").children, this.find(".bars g").children];
    weights.forEach((weight, i) => {
      const similarity = Math.max(similarities[i], 0);
      // A stroke without length, round at both ends, stays a circle however the plot is stretched.
      dots[i].setAttribute("d", `M${across(similarity).toFixed(2)},${height(weightOf(similarity, this.exponent)).toFixed(2)}h0`);
      dots[i].classList.toggle("beyond", i >= this.count);
      const tall = top ? ((weight / top) * (HEIGHT - 8)) / 2 : 0;
      const y = kinds[i] === "p" ? -tall : 0;
      for (const [name, value] of Object.entries({ x: i * width, y, width: 0.85 * width, height: tall })) {
        bars[i].setAttribute(name, value.toFixed(2));
      }
    });
  }
}

defineOnce("gem-expansion-weights", ExpansionWeights);
