//! The model of the cloud study, written anew from its description: clients, one row, a network.
//!
//! A client reads the row's version, writes with it, and fails when another's write came between; then it
//! waits and begins again. Messages take 10 ms, give or take 2 (normal). It knows nothing of the simulator,
//! so that agreement means something. What a newcomer gets wrong: `Differences` are ours, not the study's;
//! with all of them the model says what our scheduler must give, and thereby which of them explain it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use schedsim::kernel::Streams;

/// How a client waits after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    None,
    Exponential,
    Equal,
    Full,
    Decorrelated,
}

impl Strategy {
    pub(crate) const ALL: [Self; 5] = [Self::None, Self::Exponential, Self::Equal, Self::Full, Self::Decorrelated];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exponential => "exponential",
            Self::Equal => "equal",
            Self::Full => "full",
            Self::Decorrelated => "decorrelated",
        }
    }
}

/// In what our scheduler's way differs from the study's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Failures and the ends of waits are seen on ticks of 1 ms.
    pub(crate) ticks: bool,
    /// From read to write takes 20 ms without noise, and the rest of the way has all of it.
    pub(crate) steady: bool,
    /// A decorrelated series begins with its base instead of a draw.
    pub(crate) base_first: bool,
}

impl Differences {
    /// The study as it was published.
    pub(crate) const NONE: Self = Self { ticks: false, steady: false, base_first: false };
    /// Our scheduler.
    pub(crate) const ALL: Self = Self { ticks: true, steady: true, base_first: true };
}

/// The study's parameters, in milliseconds.
const BASE: f64 = 5.0;
const CAP: f64 = 2000.0;
const MESSAGE: (f64, f64) = (10.0, 2.0);

struct Client {
    attempts: i32,
    slept: f64,
}

/// One run: how many writes there were, and when the last client's write succeeded, in milliseconds.
pub(crate) fn run(clients: usize, strategy: Strategy, differences: Differences, draws: &mut Draws) -> (u64, f64) {
    let Differences { ticks, steady, base_first } = differences;
    // The first wait of a decorrelated series is drawn from its base to three times that.
    let fresh = || Client { attempts: 0, slept: if base_first { BASE / 3.0 } else { BASE } };
    let mut all: Vec<Client> = (0..clients).map(|_| fresh()).collect();
    let noise = MESSAGE.1 * if steady { 2.0_f64.sqrt() } else { 1.0 };
    let tick = |at: f64| if ticks { at.ceil() } else { at };
    // Nanoseconds, so that times have an order.
    let nanos = |ms: f64| (ms * 1e6) as u64;
    let mut queue = BinaryHeap::new();
    for client in 0..clients {
        queue.push(Reverse((nanos(draws.normal(MESSAGE.0, noise)), client, None)));
    }
    let (mut version, mut calls, mut end) = (0_u64, 0, 0.0_f64);
    while let Some(Reverse((at, client, read))) = queue.pop() {
        let now = at as f64 / 1e6;
        let next = match read {
            // It reads the version now, and writes after two more messages.
            None => {
                let way = if steady {
                    2.0 * MESSAGE.0
                } else {
                    draws.normal(MESSAGE.0, MESSAGE.1) + draws.normal(MESSAGE.0, MESSAGE.1)
                };
                Some((now + way, Some(version)))
            }
            Some(read) => {
                calls += 1;
                if read == version {
                    version += 1;
                    end = end.max(now);
                    None
                } else {
                    let answered = tick(now + draws.normal(MESSAGE.0, noise));
                    let again = tick(answered + wait(&mut all[client], strategy, draws));
                    Some((again + draws.normal(MESSAGE.0, noise), None))
                }
            }
        };
        if let Some((at, read)) = next {
            queue.push(Reverse((nanos(at), client, read)));
        }
    }
    (calls, end)
}

fn wait(client: &mut Client, strategy: Strategy, draws: &mut Draws) -> f64 {
    client.attempts += 1;
    let exponential = (BASE * 2.0_f64.powi(client.attempts.min(30))).min(CAP);
    match strategy {
        Strategy::None => 0.0,
        Strategy::Exponential => exponential,
        Strategy::Equal => exponential / 2.0 + draws.uniform() * exponential / 2.0,
        Strategy::Full => draws.uniform() * exponential,
        Strategy::Decorrelated => {
            client.slept = (BASE + draws.uniform() * (client.slept * 3.0 - BASE)).min(CAP);
            client.slept
        }
    }
}

/// Random numbers of the model's own.
pub(crate) struct Draws(Streams);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Streams::new(seed))
    }

    /// From 0 to 1.
    fn uniform(&mut self) -> f64 {
        (self.0.draw("study", "model") >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// By Box and Muller; the study takes absolute values.
    fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        (mean + deviation * radius * libm::cos(std::f64::consts::TAU * self.uniform())).abs()
    }
}
