//! Bars: one number for each of a few things, side by side in groups.

use super::scale::Scale;
use super::svg::{LEFT, RIGHT, Svg, TOP, WIDTH, at, number, titled};

/// A group of bars: one thing, and a number for each series.
#[derive(Clone, Debug)]
pub struct Bar {
    pub name: String,
    /// A number for each series.
    pub values: Vec<f64>,
}

/// Bars from left to right; the legend names the series.
pub fn bars(title: &str, x_name: &str, series: &[&str], groups: &[Bar]) -> String {
    let thick = 14.0;
    let group = thick * series.len() as f64 + 26.0;
    let height = TOP + group * groups.len() as f64 + 64.0;
    let mut svg = Svg::new(title, &format!("{title}: {x_name}"), height);
    let values = groups.iter().flat_map(|group| group.values.iter().copied()).chain([0.0]);
    let x = Scale::of(values, LEFT, WIDTH - RIGHT - 50.0);
    for (index, bar) in groups.iter().enumerate() {
        let y = TOP + group * index as f64;
        svg.words(LEFT, y + 12.0, "start", "", &bar.name);
        for (number_of, value) in bar.values.iter().enumerate() {
            let y = y + 17.0 + thick * number_of as f64;
            let [left, top] = [LEFT, y].map(at);
            let (wide, tall) = (at((x.place(*value) - LEFT).max(1.0)), at(thick - 2.0));
            let class = number_of % 5;
            let rect =
                format!("<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{tall}\" class=\"c{class}\"/>");
            svg.push(&titled(&rect, &format!("{}, {}: {}", bar.name, series[number_of], number(*value))));
            svg.words(x.place(*value).max(LEFT) + 5.0, y + thick - 4.0, "start", "", &number(*value));
        }
    }
    svg.words((WIDTH + LEFT - RIGHT) / 2.0, height - 26.0, "middle", "", x_name);
    svg.legend(series);
    svg.finish()
}
