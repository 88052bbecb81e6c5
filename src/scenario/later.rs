//! What the format knows and the simulator does not have yet.
//!
//! The one place where a part is refused for not being built: such parts are read and checked in
//! full, and then refused with these words. When a part is built, its line goes. What a newcomer
//! gets wrong: nothing is ever ignored, so a part without a meaning must stand here.

/// Table, key, and what it waits for.
const LATER: &[(&str, &str, &str)] = &[
    ("the scenario", "traffic", "the activator comes in a later version"),
    ("`do`", "node_down", "the loss of machines comes in a later version"),
    ("`do`", "node_up", "the loss of machines comes in a later version"),
    ("`do`", "drain", "draining nodes comes in a later version"),
    ("`do`", "upgrade", "upgrades during a run come in a later version"),
    ("`do`", "cut_watch", "breaking watches comes in a later version"),
];

/// Why a key of a table is refused for now.
pub(crate) fn reason(table: &str, key: &str) -> Option<&'static str> {
    LATER.iter().find(|(of, name, _)| *of == table && *name == key).map(|(_, _, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::schema;

    #[test]
    fn every_line_names_a_key_that_exists() {
        for (table, key, _) in LATER {
            let spec = schema::tables().into_iter().find(|spec| spec.name == *table);
            assert!(spec.is_some_and(|spec| spec.key(key).is_some()), "{table} {key}");
        }
    }
}
