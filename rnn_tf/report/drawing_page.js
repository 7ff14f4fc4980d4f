// The page: strokes by pointer, guesses after each, and a pen that the generator moves.
// A stroke is {points: [[x, y, milliseconds], ...], hand}, in a square of 1,000 units.

const SIDE = 1000, MARGIN = 90, PEN = 0.9; // units a millisecond
const LONGEST = 200; // points, as in training
const SMALLEST = 0.6; // of the square: an unfinished drawing is part of one so large

const byId = (id) => document.getElementById(id);
const load = (kind) =>
  readNetwork(JSON.parse(byId(kind).textContent), byId(`${kind}-numbers`).textContent);
const classifier = load("classifier"), generator = load("generator");
const canvas = byId("canvas"), paper = canvas.getContext("2d");
const still = matchMedia("(prefers-reduced-motion: reduce)");

let strokes = []; // finished, and the one being drawn
let active = null; // the pointer that draws: its id, and its stroke
let started = 0; // the moment of the drawing's first point
let drawing = 0; // number of the last drawing by the generator; another cancels it

const points = () => strokes.map((stroke) => stroke.points);
const round = (x) => Math.round(x * 10) / 10;

// ---------------------------------------------------------------- paper

function paint() {
  const pixels = canvas.clientWidth * devicePixelRatio, style = getComputedStyle(canvas);
  if (canvas.width !== Math.round(pixels)) canvas.width = canvas.height = Math.round(pixels);
  paper.setTransform(canvas.width / SIDE, 0, 0, canvas.width / SIDE, 0, 0);
  paper.clearRect(0, 0, SIDE, SIDE);
  paper.lineCap = paper.lineJoin = "round";
  paper.lineWidth = Math.max(8, 3.2 * SIDE / canvas.clientWidth);
  for (const { points: line, hand } of strokes) {
    paper.strokeStyle = paper.fillStyle = style.getPropertyValue(hand ? "--ink" : "--network-ink");
    paper.beginPath();
    line.forEach(([x, y]) => paper.lineTo(x, y));
    paper.stroke();
    if (line.length && line.every(([x, y]) => x === line[0][0] && y === line[0][1])) dot(line[0]);
  }
}

function dot([x, y]) {
  paper.beginPath();
  paper.arc(x, y, paper.lineWidth / 2, 0, 2 * Math.PI);
  paper.fill();
}

// Show the drawing as it is: on paper, in words, and what can be done with it.
function show() {
  paint();
  const count = strokes.length;
  byId("hint").hidden = count > 0;
  canvas.setAttribute("aria-label", `Your drawing, ${count ? `${count} stroke${count > 1 ? "s" : ""}` : "empty"}`);
  for (const id of ["undo", "clear", "save", "finish"]) byId(id).disabled = !count;
}

// ---------------------------------------------------------------- guesses

const list = byId("guesses");
for (let n = 0; n < Math.min(5, classifier.classes.length); n++) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.append(...["bar", "name", "share"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  }));
  button.addEventListener("click", () => finish(button.dataset.name));
  item.append(button);
  list.append(item);
}

// Guess what is drawn, and show the five best; return the best, null for no drawing.
function guess() {
  const begun = performance.now();
  const shares = strokes.length ? classify(classifier, prepare(points())) : [];
  const took = performance.now() - begun;
  const best = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  [...list.children].forEach((item, n) => showGuess(item.firstChild, classifier.classes[best[n]], shares[best[n]]));
  byId("took").textContent = strokes.length ? `The last guess took ${took.toFixed(1)} ms.` : "";
  return best.length ? classifier.classes[best[0]] : null;
}

function showGuess(button, name = "", share = 0) {
  const [bar, label, percent] = button.children;
  bar.style.width = `${100 * share}%`;
  label.textContent = name;
  percent.textContent = name && (share < 0.005 ? "< 1 %" : `${(100 * share).toFixed(0)} %`);
  button.dataset.name = name;
  button.disabled = !generator.classes.includes(name);
  button.title = button.disabled ? "" : `Finish it as: ${name}`;
  button.setAttribute("aria-label", `${name}, ${percent.textContent}`);
  button.parentNode.ariaHidden = name ? null : "true";
}

