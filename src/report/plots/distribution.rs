//! Distributions as steps: which share of the runs is done after how long.

use super::scale::Scale;
use super::svg::{BOTTOM, HEIGHT, LEFT, RIGHT, Svg, TOP, WIDTH, escaped, points};

/// One distribution.
#[derive(Clone, Debug)]
pub struct Distribution {
    pub name: String,
    /// The values, in any order.
    pub values: Vec<f64>,
}

/// The share of the values that are no larger, as steps.
pub fn distributions(title: &str, x_name: &str, all: &[Distribution]) -> String {
    let about = format!("{title}: the share of runs up to each value of {x_name}");
    let mut svg = Svg::new(title, &about, HEIGHT);
    let x = Scale::of(all.iter().flat_map(|one| one.values.iter().copied()), LEFT, WIDTH - RIGHT);
    let y = Scale::of([0.0, 1.0].into_iter(), HEIGHT - BOTTOM, TOP);
    svg.axes(&x, &y, x_name, "share of runs");
    for (index, one) in all.iter().enumerate() {
        let mut values = one.values.clone();
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        let mut steps = vec![(x.place(values.first().copied().unwrap_or(0.0)), y.place(0.0))];
        let mut done = 0;
        // Equal values make one step.
        for equal in values.chunk_by(|a, b| a == b) {
            let place = x.place(equal[0]);
            steps.push((place, y.place(done as f64 / count)));
            done += equal.len();
            steps.push((place, y.place(done as f64 / count)));
        }
        svg.push(&format!(
            "<polyline class=\"line c{}\" points=\"{}\"><title>{}</title></polyline>",
            index % 5,
            points(steps),
            escaped(&one.name)
        ));
    }
    svg.legend(&all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
    svg.finish()
}
