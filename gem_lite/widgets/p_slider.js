// <gem-p-slider>: what the exponent p does to one channel of a feature map, computed in the browser.
// The numbers are those of gem_lite.pooling: f(p) = (mean of x^p)^(1/p), equation 3 of the paper.

const STEPS = 200; // of the slider, evenly in 1/√p: 0 is p = 1 and the last one is p = ∞
const TICKS = [1, 1.5, 2, 3, 5, 10, 30, 100, Infinity];

/** The exponent at a step of the slider, to three digits: what is shown is what is computed. */
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

const TEMPLATE = `<style>${STYLE}</style>
<div class="card" role="group" aria-label="Generalised-mean pooling of one channel">
  <div class="pictures">
    <figure><div class="frame"><img class="photo"></div><figcaption>Photograph</figcaption></figure>
    <figure><div class="frame"><canvas class="map" role="img"></canvas></div>
      <figcaption>Feature map <span class="scale">0 <i class="bar"></i> <b class="map-top"></b></span></figcaption>
    </figure>
    <figure class="contributions">
      <div class="frame"><img class="photo" alt=""><canvas class="parts" role="img"></canvas></div>
      <figcaption>Share of Σ&nbsp;<var>x</var><sup>p</sup>
        <span class="scale">0 <i class="bar"></i> <b class="part-top"></b></span></figcaption>
    </figure>
  </div>
  <fieldset><legend>Channel</legend></fieldset>
  <output aria-live="polite"></output>
  <div class="axis">
    <div class="plot" aria-hidden="true">
      <svg viewBox="0 0 ${STEPS} 100" preserveAspectRatio="none"><path class="curve"></path></svg>
      <span class="limit max"></span><span class="limit mean"></span><span class="stem"></span><span class="dot"></span>
    </div>
    <input type="range" min="0" max="${STEPS}" step="1" aria-label="Exponent p">
    <div class="ticks" aria-hidden="true"></div>
  </div>
  <div class="presets">
    <button type="button" data-p="1">p = 1: mean</button>
    <button type="button" data-p="3">p = 3: GeM</button>
    <button type="button" data-p="Infinity">p → ∞: max</button>
  </div>
</div>`;

