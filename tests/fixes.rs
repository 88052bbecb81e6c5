//! The matrix of fixes: `docs/fixes.md` says for every fix which stories notice its absence.
//!
//! `UPDATE_DOCS=1 cargo test --release --test fixes` runs every story without each fix and writes
//! the page; with names of fixes, divided by commas, instead of 1 it makes only their rows anew. Without it, the story named first in each cell is run again and must differ in the
//! words of the page; every fix must be noticed by some story. What a newcomer gets wrong: a
//! new fix needs a story that misses it, or this test fails.

use std::path::Path;

use rayon::prelude::*;
use schedsim::controllers::fixes::Fix;
use schedsim::report::corpus::Corpus;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::study::Signature;
use schedsim::study::each_fix::{Base, Noticed, each_fix};

const PAGE: &str = "docs/fixes.md";
/// So many differences are told of a story; the gravest come first.
const TOLD: usize = 2;

/// Fixes whose absence nobody notices on their day or today, because others that landed with
/// them cover it; each is shown by a story's variant of its own: fix, story, variant that has it.
const SHOWN_ALONE: &[(Fix, &str, &str)] = &[
    // `keep-referenced-pool` of the same day leaves no pool to be deleted under a live version.
    (Fix::WatchPoolDeletions, "requests/stale-pool-at-max", "after-watch"),
    // Where volumes have always been compared, no pool of the active version ever stops matching.
    (Fix::ReapMismatched, "rollouts/two-of-everything", "after"),
    // Today no pool of the active version is another than the one that the activator knows.
    (Fix::RepointActivator, "requests/pinned-to-wrong-pool", "after"),
    // Today's writers check the revision where it matters to a story.
    (Fix::UncheckedPatch, "requests/waiters-wake-together", "unguarded"),
    // Node health ends the drain of a lost node, unless the node is removed.
    (Fix::DisklessStoppedIsDrained, "rollouts/drain-never-ends", "after"),
    // Whether a delete meets the boot hangs on the seed, and not on that of the story's first variant.
    (Fix::OwnershipOrFail, "mir-788/orphaned-disk", "after-race-owned"),
];

/// A debug build is too slow to run every cell again: it looks at one in so many.
const SAMPLE: usize = if cfg!(debug_assertions) { 12 } else { 1 };

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A story by its name below `scenarios/`.
fn story(name: &str) -> Scenario {
    let file = root().join("scenarios").join(name).with_extension("toml");
    Scenario::from_file(&file, &Overrides::default()).unwrap_or_else(|d| panic!("{}", d.render(false)))
}

/// The names of all stories, sorted.
fn stories() -> Vec<String> {
    let corpus = Corpus::find(&[root().join("scenarios")]).expect("the corpus can be read");
    corpus.stories.into_iter().map(|story| story.name).collect()
}

fn noticed(name: &str, fixes: &[Fix]) -> Vec<Noticed> {
    let story = story(name);
    each_fix(&story, &story.variants[0], fixes, &|| ())
}

fn told(noticed: &Noticed) -> String {
    let first: Vec<&str> = noticed.differences.iter().take(TOLD).map(String::as_str).collect();
    first.join("; ").replace('|', "/")
}

/// One cell: the story that notices most gravely, in words, and how many others do.
fn cell(fix: Fix, base: Base, all: &[(String, Vec<Noticed>)]) -> String {
    let mut found: Vec<(&str, &Noticed)> = all
        .iter()
        .flat_map(|(name, noticed)| noticed.iter().map(move |noticed| (name.as_str(), noticed)))
        .filter(|(_, noticed)| noticed.fix == fix && noticed.base == base)
        .collect();
    let gravity = |noticed: &Noticed| {
        let first = noticed.differences.first().map_or("", String::as_str);
        (!first.starts_with("verdict"), !first.starts_with("breaks"))
    };
    found.sort_by_key(|(name, noticed)| (gravity(noticed), *name));
    match found.as_slice() {
        [] => "–".to_owned(),
        [(name, only)] => format!("`{name}`: {}", told(only)),
        [(name, first), rest @ ..] => format!("`{name}`: {} (and {} more stories)", told(first), rest.len()),
    }
}

