//! Who runs when, and with which cause.

use super::*;

#[test]
fn ready_tasks_run_in_the_order_of_their_wake_ups() {
    let stage = Stage::new();
    let bells: Vec<Bell> = (0..3).map(|_| Bell::default()).collect();
    for (n, bell) in bells.iter().enumerate() {
        let (s, bell) = (stage.clone(), bell.clone());
        stage.kernel.spawn(PROCESS, "waiter", async move {
            bell.wait().await;
            s.say(format!("waiter {n}"));
        });
    }
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "ringer", async move {
        for n in [2, 0, 1] {
            bells[n].ring();
        }
        s.say("rung");
    });
    assert_eq!(stage.run(), Step::Idle);
    assert_eq!(stage.read(), ["rung", "waiter 2", "waiter 0", "waiter 1"]);
}

#[test]
fn a_new_task_runs_after_those_that_are_ready() {
    let stage = Stage::new();
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "parent", async move {
        let child = s.clone();
        s.kernel.spawn(PROCESS, "child", async move { child.say("child") });
        s.say("parent");
        yield_now().await;
        s.say("parent again");
    });
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "neighbour", async move { s.say("neighbour") });
    stage.run();
    assert_eq!(stage.read(), ["parent", "neighbour", "child", "parent again"]);
}

#[test]
fn timers_of_one_instant_fire_in_the_order_they_were_set_and_after_ready_tasks() {
    let stage = Stage::new();
    let bell = Bell::default();
    let (s, b) = (stage.clone(), bell.clone());
    stage.kernel.spawn(PROCESS, "waiter", async move {
        b.wait().await;
        s.say("woken");
    });
    for n in 0..3 {
        let (s, bell) = (stage.clone(), bell.clone());
        stage.kernel.spawn(PROCESS, "sleeper", async move {
            s.kernel.sleep_until(at(5)).await;
            s.say(format!("sleeper {n} at {:?}", s.kernel.now()));
            bell.ring();
        });
    }
    stage.run();
    assert_eq!(stage.read(), ["sleeper 0 at t=5s", "woken", "sleeper 1 at t=5s", "sleeper 2 at t=5s"]);
}

#[test]
fn a_task_woken_many_times_runs_once_and_one_woken_while_it_runs_runs_again() {
    let stage = Stage::new();
    let s = stage.clone();
    let mut polls = 0;
    stage.kernel.spawn(
        PROCESS,
        "eager",
        poll_fn(move |cx| {
            polls += 1;
            s.say(format!("poll {polls}"));
            if polls == 1 {
                cx.waker().wake_by_ref();
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }),
    );
    assert_eq!(stage.run(), Step::Idle);
    assert_eq!(stage.read(), ["poll 1", "poll 2"]);
}

#[test]
fn every_task_keeps_its_cause_across_awaits_and_timers() {
    let stage = Stage::new();
    let bell = Bell::default();
    for n in 1..=2 {
        let (s, bell) = (stage.clone(), bell.clone());
        stage.kernel.set_cause(record(n));
        stage.kernel.spawn(PROCESS, "task", async move {
            s.say(format!("{n} spawned by {:?}", s.kernel.cause()));
            s.kernel.set_cause(record(10 + n));
            s.kernel.sleep(secs(1)).await;
            s.say(format!("{n} after a sleep {:?}", s.kernel.cause()));
            bell.wait().await;
            s.say(format!("{n} after a bell {:?}", s.kernel.cause()));
            let child = s.clone();
            s.kernel.spawn(PROCESS, "child", async move {
                child.say(format!("{n}'s child {:?}", child.kernel.cause()));
            });
        });
    }
    let s = stage.clone();
    stage.kernel.set_cause(record(9));
    stage.kernel.spawn(OTHER, "ringer", async move {
        s.kernel.sleep(secs(2)).await;
        bell.ring();
    });
    stage.run();
    assert_eq!(
        stage.read(),
        [
            "1 spawned by #1",
            "2 spawned by #2",
            "1 after a sleep #11",
            "2 after a sleep #12",
            "1 after a bell #11",
            "2 after a bell #12",
            "1's child #11",
            "2's child #12",
        ]
    );
    assert_eq!(stage.kernel.cause(), RecordId::NONE, "nobody runs");
}

#[test]
fn a_step_stays_within_its_limit_and_the_clock_with_it() {
    let stage = Stage::new();
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "sleeper", async move {
        s.kernel.sleep(secs(10)).await;
        s.say("awake");
    });
    assert!(stage.kernel.has_ready());
    assert_eq!(stage.run_to(at(9)), Step::Idle);
    assert!(!stage.kernel.has_ready());
    assert_eq!((stage.kernel.now(), stage.kernel.next_time()), (at(0), Some(at(10))));
    stage.kernel.advance_to(at(9));
    assert_eq!((stage.kernel.now(), stage.read().len()), (at(9), 0));
    assert_eq!(stage.run_to(at(10)), Step::Idle);
    assert_eq!((stage.kernel.now(), stage.kernel.next_time()), (at(10), None));
    assert_eq!(stage.read(), ["awake"]);
    assert_eq!(stage.kernel.events(), 2, "the first poll and the timer");
}

#[test]
fn the_group_is_that_of_the_running_task() {
    let stage = Stage::new();
    for group in [PROCESS, OTHER] {
        let s = stage.clone();
        stage.kernel.spawn(group, "task", async move {
            s.kernel.sleep(secs(1)).await;
            assert_eq!(s.kernel.current_group(), group);
            s.say("asked");
        });
    }
    stage.run();
    assert_eq!((stage.read().len(), stage.kernel.current_group()), (2, GroupId::WORLD));
}
