// Keys: everything that the pointer can do.

/** Goes up or down from the chosen lane. */
function otherLane(step) {
  const now = page.chosen ?? { view: page.views[0] };
  const { view } = now;
  const lane = now.lane ?? (now.told === undefined ? -1 : view.run.told.lane[now.told]);
  const at = view.shown.findIndex((one) => one.place === view.shownFor(lane));
  const next = view.shown[Math.min(Math.max(at + step, 0), view.shown.length - 1)];
  if (next) page.choose({ view, lane: next.place });
}

/** Goes to what came next in the lane, or before. */
function otherEvent(step) {
  if (!page.chosen) return;
  const { view, told } = page.chosen;
  const place = view.shownFor(page.chosen.lane ?? view.run.told.lane[told]);
  const lane = view.run.lanes[place];
  if (!lane) return;
  const all = [...new Set([...lane.bars, ...lane.bands, ...lane.cooldowns, ...lane.marks].map((one) => one.told))].sort((a, b) => a - b);
  const at = told === undefined ? -1 : all.indexOf(told);
  const next = at < 0 ? (step > 0 ? all[0] : all[all.length - 1]) : all[at + step];
  if (next !== undefined) page.choose({ view, told: next });
}

function toCause() {
  if (!page.chosen || page.chosen.told === undefined) return;
  const { view, told } = page.chosen;
  const cause = view.run.told.cause[told];
  if (cause >= 0) page.choose({ view, told: cause });
}

/** To what else was needed: one after the other. */
function toOther() {
  const { chosen, aside } = page;
  if (!chosen || chosen.told === undefined) return;
  const { view } = chosen;
  const again = aside && aside.view === view && aside.sides[aside.at] === chosen.told;
  const from = again ? aside.from : chosen.told;
  const sides = (view.run.told.sides.get(from) ?? []).map((side) => side.told);
  if (!sides.length) return;
  const at = again ? (aside.at + 1) % sides.length : 0;
  page.choose({ view, told: sides[at] });
  page.aside = { view, from, sides, at };
}

/** Back to what was chosen before. */
function goBack() {
  const before = page.past.pop();
  if (before) page.choose(before, { back: true });
}

/** Opens or shuts the row of many that is chosen. */
function toggleRow() {
  if (!page.chosen) return;
  const { view, lane, told } = page.chosen;
  view.toggle(lane ?? view.run.told.lane[told]);
}

function toggleHelp() {
  const keys = document.getElementById("keys");
  keys.hidden = !keys.hidden;
  document.getElementById("help").setAttribute("aria-expanded", String(!keys.hidden));
}

const whole = () => show(0, stretch.end);
const KEYS = {
  ArrowLeft: () => move(-0.2),
  ArrowRight: () => move(0.2),
  ArrowUp: () => otherLane(-1),
  ArrowDown: () => otherLane(1),
  "+": () => zoom(0.6, page.instant()),
  "=": () => zoom(0.6, page.instant()),
  "-": () => zoom(1 / 0.6, page.instant()),
  0: whole,
  n: () => nextFailed(1),
  p: () => nextFailed(-1),
  "[": () => otherEvent(-1),
  "]": () => otherEvent(1),
  c: toCause,
  o: toOther,
  b: goBack,
  s: () => page.chosen && page.chosen.view.live.scrollIntoView({ block: "center" }),
  " ": toggleRow,
  "/": () => find.focus(),
  "?": toggleHelp,
  Escape: () => (panel.hidden ? whole() : close()),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  // A space presses the button that has the focus.
  if (event.key === " " && (!page.chosen || event.target.closest("button, summary"))) return;
  // Arrows belong to the page until the timeline has the focus or something is chosen.
  if (event.key.startsWith("Arrow") && !event.target.closest(".scroll") && !page.chosen) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
  page.redraw();
});

for (const [id, act] of [
  ["in", () => zoom(0.6, page.instant())],
  ["out", () => zoom(1 / 0.6, page.instant())],
  ["fit", whole],
  ["help", toggleHelp],
]) {
  document.getElementById(id).addEventListener("click", () => {
    act();
    page.redraw();
  });
}