/// The page, with the rows of `fixes` made anew; the others are as in `old`.
fn page(all: &[(String, Vec<Noticed>)], fixes: &[Fix], old: &str) -> String {
    let mut page = String::from(
        "# Fixes, and the stories that miss them\n\n\
         What breaks when exactly one fix is missing: from the set of its own day (for a proposed fix: from today's set\n\
         with it), and from today's set (for a proposed fix: from today's with all proposals). The first variant of each\n\
         story gives seed and tuning. Differences are told from *with* to *without*, the gravest first; a change of effort\n\
         alone (writes, reconciles) or of a few milliseconds is none. A dash: no story misses the fix there – another one\n\
         covers it. Made by `UPDATE_DOCS=1 cargo test --release --test fixes`; do not edit. `schedsim compare FILE\n\
         --each-fix` shows a story's whole row.\n\n\
         | fix | day | on its day | today |\n| --- | --- | --- | --- |\n",
    );
    for fix in Fix::ALL {
        if let Some(row) = row(*fix, old).filter(|_| !fixes.contains(fix)) {
            page.push_str(&format!("{row}\n"));
            continue;
        }
        let [its_day, today] = Base::ALL.map(|base| cell(*fix, base, all));
        page.push_str(&format!("| `{fix}` | {} | {its_day} | {today} |\n", fix.info().day));
    }
    page
}

/// The row of a fix.
fn row(fix: Fix, page: &str) -> Option<&str> {
    page.lines().find(|line| line.starts_with(&format!("| `{fix}` |")))
}

/// The story that a cell names, and what it says of it.
fn named(cell: &str) -> Option<(&str, &str)> {
    let (name, told) = cell.strip_prefix('`')?.split_once("`: ")?;
    Some((name, told.split_once(" (and ").map_or(told, |(told, _)| told)))
}

#[test]
fn the_page_says_which_stories_miss_which_fix() {
    let file = root().join(PAGE);
    let mut text = std::fs::read_to_string(&file).expect("the page");
    if let Ok(which) = std::env::var("UPDATE_DOCS") {
        let some: Vec<Fix> = which.split(',').filter_map(Fix::named).collect();
        let fixes = if some.is_empty() { Fix::ALL } else { &some };
        let all: Vec<_> = stories().into_par_iter().map(|name| (name.clone(), noticed(&name, fixes))).collect();
        text = page(&all, fixes, &text);
        std::fs::write(&file, &text).expect("the page can be written");
    }
    let look = |(index, fix): (usize, &Fix)| check(*fix, &text, index % SAMPLE == 0);
    let wrong: Vec<String> = Fix::ALL.par_iter().enumerate().flat_map_iter(look).collect();
    assert!(wrong.is_empty(), "{PAGE}:\n  {}", wrong.join("\n  "));
}

/// What is wrong with the row of a fix; `again` runs the stories that it names.
fn check(fix: Fix, page: &str, again: bool) -> Vec<String> {
    let Some(row) = row(fix, page) else {
        return vec![format!("`{fix}` has no row: make the page again")];
    };
    let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_end_matches(" |")).collect();
    let mut wrong = Vec::new();
    let mut missed = false;
    for (base, cell) in Base::ALL.into_iter().zip(&cells[2..]) {
        let Some((name, says)) = named(cell) else { continue };
        missed = true;
        if !again {
            continue;
        }
        let now = noticed(name, &[fix]).into_iter().find(|noticed| noticed.base == base);
        let now = now.map_or_else(|| "nothing".to_owned(), |noticed| told(&noticed));
        if now != says {
            wrong.push(format!("`{fix}` {}: {name} shows {now}, the page says {says}", base.name()));
        }
    }
    if !missed && !is_shown_alone(fix) {
        wrong.push(format!("no story misses `{fix}`"));
    }
    wrong
}

/// Whether a story's variant notices when the fix is taken out of its own set.
fn is_shown_alone(fix: Fix) -> bool {
    let Some((_, name, variant)) = SHOWN_ALONE.iter().find(|(shown, ..)| *shown == fix) else { return false };
    let story = story(name);
    let named = |v: &&schedsim::scenario::Variant| v.name == *variant;
    let with = story.variants.iter().find(named).unwrap_or_else(|| panic!("{name} has no variant {variant}"));
    assert!(with.policy.fixes.has(fix), "{name}@{variant} does not have {fix}");
    let mut without = with.clone();
    without.policy.fixes = with.policy.fixes.without(fix);
    Signature::of(&story, with).is_noticeably_other(&Signature::of(&story, &without))
}
