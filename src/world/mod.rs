//! The world: the simulated store and backends, the gate, faults, judges.
//!
//! It implements the ports on the kernel and knows no controller. Every port call passes one
//! gate, which adds latency, lets faults strike and writes the trace. The backends keep a truth
//! of their own – what really runs, what is really mounted – which judges compare with the
//! store. What a newcomer gets wrong: the store may be wrong about the world; that is the point.

pub mod spec;
