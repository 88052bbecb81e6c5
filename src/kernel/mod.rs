//! The kernel: simulated time, the agenda of events, the executor, random streams, causes.
//!
//! It may not know what is simulated: no entity, store or fault is named here. Everything that
//! happens in a run is an event of this kernel, in the order (time, sequence). What a newcomer
//! gets wrong: nothing here ever waits; time moves only when no task is ready to run.

pub(crate) mod agenda;
pub(crate) mod cause;
pub(crate) mod executor;
pub(crate) mod streams;

pub use crate::time::{SimDuration, SimTime};
pub use agenda::Agenda;
pub use cause::RecordId;
pub(crate) use executor::{Awaited, TaskId, Waiter};
pub use executor::{Budget, GroupId, Kernel, Step, Stop};
pub use streams::Streams;
