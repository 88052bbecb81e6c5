//! The controllers: the scheduler's real logic.
//!
//! Ordinary async Rust against the ports, one file a controller, each written from
//! `docs/rules.md`. They may not know that they are simulated: no scenario, fault or trace is
//! named below here. Their state is `Rc`, `Cell` and `RefCell`, so their futures are `!Send`: they
//! run on a current-thread runtime, all tasks of a process on one thread. What a newcomer gets wrong: a controller acts on what it *read*, which may
//! be old by the time it writes – most stories are made of that.

pub(crate) mod activator;
pub mod backoff;
pub(crate) mod deploy;
pub(crate) mod disk;
pub(crate) mod disk_watch;
pub mod fixes;
pub(crate) mod ingress;
pub(crate) mod launcher;
pub(crate) mod lease;
pub(crate) mod migrate;
pub(crate) mod monitor;
pub(crate) mod node_health;
pub(crate) mod operator;
pub(crate) mod pool;
pub(crate) mod process;
pub mod rule_book;
pub(crate) mod runtime;
pub(crate) mod sandbox;
pub(crate) mod scheduler;
pub mod tuning;
