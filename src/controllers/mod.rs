//! The controllers: the scheduler's real logic.
//!
//! Ordinary async Rust against the ports, one file a controller, each written from
//! `CONTROLLERS.md`. They may not know that they are simulated: no scenario, fault or trace is
//! named below here. Their state is `Rc`, `Cell` and `RefCell`, so their futures are `!Send`: they
//! run on a current-thread runtime, all tasks of a process on one thread. What a newcomer gets wrong: a controller acts on what it *read*, which may
//! be old by the time it writes – most stories are made of that.

pub mod activator;
pub mod backoff;
pub mod deploy;
pub mod disk;
pub mod disk_watch;
pub mod fixes;
pub mod launcher;
pub mod lease;
pub mod monitor;
pub mod node_health;
pub mod operator;
pub mod pool;
pub mod process;
pub mod runtime;
pub mod sandbox;
pub mod scheduler;
pub mod tuning;
