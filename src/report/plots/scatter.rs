//! Scatters of two numbers: where the front is, where today is.

use super::scale::Scale;
use super::svg::{BOTTOM, HEIGHT, LEFT, RIGHT, Svg, TOP, WIDTH, at, number, points, titled};

/// What a dot stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Plain,
    /// Nothing beats it.
    Front,
    /// Today's values.
    Today,
    Best,
}

/// One dot.
#[derive(Clone, Debug)]
pub struct Dot {
    pub x: f64,
    pub y: f64,
    pub words: String,
    /// Whether nothing beats it, whatever else it stands for.
    pub front: bool,
    /// What it stands for.
    pub mark: Mark,
}

/// A scatter.
#[derive(Clone, Debug)]
pub struct Scatter {
    pub title: String,
    /// What is across, and what is up.
    pub names: (String, String),
    pub dots: Vec<Dot>,
}

/// A scatter; dots of the front are joined by a line.
pub fn scatter(plot: &Scatter) -> String {
    let about = format!("{}: {} against {}", plot.title, plot.names.1, plot.names.0);
    let mut svg = Svg::new(&plot.title, &about, HEIGHT);
    let x = Scale::of(plot.dots.iter().map(|dot| dot.x), LEFT, WIDTH - RIGHT);
    let y = Scale::of(plot.dots.iter().map(|dot| dot.y), HEIGHT - BOTTOM, TOP);
    svg.axes(&x, &y, &plot.names.0, &plot.names.1);
    let mut front: Vec<&Dot> = plot.dots.iter().filter(|dot| dot.front).collect();
    front.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let path = points(front.iter().map(|dot| (x.place(dot.x), y.place(dot.y))));
    svg.push(&format!("<polyline class=\"line c0 pale\" points=\"{path}\"/>"));
    // Those that matter are drawn last, over the others.
    for mark in [Mark::Plain, Mark::Front, Mark::Today, Mark::Best] {
        for dot in plot.dots.iter().filter(|dot| dot.mark == mark) {
            let (cx, cy) = (at(x.place(dot.x)), at(y.place(dot.y)));
            let (radius, class) = match mark {
                Mark::Plain => (3.0, "c4 pale"),
                Mark::Front => (4.5, "c0"),
                Mark::Today => (7.0, "c1"),
                Mark::Best => (7.0, "c2"),
            };
            let circle = format!("<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{radius}\" class=\"{class}\"/>");
            svg.push(&titled(&circle, &format!("{}: {}, {}", dot.words, number(dot.x), number(dot.y))));
        }
    }
    let names = [(Mark::Front, 0, "on the front"), (Mark::Today, 1, "today"), (Mark::Best, 2, "recommended")];
    let there = names.iter().filter(|(mark, ..)| plot.dots.iter().any(|dot| dot.mark == *mark));
    svg.legend_of(&there.map(|(_, class, name)| (*class, *name)).collect::<Vec<_>>());
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_goes_through_whatever_stands_on_it_and_the_legend_names_what_is_there() {
        let dot = |x: f64, front: bool, mark: Mark| Dot { x, y: 10.0 - x, words: String::new(), front, mark };
        let dots = vec![dot(1.0, true, Mark::Best), dot(2.0, true, Mark::Front), dot(3.0, false, Mark::Plain)];
        let svg = scatter(&Scatter { title: String::new(), names: (String::new(), String::new()), dots });
        let line = svg.split_once("<polyline class=\"line c0 pale\" points=\"").expect("a line").1;
        assert_eq!(line.split_once('"').expect("its end").0.split(' ').count(), 2, "{line}");
        assert!(svg.contains(">recommended<") && !svg.contains(">today<"), "{svg}");
    }
}
