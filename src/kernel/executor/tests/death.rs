//! Killed tasks: a dropped task is a crashed process, and that must be safe at every await.

use std::pin::Pin;

use proptest::prelude::*;

use super::*;

/// A task that says when it is dropped, and waits for ever.
fn mortal(stage: &Stage, group: GroupId, name: &'static str) -> TaskId {
    let (s, witness) = (stage.clone(), stage.witness(name));
    stage.kernel.spawn(group, name, async move {
        s.kernel.sleep(secs(1_000)).await;
        drop(witness);
    })
}

#[test]
fn a_group_dies_together_and_alone_the_eldest_first() {
    let stage = Stage::new();
    for (group, name) in [(PROCESS, "a"), (OTHER, "b"), (PROCESS, "c"), (PROCESS, "d"), (OTHER, "e")] {
        mortal(&stage, group, name);
    }
    stage.run_to(at(1));
    stage.kernel.kill(PROCESS);
    let dead = stage.read();
    assert_eq!(dead.iter().map(|line| &line[..1]).collect::<Vec<_>>(), ["a", "c", "d"]);
    assert_eq!((stage.living(), stage.timers().0), (2, 2));
    stage.kernel.kill(PROCESS);
    stage.kernel.kill(GroupId(77));
    assert_eq!(stage.living(), 2);
}

#[test]
fn a_task_that_kills_its_own_group_dies_when_its_poll_returns() {
    let stage = Stage::new();
    let s = stage.clone();
    stage.kernel.spawn(OTHER, "bystander", async move {
        for _ in 0..3 {
            s.kernel.sleep(secs(1)).await;
        }
        s.say("bystander lives");
    });
    mortal(&stage, PROCESS, "sibling");
    let (s, witness) = (stage.clone(), stage.witness("killer"));
    stage.kernel.set_cause(record(7));
    stage.kernel.spawn(PROCESS, "killer", async move {
        let _witness = witness;
        s.kernel.sleep(secs(1)).await;
        s.kernel.kill(PROCESS);
        s.kernel.kill(PROCESS);
        s.say("still here");
        s.kernel.sleep(secs(1)).await;
        s.say("never");
    });
    assert_eq!(stage.run(), Step::Idle);
    assert_eq!(
        stage.read(),
        [
            "sibling dropped by group 1 because of 7",
            "still here",
            "killer dropped by group 1 because of 7",
            "bystander lives",
        ]
    );
    assert_eq!((stage.living(), stage.timers().0, stage.kernel.now()), (0, 0, at(3)));
}

#[test]
fn a_doomed_task_may_finish_or_wake_itself_and_is_dropped_once() {
    for ends in [true, false] {
        let stage = Stage::new();
        let (s, witness) = (stage.clone(), stage.witness("killer"));
        stage.kernel.spawn(PROCESS, "killer", async move {
            let _witness = witness;
            s.kernel.kill(PROCESS);
            if !ends {
                yield_now().await;
            }
            s.say("end");
        });
        assert_eq!(stage.run(), Step::Idle);
        let expected: &[&str] = if ends { &["end"] } else { &[] };
        let dropped = ["killer dropped by group 1 because of 0"];
        assert_eq!(stage.read(), [expected, &dropped].concat());
        assert_eq!(stage.living(), 0);
    }
}

#[test]
fn killing_the_dead_harms_nobody_in_their_place() {
    let stage = Stage::new();
    let dead = mortal(&stage, PROCESS, "first");
    stage.kernel.kill_task(dead);
    let alive = mortal(&stage, PROCESS, "second");
    stage.kernel.kill_task(dead);
    assert_ne!(dead, alive);
    assert_eq!((stage.read().len(), stage.living()), (1, 1));
    stage.kernel.kill_task(alive);
    assert_eq!((stage.read().len(), stage.living()), (1, 0));
}

#[test]
fn a_late_wake_up_of_a_dead_task_wakes_nobody_in_its_place() {
    let stage = Stage::new();
    let bell = Bell::default();
    let b = bell.clone();
    let dead = stage.kernel.spawn(PROCESS, "dead", async move { b.wait().await });
    stage.run();
    stage.kernel.kill_task(dead);
    mortal(&stage, PROCESS, "in its place");
    stage.run_to(at(1));
    let events = stage.kernel.events();
    bell.ring();
    assert!(!stage.kernel.has_ready());
    assert_eq!((stage.run_to(at(1)), stage.kernel.events()), (Step::Idle, events));
}

/// On drop: uses the kernel in every way it can.
struct Clumsy(Stage, Bell);

impl Drop for Clumsy {
    fn drop(&mut self) {
        let stage = &self.0;
        let child = stage.clone();
        stage.kernel.spawn(PROCESS, "born late", async move {
            child.kernel.sleep(secs(1)).await;
            child.say("late child");
        });
        stage.kernel.kill(OTHER);
        stage.kernel.kill(GroupId(3));
        self.1.ring();
        let mut sleep = Box::pin(stage.kernel.sleep(secs(5)));
        assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        stage.say(format!("clumsy {:?} {}", stage.kernel.next_time(), stage.kernel.has_ready()));
    }
}

