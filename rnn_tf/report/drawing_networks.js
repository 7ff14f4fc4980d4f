"use strict";
// The networks of the page, in plain JavaScript: drawings are prepared as the data were,
// a classifier guesses, a generator draws. Sums are in float32, as in Keras.
//
// A sequence is {data: Float32Array, steps, width}, row after row. A stroke is a list of
// points [x, y, ...]. Moves are a list of [dx, dy, lifted]: see stroke3.py.

// ---------------------------------------------------------------- weights

// Every float16 there is, as a float32. Packing has refused infinities.
const HALVES = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
  return bits >> 15 ? -size : size;
});

// Read a network: what is said of it, and its tensors by name, {data, shape}.
function readNetwork(about, base64) {
  const bytes = atob(base64);
  let place = 0;
  const tensors = {};
  for (const [name, shape] of about.tensors) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++, place += 2) {
      data[i] = HALVES[bytes.charCodeAt(place) | (bytes.charCodeAt(place + 1) << 8)];
    }
    tensors[name] = { data, shape };
  }
  return { ...about, tensors };
}

// ---------------------------------------------------------------- layers

function sequence(steps, width) {
  return { data: new Float32Array(steps * width), steps, width };
}

// Add x[from .. from + count] times rows of a matrix, from `row` on, to `y` at `to`.
function addProduct(y, to, width, x, from, count, matrix, row) {
  for (let i = 0; i < count; i++) {
    const value = x[from + i], base = (row + i) * width;
    if (value === 0) continue;
    for (let j = 0; j < width; j++) y[to + j] += value * matrix[base + j];
  }
}

function dense(x, network, name) {
  const kernel = network.tensors[`${name}.kernel`], y = network.tensors[`${name}.bias`].data.slice();
  addProduct(y, 0, kernel.shape[1], x, 0, kernel.shape[0], kernel.data, 0);
  return y;
}

// Conv1D and ReLU; step i is centred on step i * stride of x, as `masked_conv` has it.
function convolution(x, network, { name, stride }) {
  const { data, shape: [size, width, filters] } = network.tensors[`${name}.kernel`];
  const bias = network.tensors[`${name}.bias`].data, before = (size - 1) >> 1;
  const y = sequence(Math.ceil(x.steps / stride), filters);
  for (let step = 0; step < y.steps; step++) {
    const to = step * filters, first = step * stride - before;
    y.data.set(bias, to);
    for (let k = Math.max(0, -first); k < size && first + k < x.steps; k++) {
      addProduct(y.data, to, filters, x.data, (first + k) * width, width, data, k * width);
    }
  }
  for (let i = 0; i < y.data.length; i++) y.data[i] = Math.max(0, y.data[i]);
  return y;
}

function normalisation(x, network, { name, epsilon }) {
  const gamma = network.tensors[`${name}.gamma`].data, beta = network.tensors[`${name}.beta`].data;
  const y = sequence(x.steps, x.width);
  for (let at = 0; at < x.data.length; at += x.width) {
    let mean = 0, variance = 0;
    for (let j = 0; j < x.width; j++) mean += x.data[at + j] / x.width;
    for (let j = 0; j < x.width; j++) variance += (x.data[at + j] - mean) ** 2 / x.width;
    const scale = 1 / Math.sqrt(variance + epsilon);
    for (let j = 0; j < x.width; j++) y.data[at + j] = (x.data[at + j] - mean) * scale * gamma[j] + beta[j];
  }
  return y;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// Take a step of an LSTM: `gates` holds what comes of the input, in Keras's order.
function lstmStep(gates, h, c, recurrent) {
  const units = h.length;
  addProduct(gates, 0, 4 * units, h, 0, units, recurrent, 0);
  for (let j = 0; j < units; j++) {
    const [i, f, o] = [sigmoid(gates[j]), sigmoid(gates[units + j]), sigmoid(gates[3 * units + j])];
    c[j] = f * c[j] + i * Math.tanh(gates[2 * units + j]);
    h[j] = o * Math.tanh(c[j]);
  }
}

// Run an LSTM over all steps, forward into the columns of y from 0 on, or backward.
function lstm(x, network, name, y, column, backward) {
  const kernel = network.tensors[`${name}.kernel`].data, bias = network.tensors[`${name}.bias`].data;
  const recurrent = network.tensors[`${name}.recurrent`], units = recurrent.shape[0];
  const h = new Float32Array(units), c = new Float32Array(units), gates = new Float32Array(4 * units);
  for (let n = 0; n < x.steps; n++) {
    const step = backward ? x.steps - 1 - n : n;
    gates.set(bias);
    addProduct(gates, 0, 4 * units, x.data, step * x.width, x.width, kernel, 0);
    lstmStep(gates, h, c, recurrent.data);
    y.data.set(h, step * y.width + column);
  }
}

function recurrent(x, network, { forward, backward }) {
  const units = network.tensors[`${forward}.recurrent`].shape[0];
  const y = sequence(x.steps, backward ? 2 * units : units);
  lstm(x, network, forward, y, 0, false);
  if (backward) lstm(x, network, backward, y, units, true);
  return y;
}

// Take the mean and the maximum over all steps.
function pool(x) {
  const y = new Float32Array(2 * x.width).fill(-Infinity, x.width);
  for (let i = 0; i < x.data.length; i++) {
    const j = i % x.width;
    y[j] += x.data[i] / x.steps;
    y[x.width + j] = Math.max(y[x.width + j], x.data[i]);
  }
  return y;
}

function softmax(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / sum);
}

