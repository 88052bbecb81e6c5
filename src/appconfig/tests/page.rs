//! The page of all that an app config may hold is that of the code.

use std::path::Path;

use crate::appconfig::suggest::{SHAPES, Shape};

const HEAD: &str = "\
# What an app config may hold

<!-- Made from src/appconfig/suggest.rs; a test compares. To write it anew: UPDATE_DOCS=1 cargo test --lib appconfig -->

The app's own file, `.miren/app.toml`, as a deploy step of a scenario has it (`do.deploy`, in [scenario.md](scenario.md)): between
`config = \'\'\'` and `\'\'\'`, or in a file that `config_file`, `config_dir` or `working_dir` leads to. `schedsim check` reads the configs of
all deploys under all variants, tells every mistake with its line, and which fields are ignored. Rule numbers are those of
[rules.md](rules.md), section 3.

Durations are like `\"90s\"` or `\"1h30m\"` (ns, us, ms, s, m, h; a bare `\"0\"` is fine). An empty text and a number of 0 are as good as
none, unless it says otherwise. A field that is not in these tables is an error; before 2026-03-12 it was ignored without a word, and
with it whatever it was to say (rule 3.2).
";

fn table(shape: &Shape) -> String {
    let mut text = format!("\n## {}\n\n| field | like this | meaning |\n| --- | --- | --- |\n", headline(shape));
    for (name, example, about) in shape.fields {
        let since = shape.features.iter().any(|feature| feature.name() == *name);
        let since = if since { " Not always known (rule 3.3)." } else { "" };
        text.push_str(&format!("| `{name}` | `{}` | {about}{since} |\n", example.replace('|', "\\|")));
    }
    text
}

fn headline(shape: &Shape) -> String {
    let mut chars = shape.called.trim_start_matches("the ").trim_start_matches("an ").trim_start_matches("a ").chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[test]
fn every_field_of_an_app_config_is_documented() {
    let page = HEAD.to_owned() + &SHAPES.iter().map(|shape| table(shape)).collect::<String>();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/app-config.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/ can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/app-config.md is out of date: run UPDATE_DOCS=1 cargo test --lib appconfig");
}
