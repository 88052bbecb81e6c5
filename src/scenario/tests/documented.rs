//! The reference page is that of the code.

use std::path::Path;

use crate::scenario::schema::{self, reference};

#[test]
fn every_key_of_the_scenario_file_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.md");
    let page = reference();
    for spec in schema::tables() {
        for key in spec.keys() {
            assert!(page.contains(&format!("`{}`", key.name)), "{} of {} is not in the page", key.name, spec.name);
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/ can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/scenario.md is out of date: run UPDATE_DOCS=1 cargo test --lib scenario");
}
