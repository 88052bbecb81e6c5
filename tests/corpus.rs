//! Every scenario under every variant, each a test with its name: `cargo test lease-carousel`.
//!
//! The snapshots are asserted with insta, so that `cargo insta review` shows what moved;
//! `schedsim test scenarios --accept` writes the very same files, and the fingerprints. What a
//! newcomer gets wrong: a text that is the same does not mean that the run is – the fingerprint
//! tells, and a change that claims to touch one story must move no other line.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use schedsim::replay::{Replay, difference};
use schedsim::report::corpus::{Corpus, Owner, Story};
use schedsim::report::fingerprints::Fingerprints;
use schedsim::scenario::{Overrides, Scenario, Variant};
use schedsim::trace::What;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let trials = if folder.is_dir() {
        trials(&folder)
    } else {
        vec![Trial::test("the_corpus_is_not_empty", || Ok(())).with_ignored_flag(true)]
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(folder: &Path) -> Vec<Trial> {
    let corpus = Arc::new(Corpus::find(&[folder]).expect("scenarios/ can be read"));
    let stories: Vec<_> = corpus.stories.iter().map(|story| (story.clone(), load(story))).collect();
    let prints = stories.first().map(|(story, _)| Fingerprints::read(&story.folder.snapshots));
    let prints = Arc::new(prints.unwrap_or_else(|| Ok(Fingerprints::default())));
    let mut titles = BTreeMap::new();
    let mut trials = Vec::new();
    for (story, scenario) in stories {
        let story = Arc::new(story);
        match scenario {
            Err(text) => trials.push(Trial::test(story.name.clone(), move || Err(Failed::from(text)))),
            Ok(scenario) => {
                let scenario = Arc::new(scenario);
                let variants = scenario.variants.iter().map(|variant| story.title(&variant.name)).collect();
                titles.insert(story.name.clone(), variants);
                for index in 0..scenario.variants.len() {
                    let title = story.title(&scenario.variants[index].name);
                    let (story, scenario, prints) = (story.clone(), scenario.clone(), prints.clone());
                    trials.push(Trial::test(title, move || check(&story, &scenario, index, &prints)));
                }
            }
        }
    }
    let known = !trials.is_empty();
    trials.push(Trial::test("the_corpus_is_not_empty", move || if known { Ok(()) } else { Err("it is".into()) }));
    trials
        .push(Trial::test("nothing_is_left_of_scenarios_that_are_gone", move || leftovers(&corpus, &titles, &prints)));
    trials
}

fn load(story: &Story) -> Result<Scenario, String> {
    Scenario::from_file(&story.file, &Overrides::default()).map_err(|diagnostics| diagnostics.render(false))
}

fn check(
    story: &Story,
    scenario: &Scenario,
    index: usize,
    prints: &Result<Fingerprints, String>,
) -> Result<(), Failed> {
    let variant = &scenario.variants[index];
    let first = Replay::of(scenario, variant, None);
    let mut wrong = first.failures();
    if variant.expect.is_none() {
        wrong.push("there is no [expect]".to_owned());
    }
    if let Some(difference) = difference(&first, &Replay::of(scenario, variant, None)) {
        wrong.push(format!("the same run gave two results\n{difference}"));
    }
    if first.outcome.trace.records().iter().any(|record| matches!(record.what, What::Drawn { .. })) {
        let other = Variant { seed: variant.seed.wrapping_add(1), ..variant.clone() };
        if Replay::of(scenario, &other, None).digest() == first.digest() {
            wrong.push("draws are made, and another seed gives the same trace".to_owned());
        }
    }
    let title = story.title(&variant.name);
    match prints {
        Err(text) => wrong.push(text.clone()),
        Ok(prints) => match prints.lines.get(&title) {
            Some(line) if *line == first.fingerprint() => {}
            old => {
                let old = old.map_or_else(|| "no line".to_owned(), ToString::to_string);
                let new = first.fingerprint();
                wrong.push(format!("fingerprints.snap has\n  {old}\nand the run is\n  {new}"));
            }
        },
    }
    let golden = first.golden();
    if let Err(text) = catch_unwind(AssertUnwindSafe(|| assert_golden(story, variant, &golden))) {
        let text = text.downcast_ref::<String>().cloned().unwrap_or_else(|| "the snapshot differs".to_owned());
        wrong.push(text);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let file = story.file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&story.file).display();
    Err(Failed::from(format!(
        "{}\nreproduce: cargo run -- test {file}\naccept: the same with --accept",
        wrong.join("\n")
    )))
}

/// `snapshots/mir-788/x@before.snap`, named by us: insta's own names depend on all that match.
fn assert_golden(story: &Story, variant: &Variant, golden: &str) {
    let path = story.snapshot(&variant.name);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().expect("a file lies in a folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.remove_snapshot_suffix();
    let name = path.file_stem().expect("a snapshot has a name").to_string_lossy().into_owned();
    settings.bind(|| insta::assert_snapshot!(name, golden));
}

fn leftovers(
    corpus: &Corpus,
    titles: &BTreeMap<String, Vec<String>>,
    prints: &Result<Fingerprints, String>,
) -> Result<(), Failed> {
    let folder = &corpus.stories.first().ok_or("there are no scenarios")?.folder;
    let run = titles.iter().map(|(name, titles)| (name.as_str(), titles.clone())).collect();
    let mut left: Vec<_> = corpus.orphans(folder, &run)?.iter().map(|path| path.display().to_string()).collect();
    let lines = prints.as_ref().map(|prints| prints.lines.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let gone = lines.into_iter().filter(|title| corpus.owner(folder, title, &run) == Owner::Gone);
    left.extend(gone.map(|title| format!("the line of {title} in fingerprints.snap")));
    if left.is_empty() { Ok(()) } else { Err(Failed::from(format!("no scenario for\n{}", left.join("\n")))) }
}
