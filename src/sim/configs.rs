//! What the platform will say to the app configs of a story, before it is run.
//!
//! It knows the deploys and the fixes of each variant, and runs nothing. A refusal that a variant expects is no news.

use crate::controllers::deploy::foretold;
use crate::scenario::{Action, Scenario};

/// A warning for each config that is refused where that is not expected, or of which something is ignored: what it is,
/// and under which variants.
pub(crate) fn config_warnings(scenario: &Scenario) -> Vec<String> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let Action::Deploy { config, .. } = &step.action else { continue };
        for variant in &scenario.variants {
            let text = match foretold(config, variant.policy.fixes) {
                Err(_) if variant.expect.as_ref().is_some_and(|expect| expect.rejected.contains(&index)) => continue,
                Err(error) => {
                    format!("the config of step `{}` is refused\n  {}", step.name, error.replace('\n', "\n  "))
                }
                Ok(ignored) if ignored.is_empty() => continue,
                Ok(ignored) => {
                    format!(
                        "the config of step `{}` has fields that are ignored\n  {}",
                        step.name,
                        ignored.join("\n  ")
                    )
                }
            };
            match found.iter_mut().find(|(known, _)| *known == text) {
                Some((_, variants)) => variants.push(&variant.name),
                None => found.push((text, vec![&variant.name])),
            }
        }
    }
    let all = scenario.variants.len();
    let told = |(text, under): (String, Vec<&str>)| match text.split_once('\n') {
        Some((head, rest)) if under.len() < all => format!("{head} under `{}`\n{rest}", under.join("`, `")),
        _ => text,
    };
    found.into_iter().map(told).collect()
}
