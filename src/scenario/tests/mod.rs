//! Tests of the scenario format as a whole.

mod good;
