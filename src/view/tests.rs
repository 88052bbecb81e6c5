//! Tests of the view: what keys do, and what is drawn, cell by cell.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::model::Kind;
use crate::report::corpus::Corpus;
use crate::scenario::Overrides;
use crate::trace::{jsonl, read};

/// A deploy with a typo, whose program exits at once for a while; pinned to the logic of a day.
const STORY: &str = r#"
schema  = 1
about   = "A job exits young, until somebody mends it."
seed    = 7
horizon = "20m"

[workload.blog.worker]
exit_after = "20s"

[[step]]
name = "deploy"
at   = "5s"
[step.do.deploy]
app    = "blog"
config = "[services.worker.concurrency]\nmode = \"fixed\"\nnum_instances = 1"

[[step]]
name = "mend"
at   = "8m"
[step.do.set_workload]
app = "blog"
service = "worker"
exit_after = "never"

[[variant]]
name   = "before"
policy = { as_of = "2026-01-10" }

[[variant]]
name   = "after"
policy = { as_of = "2026-03-11" }
"#;

const TRAFFIC: &str = r#"
[[traffic]]
app     = "blog"
service = "worker"
rate    = "1/m"
from    = "1m"

"#;

fn scenario() -> Scenario {
    let read = Scenario::from_text(STORY, "shop", None, &Overrides::default());
    read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)))
}

const PLAIN: Look = Look { colour: false, utf8: true };

/// A view of the story on a terminal of that size.
fn looking(size: (u16, u16), look: Look, test: impl FnOnce(&mut Looked<'_>)) {
    let (scenario, slots) = (scenario(), Slots::new(RUNS_MAX));
    let mut view = View::of_story(Story { scenario: &scenario, until: None }, 0, &slots, look);
    view.resize(size.0, size.1);
    let terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("memory");
    test(&mut Looked { view, terminal });
}

struct Looked<'a> {
    view: View<'a>,
    terminal: Terminal<TestBackend>,
}

impl Looked<'_> {
    fn press(&mut self, code: KeyCode) {
        if let Some(request) = self.view.key(KeyEvent::new(code, KeyModifiers::NONE)) {
            self.view.wait_for(request);
            self.view.carry_out(request);
        }
    }

    /// Types letters; `>` and `<` stand for arrows, `^` and `v` too, `!` for Enter, `~` for Tab.
    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.press(match key {
                '>' => KeyCode::Right,
                '<' => KeyCode::Left,
                '^' => KeyCode::Up,
                'v' => KeyCode::Down,
                '!' => KeyCode::Enter,
                '~' => KeyCode::Tab,
                letter => KeyCode::Char(letter),
            });
        }
        self
    }

    /// The screen, after a rest.
    fn screen(&mut self) -> String {
        self.view.rest();
        let view = &mut self.view;
        let drawn = self.terminal.draw(|frame| {
            view.resize(frame.area().width, frame.area().height);
            view.draw(frame.buffer_mut());
        });
        drawn.expect("memory");
        self.terminal.backend().to_string()
    }

    /// The screen without its last line.
    fn above(&mut self) -> String {
        let screen = self.screen();
        screen.trim_end().rsplit_once('\n').map(|(above, _)| above.to_owned()).unwrap_or_default()
    }

    fn foot(&mut self) -> String {
        self.screen().lines().last().expect("a line").trim_matches(['"', ' ']).to_owned()
    }
}

#[test]
fn a_run_at_its_first_moment() {
    looking((80, 24), PLAIN, |looked| insta::assert_snapshot!(looked.screen()));
}

#[test]
fn a_narrow_terminal_without_utf8() {
    let look = Look { colour: false, utf8: false };
    looking((60, 20), look, |looked| insta::assert_snapshot!(looked.keys("n").screen()));
}

#[test]
fn a_tiny_terminal() {
    looking((40, 10), PLAIN, |looked| insta::assert_snapshot!(looked.keys("nc").screen()));
}