function say(text) {
  byId("status").textContent = text;
}

function guessAloud() {
  const best = guess();
  say(best ? `It looks like: ${best}, ${list.querySelector(".share").textContent}.` : "Draw a stroke, or have something drawn.");
}

// ---------------------------------------------------------------- strokes by hand

function where(event) {
  const box = canvas.getBoundingClientRect(), inside = (x) => round(Math.min(SIDE, Math.max(0, x)));
  const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((d) => inside(d * SIDE / box.width));
  return [x, y, Math.max(0, Math.round(event.timeStamp - started))];
}

canvas.addEventListener("pointerdown", (event) => {
  if (active || !event.isPrimary || event.button) return;
  event.preventDefault(); // no selection of the page's text
  drawing++; // the generator's pen stops
  if (!strokes.length) started = event.timeStamp;
  active = { id: event.pointerId, stroke: { points: [where(event)], hand: true } };
  canvas.setPointerCapture(event.pointerId);
  strokes.push(active.stroke);
  show();
});

canvas.addEventListener("pointermove", (event) => {
  if (event.pointerId !== active?.id) return;
  const events = event.getCoalescedEvents?.() ?? [];
  for (const one of events.length ? events : [event]) addPoint(where(one));
  paint();
});

function addPoint(point) {
  const [x, y] = active.stroke.points.at(-1);
  if (point[0] !== x || point[1] !== y) active.stroke.points.push(point);
}

for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    if (event.pointerId !== active?.id) return;
    if (name === "pointerup") addPoint(where(event));
    const line = active.stroke.points;
    if (line.length === 1) line.push(line[0]); // a dot is two equal points
    active = null;
    guessAloud();
    show();
  });
}

// ---------------------------------------------------------------- undo, clear, save

function change(next) {
  if (active) return;
  drawing++;
  strokes = next;
  guessAloud();
  show();
}

byId("undo").addEventListener("click", () => change(strokes.slice(0, -1)));
byId("clear").addEventListener("click", () => change([]));
byId("save").addEventListener("click", save);
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && strokes.length) {
    event.preventDefault();
    change(strokes.slice(0, -1));
  }
});

// Write the drawing as Google's raw files have it: lists of x, y and milliseconds.
function asLine() {
  const axes = (line) => [0, 1, 2].map((axis) => line.map((point) => point[axis]));
  return `${JSON.stringify({ drawing: points().map(axes) })}\n`;
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([asLine()], { type: "application/x-ndjson" }));
  link.download = `drawing-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "")}.ndjson`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`Saved as ${link.download}.`);
}

// ---------------------------------------------------------------- strokes by the generator

const temperature = byId("temperature");
function showTemperature() {
  byId("degrees").textContent = Number(temperature.value).toFixed(2);
}
temperature.addEventListener("input", showTemperature);

byId("asked").addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = byId("class").value, count = generator.classes.length;
  const label = chosen === "" ? Math.floor(Math.random() * count) : Number(chosen);
  change([]);
  const { lines, ended } = imagine(label, [], [SIDE / 2, SIDE / 2]);
  perform(generator.classes[label], [], lines, ended);
});

byId("finish").addEventListener("click", () => finish(best()));

// The likeliest class that the generator can draw.
function best() {
  const names = [...list.querySelectorAll("button")].map((button) => button.dataset.name);
  return names.find((name) => generator.classes.includes(name)) ?? generator.classes[0];
}

function finish(name) {
  if (active || !strokes.length) return;
  const before = points().map((line) => line.slice());
  const { lines, ended } = imagine(generator.classes.indexOf(name), before, before.at(-1).at(-1));
  if (!lines.length) say(`Finished already, it thinks: ${name}.`);
  else perform(name, strokes, lines, ended);
}

