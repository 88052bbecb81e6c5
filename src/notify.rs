//! Notifications between tasks of one thread: somebody waits until something has changed.
//!
//! The one primitive under every hand-made wait of the controllers and of the simulated
//! backends. Tasks are woken in the order in which their waits began, so that the order of
//! events repeats. A wait that is dropped – a time-out, a killed process – leaves nothing
//! behind. It knows no executor; it is `!Send`, as everything on a current-thread runtime may be.
//! What a newcomer gets wrong: who is woken looks again, and may find that another was quicker.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// What tasks wait at: counts the changes, and knows who waits for the next.
#[derive(Default)]
pub struct Notify {
    generation: Cell<u64>,
    waits: RefCell<Waits>,
}

/// Who waits, by the order of arrival.
#[derive(Default)]
struct Waits {
    /// With the number of each wait. Beyond those that wait, wakers are kept for the next waits:
    /// most often the same task waits again, and to clone and drop a waker each time costs more
    /// than all the rest. No more are kept than ever waited at once.
    wakers: Vec<(u64, Waker)>,
    waiting: usize,
    next: u64,
}

impl Notify {
    /// How many changes there were; for [`Notify::changed_since`].
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Something changed: everybody who waits looks again.
    pub fn notify_all(&self) {
        self.generation.set(self.generation.get() + 1);
        self.notify(usize::MAX);
    }

    /// Wakes so many, those first that have waited longest; all, when fewer wait. A wait that is
    /// dropped after that has taken its notification with it.
    pub fn notify(&self, count: usize) {
        self.waits.borrow_mut().wake(count);
    }

    /// Ends when something has changed since [`Notify::generation`] was `seen`. Who reads it
    /// before looking misses nothing that comes while it looks.
    pub fn changed_since(&self, seen: u64) -> impl Future<Output = ()> {
        self.until(move || (self.generation.get() != seen).then_some(()))
    }

    /// Ends when `look` finds something: it looks at once, and again whenever it is woken.
    pub fn until<T, F: FnMut() -> Option<T> + Unpin>(&self, look: F) -> impl Future<Output = T> {
        Until { notify: self, look, wait: None }
    }
}

impl Waits {
    /// Where a wait stands, if it has not been woken.
    fn find(&self, wait: u64) -> Option<usize> {
        self.wakers[..self.waiting].binary_search_by_key(&wait, |(number, _)| *number).ok()
    }

    /// A task waits, behind all others or where it waited already; gives the wait's number.
    fn wait(&mut self, known: Option<u64>, waker: &Waker) -> u64 {
        if let Some((wait, place)) = known.and_then(|wait| Some((wait, self.find(wait)?))) {
            self.wakers[place].1.clone_from(waker);
            return wait;
        }
        let wait = self.next;
        self.next += 1;
        match self.wakers.get_mut(self.waiting) {
            Some((number, kept)) => {
                *number = wait;
                kept.clone_from(waker);
            }
            None => self.wakers.push((wait, waker.clone())),
        }
        self.waiting += 1;
        wait
    }

    fn wake(&mut self, count: usize) {
        let woken = count.min(self.waiting);
        self.wakers[..woken].iter().for_each(|(_, waker)| waker.wake_by_ref());
        self.wakers[..self.waiting].rotate_left(woken);
        self.waiting -= woken;
    }

    fn leave(&mut self, wait: u64) {
        if let Some(place) = self.find(wait) {
            self.wakers[place..self.waiting].rotate_left(1);
            self.waiting -= 1;
        }
    }
}

/// A wait for what `look` finds.
struct Until<'a, F> {
    notify: &'a Notify,
    look: F,
    /// Its number, once it has waited.
    wait: Option<u64>,
}

impl<T, F: FnMut() -> Option<T> + Unpin> Future for Until<'_, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        match (this.look)() {
            Some(found) => Poll::Ready(found),
            None => {
                this.wait = Some(this.notify.waits.borrow_mut().wait(this.wait, cx.waker()));
                Poll::Pending
            }
        }
    }
}

