//! Tests of the scenario format as a whole.

mod bad;
mod documented;
mod good;
mod hostile;
mod overriding;
