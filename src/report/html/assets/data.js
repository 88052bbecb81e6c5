// The data of the page, unpacked: sums of differences, numbers of texts.

/** Running sums. */
function sums(differences) {
  let sum = 0;
  return Float64Array.from(differences, (n) => (sum += n));
}

/** What can be told of records: columns, one place each. */
function unpackTold(told, text) {
  return {
    count: told.number.length,
    number: sums(told.number),
    at: sums(told.at),
    cause: Int32Array.from(told.cause, (back, i) => (back ? i - back : -1)),
    lane: Int32Array.from(told.lane, (n) => n - 1),
    tone: told.tone,
    sides: unpackSides(told.sides, text),
    tags: (i) => text[told.tags[i]],
    by: (i) => text[told.by[i]],
    subject: (i) => text[told.subject[i]],
    what: (i) => text[told.what[i]],
    why: (i) => text[told.why[i]],
  };
}

/** What else was needed for a telling: by its place, tellings with their role. */
function unpackSides(flat, text) {
  const sides = new Map();
  for (let i = 0; i < flat.length; i += 3) {
    const side = { told: flat[i] - flat[i + 1], role: text[flat[i + 2]] };
    if (sides.has(flat[i])) sides.get(flat[i]).push(side);
    else sides.set(flat[i], [side]);
  }
  return sides;
}

/** Bars as objects: from, until, class, label, told. */
function unpackBars(flat, text) {
  const bars = [];
  for (let i = 0; i < (flat || []).length; i += 5) {
    bars.push({ from: flat[i], until: flat[i] + flat[i + 1], kind: text[flat[i + 2]], label: text[flat[i + 3]], told: flat[i + 4] });
  }
  return bars;
}

/** Steps of a number as objects: at, value, told. */
function unpackLevels(flat) {
  const levels = [];
  for (let i = 0; i < (flat || []).length; i += 3) {
    levels.push({ at: flat[i], value: flat[i + 1], told: flat[i + 2] });
  }
  return levels;
}

/** A lane is as tall as what it shows. */
function laneHeight(lane) {
  if (lane.desired.length) return 42;
  return lane.bands.length && lane.bars.length ? 40 : 22;
}

function unpackRun(raw, index) {
  const broken = [];
  const failed = raw.failed.filter((_, i) => i % 2 === 0);
  const verdict = failed.find((_, i) => raw.failed[i * 2 + 1]);
  let group = { place: -1, until: 0 };
  const lanes = raw.lanes.map((lane, place) => {
    // Alike things follow the row that tells them together.
    if (place >= group.until) group = { place: -1, until: 0 };
    const unpacked = {
      place,
      members: lane.members ?? 0,
      group: group.place,
      name: raw.text[lane.name],
      kind: lane.kind,
      depth: lane.depth,
      trouble: lane.trouble,
      bars: unpackBars(lane.bars, raw.text),
      bands: unpackBars(lane.bands, raw.text),
      cooldowns: unpackBars(lane.cooldowns, raw.text),
      desired: unpackLevels(lane.desired),
      ready: unpackLevels(lane.ready),
      crashes: unpackLevels(lane.crashes),
      gone: lane.gone ?? Infinity,
      marks: [],
    };
    let at = 0;
    for (let i = 0; i < (lane.marks || []).length; i += 3) {
      at += lane.marks[i];
      const mark = { at, tone: raw.tones[lane.marks[i + 1]], told: lane.marks[i + 2] };
      unpacked.marks.push(mark);
      if (mark.tone === "broken" && !lane.members) broken.push(mark.told);
    }
    if (lane.members) group = { place, until: place + 1 + lane.members };
    unpacked.height = laneHeight(unpacked);
    return unpacked;
  });
  broken.sort((a, b) => a - b);
  return { index, name: raw.name, explain: raw.explain, end: raw.end, lanes, broken, failed, verdict, tones: raw.tones, told: unpackTold(raw.told, raw.text) };
}

/** The first place in a sorted list whose key is not below a value. */
function firstFrom(list, value, key) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What led to it, nearest first. */
function chainOf(run, told) {
  const chain = [];
  for (let at = told; at >= 0; at = run.told.cause[at]) chain.push(at);
  return chain;
}

const LONGEST_BLOCK = 12;
const FEWEST_TIMES = 3;

/**
 * A chain with what repeats told once: links, and after a block how often it occurs.
 * Links are alike when they say the same but for numbers.
 */
function folded(run, chain) {
  const blank = (text) => text.replace(/[\d.:~]+/g, "#");
  const { subject, what, why } = run.told;
  const keys = chain.map((told) => blank(`${subject(told)} ${what(told)} ${why(told)}`));
  const repeats = (at, length) => {
    let times = 1;
    while (at + (times + 1) * length <= keys.length) {
      for (let i = 0; i < length; i++) if (keys[at + i] !== keys[at + times * length + i]) return times;
      times += 1;
    }
    return times;
  };
  const items = [];
  for (let at = 0; at < chain.length; ) {
    let best = { length: 1, times: 1 };
    for (let length = 1; length <= LONGEST_BLOCK; length++) {
      const times = repeats(at, length);
      if (times >= FEWEST_TIMES && times * length > best.times * best.length) best = { length, times };
    }
    for (let i = 0; i < best.length; i++) items.push({ told: chain[at + i] });
    if (best.times > 1) items.push({ ...best, last: chain[at + best.times * best.length - 1] });
    at += best.length * best.times;
  }
  return items;
}
