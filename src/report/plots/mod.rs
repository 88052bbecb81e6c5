//! Plots as SVG: heat maps, curves with bands, scatters, steps of a distribution, bars.
//!
//! Numbers and labels in, a text out: the same text every time, readable without scripts, in print and in the
//! dark (colours are classes; the style travels inside). A library gives neither tooltips nor classes, so
//! this small writer is our own. It knows nothing of sweeps.

mod bars;
mod curve;
mod distribution;
mod heat;
mod scale;
mod scatter;
mod svg;

pub use bars::{Bar, bars};
pub use curve::{Curve, Point, curves};
pub use distribution::{Distribution, distributions};
pub use heat::{HeatMap, heat_map};
pub use scatter::{Dot, Mark, Scatter, scatter};
