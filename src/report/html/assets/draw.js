// Drawing: one lane at a time, and of it only what can be seen.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  broken: "M0-7L7 0L0 7L-7 0Z",
  step: "M-1-8L5-5L-1-2L-1 8L-2 8L-2-8Z",
  fault: "M0-6L6 5L-6 5Z",
  outside: "M-4-4L4-4L4 4L-4 4Z",
  bad: "M-1.5-6L1.5-6L1.5 6L-1.5 6Z",
  good: "M-1-4L1-4L1 4L-1 4Z",
  plain: "M-1-4L1-4L1 4L-1 4Z",
};
const LOUDNESS = ["plain", "good", "bad", "outside", "fault", "step", "broken"];

/** An element of a drawing. */
function make(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (parent) parent.append(element);
  return element;
}

/** A name for so many letters: without its kind if need be, then cut in front, for the numbers stand at its end. */
function shortened(name, most) {
  if (name.length <= most) return name;
  const bare = name.slice(name.indexOf("/") + 1);
  return bare.length <= most ? bare : "\u2026" + bare.slice(bare.length - Math.max(most - 1, 4));
}

/** Where things stand across. */
class Scale {
  constructor(left, right) {
    this.left = left;
    this.right = right;
    this.perMicro = (right - left) / (stretch.until - stretch.from);
  }
  x(at) {
    return this.left + (at - stretch.from) * this.perMicro;
  }
  at(x) {
    return stretch.from + (x - this.left) / this.perMicro;
  }
  /** The same, kept within the drawing. */
  inside(at) {
    return Math.min(Math.max(this.x(at), this.left), this.right);
  }
}

/** Where in a bar its label fits between the marks; undefined: nowhere. */
function labelPlace(scale, lane, bar, from, until) {
  const width = bar.label.length * 6.5;
  let start = from + 5;
  for (let i = firstFrom(lane.marks, Math.max(bar.from, stretch.from), (mark) => mark.at); i < lane.marks.length && lane.marks[i].at <= bar.until; i++) {
    const x = scale.x(lane.marks[i].at);
    if (start + width + 5 <= x) break;
    start = Math.max(start, x + 6);
    if (start + width > until) return undefined;
  }
  return start + width <= until ? start : undefined;
}

/** A bar with its label, if there is room. */
function drawBar(group, scale, lane, bar, y, height) {
  const from = scale.inside(bar.from);
  const width = Math.max(scale.inside(bar.until) - from, 1);
  const holder = make("g", { class: `s-${bar.kind}`, "data-told": bar.told, "data-label": bar.label, "data-from": bar.from, "data-until": bar.until }, group);
  // What is over is a thin line.
  const thin = bar.kind === "dead" || bar.kind === "released";
  if (thin) make("rect", { class: "hit", x: from.toFixed(1), y, width: width.toFixed(1), height }, holder);
  make("rect", { class: "bar", x: from.toFixed(1), y: thin ? y + height / 2 - 2 : y, width: width.toFixed(1), height: thin ? 4 : height, rx: Math.min(2, width / 2) }, holder);
  const place = thin || height < 9 ? undefined : labelPlace(scale, lane, bar, from, from + width);
  if (place !== undefined) {
    make("text", { class: "label", x: place.toFixed(1), y: y + height / 2 + 3.8 }, holder).textContent = bar.label;
  }
}

/** Bars one after another; of those thinner than a pixel, one for each pixel. */
function drawBars(group, scale, lane, bars, y, height) {
  let last = -1;
  for (let i = Math.max(firstFrom(bars, stretch.from, (bar) => bar.from) - 1, 0); i < bars.length && bars[i].from <= stretch.until; i++) {
    const end = scale.inside(bars[i].until);
    if (bars[i].until < stretch.from || end < last + 0.7) continue;
    drawBar(group, scale, lane, bars[i], y, height);
    last = Math.max(end, scale.x(bars[i].from) + 1);
  }
}

/** Bars that can overlap: those that do share the height. */
function drawBands(group, scale, lane, y, height) {
  const { bands } = lane;
  let end = -1;
  bands.forEach((bar, i) => {
    const shares = bands.some((other, k) => k !== i && other.from < bar.until && bar.from < other.until);
    const below = shares && bar.from < end;
    end = Math.max(end, below ? -1 : bar.until);
    if (bar.until < stretch.from || bar.from > stretch.until) return;
    drawBar(group, scale, lane, bar, below ? y + height / 2 : y, shares ? height / 2 - 1 : height);
  });
}

