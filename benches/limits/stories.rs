//! The stories that are measured, made as text: a command is given a file, the library the same text.

use std::fmt::Write as _;

use schedsim::scenario::{Overrides, Scenario};

use super::apps::{WITHOUT, text};

/// A story and the logic that it is run under.
pub(crate) struct Story {
    pub(crate) text: String,
    pub(crate) as_of: String,
    pub(crate) without: &'static [&'static str],
}

impl Story {
    /// The story, read.
    pub(crate) fn read(&self) -> Scenario {
        let without = self.without.iter().map(|word| (*word).to_owned()).collect();
        let overrides = Overrides { as_of: Some(self.as_of.clone()), without, ..Overrides::default() };
        let loaded = Scenario::from_text(&self.text, "limits", None, &overrides);
        loaded.unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(false)))
    }

    /// What a command line says of the logic.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec!["--as-of".to_owned(), self.as_of.clone()];
        self.without.iter().for_each(|word| words.extend(["--without".to_owned(), (*word).to_owned()]));
        words
    }
}

/// So many apps of one service each on so many nodes; every tenth of them is in a crash loop.
pub(crate) fn apps(apps: usize, nodes: usize, horizon: &str) -> Story {
    Story { text: text(apps, nodes, horizon), as_of: "current".to_owned(), without: &[WITHOUT] }
}

/// A simulated day of so many pools whose program exits as soon as it has started; one of them is the story
/// of crashes/crash-loop-idle, whose backoff came on 2025-11-14.
pub(crate) fn crash_loops(pools: usize, as_of: &str) -> Story {
    let mut text = String::from("schema = 1\nhorizon = \"24h\"\n");
    for app in 0..pools {
        write!(text, "[workload.a{app}.web]\nexit_after = \"200ms\"\n").expect("a text can grow");
    }
    for app in 0..pools {
        let deploy = format!("do.deploy = {{ app = \"a{app}\", config = \"[services.web]\" }}");
        write!(text, "[[step]]\nat = \"{app}ms\"\n{deploy}\n").expect("a text can grow");
    }
    let without: &[&str] = if pools > 1 { &["wait-for-new-pool"] } else { &[] };
    Story { text, as_of: as_of.to_owned(), without }
}
