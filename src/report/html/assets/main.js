// The page: all runs on one axis, what is chosen, and when to draw.

const overview = document.getElementById("overview");

const PAST_MAX = 200;

const page = {
  views: [],
  chosen: null,
  /** What was chosen before, to go back to. */
  past: [],
  /** The one of several other causes that was gone to, and from where. */
  aside: null,
  waiting: false,

  /** Draws at the next frame, once. */
  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawNow();
    });
  },

  drawNow() {
    for (const view of this.views) view.draw();
    drawOverview();
  },

  resized() {
    for (const view of this.views) view.measure();
    this.redraw();
  },

  /** The instant of what is chosen, if it is in view: zooming holds on to it. */
  instant() {
    const { chosen } = this;
    const at = chosen && chosen.told !== undefined ? chosen.view.run.told.at[chosen.told] : undefined;
    return at >= stretch.from && at <= stretch.until ? at : undefined;
  },

  /** Chooses a telling or a lane, and shows the chain or the life; `keep`: the list stays as it is. */
  choose(what, { keep = false, stay = false, back = false } = {}) {
    if (!keep) for (const view of this.views) view.chain = [];
    if (this.chosen && what && !back) this.past.push(this.chosen);
    if (this.past.length > PAST_MAX) this.past.shift();
    this.aside = null;
    this.chosen = what;
    if (what) {
      const lane = what.lane ?? what.view.run.told.lane[what.told];
      if (what.told !== undefined) {
        reveal(what.view.run.told.at[what.told]);
        if (keep) markLine(what.told);
        else tellChain(what.view, what.told);
      } else tellLane(what.view, what.lane);
      what.view.revealLane(lane);
      if (!stay && !inSight(what.view.live)) what.view.live.scrollIntoView({ block: "nearest" });
    }
    this.redraw();
  },
};

function inSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 80 && top < innerHeight - 80;
}

const STRIP = 14;

/** The whole of all runs, small, with the stretch that is shown. */
function drawOverview() {
  overview.replaceChildren();
  // The border takes a pixel on each side.
  const width = overview.clientWidth - 2;
  const height = page.views.length * STRIP + 8;
  const svg = make("svg", { height: height + 2, role: "img", "aria-label": "The whole run; drag to move" }, overview);
  const x = (at) => (at / stretch.end) * width;
  page.views.forEach(({ run }, i) => {
    const y = 4 + i * STRIP;
    const cluster = run.lanes.find((lane) => lane.kind === "cluster");
    for (const bar of cluster ? cluster.bars : []) {
      const group = make("g", { class: `s-${bar.kind}` }, svg);
      make("rect", { class: "bar", x: x(bar.from), y: y + 3, width: Math.max(1, x(bar.until - bar.from)), height: STRIP - 6 }, group);
    }
    let last = -9;
    for (const told of run.broken) {
      const at = x(run.told.at[told]);
      if (at < last + 3) continue;
      last = at;
      const mark = make("g", { class: "mark m-broken", transform: `translate(${at} ${y + STRIP / 2})` }, svg);
      make("path", { d: "M0-4L4 0L0 4L-4 0Z" }, mark);
    }
  });
  make("rect", { class: "window", x: x(stretch.from), y: 1, width: Math.max(3, x(stretch.until - stretch.from)), height: height - 2, rx: 3 }, svg);
}

function listenOverview() {
  let held = false;
  const go = (event) => {
    const { left, width } = overview.getBoundingClientRect();
    const at = ((event.clientX - left) / width) * stretch.end;
    const half = (stretch.until - stretch.from) / 2;
    show(at - half, at + half);
    page.redraw();
  };
  overview.addEventListener("pointerdown", (event) => {
    held = true;
    overview.setPointerCapture(event.pointerId);
    go(event);
  });
  overview.addEventListener("pointermove", (event) => held && go(event));
  overview.addEventListener("pointerup", () => (held = false));
}

function start() {
  const runs = JSON.parse(document.getElementById("data").textContent).map(unpackRun);
  if (!runs.length) return;
  stretch.end = Math.max(1, ...runs.map((run) => run.end));
  stretch.until = stretch.end;
  document.documentElement.classList.add("scripted");
  document.querySelector(".tools").hidden = false;
  overview.hidden = false;
  const places = document.querySelectorAll(".run");
  page.views = runs.map((run, i) => new RunView(run, places[i]));
  beside.parentElement.hidden = runs.length < 2;
  beside.checked = runs.length > 1 && innerWidth >= 1500;
  document.querySelector(".runs").classList.toggle("beside", beside.checked);
  for (const view of page.views) {
    view.measure();
    listen(view);
  }
  listenOverview();
  addEventListener("resize", () => page.resized());
  page.drawNow();
  // Tests and the curious: how long it took until everything answered.
  document.documentElement.dataset.ready = performance.now().toFixed(0);
}

try {
  start();
} catch (error) {
  // The still drawing says it all, too.
  document.documentElement.classList.remove("scripted");
  for (const part of document.querySelectorAll(".tools, #overview, .live")) part.hidden = true;
  throw error;
}