/** The outline of a number's steps, up to the end of whose number it is. */
function outline(scale, levels, gone, y, height, most, closed) {
  const up = (value) => (y + height - (value * height) / most).toFixed(1);
  const first = Math.max(firstFrom(levels, stretch.from, (level) => level.at) - 1, 0);
  let path = "";
  let before = 0;
  let drawn = -1;
  for (let i = first; i < levels.length && levels[i].at <= stretch.until; i++) {
    const x = scale.inside(levels[i].at);
    // Of steps within half a pixel the last one counts.
    const next = levels[i + 1];
    if (next && scale.inside(next.at) < drawn + 0.5) continue;
    drawn = x;
    path += path ? `L${x.toFixed(1)} ${up(before)}` : `M${x.toFixed(1)} ${up(closed ? 0 : levels[i].value)}`;
    path += `L${x.toFixed(1)} ${up(levels[i].value)}`;
    before = levels[i].value;
  }
  if (!path) return "M0 0";
  const end = scale.inside(gone).toFixed(1);
  path += `L${end} ${up(before)}`;
  return closed ? path + `L${end} ${up(0)}Z` : path;
}

function drawLevels(group, scale, lane, y, height) {
  const most = Math.max(1, ...lane.desired.map((l) => l.value), ...lane.ready.map((l) => l.value));
  make("path", { class: "wanted", d: outline(scale, lane.desired, lane.gone, y, height, most, true) }, group);
  if (lane.ready.length) make("path", { class: "ready", d: outline(scale, lane.ready, lane.gone, y, height, most, true) }, group);
  make("path", { class: "desired", d: outline(scale, lane.desired, lane.gone, y, height, most, false) }, group);
}

/** The name of a step, unless that of the one before stands there. */
function drawStepName(holder, run, scale, mark, taken) {
  const name = run.told.subject(mark.told).replace("step/", "");
  const x = scale.x(mark.at) + 7;
  if (x < taken.until) return;
  taken.until = x + name.length * 6.8 + 4;
  make("text", { class: "label", x: 7, y: 4 }, holder).textContent = name;
}

/** Marks, the loudest on top; of those on one place, one with their number. */
function drawMarks(group, run, scale, lane, y) {
  const seen = new Map();
  const shown = [];
  for (let i = firstFrom(lane.marks, stretch.from, (mark) => mark.at); i < lane.marks.length && lane.marks[i].at <= stretch.until; i++) {
    const mark = lane.marks[i];
    const key = `${mark.tone} ${Math.floor(scale.x(mark.at) / 4)}`;
    const here = seen.get(key);
    if (here) here.more += 1;
    else shown.push(seen.set(key, { mark, more: 0 }).get(key));
  }
  shown.sort((a, b) => LOUDNESS.indexOf(a.mark.tone) - LOUDNESS.indexOf(b.mark.tone));
  const taken = { until: -Infinity };
  for (const { mark, more } of shown) {
    const place = { class: `mark m-${mark.tone}`, transform: `translate(${scale.x(mark.at).toFixed(1)} ${y})`, "data-told": mark.told };
    if (more) place["data-more"] = more;
    const holder = make("g", place, group);
    make("rect", { class: "hit", x: -6, y: -9, width: 12, height: 18 }, holder);
    make("path", { d: SHAPES[mark.tone] }, holder);
    if (mark.tone === "step") drawStepName(holder, run, scale, mark, taken);
  }
}

/** A lane with its name. */
function drawLane(parent, run, scale, lane, y, width, flags) {
  const { height } = lane;
  const group = make("g", { class: `lane k-${lane.kind}`, "data-lane": lane.place }, parent);
  make("rect", { class: `row ${flags}`, x: 0, y, width, height }, group);
  make("line", { class: "rule", x1: 0, x2: width, y1: y + height - 0.5, y2: y + height - 0.5 }, group);
  const name = { class: lane.trouble ? "name trouble" : "name", x: 8 + 12 * lane.depth, y: y + height / 2 + 4 };
  const room = Math.floor((scale.left - 12 - 12 * lane.depth) / (lane.trouble || !lane.depth ? 7.7 : 6.9));
  const sign = lane.members ? (flags.includes("opened") ? "\u25be " : "\u25b8 ") : "";
  make("text", name, group).textContent = sign + shortened(lane.name, room - sign.length);
  if (lane.desired.length) drawLevels(group, scale, lane, y + 6, height - 12);
  drawBars(group, scale, lane, lane.cooldowns, y + 4, height - 8);
  if (!lane.bands.length) drawBars(group, scale, lane, lane.bars, y + 5, 12);
  else if (!lane.bars.length) drawBands(group, scale, lane, y + 4, 14);
  else {
    drawBars(group, scale, lane, lane.bars, y + 4, 11);
    drawBands(group, scale, lane, y + 18, 18);
  }
  drawMarks(group, run, scale, lane, y + height / 2);
}
