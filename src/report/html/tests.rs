//! Tests of the page as text; `tests/browser` opens it.

use super::*;
use crate::kernel::RecordId;
use crate::model::Kind;
use crate::report::testing::Story;
use crate::report::{check, figures};
use crate::scenario::Verdict;
use crate::trace::testing::Maker;

fn part(story: &Story) -> Part {
    let metrics = figures(&story.scenario, &story.outcome);
    let checked = check(&story.scenario, &story.variant, &story.outcome, &metrics);
    let digest = crate::trace::digest::of(&story.outcome.trace);
    let (scenario, variant, outcome) = (&story.scenario, &story.variant, &story.outcome);
    let (metrics, checked, digest) = (&metrics, &checked, digest.as_str());
    let (reproduce, explain) = ("schedsim run x.toml", "schedsim explain x.toml");
    Part::of(&Source { scenario, variant, outcome, metrics, checked, digest, reproduce, explain })
}

fn page_of(story: &Story) -> String {
    page(vec![part(story)])
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    assert_eq!(page_of(&Story::forever_pending()), page_of(&Story::forever_pending()));
}

#[test]
fn nothing_is_loaded_from_anywhere_and_nothing_else_may_run() {
    let page = page_of(&Story::forever_pending());
    for banned in ["src=", "href=", " style=", "onclick", "http:", "https:"] {
        let rest = page.replace("\"http://www.w3.org/2000/svg\"", "");
        assert!(!rest.contains(banned), "{banned}");
    }
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    assert_eq!(page.matches("<script").count(), 2, "the data and the scripts");
    assert_eq!(page.matches("<style").count(), 1);
}

#[test]
fn what_went_wrong_stands_before_the_picture_and_the_unexpected_first() {
    let mut story = Story::forever_pending();
    story.outcome.violations[0].record = crate::kernel::RecordId::from_number(40);
    story.expect().verdict = Some(Verdict::Settled);
    let page = page_of(&story);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text:?}"));
    assert!(at("expected settled, found livelock") < at("failures-back-off"));
    assert!(at("failures-back-off") < at("id=\"overview\""));
    assert!(at("id=\"overview\"") < at("<h2>Numbers"));
}

#[test]
fn a_text_that_looks_like_markup_stays_a_text() {
    let mut story = Story::forever_pending();
    story.scenario.about = "</script><img src=x onerror=alert(1)> & `code`".to_owned();
    story.scenario.name = "<b>".to_owned();
    let page = page_of(&story);
    assert!(!page.contains("<img") && !page.contains("<b>"));
    assert!(page.contains("&lt;img") && page.contains("<code>code</code>"));
}

#[test]
fn runs_are_called_by_what_tells_them_apart() {
    let names = |change: fn(&mut Story, &mut Story)| {
        let (mut one, mut other) = (Story::forever_pending(), Story::forever_pending());
        change(&mut one, &mut other);
        let mut parts = vec![part(&one), part(&other)];
        name(&mut parts);
        parts.into_iter().map(|part| part.name).collect::<Vec<_>>()
    };
    assert_eq!(names(|_, other| other.variant.name = "after".to_owned()), ["before", "after"]);
    assert_eq!(names(|_, other| other.variant.seed = 8), ["before, seed 7", "before, seed 8"]);
    assert_eq!(names(|_, other| other.scenario.name = "x".to_owned()), ["forever-pending @ before", "x @ before"]);
}

#[test]
fn the_still_drawing_is_bounded_whatever_the_run() {
    let mut m = Maker::new();
    for n in 0..2000 {
        m.create(Kind::Node, &format!("node/n{n}"), RecordId::NONE, &[]);
    }
    let story = Story::new(m, "1h");
    let page = page_of(&story);
    assert!(page.contains("more lanes: scripts show them all"));
    assert!(page.matches("<rect").count() < 500);
}

#[test]
fn a_run_of_no_events_and_a_page_of_no_runs_are_pages_all_the_same() {
    assert!(page_of(&Story::new(Maker::new(), "1h")).contains("nothing is expected"));
    assert!(page(Vec::new()).contains("nothing was run"));
}

#[test]
fn alike_things_are_one_row_of_the_still_drawing() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    for n in 0..131 {
        m.sandbox(pool, n);
    }
    let page = page_of(&Story::new(m, "1h"));
    let still =
        &page[page.find("<svg class=\"static").expect("a drawing")..page.find("<div class=\"live").expect("a place")];
    assert_eq!(still.matches("k-sandbox").count(), 1);
    assert!(still.contains("pds-database-* \u{d7}131"), "{still}");
}
