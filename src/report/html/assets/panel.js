// The panel: why something happened, as a chain of causes; or the life of a lane.

const panel = document.getElementById("panel");
const chosen = document.getElementById("chosen");
const LIFE_MAX = 400;
const CHAIN_MAX = 120;
const MET = "met, not tried, so that most of it decides nothing: + a fix in force, - a fix that was not, else a fault";

/** An element with a class and a text. */
function element(name, kind, text, parent) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

/** One line of a chain or a life. */
function line(run, told, list, { current, role } = {}) {
  const { at, by, subject, what, why, tags, tone, number } = run.told;
  const item = element("li", `m-${run.tones[tone[told]]}`, "", list);
  if (role) item.classList.add("side");
  if (told === current) item.classList.add("chosen");
  item.tabIndex = 0;
  item.dataset.told = told;
  item.title = `record ${number[told]}`;
  const head = element("span", "head", "", item);
  if (role) element("span", "role", `${role}: `, head);
  element("span", "time", clock(at[told]), head);
  head.append(" ");
  element("span", "subject", subject(told), head);
  head.append(" ");
  element("span", "by", `by ${by(told)}`, head);
  for (const tag of tags(told).split(", ").filter(Boolean)) {
    head.append(" ");
    element("span", "tag", tag, head).title = MET;
  }
  element("span", "what", what(told), item);
  if (why(told)) element("span", "why", why(told), item);
}

/** What is to be read above a chain. */
function title(run, told) {
  const { what, why, tone } = run.told;
  // A finding begins with the name of its rule.
  if (run.tones[tone[told]] === "broken") return `${why(told).split(":")[0]} is broken`;
  return what(told);
}

/** Marks one line of the list that is shown. */
function markLine(told) {
  for (const item of chosen.querySelectorAll("li[data-told]")) item.classList.toggle("chosen", Number(item.dataset.told) === told);
}

/** Shows the chain that led to a telling. */
function tellChain(view, told) {
  const { run } = view;
  const { at, by, subject, why, tags, number, sides } = run.told;
  chosen.replaceChildren();
  element("h2", "", title(run, told), chosen);
  if (told === run.verdict) element("p", "quiet", "what last happened to what does not come to rest", chosen);
  const facts = element("dl", "facts", "", chosen);
  const fact = (name, text) => {
    if (!text) return;
    element("dt", "", name, facts);
    element("dd", "", text, facts);
  };
  fact("of", subject(told));
  fact("at", clock(at[told]));
  fact("by", by(told));
  fact("why", why(told));
  fact("met here", tags(told));
  if (tags(told)) facts.lastChild.title = MET;
  // A proof is told by no record.
  fact(by(told) === "proof" ? "run" : "record", by(told) === "proof" ? run.name : `${number[told]} of ${run.name}`);
  const walk = element("p", "walk", "", chosen);
  const step = (text, key, act, title) => {
    const button = element("button", "", text, walk);
    button.type = "button";
    button.title = `${title} (${key})`;
    button.dataset.key = key;
    button.addEventListener("click", () => (act(), page.redraw()));
  };
  const { cause } = run.told;
  const name = (at) => `${subject(at)}: ${title(run, at)}`;
  if (cause[told] >= 0) step("next cause", "c", toCause, name(cause[told]));
  const needed = sides.get(told) ?? [];
  if (needed.length) step(needed.length > 1 ? `other cause (${needed.length})` : "other cause", "o", toOther, name(needed[0].told));
  if (page.past.length) step("back", "b", goBack, "what was chosen before");
  step("show", "s", () => view.live.scrollIntoView({ block: "center" }), "in the timeline");
  // Another run is made by the program.
  const ask = element("p", "quiet", "what if not: ", chosen);
  const question = by(told) === "proof" ? "--proof" : told === run.verdict ? "--verdict" : `--event ${number[told]}`;
  element("code", "", `${run.explain} ${question} --verify`, ask);
  const chain = chainOf(run, told);
  view.chain = chain;
  element("h3", "", chain.length > 1 ? "What led to it" : "Nothing led to it", chosen);
  const list = element("ol", "chain", "", chosen);
  list.setAttribute("aria-label", "Causes, the nearest first");
  const known = new Set(chain);
  const items = folded(run, chain);
  // Of an endless way the end and the root are told.
  const gap = items.length > CHAIN_MAX ? items.splice(CHAIN_MAX - 20, items.length - CHAIN_MAX).length : 0;
  items.forEach((item, place) => {
    if (gap && place === CHAIN_MAX - 20) element("li", "remark", `\u2026 ${gap} more links`, list);
    if (item.times) {
      const lines = item.length > 1 ? `these ${item.length} lines` : "this line";
      element("li", "remark", `${lines} \u00d7${item.times}, back to ${clock(at[item.last])}`, list);
      return;
    }
    line(run, item.told, list, { current: told });
    for (const side of sides.get(item.told) ?? []) {
      if (known.has(side.told)) continue;
      known.add(side.told);
      line(run, side.told, list, { role: side.role });
    }
  });
  open();
}

/** Shows what happened in a lane. */
function tellLane(view, place) {
  const { run } = view;
  const lane = run.lanes[place];
  const all = new Set();
  for (const bars of [lane.bars, lane.bands, lane.cooldowns]) for (const bar of bars) all.add(bar.told);
  for (const levels of [lane.desired, lane.crashes]) for (const level of levels) all.add(level.told);
  for (const mark of lane.marks) all.add(mark.told);
  const life = [...all].sort((a, b) => a - b);
  chosen.replaceChildren();
  element("h2", "", lane.name, chosen);
  element("p", "quiet", run.name, chosen);
  element("h3", "", "Its life", chosen);
  const list = element("ol", "chain", "", chosen);
  for (const told of life.slice(0, LIFE_MAX)) line(run, told, list);
  if (life.length > LIFE_MAX) element("p", "note", `and ${life.length - LIFE_MAX} more; zoom in and click what you look for`, chosen);
  view.chain = [];
  open();
}

function open() {
  panel.hidden = false;
  panel.scrollTop = 0;
  if (!document.body.classList.contains("opened")) {
    document.body.classList.add("opened");
    page.resized();
  }
}

function close() {
  panel.hidden = true;
  document.body.classList.remove("opened");
  page.choose(null);
  page.resized();
}

document.getElementById("close").addEventListener("click", () => close());
chosen.addEventListener("click", (event) => {
  const item = event.target.closest("li[data-told]");
  if (item) page.choose({ view: page.chosen.view, told: Number(item.dataset.told) }, { keep: true });
});
chosen.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset.told) event.target.click();
});
