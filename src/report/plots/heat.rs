//! Heat maps: one number for each pair of values of two parameters.

use super::svg::{LEFT, LETTER, LINE, RIGHT, Svg, TOP, WIDTH, at, lines, more_lines, number, titled};

/// What a heat map shows.
#[derive(Clone, Debug)]
pub struct HeatMap {
    pub title: String,
    /// The name of the horizontal parameter, and its values.
    pub x: (String, Vec<String>),
    /// The name of the vertical parameter, and its values.
    pub y: (String, Vec<String>),
    /// `cells[y][x]`; none where nothing was run.
    pub cells: Vec<Vec<Option<f64>>>,
    /// Whether more is better.
    pub maximise: bool,
    /// The column and row of today's values.
    pub today: Option<(usize, usize)>,
}

/// From good to bad: readable in grey and for the colour-blind.
const COLOURS: [(f64, f64, f64); 3] = [(34.0, 120.0, 130.0), (240.0, 228.0, 150.0), (178.0, 60.0, 40.0)];

/// So many letters of a row's name stand in a line.
const ROW_LETTERS: usize = 36;

fn colour(share: f64) -> (String, bool) {
    let place = share.clamp(0.0, 1.0) * 2.0;
    let (low, high) = if place < 1.0 { (COLOURS[0], COLOURS[1]) } else { (COLOURS[1], COLOURS[2]) };
    let part = if place < 1.0 { place } else { place - 1.0 };
    let mix = |a: f64, b: f64| (a + (b - a) * part).round() as u8;
    let (r, g, b) = (mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2));
    let dark = f64::from(r) * 0.3 + f64::from(g) * 0.6 + f64::from(b) * 0.1 < 130.0;
    (format!("#{r:02x}{g:02x}{b:02x}"), dark)
}

/// A heat map; green is better, whatever is wished.
pub fn heat_map(map: &HeatMap) -> String {
    let rows = map.y.1.len().max(1);
    let tall = 34.0;
    // Long names of rows take room from the columns, up to a half.
    let longest = |letters: usize| {
        let lines = map.y.1.iter().flat_map(|label| lines(label, letters));
        lines.map(|line| line.chars().count()).max().unwrap_or(0)
    };
    let left = (longest(ROW_LETTERS) as f64 * LETTER + 12.0).max(LEFT);
    let columns: Vec<&str> = map.x.1.iter().map(String::as_str).collect();
    let more = more_lines(left, &columns);
    let height = TOP + tall * rows as f64 + 64.0 + more;
    let about = format!("Heat map of {}: {} across, {} down", map.title, map.x.0, map.y.0);
    let mut svg = Svg::new(&map.title, &about, height);
    let wide = (WIDTH - left - RIGHT) / map.x.1.len().max(1) as f64;
    let all = || map.cells.iter().flatten().flatten().copied();
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    for (row, cells) in map.cells.iter().enumerate() {
        let y = TOP + tall * row as f64;
        let names = lines(&map.y.1[row], ROW_LETTERS);
        for (line, words) in names.iter().enumerate() {
            let down = LINE * (line as f64 - (names.len() - 1) as f64 / 2.0);
            svg.words(left - 6.0, y + tall / 2.0 + 4.0 + down, "end", "", words);
        }
        for (column, value) in cells.iter().enumerate() {
            let Some(value) = value else { continue };
            let x = left + wide * column as f64;
            let share = if high > low { (value - low) / (high - low) } else { 0.5 };
            let (fill, dark) = colour(if map.maximise { 1.0 - share } else { share });
            let today = map.today == Some((column, row));
            let border = if today { " stroke=\"#000\" stroke-width=\"2.5\"" } else { "" };
            let [x1, y1, w, h] = [x + 1.0, y + 1.0, wide - 2.0, tall - 2.0].map(at);
            let rect = format!("<rect x=\"{x1}\" y=\"{y1}\" width=\"{w}\" height=\"{h}\" fill=\"{fill}\"{border}/>");
            let mark = if today { ", today" } else { "" };
            let words =
                format!("{}={}, {}={}: {}{mark}", map.x.0, map.x.1[column], map.y.0, map.y.1[row], number(*value));
            svg.push(&titled(&rect, &words));
            let ink = if dark { "#fff" } else { "#1b1b1b" };
            let (cx, cy) = (at(x + wide / 2.0), at(y + tall / 2.0 + 4.0));
            let shown = number(*value);
            svg.push(&format!(
                "<text x=\"{cx}\" y=\"{cy}\" text-anchor=\"middle\" style=\"fill:{ink};pointer-events:none\">{shown}</text>"
            ));
        }
    }
    svg.columns(left, TOP + tall * rows as f64 + 16.0, &columns);
    svg.words((WIDTH + left - RIGHT) / 2.0, height - 26.0, "middle", "", &map.x.0);
    let framed = if map.today.is_some() { "; framed: today" } else { "" };
    svg.words(LEFT, height - 8.0, "start", "", &format!("down: {}{framed}", map.y.0));
    svg.finish()
}
