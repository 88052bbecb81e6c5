// Finding: lanes by name, lanes with findings, violations one after another.

const find = document.getElementById("find");
const found = document.getElementById("found");
const trouble = document.getElementById("trouble");
const beside = document.getElementById("beside");
let hits = [];
let hit = -1;

/** Shows the lanes that are asked for, and says how many have the name. */
function filterLanes() {
  const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const has = (lane) => words.every((word) => lane.name.toLowerCase().includes(word));
  hits = [];
  hit = -1;
  for (const view of page.views) {
    // What outside did stands above whatever is looked for.
    const always = (lane) => lane.kind === "steps" || lane.kind === "faults" || lane.kind === "requests" || lane.kind === "cluster";
    view.filter((lane) => (always(lane) && !words.length) || ((!words.length || has(lane)) && (!trouble.checked || lane.trouble)), words.length > 0);
    if (words.length) hits.push(...view.shown.filter((lane) => !lane.members).map((lane) => ({ view, lane: lane.place })));
  }
  found.textContent = words.length ? `${hits.length} found` : "";
  page.redraw();
}

find.addEventListener("input", filterLanes);
trouble.addEventListener("change", filterLanes);
find.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && hits.length) {
    hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    page.choose(hits[hit]);
    event.preventDefault();
  }
  if (event.key === "Escape") {
    find.value = "";
    filterLanes();
    find.blur();
    event.stopPropagation();
  }
});
beside.addEventListener("change", () => {
  document.querySelector(".runs").classList.toggle("beside", beside.checked);
  page.resized();
});

/** All that failed in all runs, in order of runs and time: violations, requests, steps, the verdict. */
const failed = () => page.views.flatMap((view) => view.run.failed.map((told) => ({ view, told })));

/** Goes to the next that failed, or the one before. */
function nextFailed(step) {
  const all = failed();
  if (!all.length) return;
  const now = page.chosen ? all.findIndex((one) => one.view === page.chosen.view && one.told === page.chosen.told) : -1;
  page.choose(all[now < 0 ? (step > 0 ? 0 : all.length - 1) : (now + step + all.length) % all.length]);
}

document.getElementById("next").addEventListener("click", () => nextFailed(1));
document.getElementById("previous").addEventListener("click", () => nextFailed(-1));
for (const summary of document.querySelectorAll(".finding summary[data-told]")) {
  summary.addEventListener("click", () => {
    const view = page.views[summary.dataset.run];
    page.choose({ view, told: Number(summary.dataset.told) }, { stay: true });
  });
}