#[test]
fn destructors_may_use_the_kernel() {
    for by_group in [true, false] {
        let stage = Stage::new();
        let bell = Bell::default();
        for group in [PROCESS, OTHER, GroupId(3)] {
            let (s, clumsy) = (stage.clone(), Clumsy(stage.clone(), bell.clone()));
            stage.kernel.spawn(group, "clumsy", async move {
                s.kernel.sleep(secs(if by_group { 1_000 } else { 1 })).await;
                drop(clumsy);
            });
        }
        stage.run_to(at(0));
        if by_group {
            stage.kernel.kill(PROCESS);
        }
        assert_eq!(stage.run(), Step::Idle);
        let lines = stage.read();
        let count = |start| lines.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("clumsy"), count("late child")), (3, 3), "{lines:?}");
        assert_eq!((stage.living(), stage.timers().0), (0, 0));
    }
}

#[test]
fn closing_a_kernel_frees_what_its_tasks_hold() {
    let stage = Stage::new();
    let held = Rc::new(());
    for n in 0..10 {
        let (s, held) = (stage.clone(), Rc::clone(&held));
        stage.kernel.spawn(GroupId(n), "holder", async move {
            let _clumsy = Clumsy(s.clone(), Bell::default());
            s.kernel.sleep(secs(u64::from(n))).await;
            drop(held);
        });
    }
    stage.run_to(at(3));
    stage.kernel.close();
    assert_eq!((Rc::strong_count(&held), stage.living(), stage.timers().0), (1, 0, 0));
    stage.kernel.spawn(PROCESS, "too late", async move { drop(held) });
    assert_eq!((stage.living(), stage.run()), (0, Step::Idle));
    assert_eq!(Rc::strong_count(&stage.kernel.0), 1, "only the stage holds the kernel");
}

/// A little platform of two processes that call each other through bells, with time-outs.
fn play(stage: &Stage) {
    for group in [PROCESS, OTHER] {
        for n in 0..3u64 {
            let (s, witness) = (stage.clone(), stage.witness(&format!("worker {group:?} {n}")));
            stage.kernel.spawn(group, "worker", async move {
                let _witness = witness;
                for round in 0..3 {
                    s.kernel.sleep(secs(n % 2)).await;
                    let bell = Bell::default();
                    let (callee, answer) = (s.clone(), bell.clone());
                    let call = s.kernel.spawn(OTHER, "callee", async move {
                        let _witness = callee.witness("callee");
                        yield_now().await;
                        callee.kernel.sleep(secs(round)).await;
                        answer.ring();
                    });
                    let (mut wait, mut limit) = (Box::pin(bell.wait()), s.kernel.sleep(secs(2)));
                    poll_fn(|cx| {
                        let answered = wait.as_mut().poll(cx).is_ready();
                        let timed_out = Pin::new(&mut limit).poll(cx).is_ready();
                        if answered || timed_out { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                    s.kernel.kill_task(call);
                    s.say(format!("{group:?} {n} round {round} at {:?}", s.kernel.now()));
                }
            });
        }
    }
}

#[test]
fn dropping_at_every_await_is_safe() {
    let whole = Stage::new();
    play(&whole);
    let steps = std::iter::from_fn(|| (whole.kernel.step(SimTime::MAX) == Step::Ran).then_some(())).count();
    let story = whole.read();
    assert!(steps > 50, "{steps} steps are too few to die at");
    for crash in 0..=steps {
        for group in [PROCESS, OTHER] {
            let stage = Stage::new();
            play(&stage);
            for _ in 0..crash {
                assert_eq!(stage.kernel.step(SimTime::MAX), Step::Ran);
            }
            let before = stage.lines.borrow().clone();
            assert_eq!(before, story[..before.len()], "the same every time until the crash");
            stage.kernel.kill(group);
            assert_eq!(stage.run(), Step::Idle, "the rest comes to its end");
            assert_eq!((stage.living(), stage.timers().0), (0, 0));
            let lines = stage.read();
            let dropped = lines.iter().filter(|line| line.starts_with("worker")).count();
            assert_eq!(dropped, 6, "every worker is dropped once, by its end or by the crash");
        }
    }
}

proptest! {
    #[test]
    fn tasks_die_in_the_order_of_their_births_whatever_died_before(ops in prop::collection::vec((0..4u32, 0..20usize), 1..60)) {
        let stage = Stage::new();
        let mut model: Vec<(usize, GroupId, TaskId)> = Vec::new();
        for (born, (what, which)) in ops.into_iter().enumerate() {
            let group = GroupId(which as u32 % 3 + 1);
            let expected: Vec<usize> = match what {
                0 | 1 => {
                    let witness = Named(stage.clone(), born);
                    let id = stage.kernel.spawn(group, "mortal", async move {
                        let _witness = witness;
                        std::future::pending::<()>().await;
                    });
                    model.push((born, group, id));
                    vec![]
                }
                2 if !model.is_empty() => {
                    let (born, _, id) = model.remove(which % model.len());
                    stage.kernel.kill_task(id);
                    vec![born]
                }
                _ => {
                    stage.kernel.kill(group);
                    model.extract_if(.., |(_, g, _)| *g == group).map(|(born, ..)| born).collect()
                }
            };
            prop_assert_eq!(stage.read(), expected.iter().map(ToString::to_string).collect::<Vec<_>>());
            prop_assert_eq!(stage.living(), model.len());
        }
        stage.kernel.close();
        model.sort_by_key(|(born, group, _)| (*group, *born));
        prop_assert_eq!(stage.read(), model.iter().map(|(born, ..)| born.to_string()).collect::<Vec<_>>());
    }
}

/// Says its number when it is dropped.
struct Named(Stage, usize);

impl Drop for Named {
    fn drop(&mut self) {
        self.0.say(self.1.to_string());
    }
}
