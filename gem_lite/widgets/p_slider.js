// <gem-p-slider>: what the exponent p does to one channel of a feature map, of one network or of two side by side.
// The numbers are those of gem_lite.pooling: f(p) = (mean of x^p)^(1/p), equation 3 of the paper.

const STEPS = 200; // an arrow key's steps on the slider, evenly in 1/√p: 0 is p = 1 and the last one is p = ∞
const TICKS = [1, 1.5, 2, 3, 5, 10, 30, 100, Infinity];

/** The exponent at a step (with a fraction) of the slider, to three digits: what is shown is what is computed. */
function exponentAt(step) {
  return step >= STEPS ? Infinity : Number((1 / (1 - step / STEPS) ** 2).toPrecision(3));
}

/** The step (with a fraction) at which the exponent lies. */
function stepOf(p) {
  return STEPS * (1 - 1 / Math.sqrt(p));
}

/** (x / max)^p of every position: between 0 and 1, so that no p overflows. */
function powers(values, p) {
  const largest = values.reduce((a, b) => Math.max(a, b));
  return values.map((x) => (p === Infinity ? Number(x === largest) : (x / largest) ** p));
}

/** Generalised mean of the values; the maximum for p = ∞. */
function gem(values, p) {
  const largest = values.reduce((a, b) => Math.max(a, b));
  if (p === Infinity) return largest;
  const mean = powers(values, p).reduce((a, b) => a + b) / values.length;
  return largest * mean ** (1 / p);
}

/** Each position's share of the sum of x^p; the shares add up to 1. */
function shares(values, p) {
  const parts = powers(values, p);
  const sum = parts.reduce((a, b) => a + b);
  return parts.map((part) => part / sum);
}

/** How many positions, the largest first, make half of the sum. */
function halfCount(parts) {
  let sum = 0;
  const sorted = Array.from(parts).sort((a, b) => b - a);
  return sorted.findIndex((part) => (sum += part) >= 0.5 - 1e-9) + 1;
}

/** Figures of one network: its map, and below it the contributions. */
const STATE = `
  <figure class="map"><div class="frame"><canvas role="img"></canvas></div>
    <figcaption><span class="name">Feature map</span>
      <span class="scale">0 <i class="bar"></i> <b></b></span></figcaption></figure>
  <figure class="contributions"><div class="frame"><img class="photo" alt=""><canvas role="img"></canvas></div>
    <figcaption>Share of Σ&nbsp;<var>x</var><sup>p</sup>
      <span class="scale">0 <i class="bar"></i> <b></b></span></figcaption></figure>`;

const TEMPLATE = `
<div class="card" role="group" aria-label="Generalised-mean pooling of one channel">
  <div class="pictures">
    <figure class="photograph"><div class="frame"><img class="photo"></div><figcaption>Photograph</figcaption></figure>
    <output class="words" aria-live="polite"><p class="p"></p><table><thead></thead><tbody></tbody></table></output>
    <fieldset><legend>Channel</legend></fieldset>
  </div>
  <div class="axis">
    <div class="plot" aria-hidden="true">
      <svg viewBox="0 0 ${STEPS} 100" preserveAspectRatio="none"></svg><span class="stem"></span><div class="key"></div>
    </div>
    <input type="range" min="0" max="${STEPS}" step="any" aria-label="Exponent p">
    <div class="ticks" aria-hidden="true"></div>
  </div>
  <div class="presets">
    <button type="button" data-p="1">p&nbsp;=&nbsp;1: mean</button>
    <button type="button" data-p="3">p&nbsp;=&nbsp;3: GeM</button>
    <button type="button" data-p="Infinity">p&nbsp;→&nbsp;∞: max</button>
  </div>
</div>`;

class PSlider extends BookElement {
  static template = TEMPLATE;

  begin() {
    // One list of maps for every channel: one map for each network.
    this.maps = this.data.channels.map(({ values }) =>
      values.map((numbers) => decodeNumbers(numbers).map((x) => Math.max(x, this.data.eps))),
    );
    this.exponent = this.data.p ?? Infinity; // JSON has no ∞: null stands for it
    this.row = 0;
    this.fillIn();
    this.listen();
    this.showChannel();
  }

