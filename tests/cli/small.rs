//! `check`, `fixes`, `completions`, `man`, and colour.

use super::{BROKEN, FINE, SILENT, TWO, folder, schedsim};

#[test]
fn check_says_what_is_in_a_file_and_runs_nothing() {
    let folder = folder(&[("a.toml", FINE), ("b.toml", TWO), ("c.toml", SILENT)]);
    let done = folder.schedsim(&["check", "a.toml", "b.toml", "c.toml"]).code(0).no_err();
    let lines: Vec<_> = done.out.lines().collect();
    assert_eq!(
        lines,
        ["a.toml: ok (1 variant, 1 step)", "b.toml: ok (2 variants, 2 steps)", "c.toml: ok (1 variant, 1 step)"]
    );
    assert_eq!(folder.files().len(), 3);
}

#[test]
fn check_tells_what_is_probably_a_mistake() {
    let folder = folder(&[("a.toml", "schema = 1\nhorizon = \"1m\"\n")]);
    folder.schedsim(&["check", "a.toml"]).code(0).out("1 warning)").err("warning: a.toml: no step");
}

#[test]
fn check_goes_on_after_a_broken_file() {
    let folder = folder(&[("a.toml", BROKEN), ("b.toml", FINE)]);
    folder
        .schedsim(&["check", "a.toml", "none.toml", "b.toml"])
        .code(2)
        .out("b.toml: ok")
        .err("a.toml")
        .err("none.toml");
    folder.schedsim(&["check", "-q", "b.toml"]).code(0).no_out().no_err();
    folder.schedsim(&["check"]).code(2).err("<FILE>");
}

#[test]
fn a_sweep_file_is_told_from_a_scenario_and_checked_as_what_it_is() {
    let sweep = "schema = 1\nscenarios = [\"a.toml\"]\nseeds = \"0..3\"\n\
        [[parameter]]\npath = \"tuning.backoff.base\"\nvalues = [\"2s\", \"5s\"]\n";
    let folder = folder(&[("a.toml", FINE), ("sweep.toml", sweep), ("bad.toml", &sweep.replace("base", "bose"))]);
    let ok = "sweep.toml: ok (this is a sweep file: 3 settings x 1 scenarios and variants x 3 seeds, 9 runs; ";
    folder.schedsim(&["check", "sweep.toml", "a.toml"]).code(0).no_err().out(ok).out("a.toml: ok (1 variant");
    let piped = folder.command(&["check", "-"]).stdin(sweep);
    super::done(piped).code(0).out("-: ok (this is a sweep file");
    folder.schedsim(&["check", "bad.toml"]).code(2).no_out().err("--> bad.toml:5:24").err("did you mean `base`?");
    for command in ["run", "explain", "test"] {
        let done = folder.schedsim(&[command, "sweep.toml"]);
        assert!(done.code == Some(2) || done.code == Some(1), "{command}: {}", done.err);
        let said = done.out + &done.err;
        assert!(said.contains("`sweep.toml` is a sweep file, not a scenario"), "{command}: {said}");
        assert!(said.contains("`schedsim sweep sweep.toml --out DIR` runs it"), "{command}: {said}");
    }
}

#[test]
fn check_reads_standard_input_once() {
    let folder = folder(&[]);
    super::done(folder.command(&["check", "-"]).stdin(FINE)).code(0).out("-: ok");
    super::done(folder.command(&["check", "-", "-"]).stdin(FINE)).code(2).err("once");
}

#[test]
fn fixes_come_as_a_table_and_as_json() {
    let folder = folder(&[]);
    let table = folder.schedsim(&["fixes"]).code(0).no_err().out;
    let json: serde_json::Value =
        serde_json::from_str(&folder.schedsim(&["fixes", "--format", "json"]).code(0).out).unwrap();
    assert_eq!(json["schema"], 1);
    let fixes = json["fixes"].as_array().unwrap();
    assert_eq!(table.lines().count(), fixes.len() + 1);
    for (line, fix) in table.lines().skip(1).zip(fixes) {
        assert!(line.starts_with(fix["name"].as_str().unwrap()), "{line}");
        assert!(line.ends_with(fix["what"].as_str().unwrap()), "{line}");
        assert!(line.contains(fix["day"].as_str().unwrap_or("proposed")), "{line}");
    }
    folder.schedsim(&["fixes", "--format", "xml"]).code(2).err("xml");
}

