// <gem-whitening-plane>: learned whitening of descriptors of two numbers, step by step.
// The numbers are those of gem_lite.whitening.LearnedWhitening(form="paper"): C_S from the matching pairs, C_D
// from all pairs of different landmarks. Matrices [[a, b], [b, c]] are symmetric; rows are mapped as x M.

const STEP = 0.05; // of the lengths: what is shown is what is computed
const LENGTHS = [0.1, 3];
const COLOURS = [...[0, 1, 2, 3, 4, 5].map((i) => `var(--mark-${i})`), "var(--text)"];
const MARK = 0.03; // half a mark, where half a picture's side is 1
const MARKS = [
  (s) => `m${-s},0a${s},${s} 0 1 0 ${2 * s},0a${s},${s} 0 1 0 ${-2 * s},0`,
  (s) => `m${-s},${-s}h${2 * s}v${2 * s}h${-2 * s}z`,
  (s) => `m0,${-1.3 * s}l${1.3 * s},${1.3 * s}l${-1.3 * s},${1.3 * s}l${-1.3 * s},${-1.3 * s}z`,
  (s) => `m0,${1.2 * s}l${1.2 * s},${-2.2 * s}h${-2.4 * s}z`,
  (s) => `m0,${-1.2 * s}l${1.2 * s},${2.2 * s}h${-2.4 * s}z`,
  (s) => `m${-s / 2},${-1.2 * s}h${s}v${2.4 * s}h${-s}z`,
  (s) => `m${-1.2 * s},${-s / 2}h${2.4 * s}v${s}h${-2.4 * s}z`,
];

const product = (m, n) => m.map((row) => [0, 1].map((j) => row[0] * n[0][j] + row[1] * n[1][j]));
const transposed = ([[a, b], [c, d]]) => [[a, c], [b, d]];
const mapped = (points, m) => points.map(([x, y]) => [x * m[0][0] + y * m[1][0], x * m[0][1] + y * m[1][1]]);

/** Eigenvalues of a symmetric matrix, the larger first, and the rotation whose columns are its axes. */
function axes([[a, b], [, c]]) {
  const angle = Math.atan2(2 * b, a - c) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const half = Math.hypot((a - c) / 2, b);
  return { values: [(a + c) / 2 + half, (a + c) / 2 - half], rotation: [[cos, -sin], [sin, cos]] };
}

/** A symmetric matrix to a power, for example -1/2. */
function power(matrix, exponent) {
  const { values, rotation } = axes(matrix);
  const scaled = rotation.map((row) => row.map((z, j) => z * values[j] ** exponent));
  return product(scaled, transposed(rotation));
}

