//! Curves with bands: a number and its interval over the values of one parameter.

use super::scale::Scale;
use super::svg::{BOTTOM, HEIGHT, LEFT, RIGHT, Svg, TOP, WIDTH, at, more_lines, number, points, titled};

/// One point of a curve.
#[derive(Clone, Debug)]
pub struct Point {
    /// The parameter's value, as written.
    pub label: String,
    pub value: f64,
    pub interval: Option<(f64, f64)>,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Curve {
    pub name: String,
    /// From left to right, one for each label of the plot.
    pub points: Vec<Point>,
}

/// Curves over one parameter; values stand at equal distances, in their order.
pub fn curves(title: &str, x_name: &str, y_name: &str, curves: &[Curve]) -> String {
    let about = format!("{title}: {y_name} over {x_name}, with 95 % intervals");
    let labels: Vec<&str> =
        curves.first().map_or_else(Vec::new, |curve| curve.points.iter().map(|p| p.label.as_str()).collect());
    let more = more_lines(LEFT, &labels);
    let mut svg = Svg::new(title, &about, HEIGHT + more);
    svg.deepen(more);
    let values = curves.iter().flat_map(|curve| &curve.points).flat_map(|point| {
        let (low, high) = point.interval.unwrap_or((point.value, point.value));
        [low, point.value, high]
    });
    let y = Scale::of(values, HEIGHT - BOTTOM, TOP);
    let wide = (WIDTH - LEFT - RIGHT) / labels.len().max(1) as f64;
    let place = |index: usize| LEFT + wide * (index as f64 + 0.5);
    svg.axes(&Scale::of(std::iter::empty(), -2000.0, -1000.0), &y, x_name, y_name);
    svg.columns(LEFT, HEIGHT - BOTTOM + 18.0, &labels);
    for (number_of, curve) in curves.iter().enumerate() {
        let class = number_of % 5;
        let with = curve.points.iter().enumerate();
        let upper = with.clone().filter_map(|(i, p)| Some((place(i), y.place(p.interval?.1))));
        let lower = with.clone().rev().filter_map(|(i, p)| Some((place(i), y.place(p.interval?.0))));
        let band = points(upper.chain(lower));
        if !band.is_empty() {
            svg.push(&format!("<polygon class=\"band c{class}\" points=\"{band}\"/>"));
        }
        let line = with.map(|(i, p)| (place(i), y.place(p.value)));
        svg.push(&format!("<polyline class=\"line c{class}\" points=\"{}\"/>", points(line.clone())));
        for ((x, y), point) in line.zip(&curve.points) {
            let dot = format!("<circle cx=\"{}\" cy=\"{}\" r=\"3.5\" class=\"c{class}\"/>", at(x), at(y));
            let interval = point
                .interval
                .map_or_else(String::new, |(low, high)| format!(" ({} .. {})", number(low), number(high)));
            svg.push(&titled(&dot, &format!("{}, {}: {}{interval}", curve.name, point.label, number(point.value))));
        }
    }
    svg.legend(&curves.iter().map(|curve| curve.name.as_str()).collect::<Vec<_>>());
    svg.finish()
}