  get p() {
    return this.exponent;
  }

  set p(p) {
    if (!(p >= 1)) throw new RangeError(`p must be 1 or more, not ${p}`);
    this.exponent = p;
    this.showExponent();
  }

  /** Index, in the networks, of the channel that is shown. */
  get channel() {
    return this.data.channels[this.row].index;
  }

  set channel(index) {
    const row = this.data.channels.findIndex((channel) => channel.index === index);
    if (row < 0) throw new RangeError(`channel ${index} is not among those of this picture`);
    this.row = row;
    this.showChannel();
  }

  /** Pooled value of the shown channel, one for each network. */
  get pooled() {
    return this.maps[this.row].map((values) => gem(values, this.exponent));
  }

  /** Shares of all positions, one list for each network. */
  get shares() {
    return this.maps[this.row].map((values) => shares(values, this.exponent));
  }

  /** What never changes: the photograph, a button for every channel, the marks of the axis. */
  fillIn() {
    const { photo, photoAlt, aspect, networks } = this.data;
    this.style.setProperty("--aspect", aspect);
    this.find(".card").classList.toggle("two", networks.length > 1);
    this.find(".photo").alt = photoAlt;
    networks.forEach((name, i) => this.fillInNetwork(name, i));
    this.shadowRoot.querySelectorAll(".photo").forEach((image) => (image.src = photo));
    if (networks.length > 1) this.find("thead").append(tableRow("", "network", networks, "th"));
    this.data.channels.forEach((_, row) => this.find("fieldset").append(this.choice(row)));
    const ticks = this.find(".ticks");
    addTicks(ticks, TICKS.map((p) => [p === Infinity ? "∞" : p, stepOf(p) / STEPS]));
    for (const [tick, name] of [[ticks.firstChild, "mean"], [ticks.lastChild, "max"]]) {
      tick.classList.add("limit");
      tick.append(textElement("small", "", name));
    }
  }

  fillInNetwork(name, i) {
    const two = this.data.networks.length > 1;
    const pictures = document.createElement("template");
    pictures.innerHTML = STATE;
    if (two) pictures.content.querySelector(".name").textContent = `Map, ${name}`;
    for (const figure of pictures.content.children) {
      figure.style.gridArea = `${figure.className === "map" ? "map" : "parts"}${i}`;
    }
    this.find("output").before(pictures.content);
    addSvg(this.find(".plot svg"), "path", { class: "curve" });
    this.find(".plot").append(textElement("span", i ? "dot" : "dot first", ""));
    if (!two) return;
    const entry = textElement("span", "", name);
    entry.prepend(document.createElement("i"));
    this.find(".key").append(entry);
  }

  /** A radio button that shows the channel's map, by the last of the networks. */
  choice(row) {
    const { index } = this.data.channels[row];
    const label = textElement("label", "choice", "");
    const button = Object.assign(document.createElement("input"), { type: "radio", name: "channel", value: index });
    const small = document.createElement("canvas");
    drawPixels(small, this.data.rows, this.data.columns, this.mapColours(this.maps[row].at(-1)));
    label.append(button, small, textElement("span", "number", index));
    return label;
  }

