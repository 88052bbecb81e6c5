//! Time that passes on the spot, within a step: when it may, and that nothing else tells.

use proptest::prelude::*;

use super::*;
use crate::kernel::executor::passing::Alone;

/// A stage where a task lets two seconds pass on the spot, and then one more if it can.
fn stage(prepare: impl FnOnce(&Stage)) -> Stage {
    let stage = Stage::new();
    prepare(&stage);
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "hasty", async move {
        for d in [2, 1] {
            if !s.passes(secs(d)) {
                s.say(format!("sleeps at {}", s.kernel.now()));
                s.kernel.sleep(secs(d)).await;
            }
        }
    });
    stage
}

#[test]
fn a_task_runs_on_within_its_step_when_nothing_else_happens() {
    let stage = stage(|_| {});
    assert_eq!(stage.kernel.step(SimTime::MAX), Step::Ran);
    assert_eq!((stage.kernel.now(), stage.kernel.events(), stage.living()), (at(3), 3, 0));
    assert!(stage.read().is_empty());
}

#[test]
fn it_sleeps_when_anything_else_could_happen_meanwhile() {
    let timer = |s: &Stage, n: u64| {
        let kernel = s.kernel.clone();
        s.kernel.spawn(OTHER, "other", async move { kernel.sleep(secs(n)).await });
        s.kernel.step(at(0));
    };
    assert!(stage(|s| timer(s, 4)).ran_at_once(), "later is no matter");
    assert!(!stage(|s| timer(s, 3)).ran_at_once(), "what was set before for the same instant comes first");
    assert!(!stage(|s| timer(s, 1)).ran_at_once());
    let ready = stage(|_| {});
    ready.kernel.spawn(OTHER, "other", async {});
    assert!(!ready.ran_at_once(), "somebody is ready");
    assert!(!stage(|s| s.kernel.pass_between_steps()).ran_at_once());
    let mut cancelled = None;
    let after_dead = stage(|s| {
        timer(s, 1);
        s.kernel.kill(OTHER);
        cancelled = Some(s.timers().0);
    });
    assert_eq!(cancelled, Some(0));
    assert!(after_dead.ran_at_once(), "a timer that was cancelled is nobody's");
}

#[test]
fn time_passes_neither_beyond_the_limit_nor_while_it_is_held() {
    let limited = stage(|_| {});
    assert_eq!(limited.run_to(at(2)), Step::Idle);
    assert_eq!((limited.kernel.now(), limited.read()), (at(2), vec!["sleeps at 2s".to_owned()]));
    let held = Stage::new();
    let s = held.clone();
    held.kernel.spawn(PROCESS, "writer", async move {
        s.kernel.hold_time();
        assert!(!s.passes(secs(1)), "somebody wants to look first");
        s.kernel.sleep(secs(1)).await;
        assert!(s.passes(secs(1)), "a step later he has looked");
    });
    assert_eq!((held.kernel.run(SimTime::MAX, SimTime::MAX), held.kernel.now()), (Step::Ran, at(0)));
    assert_eq!((held.kernel.run(SimTime::MAX, SimTime::MAX), held.kernel.now()), (Step::Idle, at(2)));
}

#[test]
fn time_passes_for_nobody_who_is_not_alone_or_not_there() {
    let stage = Stage::new();
    assert!(!stage.passes(secs(1)), "no task runs");
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "two waits", async move {
        s.kernel.timeout(secs(1), async { assert!(!s.passes(secs(1))) }).await;
        assert!(s.passes(secs(1)), "alone again");
        s.kernel.kill(PROCESS);
        assert!(!s.passes(secs(1)), "it is dead");
    });
    assert_eq!((stage.run(), stage.kernel.now()), (Step::Idle, at(1)));
}

#[test]
fn time_that_passes_on_the_spot_is_counted_by_the_guards() {
    let stage = Stage::with(Budget { events: 10, events_per_instant: 5 });
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "for ever", async move {
        loop {
            if !s.passes(secs(1)) {
                s.kernel.sleep(secs(1)).await;
            }
        }
    });
    assert_eq!(stage.run(), Step::Stopped(Stop::EventBudget));
    assert_eq!((stage.kernel.events(), stage.kernel.now()), (10, at(9)));
}

impl Stage {
    /// Lets so long pass on the spot, if it may.
    fn passes(&self, d: SimDuration) -> bool {
        self.kernel.alone_for(d).map(Alone::pass).is_some()
    }
    /// Whether the hasty task needed one step only.
    fn ran_at_once(&self) -> bool {
        self.run();
        assert!(self.kernel.now() >= at(3));
        self.read().is_empty()
    }
}

