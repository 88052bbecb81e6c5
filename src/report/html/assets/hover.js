// The pointer: what lies under it, moving and zooming with it.

const tip = document.getElementById("tip");

/** The value of a number at an instant. */
function valueAt(levels, at) {
  const next = firstFrom(levels, at + 1, (level) => level.at);
  return next ? levels[next - 1].value : undefined;
}

/** The lines of the tooltip: bold, plain, quiet. */
function hint(view, target, x) {
  const { told } = view.run;
  const group = target.closest("[data-told]");
  if (group) {
    const i = Number(group.dataset.told);
    const head = group.dataset.label
      ? `${told.subject(i)}: ${group.dataset.label}`
      : `${told.subject(i)}: ${told.what(i)}`;
    const times = group.dataset.label
      ? `${clock(+group.dataset.from)} to ${clock(+group.dataset.until)}, ${lasting(group.dataset.until - group.dataset.from)}`
      : clock(told.at[i]);
    const more = group.dataset.more ? `; and ${group.dataset.more} more here` : "";
    const why = told.why(i) || (group.dataset.label ? told.what(i) : "");
    return [head, why, `${times}, by ${told.by(i)}${more}`];
  }
  const row = target.closest("[data-lane]");
  const lane = row && view.run.lanes[row.dataset.lane];
  if (lane && x >= view.gutter && lane.desired.length) {
    const at = view.scale().at(x);
    const parts = [];
    for (const name of ["desired", "ready", "crashes"]) {
      const value = valueAt(lane[name], at);
      if (value !== undefined) parts.push(`${name} ${value}`);
    }
    return parts.length ? [lane.name, parts.join(", "), clock(at, 0)] : null;
  }
  return lane && x < view.gutter ? [lane.name, "", lane.members ? "click to open or shut" : "click for its life"] : null;
}

function showTip(lines, x, y) {
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren();
  const [head, plain, quiet] = lines;
  element("b", "", head, tip);
  if (plain) tip.append(plain);
  if (quiet) element("i", "", quiet, tip);
  const { offsetWidth, offsetHeight } = tip;
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - offsetWidth - 8))}px`;
  tip.style.top = `${y + 18 + offsetHeight > innerHeight ? y - offsetHeight - 12 : y + 18}px`;
}

/** Makes a run answer to the pointer. */
function listen(view) {
  const { scroll } = view;
  const along = (event) => event.clientX - scroll.getBoundingClientRect().left;
  let drag = null;
  scroll.addEventListener("pointermove", (event) => {
    if (drag) {
      if (Math.abs(event.clientX - drag.x) > 4 && !drag.moved) {
        drag.moved = true;
        scroll.classList.add("drag");
        scroll.setPointerCapture(event.pointerId);
      }
      if (drag.moved) {
        const by = (drag.x - event.clientX) / view.scale().perMicro;
        show(drag.from + by, drag.until + by);
        showTip(null);
        page.redraw();
        return;
      }
    }
    showTip(hint(view, event.target, along(event)), event.clientX, event.clientY);
  });
  scroll.addEventListener("pointerleave", () => showTip(null));
  scroll.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && along(event) > view.gutter) drag = { x: event.clientX, from: stretch.from, until: stretch.until, moved: false };
  });
  const drop = () => {
    scroll.classList.remove("drag");
    // A click comes after the button is let go; it is none when something was dragged.
    scroll.dataset.dragged = drag && drag.moved ? "1" : "";
    drag = null;
  };
  scroll.addEventListener("pointerup", drop);
  scroll.addEventListener("pointercancel", drop);
  scroll.addEventListener("click", (event) => {
    if (scroll.dataset.dragged) return;
    const group = event.target.closest("[data-told]");
    const row = event.target.closest("[data-lane]");
    const lane = row && view.run.lanes[row.dataset.lane];
    if (group) page.choose({ view, told: Number(group.dataset.told) });
    else if (lane && lane.members && along(event) < view.gutter) view.toggle(lane.place);
    else if (row) page.choose({ view, lane: Number(row.dataset.lane) });
  });
  scroll.addEventListener("dblclick", (event) => {
    if (along(event) > view.gutter) zoom(0.4, view.scale().at(along(event)));
    page.redraw();
  });
  scroll.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey ? event.deltaY : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
      if (event.ctrlKey || event.metaKey) zoom(Math.exp(Math.sign(event.deltaY) * 0.25), view.scale().at(along(event)));
      else if (sideways) move(sideways / 1200);
      else return;
      event.preventDefault();
      page.redraw();
    },
    { passive: false },
  );
}