  listen() {
    const slider = this.find("input[type=range]");
    slider.addEventListener("input", () => (this.p = exponentAt(Number(slider.value))));
    slider.addEventListener("keydown", (event) => {
      // The slider has no steps of its own, and browsers disagree on how far a key should then move it.
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!step) return;
      event.preventDefault();
      const place = Math.round(stepOf(this.exponent)) + step;
      this.p = exponentAt(Math.min(Math.max(place, 0), STEPS));
    });
    this.find("fieldset").addEventListener("change", (event) => {
      this.channel = Number(event.target.value);
    });
    this.find(".presets").addEventListener("click", (event) => {
      if (event.target.dataset.p) this.p = Number(event.target.dataset.p);
    });
  }

  mapColours(values) {
    const top = gem(values, Infinity);
    return (i) => inferno(values[i] / top);
  }

  /** Calls `draw` for each network with its map, its name as in "of channel 5, fine-tuned", and its number. */
  eachNetwork(draw) {
    const { networks } = this.data;
    this.maps[this.row].forEach((values, i) => draw(values, networks.length > 1 ? `, ${networks[i]}` : "", i));
  }

  /** Everything that depends on the channel: its maps and the curves f(p) between their limits. */
  showChannel() {
    const { rows, columns } = this.data;
    const means = this.maps[this.row].map((values) => gem(values, 1));
    this.low = Math.min(...means);
    this.high = Math.max(...this.maps[this.row].map((values) => gem(values, Infinity)));
    this.find(`input[value="${this.channel}"]`).checked = true;
    this.eachNetwork((values, name, i) => {
      const figure = this.shadowRoot.querySelectorAll(".map")[i];
      const canvas = figure.querySelector("canvas");
      drawPixels(canvas, rows, columns, this.mapColours(values));
      canvas.ariaLabel = `Feature map of channel ${this.channel}${name}, ${rows} by ${columns} positions`;
      figure.querySelector("b").textContent = threeDigits(gem(values, Infinity));
      const points = Array.from({ length: STEPS + 1 }, (_, step) => {
        const y = 100 * (1 - this.height(gem(values, exponentAt(step))));
        return `${step},${y.toFixed(2)}`;
      });
      this.shadowRoot.querySelectorAll(".curve")[i].setAttribute("d", `M${points.join("L")}`);
    });
    this.showExponent();
  }

  /** Height in the plot: 0 for the smallest mean of the networks, 1 for their largest maximum. */
  height(pooled) {
    return this.high > this.low ? (pooled - this.low) / (this.high - this.low) : 0.5;
  }

  /** Everything that depends on p: contributions, the places on the curves, the numbers. */
  showExponent() {
    const { rows, columns } = this.data;
    const parts = this.shares;
    this.eachNetwork((_, name, i) => {
      const figure = this.shadowRoot.querySelectorAll(".contributions")[i];
      const top = parts[i].reduce((a, b) => Math.max(a, b));
      // The style sheet adds this light to a darkened photograph: black adds nothing.
      drawPixels(figure.querySelector("canvas"), rows, columns, (at) => inferno(parts[i][at] / top));
      const percent = `${threeDigits(100 * top)}\u00a0%`;
      figure.querySelector("b").textContent = percent;
      figure.querySelector("canvas").ariaLabel =
        `Contribution of each position${name}, drawn over the photograph; the largest is ${percent}`;
    });
    this.showPlace();
    this.showNumbers(parts.map(halfCount), rows * columns);
  }

  showPlace() {
    const slider = this.find("input[type=range]");
    slider.value = stepOf(this.exponent);
    slider.ariaValueText = `p = ${threeDigits(this.exponent)}`;
    this.find(".axis").style.setProperty("--x", stepOf(this.exponent) / STEPS);
    const dots = this.shadowRoot.querySelectorAll(".dot");
    this.pooled.forEach((pooled, i) => dots[i].style.setProperty("--y", this.height(pooled)));
    for (const button of this.shadowRoot.querySelectorAll("button")) {
      button.ariaPressed = Number(button.dataset.p) === this.exponent;
    }
  }

  showNumbers(halves, positions) {
    const written = (p) => this.maps[this.row].map((values) => threeDigits(gem(values, p)));
    this.find("output .p").textContent = unbroken(`p = ${threeDigits(this.exponent)}`);
    this.find("tbody").replaceChildren(
      tableRow("pooled", "pooled value", written(this.exponent)),
      tableRow("", `mean ${unbroken("(p = 1)")}`, written(1)),
      tableRow("", `max ${unbroken("(p → ∞)")}`, written(Infinity)),
      tableRow("", "positions for half", halves.map((half) => `${half} of ${positions}`)),
    );
  }
}

defineOnce("gem-p-slider", PSlider);