#[test]
fn any_size_can_be_drawn() {
    for width in [1, 2, 5, 13, 40, 131, 300] {
        for height in [1, 2, 3, 4, 9, 60] {
            looking((width, height), PLAIN, |looked| {
                for keys in ["", "n", "c", "s", "w", "q?", "x!", "!/a", "!0+"] {
                    looked.keys(keys).screen();
                }
            });
        }
    }
}

#[test]
fn quit_and_control_c_end_it() {
    looking((80, 24), PLAIN, |looked| {
        assert_eq!(looked.view.key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)), Some(Request::Quit));
        assert_eq!(looked.view.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Request::Quit));
    });
}

#[test]
fn keys_walk_to_causes_and_back() {
    looking((80, 24), PLAIN, |looked| {
        looked.keys("/worker-1!]]]");
        let begin = looked.above();
        looked.keys("c");
        assert_ne!(looked.above(), begin, "the cursor goes to the cause");
        let mut steps = 1;
        while looked.keys("c").foot() != "nothing led to this: it is the root" {
            steps += 1;
            assert!(steps < 60, "every way has a root");
        }
        for _ in 0..steps {
            looked.keys("b");
        }
        assert_eq!(looked.above(), begin);
        assert_eq!(looked.keys("b").foot(), "this is where it began");
    });
}

#[test]
fn a_row_of_many_opens_and_shuts() {
    looking((80, 24), PLAIN, |looked| {
        looked.keys("vvvvvvvvvv");
        let shut = looked.above();
        assert!(shut.contains("+blog-worker-* \u{d7}10"), "{shut}");
        let opened = looked.keys(" ").above();
        assert!(opened.contains("-blog-worker-* \u{d7}10") && opened.contains("sandbox/blog-worker-3"), "{opened}");
        assert_eq!(looked.keys("vv ").above(), shut, "shut from within, too");
    });
}

#[test]
fn what_is_looked_for_is_found_in_rows_that_are_shut() {
    looking((80, 24), PLAIN, |looked| {
        let found = looked.keys("/worker-7").above();
        assert!(found.contains("blog-worker-7") && !found.contains("node/n1"), "{found}");
        assert_eq!(looked.keys("!").foot(), "1 found; Esc shows all");
        looked.press(KeyCode::Esc);
        assert!(looked.above().contains("node/n1"));
        assert!(looked.keys("/xyz").above().contains("no row has that name"));
    });
}

#[test]
fn variants_stand_beside_each_other_on_one_axis() {
    looking((80, 24), PLAIN, |looked| insta::assert_snapshot!(looked.keys("s").screen()));
}

#[test]
fn what_if_not_makes_a_run_and_says_what_becomes_of_it() {
    looking((100, 30), PLAIN, |looked| {
        let list = looked.keys("/worker-1!]w").screen();
        assert!(list.contains("What if not?") && list.contains("> * "), "what is met on the way first: {list}");
        let chosen = |screen: &str| screen.lines().any(|line| line.starts_with("\"> ") && line.contains("step mend"));
        for _ in 0..100 {
            if !chosen(&looked.screen()) {
                looked.keys("v");
            }
        }
        // Which fixes stand in the panel is the scheduler's history.
        let screen = looked.keys("!").screen();
        let rows = screen.lines().take_while(|line| !line.starts_with("\"\u{2500}"));
        insta::assert_snapshot!(rows.map(|line| format!("{line}\n")).collect::<String>() + &looked.foot());
    });
}

