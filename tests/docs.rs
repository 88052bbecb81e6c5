//! The documents: what they show is what the program prints, every page is in the book, every link leads somewhere.
//!
//! Update: `UPDATE_DOCS=1 cargo test --test docs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use schedsim::model::Invariant;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Holds a page to a text, or writes it.
fn hold(page: &str, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join(page), text).expect("the page can be written");
    }
    let there = fs::read_to_string(root().join(page)).unwrap_or_default();
    for (line, (found, made)) in there.lines().zip(text.lines()).enumerate() {
        assert_eq!(found, made, "{page}:{}: UPDATE_DOCS=1 cargo test --test docs makes it anew", line + 1);
    }
    assert_eq!(there.lines().count(), text.lines().count(), "{page}: UPDATE_DOCS=1 cargo test --test docs");
}

/// The pages of docs/, and those beside it.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("docs/").map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|page| root().join(page)));
    pages.sort();
    pages
}

/// A page with what its commands print, run one after another in a folder of their own.
fn with_results(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_schedsim")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let (mut made, mut printed, mut lines) = (String::new(), None::<String>, text.lines());
    while let Some(line) = lines.next() {
        made += &format!("{line}\n");
        match line {
            "```console" => {
                let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                block.iter().for_each(|line| made += &format!("{line}\n"));
                made += "```\n";
                let mut out = String::new();
                for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    let words = format!("{command} 2>&1");
                    let mut run = Command::new("sh");
                    run.args(["-c", &words]).current_dir(folder.path()).env("PATH", &path);
                    let run = run.env_remove("COLUMNS").env_remove("CI").env_remove("GITHUB_ACTIONS").output();
                    out += &String::from_utf8(run.expect("a shell").stdout).expect("UTF-8");
                }
                printed = Some(out);
            }
            "```text" => {
                let kept: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                match printed.take() {
                    Some(out) => made += &format!("{}\n", out.trim_end()),
                    None => kept.iter().for_each(|line| made += &format!("{line}\n")),
                }
                made += "```\n";
            }
            // A block belongs to the commands right above it.
            _ if !line.is_empty() => printed = None,
            _ => {}
        }
    }
    made
}

#[test]
fn the_tutorial_shows_what_the_program_prints() {
    let page = "docs/tutorial.md";
    hold(page, &with_results(&read(page)));
}

#[test]
fn every_page_is_in_the_book() {
    let summary = read("docs/SUMMARY.md");
    for page in pages().iter().filter(|page| page.starts_with(root().join("docs"))) {
        let name = page.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "docs/SUMMARY.md has no {name}");
    }
}

/// The heading's anchor, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = read(&page);
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().expect("a part");
            if target.contains("://") || target.contains(char::is_whitespace) || target.is_empty() {
                continue;
            }
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let there = if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            assert!(there.exists(), "{}: no {target}", page.display());
            if !place.is_empty() && there.extension().is_some_and(|ending| ending == "md") {
                let text = read(&there);
                let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                let found = headings.any(|heading| anchor(heading.trim_start_matches('#')) == place);
                assert!(found, "{}: no heading of {target}", page.display());
            }
        }
    }
}

/// The stories that expect an invariant to break: by its name.
fn broken_by() -> BTreeMap<String, BTreeSet<String>> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, BTreeSet<String>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                let Ok(file) = read(&path).parse::<toml::Table>() else { continue };
                let variants = file.get("variant").and_then(toml::Value::as_array).into_iter().flatten();
                let tables = variants.filter_map(|variant| variant.get("expect")).chain(file.get("expect"));
                let lists = tables.filter_map(|expect| expect.get("violations")?.as_array());
                let short = path.strip_prefix(root().join("scenarios")).expect("below").with_extension("");
                for name in lists.flatten().filter_map(toml::Value::as_str) {
                    found.entry(name.to_owned()).or_default().insert(short.display().to_string().replace('\\', "/"));
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&root().join("scenarios"), &mut found);
    found
}

#[test]
fn the_invariants_have_a_page() {
    let scenario = read("docs/scenario.md");
    let by = broken_by();
    let mut text = String::from(
        "# Invariants\n\n\
        <!-- Made from src/model/invariant.rs and the corpus; update: UPDATE_DOCS=1 cargo test --test docs -->\n\n\
        What must hold in every run, whatever a story expects: the simulator looks at the truth – the store, the containers, the\n\
        volumes, the addresses – and says when something is so that never may be. A story that shows a bug lists what breaks\n\
        under `violations`; `schedsim explain FILE --violation NAME` says why it broke.\n\n\
        Some forgive for a while, for a controller needs time to put right what another one did: the *grace*, a key of\n\
        `tuning.grace` ([scenario files](scenario.md#tuninggrace)).\n",
    );
    for invariant in Invariant::ALL {
        let name = invariant.name();
        let _ = write!(text, "\n## `{name}`\n\n{}\n\n", invariant.meaning());
        let grace = scenario.lines().find(|line| line.starts_with(&format!("| `{name}` | duration")));
        let grace = grace.and_then(|line| line.split('|').nth(3)).map(str::trim);
        let _ = writeln!(
            text,
            "Grace: {}.",
            grace.map_or("none".to_owned(), |grace| grace.trim_matches('`').replace('"', ""))
        );
        let stories = by.get(name).map(|stories| stories.iter().map(|story| format!("`{story}`")).collect::<Vec<_>>());
        let _ = match stories {
            Some(stories) if stories.len() > 6 => {
                writeln!(text, "Broken in {} stories, as in {}.", stories.len(), stories[..6].join(", "))
            }
            Some(stories) => writeln!(text, "Broken in {}.", stories.join(", ")),
            None => writeln!(text, "No story of the corpus breaks it."),
        };
    }
    hold("docs/invariants.md", &text);
}

#[test]
fn every_dependency_has_its_reason() {
    let page = read("docs/dependencies.md");
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let unix = manifest["target"].as_table().into_iter().flat_map(|targets| targets.values());
    let tables = ["dependencies", "dev-dependencies"].map(|name| &manifest[name]).into_iter();
    let tables: Vec<_> = tables.chain(unix.map(|target| &target["dependencies"])).collect();
    let names: BTreeSet<&str> =
        tables.iter().filter_map(|t| t.as_table()).flat_map(|t| t.keys().map(String::as_str)).collect();
    let ours = page.split("## Looked at").next().expect("a part");
    let told: BTreeSet<&str> = ours.split('`').skip(1).step_by(2).filter(|word| !word.contains(['.', '/'])).collect();
    let missing: Vec<_> = names.difference(&told).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no word about {missing:?}");
}