/** Sum of (a - b)(a - b)ᵀ over pairs of points. */
function scatterOf(points, pairs) {
  let [xx, xy, yy] = [0, 0, 0];
  for (const [i, j] of pairs) {
    const x = points[i][0] - points[j][0];
    const y = points[i][1] - points[j][1];
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  return [[xx, xy], [xy, yy]];
}

const over = (matrix, count) => matrix.map((row) => row.map((z) => z / count));

/** The views at a direction (degrees) and a size of the differences of matching pairs. */
function pointsAt({ centres, views }, { direction, along, across }) {
  const angle = (direction * Math.PI) / 180;
  const rotation = [[Math.cos(angle), -Math.sin(angle)], [Math.sin(angle), Math.cos(angle)]];
  const scaled = rotation.map(([u, v]) => [u * along, v * across]);
  return mapped(views, product(scaled, transposed(rotation))).map(([x, y], i) => [x + centres[i][0], y + centres[i][1]]);
}

/** Percent of the points whose nearest other point shows the same landmark, by the first d numbers. */
function nearestRight(points, landmarks, d) {
  const right = points.filter((p, i) => {
    let best = Infinity;
    let nearest = -1;
    for (let j = 0; j < points.length; j++) {
      const y = d === 1 ? 0 : p[1] - points[j][1];
      const here = (p[0] - points[j][0]) ** 2 + y * y;
      if (here < best && j !== i) {
        best = here;
        nearest = j;
      }
    }
    return landmarks[nearest] === landmarks[i];
  });
  return (100 * right.length) / points.length;
}

/** Everything there is to see: centred points, C_S and C_D in each of the three states, and what they are worth. */
function whitened(world, setting) {
  const { landmarks, pairs, others } = world;
  const raw = pointsAt(world, setting);
  const mean = [0, 1].map((k) => raw.reduce((sum, p) => sum + p[k], 0) / raw.length);
  const points = raw.map((p) => p.map((z, k) => z - mean[k]));
  const within = over(scatterOf(points, pairs), pairs.length);
  const between = over(scatterOf(points, others), others.length);
  const whiten = power(within, -0.5);
  const { values, rotation } = axes(product(product(whiten, between), whiten));
  const covariance = [0, 1].map((r) => [0, 1].map((c) => points.reduce((sum, p) => sum + p[r] * p[c], 0)));
  const states = [[[1, 0], [0, 1]], whiten, product(whiten, rotation)].map((matrix) => ({
    matrix,
    points: mapped(points, matrix),
    within: product(product(transposed(matrix), within), matrix),
    between: product(product(transposed(matrix), between), matrix),
  }));
  const shares = {
    raw: nearestRight(points, landmarks, 2),
    whitened: nearestRight(states[1].points, landmarks, 2),
    first: nearestRight(states[2].points, landmarks, 1),
    pca: nearestRight(mapped(points, axes(covariance).rotation), landmarks, 1),
  };
  return { states, gains: values, shares };
}

/** Pairs of rows of different landmarks. */
function otherPairs(landmarks) {
  const pairs = [];
  landmarks.forEach((a, i) => landmarks.forEach((b, j) => j > i && a !== b && pairs.push([i, j])));
  return pairs;
}

/** Rows of two numbers out of a flat list. */
function twos(numbers) {
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
}

/** The world that Python sent, ready to be computed with. */
function worldOf({ centres, views, landmarks, pairs }) {
  const [centreRows, viewRows] = [centres, views].map((text) => twos(decodeNumbers(text)));
  return { centres: centreRows, views: viewRows, landmarks, pairs, others: otherPairs(landmarks) };
}

/** The square that holds all points: its middle, and half a side with some room. */
function squareAround(points) {
  const sides = [0, 1].map((k) => {
    const places = points.map((p) => p[k]);
    return [Math.min(...places), Math.max(...places)];
  });
  return {
    middle: sides.map(([low, high]) => (low + high) / 2),
    half: 0.54 * Math.max(...sides.map(([low, high]) => high - low)),
  };
}

const TITLES = ["as they are: drag the ends", "1. whitened by C<sub>S</sub>", "2. rotated to C<sub>D</sub>’s axes"];
const PANEL = (title) => `<figure><svg viewBox="-1 -1 2 2" aria-hidden="true"><path class="zero"></path><path class="pairs"></path>
  <g class="marks"></g><path class="between"></path><path class="axes"></path><path class="within"></path></svg>
  <figcaption>${title}<span class="matrices"></span></figcaption></figure>`;
const SLIDER = (key, name, low, high, step) => `<label class="control"><span class="name">${name} <span class="value"></span></span>
  <input type="range" data-key="${key}" min="${low}" max="${high}" step="${step}" aria-label="${name}"></label>`;

class WhiteningPlane extends BookElement {
  static template = `
    <div class="card" role="group" aria-label="Learned whitening in the plane">
      <div class="panels">${TITLES.map(PANEL).join("")}</div>
      <p class="key"><span class="blue">C<sub>S</sub>: how far matching pairs differ</span>
        <span class="red">C<sub>D</sub>: how far others do, with its axes</span></p>
      <div class="lower"><div>
        ${SLIDER("direction", "Direction of matching differences", -90, 90, 1)}
        ${SLIDER("along", "Size along it", LENGTHS[0], LENGTHS[1], STEP)}
        ${SLIDER("across", "Size across it", LENGTHS[0], LENGTHS[1], STEP)}
      </div><output aria-live="polite"><p>nearest neighbour shows the same landmark</p><table><tbody></tbody></table></output></div>
    </div>`;

  begin() {
    this.world = worldOf(this.data);
    this.setting = { ...this.data.start };
    this.panels = [...this.shadowRoot.querySelectorAll("svg")];
    this.squares = [];
    for (const svg of this.panels) {
      COLOURS.forEach((colour) => addSvg(svg.querySelector(".marks"), "path", { style: `fill: ${colour}` }));
    }
    for (const axis of ["along", "along", "across", "across"]) this.addHandle(axis);
    this.find(".lower").addEventListener("input", ({ target }) => this.set({ [target.dataset.key]: Number(target.value) }));
    this.show();
  }

  /** An end of one of the outline's axes; both ends of an axis do the same. */
  addHandle(axis) {
    const handle = addSvg(this.panels[0], "g", { class: "handle", "data-axis": axis });
    addSvg(handle, "circle", { class: "hit", r: 0.14 });
    addSvg(handle, "circle", { class: "dot", r: 0.04 });
    onDrag(handle, (event) => {
      this.dragged = true;
      const { middle, half } = this.squares[0];
      const [right, down] = placeInSvg(this.panels[0], event);
      const [x, y] = [middle[0] + half * right, middle[1] - half * down];
      const degrees = (Math.atan2(y, x) * 180) / Math.PI + (axis === "across" ? 90 : 0);
      this.set({ direction: degrees, [axis]: Math.hypot(x, y) });
    });
    handle.addEventListener("lostpointercapture", () => {
      this.dragged = false;
      this.show();
    });
  }

  /** Moves the outline: whole degrees from -90 to 90, lengths in steps. */
  set(change) {
    const { direction, along, across } = { ...this.setting, ...change };
    const length = (z) => Number((STEP * Math.round(Math.min(Math.max(z, LENGTHS[0]), LENGTHS[1]) / STEP)).toFixed(2));
    const whole = Math.round(direction);
    const turned = Math.abs(whole) <= 90 ? whole : ((((whole + 90) % 180) + 180) % 180) - 90;
    this.setting = { direction: turned, along: length(along), across: length(across) };
    this.show();
  }

  /** All that is computed, as the outline stands. */
  get result() {
    return whitened(this.world, this.setting);
  }

  show() {
    const { states, gains, shares } = this.result;
    this.fitSquares(states);
    states.forEach((state, i) => this.showPanel(this.panels[i], state, this.squares[i]));
    this.showControls();
    const percent = (share) => `${fixed(share, 0)}\u00a0%`;
    const rows = [
      ["as they are, both numbers", percent(shares.raw)],
      ["whitened, both numbers", percent(shares.whitened)],
      ["rotated, first number alone", percent(shares.first)],
      ["PCA whitening, first number alone", percent(shares.pca)],
      ["gain λ₁", threeDigits(gains[0])],
      ["gain λ₂", threeDigits(gains[1])],
    ];
    this.find("tbody").replaceChildren(...rows.map(([name, text]) => tableRow("", name, [text])));
  }

  /** What each picture shows of the plane: the first one what it showed at the start, as long as all fits in. */
  fitSquares(states) {
    const all = states.map(({ points, within, between }) => [...points, ...outline(within), ...outline(between)]);
    const squares = all.map(squareAround);
    squares[1].half = squares[2].half = Math.max(squares[1].half, squares[2].half); // a rotation changes no size
    this.firstSquare ??= squares[0];
    const { middle, half } = this.firstSquare;
    if (all[0].every((p) => p.every((z, k) => Math.abs(z - middle[k]) < half))) squares[0] = this.firstSquare;
    if (this.dragged) squares[0] = this.squares[0]; // it stands still under the hand that drags
    this.squares = squares;
  }

  showPanel(svg, { points, within, between }, { middle, half }) {
    const place = ([x, y]) => [(x - middle[0]) / half, (middle[1] - y) / half].map((z) => Number(z.toFixed(4)));
    const drawn = points.map(place);
    const origin = place([0, 0]);
    const draw = (selector, d) => svg.querySelector(selector).setAttribute("d", d);
    draw(".zero", `M-1,${origin[1]}H1M${origin[0]},-1V1`);
    draw(".pairs", this.world.pairs.map(([i, j]) => `M${drawn[i]}L${drawn[j]}`).join(""));
    [...svg.querySelector(".marks").children].forEach((path, kind) => {
      const own = drawn.filter((_, i) => this.world.landmarks[i] % COLOURS.length === kind);
      path.setAttribute("d", own.map((at) => `M${at}${MARKS[kind](MARK)}`).join(""));
    });
    draw(".within", `M${outline(within).map(place).join("L")}Z`);
    draw(".between", `M${outline(between).map(place).join("L")}Z`);
    const { values, rotation } = axes(between);
    const ends = [0, 1].map((k) => rotation.map((row) => row[k] * Math.sqrt(values[k])));
    draw(".axes", ends.map((end) => `M${place(end.map((z) => -z))}L${place(end)}`).join(""));
    const matrices = svg.parentElement.querySelector(".matrices");
    matrices.replaceChildren(matrixText("S", within), " ", matrixText("D", between));
  }

  showControls() {
    for (const slider of this.shadowRoot.querySelectorAll("input[type=range]")) {
      const value = this.setting[slider.dataset.key];
      const text = slider.dataset.key === "direction" ? `${fixed(value, 0)}°` : fixed(value, 2);
      Object.assign(slider, { value, ariaValueText: text });
      slider.parentElement.querySelector(".value").textContent = text;
    }
    const { direction, along, across } = this.setting;
    const { middle, half } = this.squares[0];
    this.shadowRoot.querySelectorAll(".handle").forEach((handle, i) => {
      const angle = ((direction + [0, 180, 90, -90][i]) * Math.PI) / 180;
      const length = i < 2 ? along : across;
      const [x, y] = [length * Math.cos(angle) - middle[0], length * Math.sin(angle) - middle[1]];
      handle.setAttribute("transform", `translate(${x / half},${-y / half})`);
    });
  }
}

/** Outline of the points x with xᵀ C⁻¹ x = 1: as far from the middle as pairs differ in that direction. */
function outline(scatter) {
  const circle = Array.from({ length: 72 }, (_, i) => [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)]);
  return mapped(circle, power(scatter, 0.5));
}

/** A name and a matrix of two rows. */
function matrixText(name, matrix) {
  const [equation, symbol] = [textElement("span", "equation", ""), textElement("span", "", "C")];
  symbol.append(textElement("sub", "", name));
  const cells = textElement("span", "matrix", "");
  for (const z of matrix.flat()) cells.append(textElement("span", "", fixed(z, 2)), " ");
  equation.append(symbol, " = ", cells);
  return equation;
}

defineOnce("gem-whitening-plane", WhiteningPlane);
