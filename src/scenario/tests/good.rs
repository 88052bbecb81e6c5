//! Files that follow the contract are read, and say what they mean.

use std::path::Path;

use crate::scenario::{Overrides, Scenario};

/// The example of the contract, without the parts that are not simulated yet.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

pub(super) fn read(text: &str) -> Scenario {
    read_with(text, &Overrides::default())
}

pub(super) fn read_with(text: &str, overrides: &Overrides) -> Scenario {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenario/tests/files");
    match Scenario::from_text(text, "story.toml", Some(&dir), overrides) {
        Ok(scenario) => scenario,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

#[test]
fn the_example_of_the_contract_is_read() {
    let scenario = read(EXAMPLE);
    insta::assert_debug_snapshot!(scenario);
}
