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
    routine: told.routine,
    by: (i) => text[told.by[i]],
    subject: (i) => text[told.subject[i]],
    what: (i) => text[told.what[i]],
    why: (i) => text[told.why[i]],
  };
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
  const lanes = raw.lanes.map((lane, place) => {
    const unpacked = {
      place,
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
      marks: [],
    };
    let at = 0;
    for (let i = 0; i < (lane.marks || []).length; i += 3) {
      at += lane.marks[i];
      const mark = { at, tone: raw.tones[lane.marks[i + 1]], told: lane.marks[i + 2] };
      unpacked.marks.push(mark);
      if (mark.tone === "broken") broken.push(mark.told);
    }
    unpacked.height = laneHeight(unpacked);
    return unpacked;
  });
  broken.sort((a, b) => a - b);
  return { index, name: raw.name, end: raw.end, lanes, broken, tones: raw.tones, told: unpackTold(raw.told, raw.text) };
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

/** What led to it, nearest first; what a line says itself is not said again below it. */
function chainOf(run, told) {
  const { cause, what, why } = run.told;
  const chain = [told];
  for (let at = cause[told]; at >= 0; at = cause[at]) {
    if (what(at) !== why(chain[chain.length - 1])) chain.push(at);
  }
  return chain;
}