#[test]
fn completions_and_manual_pages_are_made() {
    let folder = folder(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = folder.schedsim(&["completions", shell]).code(0).out("schedsim").no_err();
        // The scripts for the other two complete no values at all.
        if ["bash", "zsh", "fish"].contains(&shell) {
            done.out("skip-own-writes").out("no-leaked-address").out("2026-03-12");
        }
    }
    folder.schedsim(&["completions", "cmd.exe"]).code(2).err("cmd.exe");
    folder.schedsim(&["man"]).code(0).out(".TH schedsim 1").no_err();
    let version = concat!("schedsim-run ", env!("CARGO_PKG_VERSION"));
    folder.schedsim(&["man", "run"]).code(0).out(".TH schedsim-run 1").out("twice").out(version);
    folder.schedsim(&["man", "dance"]).code(2).err("no command `dance`").err("run, explain, view, test");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let folder = folder(&[("a.toml", FINE)]);
    let escapes = |words: &[&str]| folder.schedsim(words).code(0).out.contains('\x1b');
    assert!(!escapes(&["check", "a.toml"]), "a pipe is no terminal");
    assert!(escapes(&["--color", "always", "check", "a.toml"]));
    assert!(escapes(&["check", "a.toml", "--color=always"]), "the option is known everywhere");
    assert!(!escapes(&["--color", "never", "check", "a.toml"]));
    let done = super::done(schedsim().current_dir(folder.path()).args(["check", "a.toml"]).env("NO_COLOR", "1"));
    assert!(!done.out.contains('\x1b'));
    folder.schedsim(&["--color", "pink", "fixes"]).code(2).err("pink");
    for (words, colour) in [
        (&["--color", "always", "run"][..], true),
        (&["run", "--color=always"], true),
        (&["dance", "--color", "never"], false),
        (&["--color=always", "run", "--color=never"], false),
    ] {
        assert_eq!(folder.schedsim(words).code(2).err.contains('\x1b'), colour, "{words:?}");
    }
}

#[test]
fn a_misspelt_variant_is_guessed_wherever_one_is_named() {
    let folder = folder(&[("two.toml", TWO)]);
    for (words, code) in [
        (["run", "two.toml", "--variant", "befor"], 4),
        (["explain", "two.toml", "--variant", "befor"], 4),
        (["bisect", "two.toml", "--expect", "befor"], 4),
        (["compare", "two.toml", "--a", "variant=befor"], 2),
    ] {
        folder.schedsim(&words).code(code).err("did you mean `before`?");
    }
}

/// Two deploys: the second has two mistakes, and a field that older logic ignores.
const CONFIGS: &str = r#"schema = 1
horizon = "5:00"
[[step]]
at = "0:01"
do.deploy = { app = "a", config = """
[services.web]
command = "serve"
""" }
[[step]]
name = "second"
at = "0:02.500"
do.deploy = { app = "a", config = """
[services.web.concurrency]
scale_down_delay = "15"
[[services.web.disks]]
name = "d"
""" }
[[step]]
name = "third"
at = "3m"
do.deploy = { app = "a", config = """
[services.web]
comand = "serve"
""" }
[[variant]]
name = "old"
policy.as_of = "2025-11-14"
[[variant]]
name = "new"
"#;

#[test]
fn a_check_reads_the_app_configs_of_all_deploys_under_all_variants() {
    let folder = folder(&[("a.toml", CONFIGS)]);
    let done = folder.schedsim(&["check", "a.toml"]).code(0).out("ok (2 variants, 3 steps)");
    for line in [
        "a.toml: the config of step `second` is refused\n  config:2:20: `scale_down_delay`",
        "write \"15s\"\n  config:3:1: a disk of service `web` has no `mount_path`",
        "a.toml: the config of step `third` has fields that are ignored under `old`\n  line 2: `services.web.comand`",
        "a.toml: the config of step `third` is refused under `new`\n  config:2:1: unknown field `comand`",
    ] {
        assert!(done.err.contains(line), "no {line:?} in\n{}", done.err);
    }
    // Who expects it is not warned of it.
    let expects = format!("{CONFIGS}[expect]\nrejected = [\"second\", \"third\"]\n");
    folder.write("b.toml", &expects);
    let done = folder.schedsim(&["check", "b.toml"]).code(0);
    assert!(done.err.contains("ignored under `old`") && !done.err.contains("refused"), "{}", done.err);
}