impl<F> Drop for Until<'_, F> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.notify.waits.borrow_mut().leave(wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::task::Wake;

    use super::*;

    /// Tells which task is woken.
    struct Bell(u32, Sender<u32>);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.1.send(self.0).expect("the test listens");
        }
    }

    /// The wakers of tasks 0 to 3, and which of them were woken since it was last asked.
    fn bells() -> ([Waker; 4], Receiver<u32>) {
        let (bell, woken) = channel();
        ([0, 1, 2, 3].map(|task| Waker::from(Arc::new(Bell(task, bell.clone())))), woken)
    }

    fn poll<T>(wait: Pin<&mut impl Future<Output = T>>, waker: &Waker) -> Poll<T> {
        wait.poll(&mut Context::from_waker(waker))
    }

    #[test]
    fn those_are_woken_first_that_have_waited_longest_and_nobody_twice() {
        let ([a, b, c, other], woken) = bells();
        let (notify, work) = (Notify::default(), Cell::new(0_u32));
        let look = || work.get().checked_sub(1).map(|left| work.set(left));
        let (mut first, mut second, mut third) =
            (pin!(notify.until(look)), pin!(notify.until(look)), pin!(notify.until(look)));
        let woken = |count| {
            notify.notify(count);
            woken.try_iter().collect::<Vec<u32>>()
        };
        assert!(poll(third.as_mut(), &c).is_pending());
        assert!(poll(first.as_mut(), &a).is_pending());
        assert!(poll(second.as_mut(), &b).is_pending());
        assert_eq!(woken(0), [0_u32; 0]);
        assert_eq!(woken(1), [2]);
        // Another was quicker: it waits again, behind the others, and where it is polled by now.
        assert!(poll(third.as_mut(), &other).is_pending());
        assert!(poll(third.as_mut(), &c).is_pending());
        assert!(poll(third.as_mut(), &other).is_pending());
        assert_eq!(woken(9), [0, 1, 3], "no more than wait, and by the waker of the last poll");
        assert_eq!(woken(9), [0_u32; 0]);
        work.set(1);
        assert!(poll(second.as_mut(), &b).is_ready());
        assert!(poll(first.as_mut(), &a).is_pending());
    }

    #[test]
    fn a_wait_that_is_dropped_leaves_nothing_behind() {
        let ([a, b, c, _], woken) = bells();
        let notify = Notify::default();
        let mut first = pin!(notify.changed_since(0));
        assert!(poll(first.as_mut(), &a).is_pending());
        for _ in 0..3 {
            let (mut gone, mut woken_and_gone) =
                (Box::pin(notify.changed_since(0)), Box::pin(notify.until(|| None::<()>)));
            assert!(poll(gone.as_mut(), &b).is_pending());
            assert!(poll(woken_and_gone.as_mut(), &c).is_pending());
        }
        assert_eq!(notify.waits.borrow().waiting, 1);
        assert!(notify.waits.borrow().wakers.len() <= 3, "wakers are kept for as many as waited at once");
        notify.notify_all();
        assert_eq!(woken.try_iter().collect::<Vec<u32>>(), [0]);
        assert!(poll(first, &a).is_ready());
    }

    #[test]
    fn a_change_between_the_look_and_the_wait_is_not_missed() {
        let ([a, ..], woken) = bells();
        let notify = Notify::default();
        let seen = notify.generation();
        notify.notify_all();
        assert!(poll(pin!(notify.changed_since(seen)), &a).is_ready());
        let mut next = pin!(notify.changed_since(notify.generation()));
        assert!(poll(next.as_mut(), &a).is_pending());
        notify.notify(1);
        assert!(poll(next.as_mut(), &a).is_pending(), "it was woken, but nothing has changed");
        notify.notify_all();
        assert_eq!(woken.try_iter().count(), 2);
        assert!(poll(next, &a).is_ready());
    }
}