/// From each thing that failed to its cause, to what if not, to the run that is made, and back to where one was.
#[test]
fn one_walks_from_all_that_failed() {
    let story = STORY.replace("[[variant]]\nname   = \"after\"", &format!("{TRAFFIC}[[variant]]\nname   = \"after\""));
    // Nobody mends it.
    let story = story.replace("\"never\"", "\"20s\"");
    let scenario = Scenario::from_text(&story, "shop", None, &Overrides::default()).expect("a story");
    let slots = Slots::new(RUNS_MAX);
    let mut view = View::of_story(Story { scenario: &scenario, until: None }, 0, &slots, PLAIN);
    view.resize(80, 24);
    let terminal = Terminal::new(TestBackend::new(80, 24)).expect("memory");
    let mut looked = Looked { view, terminal };
    let mut met = String::new();
    let chosen = |screen: &str| screen.lines().find(|line| line.starts_with("\"> ")).map(str::to_owned);
    while !looked.keys("n").foot().starts_with("nothing fails") {
        let place = looked.screen();
        met += &place;
        assert!(looked.keys("w").screen().contains("What if not? "), "{place}");
        looked.keys("!b");
        assert!(looked.screen().contains("[1/"), "back to the run that was looked at: {place}");
        assert_eq!(chosen(&looked.screen()), chosen(&place), "and to where one was in it");
        looked.keys("s");
        assert!(met.len() < 50_000, "it goes on and on");
    }
    for failed in ["requests of worker fail", "the verdict: unsettled"] {
        assert!(met.contains(failed), "{failed}: {met}");
    }
    assert!(looked.screen().contains("failed request"), "they are counted in the head");
}

/// On a terminal of the common size everybody sees how to leave, and whatever is said is said to its end.
#[test]
fn the_last_line_is_not_cut() {
    looking((80, 24), PLAIN, |looked| {
        assert!(looked.foot().ends_with("q quit"), "{}", looked.foot());
        looked.view.message = "a word ".repeat(30) + "end";
        assert!(looked.foot().ends_with("end"));
    });
}

#[test]
fn keys_are_told_and_any_key_ends_it() {
    looking((80, 24), PLAIN, |looked| {
        let before = looked.screen();
        let help = looked.keys("?").screen();
        assert!(help.contains("to another cause: what else was needed"), "{help}");
        assert_eq!(looked.keys("x").screen(), before);
    });
}

/// Each word of the help can be scrolled into view on a small screen.
#[test]
fn help_moves_where_it_has_no_room() {
    for size in [(40, 10), (30, 6)] {
        looking(size, PLAIN, |looked| {
            let before = looked.screen();
            let first = looked.keys("?").screen();
            let seen: String =
                (0..60).map(|_| looked.keys("v").screen()).fold(first.clone(), |seen, screen| seen + &screen);
            let words = super::keys::KEYS.iter().flat_map(|(_, what)| what.split(' '));
            words.for_each(|word| assert!(seen.contains(word), "{size:?}: {word}\n{seen}"));
            assert_eq!(looked.keys(&"^".repeat(60)).screen(), first);
            assert_eq!(looked.keys("x").screen(), before);
        });
    }
}

/// Records read back are what they were, but for errors, which come as their texts; and their things have the
/// numbers that values refer to.
#[test]
fn traces_of_the_corpus_come_back_as_they_were_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let corpus = Corpus::find(&[folder]).expect("the corpus");
    // These are of all kinds; every one takes half a minute.
    for file in corpus.stories.iter().map(|story| &story.file).step_by(20) {
        let scenario = Scenario::from_file(file, &Overrides::default()).expect("a story of the corpus");
        let trace = crate::sim::Simulation::new(&scenario, &scenario.variants[0]).run().trace;
        let mut written = Vec::new();
        jsonl::write(&trace, &mut written).expect("memory");
        let read = read::lines(written.as_slice()).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        let mut again = Vec::new();
        jsonl::write(&read, &mut again).expect("memory");
        assert!(written == again, "{}", file.display());
        for (place, (was, is)) in trace.records().iter().zip(read.records()).enumerate() {
            let numbered = was.subject.kind != Kind::Step;
            assert!(!numbered || was.subject == is.subject, "{}: record {}", file.display(), place + 1);
        }
    }
}
