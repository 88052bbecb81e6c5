//! Circles: files that use each other are at most two, and of one room.
//!
//! Arrows are the `use` lines of whole files; that a file uses what stands around it in its own folder's
//! `mod.rs` is no arrow, for that is its face.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::source::{File, files};

/// The path of a file's module.
fn module(file: &File) -> Vec<String> {
    let path = file.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The modules that a file uses, of those that are files, but for those that it lies in.
fn used(file: &File, modules: &BTreeSet<Vec<String>>) -> BTreeSet<Vec<String>> {
    let pattern = Regex::new(r"\buse (crate|super)((?:::\w+)*)(?:::\{([^;]*)\})?\s*;").expect("a pattern");
    let (own, name) = (module(file), Regex::new(r"\w+(?:::\w+)*").expect("a pattern"));
    let code: Vec<String> =
        file.lines().into_iter().filter(|line| !line.in_tests).map(|line| line.code.trim().to_owned()).collect();
    let code = code.join(" ");
    let mut found = BTreeSet::new();
    for at in pattern.captures_iter(&code) {
        let mut base = if &at[1] == "super" { own[..own.len() - 1].to_vec() } else { Vec::new() };
        base.extend(at[2].split("::").filter(|part| !part.is_empty()).map(str::to_owned));
        let items: Vec<&str> =
            at.get(3).map_or(vec![""], |list| name.find_iter(list.as_str()).map(|m| m.as_str()).collect());
        for item in items {
            let parts = item.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
            let path: Vec<String> = base.iter().cloned().chain(parts).collect();
            let target = (1..=path.len()).rev().map(|length| &path[..length]).find(|path| modules.contains(*path));
            found.extend(target.filter(|target| !own.starts_with(target)).map(<[String]>::to_vec));
        }
    }
    found
}

/// All that is reached from a module, itself only on the way round.
fn reached<'a>(
    from: &'a [String],
    arrows: &'a BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
) -> BTreeSet<&'a Vec<String>> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        for target in arrows.get(at).into_iter().flatten() {
            if seen.insert(target) {
                next.push(target);
            }
        }
    }
    seen
}

#[test]
fn no_more_than_two_files_of_one_room_use_each_other() {
    let sources: Vec<File> = files("src").into_iter().filter(|file| !file.is_tests()).collect();
    let modules: BTreeSet<Vec<String>> = sources.iter().map(module).collect();
    let arrows: BTreeMap<_, _> = sources.iter().map(|file| (module(file), used(file, &modules))).collect();
    assert!(arrows.values().map(BTreeSet::len).sum::<usize>() > 500, "the arrows are found");
    let mut found = BTreeSet::new();
    for module in &modules {
        let circle: BTreeSet<&Vec<String>> =
            reached(module, &arrows).into_iter().filter(|other| reached(other, &arrows).contains(module)).collect();
        if circle.len() > 2 || circle.iter().any(|other| other[0] != module[0]) {
            found.insert(circle.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(", "));
        }
    }
    super::report("circles of files", &found.into_iter().collect::<Vec<_>>());
}
