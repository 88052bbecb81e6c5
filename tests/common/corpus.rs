//! The scenarios of the corpus, for tests that try every one of them.

use std::path::{Path, PathBuf};

use schedsim::scenario::{Overrides, Scenario};

fn stories(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            stories(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
}

/// Every scenario of the corpus; app configs beside them are none.
pub(crate) fn corpus() -> Vec<Scenario> {
    let mut files = Vec::new();
    stories(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"), &mut files);
    files.sort();
    files.iter().filter_map(|file| Scenario::from_file(file, &Overrides::default()).ok()).collect()
}
