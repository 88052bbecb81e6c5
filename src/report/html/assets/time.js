// Time: the stretch that is shown, its axis, and how instants are written. All in microseconds.

const stretch = { from: 0, until: 1, end: 1 };
const NARROWEST = 1000;

/** Shows another stretch, within the run. */
function show(from, until) {
  const length = Math.min(Math.max(until - from, NARROWEST), stretch.end);
  stretch.from = Math.min(Math.max(from, 0), stretch.end - length);
  stretch.until = stretch.from + length;
}

/** Zooms by a factor; what lies at `at` stays where it is. */
function zoom(factor, at) {
  const fixed = at ?? (stretch.from + stretch.until) / 2;
  const length = (stretch.until - stretch.from) * factor;
  const share = (fixed - stretch.from) / (stretch.until - stretch.from);
  show(fixed - length * share, fixed + length * (1 - share));
}

/** Moves by a part of what is shown. */
function move(part) {
  const by = (stretch.until - stretch.from) * part;
  show(stretch.from + by, stretch.until + by);
}

/** Brings an instant into view, and zooms in when all is crowded. */
function reveal(at) {
  const length = stretch.until - stretch.from;
  if (at < stretch.from + length * 0.08 || at > stretch.until - length * 0.08) show(at - length / 2, at + length / 2);
}

/** `h:mm:ss`, with as many decimals as are asked for. */
function clock(micros, decimals = 3) {
  const unit = 10 ** (6 - decimals);
  const whole = Math.floor(micros / unit) * unit;
  const seconds = Math.floor(whole / 1e6);
  const part = decimals ? "." + String(Math.floor((whole % 1e6) / unit)).padStart(decimals, "0") : "";
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (seconds < 3600) return `${minutes}:${two(seconds % 60)}${part}`;
  return `${Math.floor(seconds / 3600)}:${two(minutes % 60)}:${two(seconds % 60)}${part}`;
}

/** A length of time in few words. */
function lasting(micros) {
  if (micros < 1000) return `${micros} \u00b5s`;
  if (micros < 1e6) return `${Math.round(micros / 1e3)} ms`;
  return clock(micros, micros < 6e7 ? 1 : 0);
}

const STEPS = [
  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
  60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000,
];

/** The times of an axis that has room for so many, and how many decimals they need. */
function ticks(room) {
  const length = (stretch.until - stretch.from) / 1e6;
  const step = (STEPS.find((step) => length / step <= room) ?? length) * 1e6;
  const decimals = step >= 1e6 ? 0 : step >= 1e5 ? 1 : step >= 1e4 ? 2 : step >= 1e3 ? 3 : 6;
  const times = [];
  for (let at = Math.ceil(stretch.from / step) * step; at <= stretch.until; at += step) times.push(at);
  return { times, decimals };
}
