// One run on the page: its axis, its lanes, what is chosen in it.

const AXIS = 24;
const SPARE = 120;

class RunView {
  constructor(run, element) {
    this.run = run;
    this.live = element.querySelector(".live");
    this.axis = make("svg", { class: "axis", height: AXIS }, this.live);
    this.scroll = document.createElement("div");
    this.scroll.className = "scroll";
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "group");
    this.scroll.setAttribute("aria-label", `Timeline of ${run.name}; press ? for keys`);
    this.sheet = make("svg", {}, this.scroll);
    this.live.append(this.scroll);
    this.more = document.createElement("button");
    this.more.className = "more";
    this.more.type = "button";
    this.more.tabIndex = -1;
    this.more.addEventListener("click", () => this.scroll.scrollBy({ top: this.scroll.clientHeight * 0.8 }));
    this.live.append(this.more);
    this.live.hidden = false;
    this.chain = [];
    this.opened = new Set();
    this.filter(() => true);
    this.scroll.addEventListener("scroll", () => page.redraw());
  }

  /** Shows only some lanes; what folds together is one until it is opened, or `all` are asked for. */
  filter(wanted, all = false) {
    const folded = (lane) => lane.group >= 0 && !this.opened.has(lane.group);
    this.shown = this.run.lanes.filter((lane) => wanted(lane) && (all || !folded(lane)));
    this.tops = new Map();
    let y = 0;
    for (const lane of this.shown) {
      this.tops.set(lane.place, y);
      y += lane.height;
    }
    this.height = y;
  }

  /** The lane that is shown for one: itself, or the row that tells it with others. */
  shownFor(place) {
    const lane = this.run.lanes[place];
    return lane && !this.tops.has(place) && lane.group >= 0 ? lane.group : place;
  }

  /** Opens or shuts the row that a lane is told in, with others. */
  toggle(place) {
    const lane = this.run.lanes[place];
    const group = lane && (lane.members ? lane.place : lane.group);
    if (!(group >= 0)) return false;
    if (!this.opened.delete(group)) this.opened.add(group);
    filterLanes();
    return true;
  }

  /** Measures; to be called when the page's width changed. */
  measure() {
    this.width = this.scroll.clientWidth || this.live.clientWidth;
    this.gutter = Math.min(226, Math.max(110, this.width * 0.3));
  }

  scale() {
    return new Scale(this.gutter, this.width - 12);
  }

  draw() {
    const scale = this.scale();
    this.drawAxis(scale);
    this.sheet.replaceChildren();
    this.sheet.setAttribute("width", this.width);
    this.sheet.setAttribute("height", Math.max(this.height, 34));
    const { scrollTop, clientHeight } = this.scroll;
    const ticked = ticks(Math.max(2, Math.floor((scale.right - scale.left) / 76)));
    const rows = make("g", {}, this.sheet);
    for (const at of ticked.times) {
      make("line", { class: "grid", x1: scale.x(at), x2: scale.x(at), y1: scrollTop - SPARE, y2: scrollTop + clientHeight + SPARE }, rows);
    }
    for (const lane of this.shown) {
      const y = this.tops.get(lane.place);
      if (y + lane.height < scrollTop - SPARE || y > scrollTop + clientHeight + SPARE) continue;
      drawLane(rows, this.run, scale, lane, y, this.width, this.flags(lane));
    }
    if (!this.shown.length) make("text", { class: "empty", x: 12, y: 20 }, this.sheet).textContent = "no lane has that name";
    this.drawGuides(scale);
    this.drawChain(scale);
    this.tellRest(scrollTop + clientHeight);
  }

  /** How many lanes lie below what can be seen. */
  tellRest(bottom) {
    const below = this.shown.filter((lane) => this.tops.get(lane.place) + lane.height / 2 > bottom).length;
    this.more.hidden = !below;
    this.more.textContent = `\u2193 ${below} more`;
  }

  flags(lane) {
    const { chosen } = page;
    const here = chosen && chosen.view === this && chosen.lane !== undefined && this.shownFor(chosen.lane) === lane.place;
    return `${here ? "chosen" : ""} ${this.opened.has(lane.place) ? "opened" : ""}`;
  }

  drawAxis(scale) {
    this.axis.replaceChildren();
    this.axis.setAttribute("width", this.width);
    const { times, decimals } = ticks(Math.max(2, Math.floor((scale.right - scale.left) / 76)));
    for (const at of times) {
      const x = scale.x(at);
      const anchor = x > scale.right - 20 ? "end" : "middle";
      make("text", { class: "axis-text", x, y: 15, "text-anchor": anchor }, this.axis).textContent = clock(at, decimals);
      make("line", { class: "rule", x1: x, x2: x, y1: 19, y2: AXIS }, this.axis);
    }
  }

  /** A line down from each step of the operator. */
  drawGuides(scale) {
    const steps = this.run.lanes.find((lane) => lane.kind === "steps");
    for (const mark of steps ? steps.marks : []) {
      if (mark.tone !== "step" || mark.at < stretch.from || mark.at > stretch.until) continue;
      make("line", { class: "guide", x1: scale.x(mark.at), x2: scale.x(mark.at), y1: 0, y2: this.height }, this.sheet);
    }
  }

  /** Where a telling stands, if its lane is shown. */
  place(told, scale) {
    const { at, lane } = this.run.told;
    const shown = this.shownFor(lane[told]);
    const y = this.tops.get(shown);
    if (y === undefined) return null;
    return { x: scale.x(at[told]), y: y + this.run.lanes[shown].height / 2 };
  }

  /** The chosen thing and the way to it from its causes. */
  drawChain(scale) {
    const points = this.chain.map((told) => this.place(told, scale)).filter(Boolean);
    const clip = (x) => Math.min(Math.max(x, scale.left - 4), scale.right + 4);
    let path = "";
    points.forEach(({ x, y }, i) => {
      if (!i) path = `M${clip(x)} ${y}`;
      else {
        const from = points[i - 1];
        const middle = (clip(x) + clip(from.x)) / 2;
        path += `C${middle} ${from.y} ${middle} ${y} ${clip(x)} ${y}`;
      }
    });
    if (points.length > 1) make("path", { class: "cause", d: path }, this.sheet);
    for (const { x, y } of points) {
      if (x >= scale.left && x <= scale.right) make("circle", { class: "cause-dot", cx: x, cy: y, r: 2.6 }, this.sheet);
    }
    const chosen = page.chosen && page.chosen.view === this && page.chosen.told !== undefined && this.place(page.chosen.told, scale);
    if (chosen && chosen.x >= scale.left) make("circle", { class: "pick", cx: chosen.x, cy: chosen.y, r: 10 }, this.sheet);
  }

  /** Scrolls so that a lane can be seen. */
  revealLane(hidden) {
    const place = this.shownFor(hidden);
    const y = this.tops.get(place);
    if (y === undefined) return;
    const { scrollTop, clientHeight } = this.scroll;
    const bottom = y + this.run.lanes[place].height;
    if (y < scrollTop || bottom > scrollTop + clientHeight) this.scroll.scrollTop = Math.max(0, y - clientHeight / 3);
  }
}
