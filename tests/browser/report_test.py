"""The report in a real browser: found, clicked, keyed, dark, narrow, printed, large.

Usage: report_test.py SCHEDSIM [FOLDER]; pictures of the page are left in FOLDER, to be looked at.
Runs the binary on stories of this repository. What a newcomer gets wrong: budgets of time are
generous on purpose – a machine under load must not fail, a page that draws everything must.
"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from webdriver import Browser

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAROUSEL = os.path.join(ROOT, "scenarios/mir-788/lease-carousel.toml")
PROVED = os.path.join(ROOT, "scenarios/mir-788/forever-pending-proved.toml")
ORPHANED = os.path.join(ROOT, "scenarios/mir-788/orphaned-disk.toml")
SKIP_DEAD = os.path.join(ROOT, "scenarios/requests/skip-dead.toml")
FOREVER = os.path.join(ROOT, "scenarios/mir-788/forever-pending.toml")
LARGE = 100_000
READY_MS = 4000
FRAME_MS = 400

SCHEDSIM = None
PICTURES = None
FOLDER = tempfile.TemporaryDirectory()


def run(name, *words, command="run"):
    """Writes a report and returns its path."""
    path = os.path.join(FOLDER.name, name)
    done = subprocess.run([SCHEDSIM, command, "-q", *words, "--report", path], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return path


class OnThePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def show(self, path):
        self.browser.open(path)
        self.browser.frames(3)
        self.assertIsNotNone(self.ready(), "the scripts did not run to their end")

    def ready(self):
        return self.browser.js("return document.documentElement.dataset.ready")

    def text(self, css):
        return self.browser.js("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def count(self, css):
        return self.browser.js("return document.querySelectorAll(arguments[0]).length", css)

    def picture(self, name):
        if PICTURES:
            self.browser.picture(os.path.join(PICTURES, name + ".png"))

    def no_complaints(self):
        self.assertEqual(self.browser.complaints(), [])

    def middle(self, css, index=0):
        """The middle of what is drawn there, scrolled into the window."""
        return self.browser.js(
            "const all = document.querySelectorAll(arguments[0]); const one = all[arguments[1]];"
            "one.scrollIntoView({block: 'center'});"
            "const r = one.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]", css, index)


class Carousel(OnThePage):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = run("carousel.html", CAROUSEL)

    def setUp(self):
        self.browser.size(1440, 1000)
        self.browser.dark(False)
        self.show(self.path)

    def tearDown(self):
        self.no_complaints()

    def test_both_variants_stand_there_with_all_their_lanes(self):
        self.assertEqual(self.count(".live:not([hidden])"), 2)
        places = [self.names().index(name) for name in ["steps", "cluster", "disk/pds-data", "lease/pds-data-0", "node/n1", "app/pds", "pool/pds-database"]]
        self.assertEqual(places, sorted(places), "disk, lease and node first")
        self.assertEqual(self.count(".static:not([hidden])") and self.browser.js(
            "return getComputedStyle(document.querySelector('svg.static')).display"), "none", "drawn once")
        self.picture("light")

    def names(self):
        return self.browser.js("return [...document.querySelectorAll('.scroll')[0].querySelectorAll('.name')].map(n => n.textContent)")

    def test_alike_things_are_one_row_until_it_is_opened(self):
        folded = self.names()
        row = next(name for name in folded if "\u00d7" in name)
        self.assertNotIn("sandbox/pds-database-0", folded)
        place = ".scroll .lane.k-sandbox .name"
        self.browser.pointer(self.middle(place), "down", "up")
        opened = [name for name in self.names() if name.startswith("sandbox/pds-database-")]
        self.assertEqual(len(opened), int(row.split("\u00d7")[1]))
        self.assertEqual(opened[:2], ["sandbox/pds-database-0", "sandbox/pds-database-1"])
        self.picture("opened")
        self.browser.pointer(self.middle(place), "down", "up")
        self.assertEqual(self.names(), folded)
        # The keys do it, too: down to the row, and Space.
        self.browser.js("document.querySelector('.scroll').focus()")
        for _ in range(folded.index(row) + 1):
            self.browser.key("Down")
        self.assertIn("pds-database-*", self.text("#panel h2"))
        self.browser.key(" ")
        self.assertIn("sandbox/pds-database-0", self.names())

    def test_one_walks_to_causes_and_back(self):
        self.browser.pointer(self.middle(".scroll .k-pool .m-broken"), "down", "up")
        end, walk = self.text("#panel h2"), lambda key: self.browser.click(f"#panel .walk [data-key={key}]")
        self.assertIn("what if not: schedsim explain", self.text("#panel"))
        self.picture("walk")
        walk("c")
        by_click = self.text("#panel .facts")
        self.assertNotEqual(self.text("#panel h2"), end)
        walk("b")
        self.assertEqual(self.text("#panel h2"), end)
        self.browser.key("c")
        self.assertEqual(self.text("#panel .facts"), by_click, "the key leads where the button does")
        # Up to the root; where something else was needed, there and back.
        others = 0
        for _ in range(60):
            here = self.text("#panel .facts")
            if self.count("#panel .walk [data-key=o]"):
                self.browser.key("o")
                self.assertNotEqual(self.text("#panel .facts"), here)
                self.browser.key("b")
                self.assertEqual(self.text("#panel .facts"), here)
                others += 1
            if not self.count("#panel .walk [data-key=c]"):
                break
            self.browser.key("c")
        self.assertGreater(others, 0)
        self.assertEqual(self.text("#panel h3"), "Nothing led to it")

    def test_a_thing_is_found_by_its_name(self):
        self.browser.type("#find", "pds-database~2-0")
        self.assertEqual(self.text("#found"), "1 found")
        self.assertEqual(self.browser.js("return document.querySelector('.scroll .name').textContent"), "sandbox/pds-database~2-0")
        self.browser.type("#find", "\ue007")
        self.assertIn("sandbox/pds-database~2-0", self.text("#panel h2"))
        self.assertIn("created PENDING", self.text("#panel .chain"))
        self.assertEqual(self.count(".row.chosen"), 1)

    def test_a_click_on_a_violation_tells_what_led_to_it_down_to_the_typo(self):
        self.browser.pointer(self.middle(".scroll .k-pool .m-broken"), "down", "up")
        self.assertIn("failures-back-off is broken", self.text("#panel h2"))
        chain = self.text("#panel .chain")
        for link in ["boot fails", "created PENDING", "unknown field", "step/typo", "-strict-app-config"]:
            self.assertIn(link, chain)
        self.assertLess(chain.index("boot fails"), chain.index("unknown field"), "the end first, the root last")
        self.assertEqual(self.count(".scroll .cause"), 1, "the way is drawn")
        self.picture("chain")
        self.browser.click("#panel .chain li[data-told]:last-child")
        self.assertEqual(self.count("#panel .chain li.chosen"), 1)
        self.browser.key("Escape")
        self.assertTrue(self.browser.js("return document.getElementById('panel').hidden"))

    def test_a_finding_in_the_list_opens_its_chain_too(self):
        self.browser.click(".finding > summary[data-told]")
        self.assertIn("is broken", self.text("#panel h2"))

    def test_hovering_a_bar_shows_its_reason(self):
        pending = ".scroll .lane.k-sandbox[data-lane] .s-pending .bar"
        self.browser.pointer(self.middle(pending))
        tip = self.text("#tip")
        self.assertIn("1 pending", tip)
        self.assertIn("actual 0 < desired 1", tip)

    def test_keys_zoom_move_and_go_through_violations(self):
        axis = lambda: self.browser.js("return document.querySelector('.live .axis').textContent")
        whole = axis()
        self.browser.js("document.querySelector('.scroll').focus()")
        for key in ["+", "+", "Right"]:
            before = axis()
            self.browser.key(key)
            self.assertNotEqual(before, axis(), key)
        self.browser.key("0")
        self.assertEqual(whole, axis())
        seen = []
        for _ in range(4):
            self.browser.key("n")
            seen.append(self.text("#panel .facts"))
        self.assertEqual(len(set(seen)), 4, "all of *before*, and the step that *after* refuses")
        self.browser.key("n")
        self.assertEqual(self.text("#panel .facts"), seen[0], "and round again")
        self.browser.key("p")
        self.assertEqual(self.text("#panel .facts"), seen[-1])
        self.browser.key("p")
        self.browser.key("c")
        self.assertNotIn("is broken", self.text("#panel h2"), "at the cause")

    def test_wheel_and_drag_zoom_and_move_both_runs_together(self):
        x, y = self.middle(".scroll .k-cluster .bar")
        axes = lambda: self.browser.js("return [...document.querySelectorAll('.live .axis')].map(a => a.textContent)")
        one, other = axes()
        self.browser.js(
            "document.querySelector('.scroll').dispatchEvent(new WheelEvent('wheel', {deltaY: -300, ctrlKey: true, clientX: arguments[0], clientY: arguments[1], bubbles: true, cancelable: true}))", x, y)
        self.browser.frames()
        zoomed = axes()
        self.assertNotEqual(one, zoomed[0])
        self.assertEqual(zoomed[0], zoomed[1])
        self.browser.pointer((x, y), "down", (x - 120, y), (x - 240, y), "up")
        self.assertNotEqual(axes(), zoomed)
        self.assertTrue(self.browser.js("return document.getElementById('panel').hidden"), "a drag is no click")

    def test_dark_narrow_and_side_by_side(self):
        self.browser.dark()
        self.browser.frames()
        self.assertEqual(self.browser.js("return getComputedStyle(document.documentElement).backgroundColor"), "rgb(20, 23, 27)")
        self.picture("dark")
        self.browser.size(400, 900)
        self.assertLessEqual(self.browser.js("return document.documentElement.scrollWidth"), 400, "nothing hangs over the edge")
        self.picture("narrow")
        self.browser.dark(False)
        self.browser.size(1800, 1000)
        self.browser.click("#beside")
        lefts = self.browser.js("return [...document.querySelectorAll('.run')].map(r => r.getBoundingClientRect().left)")
        self.assertLess(lefts[0] + 400, lefts[1])
        self.picture("side-by-side")

    def test_print_shows_every_run_as_a_still_drawing(self):
        self.browser.dark()
        self.browser.cdp("Emulation.setEmulatedMedia", media="print")
        shown = self.browser.js(
            "const shows = css => getComputedStyle(document.querySelector(css)).display !== 'none';"
            "return [shows('svg.static'), shows('.live'), shows('.tools'), getComputedStyle(document.documentElement).backgroundColor]")
        self.assertEqual(shown, [True, False, False, "rgb(255, 255, 255)"])
        self.browser.cdp("Emulation.setEmulatedMedia", media="")
        if PICTURES:
            self.browser.pdf(os.path.join(PICTURES, "print.pdf"))


class ForEver(OnThePage):
    def tearDown(self):
        self.no_complaints()

    def test_a_proof_has_a_lane_of_rounds_and_its_story(self):
        self.browser.size(1440, 1000)
        self.show(run("proved.html", PROVED, "--variant", "before"))
        self.assertEqual(self.count(".scroll .k-proof .s-round"), 5, "four rounds, and a part of the next")
        self.browser.pointer(self.middle(".scroll .k-proof .bar"), "down", "up")
        self.assertIn("repeats for ever", self.text("#panel h2"))
        self.assertIn("the same state again after 55:00", self.text("#panel .facts"))
        chain = self.text("#panel .chain")
        for link in ["progress", "boot fails", "step/typo"]:
            self.assertIn(link, chain)
        self.picture("for-ever")

    def test_what_lies_below_is_counted_and_can_be_reached(self):
        self.browser.size(1440, 700)
        self.show(run("below.html", PROVED, "--variant", "before"))
        self.browser.pointer(self.middle(".scroll .lane.k-sandbox .name"), "down", "up")
        below = lambda: int(self.text(".more").split()[1])
        first = below()
        self.assertGreater(first, 20)
        self.browser.js("document.querySelector('.more').click()")
        self.browser.frames(3)
        self.assertLess(below(), first)
        self.browser.js("document.querySelector('.scroll').scrollTop = 1e6")
        self.browser.frames(3)
        self.assertTrue(self.browser.js("return document.querySelector('.more').hidden"))

    def test_what_is_deleted_ends_and_names_of_steps_do_not_lie_on_each_other(self):
        self.browser.size(1440, 1000)
        self.show(run("orphaned.html", ORPHANED, "--variant", "before"))
        width = self.browser.js("return document.querySelector('.scroll .k-pool .desired').getBBox().width")
        self.assertLess(width, 40, "the pool is deleted after half a minute of two hours")
        names = "return [...document.querySelectorAll('.scroll .m-step .label')].map(n => n.textContent)"
        self.assertEqual(self.browser.js(names), ["deploy"])
        x, y = self.middle(".scroll .m-step path")
        for _ in range(11):
            self.browser.js(
                "document.querySelector('.scroll').dispatchEvent(new WheelEvent('wheel', {deltaY: -300, ctrlKey: true, clientX: arguments[0], clientY: arguments[1], bubbles: true, cancelable: true}))", x, y)
        self.browser.js("document.querySelector('.scroll').focus()")
        self.browser.key("Left")
        self.assertEqual(self.browser.js(names), ["deploy", "delete"])


class Failed(OnThePage):
    def tearDown(self):
        self.no_complaints()

    def test_one_walks_from_requests_that_failed_and_from_the_verdict(self):
        self.browser.size(1440, 1000)
        for name, story, wanted in [
            ("skip", SKIP_DEAD, {"request of web fails": "--event "}),
            ("proof", ORPHANED, {"no longer settled": "--verdict ", "progress is broken": "--event "}),
        ]:
            self.show(run(name + ".html", story, "--variant", "before"))
            asked = {}
            for _ in range(6):
                self.browser.key("n")
                asked[self.text("#panel h2")] = self.text("#panel code")
            for title, option in wanted.items():
                found = [command for known, command in asked.items() if title in known]
                self.assertTrue(found and option in found[0], f"{title}: {asked}")
            self.browser.key("c")
            self.assertNotIn(self.text("#panel h2"), asked, "at its cause")
            self.picture("failed-" + name)


class Sealed(OnThePage):
    def test_the_page_shows_when_an_end_was_sealed_with_its_curve(self):
        page = run("sealed.html", ORPHANED, "--variant", "before", "--sealed", command="explain")
        for width in [1440, 400]:
            self.browser.size(width, 900)
            self.show(page)
            self.assertIn("When it was sealed", self.text("section.sealed h2"))
            self.assertRegex(self.text("section.sealed pre"), r"\d:\d\d")
            drawn = self.browser.js(
                "const i = document.querySelector('section.sealed img');"
                "return [i.complete, i.naturalWidth, i.alt.length, i.getBoundingClientRect().right]")
            self.assertTrue(drawn[0] and drawn[1] > 100 and drawn[2] > 10, f"the curve is drawn: {drawn}")
            self.assertLessEqual(drawn[3], width, "and not over the edge")
            self.assertLessEqual(self.browser.js("return document.documentElement.scrollWidth"), width)
            self.picture(f"sealed-{width}")
        self.no_complaints()


class Broken(OnThePage):
    def test_when_a_script_fails_the_still_drawing_is_there(self):
        path = run("broken.html", CAROUSEL)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        # No policy and no data: the scripts run, and cannot go on.
        page = page.replace('http-equiv="Content-Security-Policy"', "data-was").replace('id="data"', 'id="gone"')
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        self.browser.open(path)
        self.browser.frames(3)
        self.assertIsNone(self.ready())
        shows = "return getComputedStyle(document.querySelector(arguments[0])).display !== 'none'"
        self.assertEqual([self.browser.js(shows, css) for css in ["svg.static", ".live", ".tools"]], [True, False, False])


class WithoutScripts(OnThePage):
    def test_the_page_says_it_all(self):
        path = run("still.html", CAROUSEL)
        self.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
        self.browser.open(path)
        self.browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
        self.assertIsNone(self.ready())
        self.assertEqual(self.count("svg.static"), 2)
        self.assertEqual(self.browser.js("return getComputedStyle(document.querySelector('.tools')).display"), "none")
        self.assertGreater(self.count("svg.static .bar title"), 20)
        self.browser.click(".finding > summary")
        self.assertIn("unknown field", self.text(".finding[open] .chain"))
        self.picture("no-scripts")
        self.no_complaints()


class Policy(OnThePage):
    def test_a_script_that_is_not_ours_is_refused(self):
        path = run("policy.html", CAROUSEL)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(page.replace("</body>", "<script>document.documentElement.dataset.foreign = 'ran'</script></body>"))
        self.show(path)
        self.assertIsNone(self.browser.js("return document.documentElement.dataset.foreign ?? null"))
        self.assertTrue(any("Content Security Policy" in one for one in self.browser.complaints()))


class Large(OnThePage):
    def frame(self, script):
        """How long something takes until it is drawn, in milliseconds."""
        timed = (f"const done = arguments[0]; const t = performance.now(); {script};"
                 "requestAnimationFrame(() => setTimeout(() => done(performance.now() - t)))")
        return self.browser.call("POST", "/execute/async", {"script": timed, "args": []})

    def test_a_hundred_thousand_records_stay_usable(self):
        words = [FOREVER, "--variant", "before", "--set", "horizon=2d"]
        trace = os.path.join(FOLDER.name, "large.jsonl")
        path = run("large.html", *words, "--trace", trace)
        with open(trace, encoding="utf-8") as file:
            records = sum(1 for _ in file)
        self.assertGreaterEqual(records, LARGE)
        self.show(path)
        ready = float(self.ready())
        self.assertLess(self.count(".scroll .lane"), 120, "only what can be seen is drawn")
        key = "document.querySelector('.scroll').dispatchEvent(new KeyboardEvent('keydown', {{key: '{}', bubbles: true}}))"
        frames = {name: self.frame(script) for name, script in {
            "zoom": key.format("+"),
            "move": key.format("ArrowRight"),
            "whole": key.format("0"),
            "violation": key.format("n"),
            "scroll": "document.querySelector('.scroll').scrollTop = 4000",
            "find": "const f = document.getElementById('find'); f.value = 'database-300'; f.dispatchEvent(new Event('input'))",
        }.items()}
        size = os.path.getsize(path) / 1e6
        told = ", ".join(f"{name} {ms:.0f} ms" for name, ms in frames.items())
        print(f"{records} records, {size:.1f} MB: ready after {ready:.0f} ms; until drawn: {told}", file=sys.stderr)
        self.assertLess(ready, READY_MS)
        for name, ms in frames.items():
            self.assertLess(ms, FRAME_MS, name)
        self.assertEqual(self.text("#found"), "1 found")
        self.picture("large")
        self.no_complaints()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    SCHEDSIM = os.path.abspath(sys.argv[1])
    if len(sys.argv) > 2:
        PICTURES = os.path.abspath(sys.argv[2])
        os.makedirs(PICTURES, exist_ok=True)
    unittest.main(argv=[sys.argv[0]])
