//! Sleeps: cancelled, shared, moved, many.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

use super::*;

/// Ends with the first of two futures; true when it was the first.
async fn either(mut a: Pin<&mut impl Future<Output = ()>>, mut b: Pin<&mut impl Future<Output = ()>>) -> bool {
    poll_fn(|cx| {
        if a.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        b.as_mut().poll(cx).map(|()| false)
    })
    .await
}

#[test]
fn a_cancelled_timer_is_not_the_next_event() {
    let stage = Stage::new();
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "hasty", async move {
        {
            let (mut short, mut long) = (pin!(s.kernel.sleep(secs(1))), pin!(s.kernel.sleep(secs(300))));
            assert!(either(short.as_mut(), long.as_mut()).await);
            assert_eq!(s.kernel.next_time(), Some(at(300)), "it lives");
        }
        assert_eq!(s.kernel.next_time(), None);
        s.say("done");
    });
    assert_eq!(stage.run(), Step::Idle);
    assert_eq!((stage.read().len(), stage.kernel.now(), stage.timers().0), (1, at(1), 0));
}

#[test]
fn a_task_may_wait_on_several_timers_at_once() {
    for (first, second) in [(1, 2), (2, 1), (1, 1)] {
        let stage = Stage::new();
        let s = stage.clone();
        stage.kernel.spawn(PROCESS, "both", async move {
            let (mut a, mut b) = (pin!(s.kernel.sleep(secs(first))), pin!(s.kernel.sleep(secs(second))));
            let a_won = either(a.as_mut(), b.as_mut()).await;
            s.say(format!("{a_won} at {:?}", s.kernel.now()));
            if a_won {
                b.await
            } else {
                a.await
            }
            s.say(format!("both at {:?}", s.kernel.now()));
        });
        stage.run();
        assert_eq!(
            stage.read(),
            [format!("{} at t=1s", first <= second), format!("both at {:?}", at(first.max(second)))]
        );
        assert_eq!(stage.timers().0, 0);
    }
}

#[test]
fn a_time_out_around_every_call_costs_no_memory() {
    let stage = Stage::new();
    for _ in 0..10 {
        let s = stage.clone();
        stage.kernel.spawn(PROCESS, "caller", async move {
            for _ in 0..1_000 {
                let (mut call, mut limit) = (pin!(s.kernel.sleep(secs(1))), pin!(s.kernel.sleep(secs(300_000))));
                assert!(either(call.as_mut(), limit.as_mut()).await);
            }
            s.say("done");
        });
    }
    let mut most = 0;
    while stage.kernel.step(SimTime::MAX) == Step::Ran {
        most = most.max(stage.timers().1);
    }
    assert_eq!((stage.read().len(), stage.kernel.now()), (10, at(1_000)));
    // Two living timers a task, as many dead, and the slack.
    assert!((40..=20 + 20 + 64 + 2).contains(&most), "{most} events in the agenda");
}

#[test]
fn timers_of_the_killed_are_swept_out_too() {
    let stage = Stage::new();
    for round in 0..100u32 {
        for _ in 0..10 {
            let s = stage.clone();
            stage.kernel.spawn(GroupId(round + 10), "doomed", async move {
                s.kernel.sleep(secs(1_000_000)).await;
            });
        }
        stage.run_to(at(0));
        stage.kernel.kill(GroupId(round + 10));
        assert_eq!(stage.timers().0, 0);
        assert!(stage.timers().1 <= 75, "{:?}", stage.timers());
    }
    assert_eq!(stage.kernel.next_time(), None);
}

#[test]
fn a_sleep_tells_the_task_that_polled_it_last() {
    let stage = Stage::new();
    let shared = Rc::new(RefCell::new(Box::pin(stage.kernel.sleep(secs(10)))));
    for (name, from) in [("first", 1), ("second", 2)] {
        let (s, shared) = (stage.clone(), Rc::clone(&shared));
        stage.kernel.spawn(PROCESS, name, async move {
            s.kernel.sleep_until(at(from)).await;
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                shared.borrow_mut().as_mut().poll(cx)
            })
            .await;
            s.say(format!("{name} after {polls} polls at {:?}", s.kernel.now()));
        });
    }
    stage.run();
    assert_eq!(stage.read(), ["second after 2 polls at t=10s"]);
}

#[test]
fn a_sleep_inside_a_combinator_wakes_through_its_waker() {
    struct Counting(AtomicU32, Waker);
    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.wake_by_ref();
        }
    }
    let stage = Stage::new();
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "combinator", async move {
        let mut sleep = pin!(s.kernel.sleep(secs(1)));
        let outer = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let counting = Arc::new(Counting(AtomicU32::new(0), outer));
        let inner = Waker::from(Arc::clone(&counting));
        poll_fn(|_| sleep.as_mut().poll(&mut Context::from_waker(&inner))).await;
        s.say(format!("{} wake-up at {:?}", counting.0.load(Ordering::Relaxed), s.kernel.now()));
    });
    stage.run();
    assert_eq!(stage.read(), ["1 wake-up at t=1s"]);
}

#[test]
fn a_spurious_wake_up_does_not_shorten_a_sleep_or_set_another_timer() {
    let stage = Stage::new();
    let bell = Bell::default();
    let (s, b) = (stage.clone(), bell.clone());
    stage.kernel.spawn(PROCESS, "sleeper", async move {
        let (mut sleep, mut never) = (pin!(s.kernel.sleep(secs(10))), pin!(b.wait()));
        poll_fn(|cx| {
            let _ = never.as_mut().poll(cx);
            sleep.as_mut().poll(cx)
        })
        .await;
        s.say(format!("awake at {:?}", s.kernel.now()));
    });
    let s = stage.clone();
    stage.kernel.spawn(PROCESS, "nuisance", async move {
        for _ in 0..5 {
            s.kernel.sleep(secs(1)).await;
            for waker in bell.waiting.take() {
                waker.wake();
            }
            yield_now().await;
            assert_eq!(s.timers(), (1, 1));
        }
    });
    stage.run();
    assert_eq!(stage.read(), ["awake at t=10s"]);
}

#[test]
fn a_sleep_until_the_end_of_time_is_just_the_last_event() {
    let stage = Stage::new();
    for d in [SimDuration::MAX, secs(1)] {
        let s = stage.clone();
        stage.kernel.spawn(PROCESS, "sleeper", async move {
            s.kernel.sleep(d).await;
            s.say(format!("{d}"));
        });
    }
    assert_eq!(stage.run(), Step::Idle);
    assert_eq!(stage.read(), ["1s".to_owned(), SimDuration::MAX.to_string()]);
    assert_eq!(stage.kernel.now(), SimTime::MAX);
}