/// What a task of a random program does next.
#[derive(Clone, Debug)]
enum Act {
    Pass(u64),
    Sleep(u64),
    Yield,
    Hold,
    Spawn(Vec<Act>),
    Kill,
    /// Waits with a limit.
    Limited(u64, u64),
}

fn act() -> impl Strategy<Value = Act> {
    let leaf = prop_oneof![
        4 => (0..4_u64).prop_map(Act::Pass),
        2 => (0..4_u64).prop_map(Act::Sleep),
        1 => Just(Act::Yield),
        1 => Just(Act::Hold),
        1 => (0..4_u64, 0..4_u64).prop_map(|(d, limit)| Act::Limited(d, limit)),
    ];
    leaf.prop_recursive(2, 16, 4, |act| {
        prop_oneof![
            6 => act.clone(),
            2 => prop::collection::vec(act, 0..4).prop_map(Act::Spawn),
            1 => Just(Act::Kill),
        ]
    })
}

async fn pass(stage: &Stage, d: u64) {
    if !stage.passes(secs(d)) {
        stage.kernel.sleep(secs(d)).await;
    }
}

fn perform(stage: Stage, name: String, acts: Vec<Act>, group: GroupId) -> BoxFuture {
    Box::pin(async move {
        for (n, act) in acts.into_iter().enumerate() {
            match act {
                Act::Pass(d) => pass(&stage, d).await,
                Act::Sleep(d) => stage.kernel.sleep(secs(d)).await,
                Act::Yield => yield_now().await,
                Act::Hold => stage.kernel.hold_time(),
                Act::Spawn(acts) => {
                    let child = perform(stage.clone(), format!("{name}.{n}"), acts, OTHER);
                    stage.kernel.spawn_boxed(OTHER, "child", child);
                }
                Act::Kill => stage.kernel.kill(if group == OTHER { PROCESS } else { OTHER }),
                Act::Limited(d, limit) => {
                    stage.kernel.timeout(secs(limit), pass(&stage, d)).await;
                }
            }
            let (now, events) = (stage.kernel.now(), stage.kernel.events());
            stage.say(format!("{name} {n} at {now} after {events}"));
        }
    })
}

/// What a program does, looked at by one who stops at each of his deadlines.
fn tell(program: &[Vec<Act>], deadlines: &[u64], on_the_spot: bool) -> Vec<String> {
    let stage = Stage::with(Budget { events: 300, events_per_instant: 40 });
    if !on_the_spot {
        stage.kernel.pass_between_steps();
    }
    for (n, acts) in program.iter().enumerate() {
        let task = perform(stage.clone(), n.to_string(), acts.clone(), PROCESS);
        stage.kernel.spawn_boxed(PROCESS, "task", task);
    }
    for deadline in deadlines.iter().map(|n| at(*n)).chain([SimTime::MAX]) {
        let end = loop {
            match stage.kernel.run(deadline, SimTime::MAX) {
                Step::Ran => stage.say("somebody looks"),
                end => break end,
            }
        };
        let (now, events) = (stage.kernel.now(), stage.kernel.events());
        stage.say(format!("{end:?} at {now} after {events}"));
    }
    stage.kernel.close();
    let mut lines = stage.read();
    // When somebody looks is told by whoever holds the time, and at what instant by what follows.
    lines.dedup();
    lines
}

/// What a wait of so many seconds with a limit comes to, and when. Alone, it would pass on the
/// spot.
fn limited(takes: u64, limit: u64) -> (Option<&'static str>, SimTime) {
    let stage = Stage::new();
    let came = Rc::new(Cell::new((None, SimTime::MAX)));
    let (told, s) = (Rc::clone(&came), stage.clone());
    stage.kernel.spawn(PROCESS, "waits", async move {
        let wait = async {
            pass(&s, takes).await;
            "done"
        };
        let value = s.kernel.timeout(secs(limit), wait).await;
        told.set((value, s.kernel.now()));
    });
    stage.run();
    came.get()
}

#[test]
fn what_takes_longer_than_its_limit_is_given_up_when_the_limit_is_over() {
    for (takes, limit, value, when) in
        [(3, 1, None, 1), (1, 3, Some("done"), 1), (2, 2, Some("done"), 2), (1, 0, None, 0), (0, 0, Some("done"), 0)]
    {
        assert_eq!(limited(takes, limit), (value, at(when)), "{takes} s within {limit} s");
    }
}

proptest! {
    #[test]
    fn no_program_can_tell_whether_time_passes_on_the_spot(
        program in prop::collection::vec(prop::collection::vec(act(), 0..6), 1..4),
        deadlines in prop::collection::btree_set(1..12_u64, 0..3),
    ) {
        let deadlines: Vec<u64> = deadlines.into_iter().collect();
        prop_assert_eq!(tell(&program, &deadlines, true), tell(&program, &deadlines, false));
    }
}
