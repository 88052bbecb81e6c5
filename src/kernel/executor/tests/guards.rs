//! Runs that would never end, and what ends them.

use super::*;

fn tight() -> Stage {
    Stage::with(Budget { events: 1_000, events_per_instant: 100 })
}

#[test]
fn a_run_without_end_uses_up_the_event_budget() {
    let stage = tight();
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "for ever", async move {
        loop {
            s.kernel.sleep(secs(1)).await;
        }
    });
    assert_eq!(stage.run(), Step::Stopped(Stop::EventBudget));
    assert_eq!((stage.kernel.events(), stage.kernel.now()), (1_000, at(999)));
    assert_eq!(stage.run(), Step::Stopped(Stop::EventBudget), "it stays so");
    assert_eq!((stage.kernel.events(), stage.kernel.now()), (1_000, at(999)));
}

#[test]
fn a_run_that_just_fits_the_event_budget_is_not_stopped() {
    let stage = Stage::with(Budget { events: 11, events_per_instant: 1 });
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "ten seconds", async move {
        for _ in 0..10 {
            s.kernel.sleep(secs(1)).await;
        }
    });
    assert_eq!((stage.run(), stage.kernel.events()), (Step::Idle, 11));
}

#[test]
fn tasks_that_wake_each_other_for_ever_are_a_zero_time_loop() {
    let stage = tight();
    stage.kernel.spawn(PROCESS, "innocent", async {});
    stage.kernel.spawn(PROCESS, "busy", async {
        loop {
            yield_now().await;
        }
    });
    let stopped = Step::Stopped(Stop::ZeroTimeLoop { task: "busy" });
    assert_eq!((stage.run(), stage.kernel.events(), stage.kernel.now()), (stopped, 100, at(0)));
    assert_eq!(stage.run(), stopped, "it stays so");
}

#[test]
fn a_loop_around_a_sleep_of_no_time_is_a_zero_time_loop() {
    let stage = tight();
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "no back-off", async move {
        s.kernel.sleep(secs(1)).await;
        loop {
            s.kernel.sleep(SimDuration::ZERO).await;
        }
    });
    let stopped = Step::Stopped(Stop::ZeroTimeLoop { task: "no back-off" });
    assert_eq!((stage.run(), stage.kernel.now()), (stopped, at(1)));
}

#[test]
fn timers_of_one_instant_without_end_are_a_zero_time_loop() {
    let stage = tight();
    for _ in 0..101 {
        let s = stage.clone();
        stage.kernel.spawn(PROCESS, "crowd", async move { s.kernel.sleep_until(at(1)).await });
        stage.run_to(at(0));
        // Let time pass, or the first polls would be the loop.
        stage.kernel.advance_to(stage.kernel.now() + SimDuration::from_nanos(1));
    }
    assert_eq!(stage.run(), Step::Stopped(Stop::ZeroTimeLoop { task: "crowd" }));
    assert_eq!((stage.kernel.now(), stage.living()), (at(1), 1));
}

#[test]
fn the_loop_is_named_even_when_its_tasks_are_dead() {
    fn again(s: Stage) -> BoxFuture {
        Box::pin(async move {
            let next = again(s.clone());
            s.kernel.spawn_boxed(PROCESS, "offspring", next);
        })
    }
    let stage = tight();
    stage.kernel.spawn_boxed(PROCESS, "ancestor", again(stage.clone()));
    assert_eq!(stage.run(), Step::Stopped(Stop::ZeroTimeLoop { task: "offspring" }));
}

#[test]
fn wake_ups_of_the_dead_are_no_events() {
    let stage = tight();
    for _ in 0..1_000 {
        stage.kernel.spawn(PROCESS, "stillborn", async {});
    }
    stage.kernel.kill(PROCESS);
    assert!(!stage.kernel.has_ready());
    assert_eq!((stage.run(), stage.kernel.events()), (Step::Idle, 0));
}