/** An element with a class and a text. */
function textElement(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** The class is made on demand: node, which tests the arithmetic above, has no HTMLElement. */
function makePSlider() {
  return class PSlider extends HTMLElement {
    connectedCallback() {
      this.start();
    }

    /** Reads the data and draws; does nothing before they are there, and nothing the second time. */
    start() {
      const text = this.querySelector('script[type="application/json"]');
      if (!text || this.shadowRoot) return;
      this.data = JSON.parse(text.textContent);
      this.maps = this.data.channels.map(({ values }) =>
        decodeNumbers(values).map((x) => Math.max(x, this.data.eps)),
      );
      this.attachShadow({ mode: "open" }).innerHTML = TEMPLATE;
      this.exponent = this.data.p ?? Infinity; // JSON has no ∞: null stands for it
      this.row = 0;
      this.fillIn();
      this.listen();
      this.showChannel();
    }

    find(selector) {
      return this.shadowRoot.querySelector(selector);
    }

    get p() {
      return this.exponent;
    }

    set p(p) {
      if (!(p >= 1)) throw new RangeError(`p must be 1 or more, not ${p}`);
      this.exponent = p;
      this.showExponent();
    }

    /** Index, in the network, of the channel that is shown. */
    get channel() {
      return this.data.channels[this.row].index;
    }

    set channel(index) {
      const row = this.data.channels.findIndex((channel) => channel.index === index);
      if (row < 0) throw new RangeError(`channel ${index} is not among those of this picture`);
      this.row = row;
      this.showChannel();
    }

    get pooled() {
      return gem(this.maps[this.row], this.exponent);
    }

    get shares() {
      return shares(this.maps[this.row], this.exponent);
    }

    /** What never changes: the photograph, a button for every channel, the marks of the axis. */
    fillIn() {
      const { rows, columns, photo, photoAlt, aspect } = this.data;
      this.style.setProperty("--aspect", aspect);
      this.shadowRoot.querySelectorAll(".photo").forEach((image) => (image.src = photo));
      this.find(".photo").alt = photoAlt;
      this.data.channels.forEach(({ index }, row) => {
        const label = document.createElement("label");
        const button = Object.assign(document.createElement("input"), { type: "radio", name: "channel", value: index });
        const small = document.createElement("canvas");
        drawPixels(small, rows, columns, this.mapColours(row));
        label.append(button, small, textElement("span", "number", index));
        this.find("fieldset").append(label);
      });
      for (const p of TICKS) {
        const tick = textElement("span", "tick", p === Infinity ? "∞" : p);
        tick.style.left = `${(100 * stepOf(p)) / STEPS}%`;
        this.find(".ticks").append(tick);
      }
    }

    listen() {
      this.find("input[type=range]").addEventListener("input", (event) => {
        this.p = exponentAt(Number(event.target.value));
      });
      this.find("fieldset").addEventListener("change", (event) => {
        this.channel = Number(event.target.value);
      });
      this.find(".presets").addEventListener("click", (event) => {
        if (event.target.dataset.p) this.p = Number(event.target.dataset.p);
      });
    }

    mapColours(row) {
      const top = gem(this.maps[row], Infinity);
      return (i) => inferno(this.maps[row][i] / top);
    }

    /** Height in the plot, 0 for the mean and 1 for the maximum. */
    height(pooled) {
      const [low, high] = [gem(this.maps[this.row], 1), gem(this.maps[this.row], Infinity)];
      return high > low ? (pooled - low) / (high - low) : 0.5;
    }

    /** Everything that depends on the channel: its map and the curve f(p) between its two limits. */
    showChannel() {
      const { rows, columns } = this.data;
      const values = this.maps[this.row];
      const [mean, top] = [gem(values, 1), gem(values, Infinity)].map(threeDigits);
      this.find(`input[value="${this.channel}"]`).checked = true;
      drawPixels(this.find(".map"), rows, columns, this.mapColours(this.row));
      this.find(".map").ariaLabel = `Feature map of channel ${this.channel}, ${rows} by ${columns} positions`;
      this.find(".map-top").textContent = top;
      this.find(".limit.mean").textContent = `mean ${mean} (p = 1)`;
      this.find(".limit.max").textContent = `maximum ${top} (p → ∞)`;
      const points = Array.from({ length: STEPS + 1 }, (_, step) => {
        const y = 100 * (1 - this.height(gem(values, exponentAt(step))));
        return `${step},${y.toFixed(2)}`;
      });
      this.find(".curve").setAttribute("d", `M${points.join("L")}`);
      this.showExponent();
    }

    /** Everything that depends on p: contributions, the place on the curve, the numbers in words. */
    showExponent() {
      const { rows, columns } = this.data;
      const parts = this.shares;
      const top = parts.reduce((a, b) => Math.max(a, b));
      // The style sheet adds this light to a darkened photograph: black adds nothing.
      drawPixels(this.find(".parts"), rows, columns, (i) => inferno(parts[i] / top));
      const percent = `${threeDigits(100 * top)}\u00a0%`;
      this.find(".part-top").textContent = percent;
      this.find(".parts").ariaLabel =
        `Contribution of each position, drawn over the photograph; the largest is ${percent}`;
      this.showNumbers(halfCount(parts), parts.length);
    }

    showNumbers(half, positions) {
      const p = threeDigits(this.exponent);
      const pooled = this.pooled;
      const slider = this.find("input[type=range]");
      slider.value = Math.round(stepOf(this.exponent));
      slider.ariaValueText = `p = ${p}`;
      this.find(".axis").style.setProperty("--x", stepOf(this.exponent) / STEPS);
      this.find(".axis").style.setProperty("--y", this.height(pooled));
      for (const button of this.shadowRoot.querySelectorAll("button")) {
        button.ariaPressed = Number(button.dataset.p) === this.exponent;
      }
      this.find("output").replaceChildren(
        textElement("span", "p", `p = ${p}`),
        " ",
        textElement("span", "pooled", `pooled value ${threeDigits(pooled)}`),
        " ",
        textElement("span", "half", `half of the sum from ${half} of ${positions} positions`),
      );
    }
  };
}

if (typeof customElements !== "undefined") defineOnce("gem-p-slider", makePSlider());
