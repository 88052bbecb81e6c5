//! The story of a cluster that grows.

use std::fmt::Write as _;

/// A launcher that waits for each new pool would need hours for a thousand apps.
pub(crate) const WITHOUT: &str = "wait-for-new-pool";

/// So many apps of one healthy service each on so many nodes; every tenth of them is in a crash loop.
pub(crate) fn text(apps: usize, nodes: usize, horizon: &str) -> String {
    let mut text = format!("schema = 1\nhorizon = \"{horizon}\"\n[cluster]\nnodes = [");
    (0..nodes).for_each(|node| write!(text, "\"n{node}\", ").expect("a text can grow"));
    text.push_str("]\n");
    for app in 0..apps {
        if app % 10 == 0 {
            write!(text, "[workload.a{app}.web]\nexit_after = \"20s\"\n").expect("a text can grow");
        }
        let deploy = format!("do.deploy = {{ app = \"a{app}\", config = \"name = 'shop'\" }}");
        write!(text, "[[step]]\nat = \"{app}ms\"\n{deploy}\n").expect("a text can grow");
    }
    text
}
