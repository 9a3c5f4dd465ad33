// <gem-margin>: two descriptors on the unit circle, their contrastive loss (equation 6) and its gradients.
// The numbers are those of gem_lite.losses.contrastive_loss with eps = 0, the paper's form.

const VIEW = 1.42; // half a side of the picture: the unit circle, and room for arrows
const ARROW = 0.5; // of a gradient's length: two matching points' arrows then meet half-way
const SHORTEST = 0.22; // of an arrow: the point covers less than a third of it
const LETTERS = { far: 1.26, apart: 12 }; // from the middle, and degrees between them at least
const REACH = 2; // the largest distance of two unit vectors
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

/** Unit vector at an angle in degrees. */
function unitVector(degrees) {
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

/** Loss of a pair at a distance. */
function pairLoss(distance, matching, margin) {
  return 0.5 * (matching ? distance : Math.max(0, margin - distance)) ** 2;
}

/** Everything that the pair (query, other) has: distance, cosine, loss and the gradients of both. */
function pairAt(queryDegrees, otherDegrees, matching, margin) {
  const [query, other] = [unitVector(queryDegrees), unitVector(otherDegrees)];
  const difference = query.map((z, i) => z - other[i]);
  const distance = Math.hypot(...difference);
  // At distance 0 a pair that does not match has no direction to be pushed in.
  const factor = matching ? 1 : distance ? -Math.max(0, margin - distance) / distance : 0;
  const gradient = difference.map((z) => factor * z);
  const gradients = [gradient, gradient.map((z) => -z)];
  return {
    points: [query, other],
    distance,
    cosine: query[0] * other[0] + query[1] * other[1],
    loss: pairLoss(distance, matching, margin),
    gradients,
    // What L2 normalisation lets through: the part along the circle.
    tangents: gradients.map((g, i) => tangent(g, [query, other][i])),
  };
}

/** The vector without its part along the unit vector. */
function tangent(vector, unit) {
  const along = vector[0] * unit[0] + vector[1] * unit[1];
  return vector.map((z, i) => z - along * unit[i]);
}

/** End of the arrow for a gradient at a place of the picture; the place itself where there is no gradient. */
function arrowEnd([x, y], vector, shortest) {
  const length = Math.hypot(...vector);
  const scale = length < 1e-9 ? 0 : Math.max(ARROW * length, shortest) / length;
  return [x - scale * vector[0], y + scale * vector[1]];
}

/** Angles of the two letters: those of their points, but never so near that the letters would touch. */
function letterAngles([query, other]) {
  const apart = wholeDegrees(other - query);
  const push = (Math.max(0, LETTERS.apart - Math.abs(apart)) / 2) * (apart < 0 ? -1 : 1);
  return [query - push, other + push];
}

/** Degrees from -179 to 180, a whole number: what is shown is what is computed. */
function wholeDegrees(degrees) {
  const turned = (((Math.round(degrees) % 360) + 360) % 360);
  return turned > 180 ? turned - 360 : turned;
}

const LOSS_WIDTH = 200; // of the plot of the loss, in units of its own
const MARGINS = [0.05, 1.5];

class MarginElement extends BookElement {
  static template = `
    <div class="card" role="group" aria-label="Contrastive loss of two descriptors">
      <div class="panels">
        <figure><svg class="circle" viewBox="${-VIEW} ${-VIEW} ${2 * VIEW} ${2 * VIEW}">
          <circle class="unit" r="1"></circle><circle class="fence"></circle><line class="chord"></line>
          <path class="force"></path><path class="force"></path>
          <g class="handle query" tabindex="0" role="slider" aria-label="Query, angle"><circle class="hit" r="0.2"></circle>
            <circle class="ring" r="0.1"></circle><circle class="dot" r="0.055"></circle><text>q</text></g>
          <g class="handle other" tabindex="0" role="slider" aria-label="Other image, angle"><circle class="hit" r="0.2"></circle>
            <circle class="ring" r="0.1"></circle><path class="dot" d="M-.05-.05h.1v.1h-.1z"></path><text>x</text></g>
          <path class="tangent"></path><path class="tangent"></path>
        </svg><figcaption>Drag q and x along the unit circle, or choose one and use the arrow keys. Broad arrows: the way each
          moves in training (minus its gradient, half as long, or as long as it takes to be seen); thin: what is left of it
          on the circle. Dashed: the margin.</figcaption></figure>
        <div class="side">
          <fieldset><legend>The pair is</legend>
            <label class="choice word"><input type="radio" name="kind" value="match">a match</label>
            <label class="choice word"><input type="radio" name="kind" value="no match">no match</label>
          </fieldset>
          <label class="control"><span class="name">margin τ <span class="value"></span></span>
            <input type="range" min="${MARGINS[0]}" max="${MARGINS[1]}" step="0.01" aria-label="Margin"></label>
          <div class="ticks" aria-hidden="true"></div>
          <output aria-live="polite"><p class="verdict"></p><table><tbody></tbody></table></output>
          <figure><svg class="loss" viewBox="0 0 ${LOSS_WIDTH} 70" aria-hidden="true">
            <path class="match"></path><path class="no-match"></path><line class="margin" y1="0" y2="70"></line><circle class="at" r="3.5"></circle>
            </svg><figcaption class="axis"><span>d&nbsp;=&nbsp;0</span><span>loss, up to <span class="top"></span></span><span>d&nbsp;=&nbsp;2</span></figcaption>
            <p class="key"><span>match</span><span class="other">no match</span><span class="edge">margin</span></p></figure>
        </div>
      </div>
    </div>`;

  begin() {
    Object.assign(this, { angles: [this.data.query, this.data.other], isMatch: this.data.matching, tau: this.data.margin });
    const span = MARGINS[1] - MARGINS[0];
    addTicks(this.find(".ticks"), [0.1, 0.5, 0.7, 1, 1.4].map((tau) => [tau, (tau - MARGINS[0]) / span]));
    this.handles = [this.find(".query"), this.find(".other")];
    this.handles.forEach((handle, i) => this.listen(handle, i));
    this.find("input[type=range]").addEventListener("input", (event) => (this.margin = Number(event.target.value)));
    this.find("fieldset").addEventListener("change", (event) => (this.matching = event.target.value === "match"));
    this.show();
  }

  listen(handle, i) {
    const circle = this.find(".circle");
    onDrag(handle, (event) => {
      const [x, y] = placeInSvg(circle, event);
      this.turn(i, (Math.atan2(-y, x) * 180) / Math.PI);
    });
    handle.addEventListener("keydown", (event) => {
      if (!KEYS[event.key]) return;
      event.preventDefault();
      this.turn(i, this.angles[i] + KEYS[event.key]);
    });
  }

  turn(i, degrees) {
    this.angles[i] = wholeDegrees(degrees);
    this.show();
  }

  get pair() {
    return pairAt(...this.angles, this.isMatch, this.tau);
  }

  set query(degrees) {
    this.turn(0, degrees);
  }

  set other(degrees) {
    this.turn(1, degrees);
  }

  get margin() {
    return this.tau;
  }

  set margin(margin) {
    this.tau = margin;
    this.show();
  }

  get matching() {
    return this.isMatch;
  }

  set matching(matching) {
    this.isMatch = matching;
    this.show();
  }

  show() {
    const pair = this.pair;
    this.find(".card").classList.toggle("is-match", this.isMatch);
    this.find(`input[value="${this.isMatch ? "match" : "no match"}"]`).checked = true;
    Object.assign(this.find("input[type=range]"), { value: this.tau, ariaValueText: `τ = ${fixed(this.tau, 2)}` });
    this.find(".value").textContent = fixed(this.tau, 2);
    this.showCircle(pair);
    this.showLoss(pair);
    this.showNumbers(pair);
  }

  showCircle({ points, gradients, tangents, distance }) {
    const drawn = points.map(([x, y]) => [x, -y]); // SVG's second axis points down
    // Two that match pull at each other: their arrows meet half-way and are not made longer than that.
    const shortest = this.isMatch ? Math.min(SHORTEST, distance / 2) : SHORTEST;
    const arrow = (from, vector, ...look) => arrowPath(from, arrowEnd(from, vector, shortest), ...look);
    const letters = letterAngles(this.angles).map(unitVector);
    const set = (element, attributes) => Object.entries(attributes).forEach(([k, v]) => element.setAttribute(k, v));
    set(this.find(".fence"), { cx: drawn[0][0], cy: drawn[0][1], r: this.tau });
    set(this.find(".chord"), { x1: drawn[0][0], y1: drawn[0][1], x2: drawn[1][0], y2: drawn[1][1] });
    drawn.forEach((place, i) => {
      set(this.shadowRoot.querySelectorAll(".force")[i], { d: arrow(place, gradients[i], 0.15, 0.07) });
      set(this.shadowRoot.querySelectorAll(".tangent")[i], { d: arrow(place, tangents[i], 0.08) });
      const degrees = this.angles[i];
      set(this.handles[i], {
        transform: `translate(${place})`,
        "aria-valuemin": -179,
        "aria-valuemax": 180,
        "aria-valuenow": degrees,
        "aria-valuetext": `${fixed(degrees, 0)} degrees`,
      });
      const [x, y] = [LETTERS.far * letters[i][0], -LETTERS.far * letters[i][1]];
      set(this.handles[i].querySelector("text"), { x: x - place[0], y: y - place[1] });
    });
  }

  /** Both losses over the distance; the scale shows the margin's loss, and more where the pair's own is larger. */
  showLoss({ distance, loss }) {
    const top = Math.max(1.6 * pairLoss(0, false, this.tau), 1.1 * loss);
    const place = (d, value) => [(LOSS_WIDTH * d) / REACH, 70 * (1 - value / top)];
    for (const [name, matching] of [[".match", true], [".no-match", false]]) {
      const values = Array.from({ length: 81 }, (_, i) => (REACH * i) / 80);
      const points = values.map((d) => place(d, pairLoss(d, matching, this.tau)).map((z) => z.toFixed(2)));
      this.find(name).setAttribute("d", `M${points.join("L")}`);
    }
    this.find(".top").textContent = threeDigits(top);
    const [x, y] = place(distance, loss);
    const edge = place(this.tau, 0)[0];
    this.find(".margin").setAttribute("x1", edge);
    this.find(".margin").setAttribute("x2", edge);
    this.find(".at").setAttribute("cx", x);
    this.find(".at").setAttribute("cy", y);
  }

  showNumbers({ distance, cosine, loss, gradients, tangents }) {
    const inside = distance < this.tau;
    const pulled = distance ? "a match: pulled together" : "a match, at one place: no pull";
    const pushed = inside ? "no match, inside the margin: pushed apart" : "no match, beyond the margin: no gradient";
    this.find(".verdict").textContent = this.isMatch ? pulled : distance ? pushed : "no match, at one place: no direction";
    const rows = [
      ["distance d", distance],
      ["cosine", cosine],
      ["loss", loss],
      ["gradient, length", Math.hypot(...gradients[1])],
      ["along the circle", Math.hypot(...tangents[1])],
    ];
    this.find("tbody").replaceChildren(...rows.map(([name, value]) => tableRow("", name, [fixed(value, 4)])));
  }
}

defineOnce("gem-margin", MarginElement);
