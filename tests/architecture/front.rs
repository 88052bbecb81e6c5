//! The front of the library: what its rooms make public, and that somebody outside uses it.
//!
//! The compiler sees what is dead among all that is for the crate alone; what is public it must
//! believe alive. So a room's `mod.rs` makes public what the program, tests or benches name, and
//! no more. What a newcomer gets wrong: who needs a thing in another room writes `pub(crate) use`.

use super::holds;
use super::source::files;

/// The names that a file makes public, from its `pub mod` and `pub use`.
fn public(text: &str) -> Vec<&str> {
    let begins = ["\npub mod ", "\npub use "];
    let items = text.split(';');
    let fronts = items.filter_map(|item| begins.iter().find_map(|begin| item.split_once(begin)).map(|(_, path)| path));
    let names = fronts.flat_map(|path| match path.split_once('{') {
        Some((_, list)) => list.trim_end_matches('}').split(',').map(str::trim).collect(),
        None => vec![path.rsplit("::").next().unwrap_or(path)],
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn what_is_public_is_used_outside_the_library() {
    let rooms = files("src").into_iter().find(|file| file.path == "src/lib.rs").expect("the list of rooms");
    let open: Vec<String> = public(&rooms.text).iter().map(|room| format!("src/{room}/mod.rs")).collect();
    let users: Vec<String> =
        ["tests", "benches"].iter().flat_map(|folder| files(folder)).map(|file| file.text).collect();
    let main = files("src").into_iter().find(|file| file.path == "src/main.rs").expect("the program").text;
    let mut found = Vec::new();
    for file in files("src").iter().filter(|file| file.path == "src/lib.rs" || open.contains(&file.path)) {
        let unused = |name: &&str| !users.iter().chain([&main]).any(|text| holds(text, name));
        found.extend(public(&file.text).into_iter().filter(unused).map(|name| format!("{}: {name}", file.path)));
    }
    super::report("public names that neither the program nor a test nor a bench uses; write `pub(crate)`", &found);
}

#[test]
fn public_names_are_read_from_lists_and_single_lines() {
    let text = "//! A room.\n\npub mod a;\nmod b;\n#[cfg(test)]\nmod tests;\n\npub use b::{\n    C, D,\n};\npub(crate) use b::E;\npub use f::G;\n\n/// H.\npub struct H;\n";
    assert_eq!(public(text), ["a", "C", "D", "G"]);
}