#[test]
fn a_refused_deploy_tells_all_its_problems_in_text_and_json() {
    let folder = folder(&[("a.toml", CONFIGS)]);
    let words = ["run", "a.toml", "--variant", "new", "--until", "4:30.000"];
    let (first, second) = ("`scale_down_delay` of the concurrency", "has no `mount_path`");
    let text = folder.schedsim(&words).code(0);
    // As much as is told of it, on however many lines.
    let told: Vec<&str> = text.out.split_whitespace().skip_while(|word| *word != "refused").collect();
    let refused = told.join(" ");
    assert!(refused.contains(first) && refused.contains(second), "{refused}");
    let json = folder.schedsim(&[&words[..], &["--format", "json"]].concat()).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let told = json["rejected"].to_string();
    assert!(told.contains(first) && told.contains(second), "{told}");
}

#[test]
fn the_lines_of_a_trace_have_the_digest_of_its_run() {
    let folder = folder(&[("a.toml", CONFIGS)]);
    let words = ["run", "a.toml", "--variant", "new", "--trace", "x.jsonl", "--format", "json"];
    let json: serde_json::Value = serde_json::from_str(&folder.schedsim(&words).code(0).out).expect("JSON");
    let digest = json["trace_digest"].as_str().expect("a digest").to_owned();
    folder.schedsim(&["digest", "x.jsonl"]).code(0).out(&format!("{digest}  x.jsonl\n"));
    // Other spaces are the same trace, another value is not.
    folder.write("spaced.jsonl", &folder.read("x.jsonl").replace(",\"by\":", ", \"by\" : "));
    folder.schedsim(&["digest", "spaced.jsonl"]).code(0).out(&digest);
    folder.write("other.jsonl", &folder.read("x.jsonl").replacen("\"t\":0", "\"t\":1", 1));
    assert!(!folder.schedsim(&["digest", "other.jsonl"]).code(0).out.contains(&digest));
    folder.schedsim(&["digest", "a.toml"]).code(2).no_out().err("`a.toml` is no trace of JSON lines: line 1");
    folder.schedsim(&["digest", "none.jsonl"]).code(2).no_out().err("`none.jsonl` is no trace");
}

#[test]
fn every_time_that_is_printed_can_be_asked_for() {
    let folder = folder(&[("a.toml", CONFIGS)]);
    let out = folder.schedsim(&["run", "a.toml", "--variant", "new"]).code(0).out;
    let times = out.lines().filter_map(|line| line.split_whitespace().next()).filter(|word| word.contains(':'));
    let times: std::collections::BTreeSet<&str> =
        times.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert!(times.len() > 3, "{out}");
    for time in times.iter().filter(|time| !time.starts_with("0:00.000")) {
        folder.schedsim(&["run", "a.toml", "--variant", "new", "--until", time]).code(0);
        folder.schedsim(&["explain", "a.toml", "--variant", "new", "--subject", "node/n1", "--at", time]).code(0);
    }
    folder.schedsim(&["run", "a.toml", "--until", "1:60"]).code(2).err("no clock shows this");
}

#[test]
fn the_help_for_a_missing_key_hangs_under_no_other_error() {
    let folder =
        folder(&[("a.toml", "schema = 1\nhorizom = \"1m\"\nsede = 5\n"), ("b.toml", "schema = 1\nseed = 5\n")]);
    let done = folder.schedsim(&["check", "a.toml"]).code(2).err("did you mean `horizon`?");
    assert!(!done.err.contains("must end"), "{}", done.err);
    folder.schedsim(&["check", "b.toml"]).code(2).err("simulated time must end");
}
