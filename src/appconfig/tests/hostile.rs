//! Files that nobody means: huge, deep, crowded, random. They must end in an answer of bounded size, and never in a
//! panic.

use proptest::prelude::*;

use super::*;

#[test]
fn what_an_error_shows_is_bounded_and_on_one_line_for_each_problem() {
    let long = "x".repeat(100_000);
    for text in [
        format!("{long} = 1"),
        format!("[services.{long}]\nzzz = 1"),
        format!("[services.w.concurrency]\nmode = '''\n{long}'''"),
        format!("[services.w.concurrency]\nscale_down_delay = '1s{long}'"),
        format!("concurrency = 1{}", "0".repeat(100_000)),
        "[services.w.concurrency]\nscale_down_delay = \"1 a\\nb\"".to_owned(),
        "services.\"a\\nb\".\"c\\nd\" = 1".to_owned(),
    ] {
        let error = strict(&text).unwrap_err();
        assert!(error.len() < 400 && error.lines().count() == 1, "{}: {error}", error.len());
    }
}

#[test]
fn deep_and_crowded_files_end_in_an_answer() {
    let deep = |open: &str, n| open.repeat(n);
    for text in [
        format!("include = {}", deep("[", 500_000)),
        format!("a = {}", deep("{a=", 300_000)),
        format!("[{}a]", deep("a.", 400_000)),
        format!("{}a = 1", deep("a.", 400_000)),
        format!("services.w.env = [{}]", deep("{},", 20_000)),
        (0..20_000).map(|n| format!("k{n} = 1\n")).collect(),
        format!("services = {{ {} }}", (0..20_000).map(|n| format!("k{n}=1,")).collect::<String>()),
        deep("= \n", 20_000),
        deep("\"", 1_000_000),
    ] {
        let error = strict(&text).unwrap_err();
        assert!(error.lines().count() <= 101, "{}", error.lines().count());
        assert!(error.len() < 60_000, "{}", error.len());
    }
}

#[test]
fn a_text_that_was_made_without_a_loader_is_bounded_as_well() {
    let text = "#".repeat(CONFIG_BYTES_MAX + 1).into();
    let source = ConfigSource { loader: Loader::Bytes, text, origin: "config".into() };
    assert_eq!(
        load(&source, &Grammar::latest(Strictness::Lenient)).unwrap_err().one_line(),
        "config:1:1: a config can have 1048576 bytes at most; is this the right file?"
    );
}

/// Loads bytes in both modes and resolves what passes; lenient must accept whatever strict does.
fn survives(bytes: &[u8]) {
    let Ok(source) = ConfigSource::from_bytes(bytes, "config") else { return };
    let lenient = load(&source, &Grammar::latest(Strictness::Lenient));
    match load(&source, &Grammar::latest(Strictness::Strict)) {
        Ok(loaded) => {
            assert_eq!(loaded.ignored, []);
            assert_eq!(Ok(&loaded), lenient.as_ref());
            assert!(!loaded.app.resolve(Name::new("built"), &Code::default()).is_empty());
        }
        Err(error) => {
            assert!(!error.one_line().contains('\n'));
            assert!(error.problems().is_sorted_by_key(|problem| problem.place));
            if let Ok(lenient) = lenient {
                assert_eq!(lenient.ignored.len(), error.problems().len(), "only unknown fields divide the modes");
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn arbitrary_pieces_of_configs_never_panic(
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "\n", " = ", ".", "[", "]", "[[", "]]", "{", "}", ",", "'", "\"", "'''", "#", "\u{feff}", "é",
                    "services", "web", "env", "disks", "concurrency", "mode", "size", "name", "key", "1", "-1", "1e9",
                    "0x", "true", "'auto'", "'5m'", "2026-03-12",
                ]),
                proptest::sample::select(vec![
                    "\n[services.web]\n", "\n[services.web.concurrency]\n", "\n[[services.web.disks]]\n",
                    "\n[[env]]\n", "name = 'x'\n", "mode = 'fixed'\n", "size_gb = 3\n", "port = 80\n", "key = 'A'\n",
                    "mount_path = '/'\n", "sise = 3\n", "num_instances = 2\n",
                ]),
            ],
            0..40,
        )
    ) {
        survives(pieces.concat().as_bytes());
    }

    #[test]
    fn a_changed_byte_of_a_whole_config_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = FULL.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        survives(&bytes);
    }
}