const LAYERS = { convolution, normalisation, recurrent };

// ---------------------------------------------------------------- classifier

// Give the probability of each class for the moves of a drawing.
function classify(network, moves) {
  const x = sequence(moves.length, 6), scale = Math.fround(network.scale), place = [0, 0];
  moves.forEach(([dx, dy, lifted], n) => {
    const step = [Math.fround(dx / scale), Math.fround(dy / scale)];
    step.forEach((size, axis) => { place[axis] = Math.fround(place[axis] + size); });
    x.data.set([...step, 1 - lifted, lifted, place[0] / network.place, place[1] / network.place], 6 * n);
  });
  const mean = new Float32Array(network.classes.length);
  for (const layers of network.members) {
    let y = x;
    for (const layer of layers.slice(0, -1)) y = LAYERS[layer.type](y, network, layer);
    const guess = softmax(dense(pool(y), network, layers.at(-1).name));
    guess.forEach((p, label) => { mean[label] += p / network.members.length; });
  }
  return mean;
}

// ---------------------------------------------------------------- generator

// Begin a drawing of a class: the state of the LSTM, and what the class adds to gates.
function beginDrawing(network, label) {
  const { data, shape: [, width] } = network.tensors.embedding;
  const topic = data.slice(label * width, (label + 1) * width);
  const [h, c] = ["begin_state", "begin_cell"].map((name) => dense(topic, network, name).map(Math.tanh));
  const gates = network.tensors["recurrent.bias"].data.slice();
  addProduct(gates, 0, gates.length, topic, 0, width, network.tensors["recurrent.kernel"].data, 5);
  return { h, c, gates };
}

// Take a point, stroke-5 in shares of the scale, and say what comes next: 123 numbers.
function nextMixture(network, state, point) {
  const gates = state.gates.slice();
  addProduct(gates, 0, gates.length, point, 0, 5, network.tensors["recurrent.kernel"].data, 0);
  lstmStep(gates, state.h, state.c, network.tensors["recurrent.recurrent"].data);
  return dense(state.h, network, "mixture");
}

const MIXTURES = 20, NARROWEST = -4, CORRELATED = 4; // see mixture_density.py

// Draw a point, stroke-5, at a temperature (Ha and Eck, 2017, equation 8).
function samplePoint(outputs, temperature, random = Math.random) {
  const part = (n) => outputs.subarray(n * MIXTURES, (n + 1) * MIXTURES);
  const chosen = choose(part(0), temperature, random());
  const pen = choose(outputs.subarray(6 * MIXTURES), temperature, random());
  if (pen === 2) return [0, 0, 0, 0, 1];
  const [x, y, wide, high, correlation] = [1, 2, 3, 4, 5].map((n) => part(n)[chosen]);
  const rho = Math.tanh(Math.min(CORRELATED, Math.max(-CORRELATED, correlation)));
  const [first, second] = twoNormals(random), spread = Math.sqrt(temperature);
  const sigma = (log) => spread * Math.exp(Math.max(NARROWEST, log));
  const across = rho * first + Math.sqrt(1 - rho * rho) * second;
  return [x + sigma(wide) * first, y + sigma(high) * across, pen === 0 ? 1 : 0, pen, 0];
}