// Have the generator go on: its strokes, lists of [x, y], and whether it ended them.
function imagine(label, before, [x, y]) {
  const side = before.length ? Math.max(boxAround(before).side, SMALLEST * SIDE) : SIDE;
  const moves = before.length ? prepare(before, side) : [];
  const known = moves.map(([dx, dy, up]) => [dx / generator.scale, dy / generator.scale, 1 - up, up, 0]);
  const { points: next, ended } = goOn(generator, label, known, Number(temperature.value), Math.max(LONGEST, known.length + 50));
  const unit = generator.scale * side / BOX, lines = before.length ? [] : [[[x, y]]];
  let lifted = before.length > 0;
  for (const [dx, dy, , up] of next) {
    [x, y] = [x + dx * unit, y + dy * unit];
    if (lifted) lines.push([]);
    lines.at(-1).push([x, y]);
    lifted = up === 1;
  }
  return { lines, ended };
}

// Make strokes fit the square, all alike; `grow` enlarges small ones too.
function fit(lines, grow) {
  const { low, side } = boxAround(lines), room = SIDE - 2 * MARGIN;
  const inside = lines.flat().every(([x, y]) => Math.min(x, y) >= 0 && Math.max(x, y) <= SIDE);
  if (inside && !grow) return lines;
  const factor = grow ? room / (side || room) : Math.min(1, room / side);
  const high = [0, 1].map((axis) => Math.max(...lines.flat().map((point) => point[axis])));
  const move = [0, 1].map((axis) => (SIDE - (high[axis] - low[axis]) * factor) / 2 - low[axis] * factor);
  return lines.map((line) => line.map(([x, y, t]) => [round(x * factor + move[0]), round(y * factor + move[1]), t]));
}

// Draw strokes as a pen would, after those that there are; guess after each.
async function perform(name, before, lines, ended) {
  const own = ++drawing, count = before.length;
  const fitted = fit([...before.map((stroke) => stroke.points), ...lines], !count);
  strokes = before.map((stroke, n) => ({ ...stroke, points: fitted[n] }));
  say(`Drawing: ${name} …`);
  canvas.scrollIntoView({ block: "nearest" }); // on a phone the button may be below it
  let time = strokes.at(-1)?.points.at(-1)[2] ?? 0;
  for (const line of fitted.slice(count)) {
    const stroke = { points: [], hand: false };
    strokes.push(stroke);
    show();
    for (const point of line) {
      const last = stroke.points.at(-1);
      const pause = last ? Math.hypot(point[0] - last[0], point[1] - last[1]) / PEN : 150;
      time += Math.max(1, Math.round(pause));
      await movePen(stroke, [round(point[0]), round(point[1]), time], pause, own);
      if (drawing !== own) return stop(stroke);
    }
    if (stroke.points.length === 1) stroke.points.push(stroke.points[0]);
    guess();
    show();
  }
  guessAloud();
  say(`${byId("status").textContent} ${count ? "Finished" : "Drawn"} as: ${name}${ended ? "" : ", and cut off, as it found no end"}.`);
}

// A pen that was stopped leaves whole points, and no empty stroke.
function stop(stroke) {
  if (!stroke.points.length) strokes = strokes.filter((other) => other !== stroke);
  show();
}

// Move the pen to a point in so many milliseconds, frame by frame.
async function movePen(stroke, point, pause, own) {
  const from = stroke.points.at(-1), begun = performance.now();
  const share = () => (performance.now() - begun) / pause;
  while (!still.matches && share() < 1) {
    const [x, y] = from ? [0, 1].map((axis) => from[axis] + share() * (point[axis] - from[axis])) : point;
    if (from) stroke.points.push([x, y, point[2]]);
    paint();
    if (from) stroke.points.pop();
    await new Promise(requestAnimationFrame);
    if (drawing !== own) return;
  }
  stroke.points.push(point);
}

// ---------------------------------------------------------------- begin

new ResizeObserver(paint).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
temperature.value = generator.temperature ?? 0.4; // else as a browser remembers it
showTemperature();
guess();
show();