function choose(logits, temperature, uniform) {
  const shares = softmax(logits.map((x) => x / temperature));
  let place = 0;
  for (let sum = shares[0]; sum < uniform && place < shares.length - 1; sum += shares[place]) place++;
  return place;
}

// Box and Muller's: two normal numbers of two uniform ones.
function twoNormals(random) {
  const length = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
  return [length * Math.cos(angle), length * Math.sin(angle)];
}

// Go on with a drawing, at most to `longest` points: the points that come, stroke-5 in
// shares of the scale, and whether it has ended by itself.
function goOn(network, label, before, temperature, longest, random = Math.random) {
  const state = beginDrawing(network, label), points = [];
  let outputs = nextMixture(network, state, [0, 0, 1, 0, 0]);
  for (const point of before) outputs = nextMixture(network, state, point);
  while (before.length + points.length < longest) {
    const point = samplePoint(outputs, temperature, random);
    if (point[4]) return { points, ended: true };
    points.push(point);
    outputs = nextMixture(network, state, point);
  }
  return { points, ended: false };
}

// ---------------------------------------------------------------- strokes as the data

const BOX = 255, EPSILON = 2; // see stroke3.py

// Thin a line out by Ramer, Douglas and Peucker, as GEOS does.
function simplify(points) {
  const kept = new Uint8Array(points.length).fill(1), parts = [[0, points.length - 1]];
  while (parts.length) {
    const [first, last] = parts.pop();
    let farthest = -1, place = first;
    for (let i = first + 1; i < last; i++) {
      const distance = toSegment(points[i], points[first], points[last]);
      if (distance > farthest) [farthest, place] = [distance, i];
    }
    if (farthest > EPSILON) parts.push([first, place], [place, last]);
    else kept.fill(0, first + 1, last);
  }
  return points.filter((_, i) => kept[i]);
}

function toSegment([x, y], [ax, ay], [bx, by]) {
  const apart = (px, py) => Math.sqrt((x - px) * (x - px) + (y - py) * (y - py));
  if (ax === bx && ay === by) return apart(ax, ay);
  const square = (bx - ax) * (bx - ax) + (by - ay) * (by - ay);
  const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square;
  if (along <= 0) return apart(ax, ay);
  if (along >= 1) return apart(bx, by);
  return Math.abs(((ay - y) * (bx - ax) - (ax - x) * (by - ay)) / square) * Math.sqrt(square);
}

// Round half to even, as NumPy does.
function roundToEven(x) {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 ? up - 1 : up;
}

// Return the lower corner of the box around strokes, and its longer side.
function boxAround(strokes) {
  const points = strokes.flat(), ends = (f, axis) => points.reduce((a, p) => f(a, p[axis]), points[0][axis]);
  const low = [0, 1].map((axis) => ends(Math.min, axis));
  const side = Math.max(...[0, 1].map((axis) => ends(Math.max, axis) - low[axis]));
  return { low, side };
}

// Turn strokes into moves in a box of 255, or in one whose longer side is given.
function prepare(strokes, side = 0) {
  const box = boxAround(strokes), longer = side || box.side;
  const factor = longer > 0 ? BOX / longer : 1;
  const scaled = ([x, y]) => [(x - box.low[0]) * factor, (y - box.low[1]) * factor];
  const moves = [];
  let [x, y] = [NaN, NaN];
  for (const stroke of strokes) {
    // A dot is two equal points, as in Google's files.
    const line = simplify((stroke.length === 1 ? [stroke[0], stroke[0]] : stroke).map(scaled));
    line.forEach((point, n) => {
      const [nextX, nextY] = point.map(roundToEven);
      if (!Number.isNaN(x)) moves.push([nextX - x, nextY - y, n === line.length - 1 ? 1 : 0]);
      [x, y] = [nextX, nextY];
    });
  }
  return moves;
}
