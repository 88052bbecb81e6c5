//! `schedsim run`.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use snapbox::str;

use super::{BROKEN, FAILS, FINE, SILENT, TWO, done, folder};

#[test]
fn the_status_says_whether_expectations_hold() {
    let folder = folder(&[("fine.toml", FINE), ("fails.toml", FAILS), ("silent.toml", SILENT)]);
    folder.schedsim(&["run", "fine.toml"]).code(0).out("fine @ main").out("all as expected").no_err();
    folder.schedsim(&["run", "silent.toml"]).code(0).out("there is no [expect]").no_err();
    folder.schedsim(&["run", "fails.toml"]).code(1).out("FAILED").no_err();
    folder.schedsim(&["run", "fine.toml", "fails.toml", "silent.toml"]).code(1).out("silent @ main");
    assert_eq!(folder.files().len(), 3, "a run writes nothing");
}

#[test]
fn where_several_apps_were_down_each_is_told() {
    let app = |name, exits| {
        format!(
            "[workload.{name}.web]\nexit_after = \"{exits}\"\n[[step]]\nname = \"{name}\"\nat = \"0s\"\n[step.do.deploy]\n\
             app = \"{name}\"\nconfig = '''\n[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 1\n'''\n"
        )
    };
    let head = "schema = 1\nhorizon = \"30m\"\n";
    let (one, two) = (format!("{head}{}", app("a", "4m")), format!("{head}{}{}", app("a", "10m"), app("b", "4m")));
    let folder = folder(&[("one.toml", &one), ("two.toml", &two)]);
    let text = folder.schedsim(&["run", "two.toml"]).code(0).out;
    let table = text.split("\ndown\n").nth(1).expect("a table");
    let apps: Vec<&str> = table.lines().take(2).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(apps, ["app/b", "app/a"], "the longest first: {text}");
    assert!(!folder.schedsim(&["run", "one.toml"]).code(0).out.contains("\ndown\n"), "its figure tells the same");
}

/// A container that can never be made, and nothing that is expected.
const NEVER: &str = r#"
schema = 1
horizon = "4h"
policy = { as_of = "2026-03-11" }
fault = [{ name = "no-containers", on = "sandbox.create_container", effect.error = "full" }]
[[step]]
name = "deploy"
at = "0s"
do.deploy = { app = "pds", config = '''
[services.database.concurrency]
mode = "fixed"
num_instances = 1
''' }
"#;

#[test]
fn a_run_of_which_nothing_is_expected_fails_where_an_invariant_breaks() {
    let folder = folder(&[("never.toml", NEVER)]);
    let words = ["run", "-q", "never.toml", "--report", "never.html"];
    let text = folder.schedsim(&words).code(1).out("BROKEN  failures-back-off").out("reproduce:").out;
    assert!(!text.contains("FAILED") && folder.read("never.html").contains("failures-back-off is broken: "), "{text}");
    let json = folder.schedsim(&["run", "never.toml", "--format", "json"]).code(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["expect"]["passed"], &json["sound"]), (&false.into(), &false.into()));
    // Before its horizon a run is shown and not judged.
    folder.schedsim(&["run", "-q", "never.toml", "--until", "3h"]).code(0).out("BROKEN  failures-back-off");
}

#[test]
fn a_livelock_that_a_fault_keeps_up_is_said_to_last_as_long_as_the_fault() {
    let folder = folder(&[("never.toml", NEVER)]);
    folder
        .schedsim(&["run", "-q", "never.toml"])
        .code(1)
        .out("while fault `no-containers` lasts: nothing else lies ahead");
    let json = folder.schedsim(&["run", "never.toml", "--format", "json"]).code(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["livelock"]["while_faults"], serde_json::json!(["no-containers"]));
}

#[test]
fn the_text_tells_the_story_then_what_came_of_it() {
    let folder = folder(&[("fails.toml", FAILS)]);
    folder.command(&["run", "fails.toml"]).assert().code(1).stderr_eq("").stdout_eq(str![[r#"
fails @ main                                               seed 0 | ran 1:00

...
   0:01.000     operator    step/step 1                begins               note: So what?
...
outcome
...
  trace               [..] events
...
checks
  FAILED  verdict                        [..], expected livelock
  reproduce: schedsim run fails.toml --variant main --seed 0


"#]]);
}

#[test]
fn a_failure_ends_with_the_line_that_reproduces_it() {
    let folder = folder(&[("fails.toml", FAILS)]);
    let words = ["run", "fails.toml", "--seed", "7", "--without", "exit-watch"];
    let first = folder.schedsim(&words).code(1);
    let line = first.reproduce();
    assert_eq!(line.join(" "), "run fails.toml --variant main --seed 7 --without exit-watch");
    let again = folder.schedsim(&line.iter().map(String::as_str).collect::<Vec<_>>()).code(1);
    assert_eq!(first.out, again.out);
    assert!(first.out.trim_end().lines().last().unwrap().contains("reproduce:"), "{}", first.out);
}

#[test]
fn variants_are_chosen_by_name_and_an_unknown_one_matches_nothing() {
    let folder = folder(&[("two.toml", TWO), ("fine.toml", FINE)]);
    let all = folder.schedsim(&["run", "two.toml"]).code(0);
    assert!(all.out.find("two @ before").unwrap() < all.out.find("two @ after").unwrap(), "in the order of the file");
    let one = folder.schedsim(&["run", "two.toml", "fine.toml", "--variant", "after"]).code(0).out("two @ after");
    assert!(!one.out.contains("before") && !one.out.contains("fine @"), "{}", one.out);
    folder
        .schedsim(&["run", "two.toml", "--variant", "later"])
        .code(4)
        .no_out()
        .err("`later`")
        .err("`after`, `before`");
    folder.schedsim(&["run", "two.toml", "--variant", "after", "--variant", "later"]).code(4).no_out();
}

#[test]
fn a_broken_file_is_2_and_nothing_runs() {
    let folder = folder(&[("a.toml", BROKEN), ("b.toml", BROKEN), ("fine.toml", FINE)]);
    folder
        .schedsim(&["run", "fine.toml", "a.toml", "b.toml"])
        .code(2)
        .no_out()
        .err("a.toml")
        .err("b.toml")
        .err("2 of 3");
    folder.schedsim(&["run", "none.toml"]).code(2).no_out().err("none.toml");
    folder.schedsim(&["run", "."]).code(2).no_out();
    folder.schedsim(&["run"]).code(2).no_out().err("<FILE>");
}

#[test]
fn a_range_of_seeds_gives_one_result_each_in_order() {
    let folder = folder(&[("two.toml", TWO)]);
    let text = folder.schedsim(&["run", "two.toml", "--seeds", "5..60"]).code(0).no_err().out;
    let seeds: Vec<u64> = text
        .lines()
        .map(|line| line.split(" seed ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    let wanted: Vec<u64> = (5..60).chain(5..60).collect();
    assert_eq!(seeds, wanted);
    let json =
        folder.schedsim(&["run", "two.toml", "--variant", "after", "--seeds", "5..8", "--format", "json"]).code(0).out;
    let seeds: Vec<u64> =
        json.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [5, 6, 7]);
    let last = u64::MAX.to_string();
    folder.schedsim(&["run", "two.toml", "--variant", "after", "--seed", &last]).code(0).out(&format!("seed {last}"));
}

#[test]
fn what_cannot_be_a_range_of_seeds_is_2() {
    let folder = folder(&[("fine.toml", FINE)]);
    for range in ["3..3", "5..3", "3", "a..b", "1..=2"] {
        folder.schedsim(&["run", "fine.toml", "--seeds", range]).code(2).no_out().err("0..100");
    }
    folder.schedsim(&["run", "fine.toml", "--seeds", "1..3", "--seed", "1"]).code(2).err("cannot be used with");
    folder.schedsim(&["run", "fine.toml", "--seed", "-1"]).code(2);
    folder.schedsim(&["run", "fine.toml", "-q", "-v"]).code(2).err("cannot be used with");
}

#[test]
fn json_is_one_object_or_one_a_line_and_the_same_every_time() {
    let folder = folder(&[("fine.toml", FINE), ("two.toml", TWO)]);
    let one = folder.schedsim(&["run", "fine.toml", "--format", "json"]).code(0).no_err().out;
    let object: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(object["scenario"], "fine");
    assert_eq!(object["variant"], "main");
    assert_eq!(object["file"], "fine.toml");
    assert!(object["trace_digest"].as_str().unwrap().starts_with("b3m:"));
    assert_eq!(one, folder.schedsim(&["run", "fine.toml", "--format", "json"]).code(0).out);
    let two = folder.schedsim(&["run", "two.toml", "--format", "json"]).code(0).out;
    assert_eq!(two.lines().count(), 2);
    two.lines().for_each(|line| assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object()));
}

#[test]
fn a_trace_is_written_for_one_run_and_by_its_ending() {
    let folder = folder(&[("fine.toml", FINE), ("two.toml", TWO)]);
    folder.schedsim(&["run", "fine.toml", "--trace", "t.jsonl"]).code(0).err("trace written to t.jsonl");
    assert!(folder.exists("t.jsonl"));
    folder.read("t.jsonl").lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).unwrap()));
    let before = folder.files();
    for (file, says) in [("t.txt", "`.jsonl`"), ("t.parquet", "`.csv`"), ("t", "`.json`")] {
        folder.schedsim(&["run", "fine.toml", "--trace", file]).code(2).no_out().err(says);
    }
    folder
        .schedsim(&["run", "two.toml", "--trace", "u.jsonl"])
        .code(2)
        .no_out()
        .err("two @ before, two @ after")
        .err("--variant");
    folder.schedsim(&["run", "fine.toml", "--seeds", "1..3", "--trace", "u.jsonl"]).code(2).no_out().err("--seed");
    folder.schedsim(&["run", "fine.toml", "--trace", "no/such/u.jsonl"]).code(2).no_out().err("no/such/u.jsonl");
    assert_eq!(folder.files(), before);
}

#[test]
fn records_that_lie_on_disk_are_told_of_as_those_in_memory() {
    let folder = folder(&[("fine.toml", FINE)]);
    let plain = folder.schedsim(&["run", "fine.toml"]).code(0).out;
    for disk in ["--trace-to-disk", "--trace-to-disk=."] {
        assert_eq!(folder.schedsim(&["run", "fine.toml", disk]).code(0).no_err().out, plain, "{disk}");
    }
    assert_eq!(folder.files().len(), 1, "nothing is left of them");
    folder.schedsim(&["run", "fine.toml", "--trace-to-disk=none"]).code(2).err("there is no folder none");
}

#[test]
fn a_trace_is_a_table_or_events_when_its_name_says_so() {
    let folder = folder(&[("fine.toml", FINE)]);
    folder.schedsim(&["run", "fine.toml", "--trace", "t.csv"]).code(0).err("trace written to t.csv");
    let table = folder.read("t.csv");
    assert!(table.starts_with("number,time_ns,by,about,cause,what,rule,field,from,to,detail\n"), "{table}");
    folder.schedsim(&["run", "-q", "fine.toml", "--trace", "t.json"]).code(0).no_err();
    let events: serde_json::Value = serde_json::from_str(&folder.read("t.json")).unwrap();
    assert!(events["traceEvents"].as_array().is_some_and(|events| !events.is_empty()));
    folder.schedsim(&["run", "fine.toml", "--trace", "t.jsonl"]).code(0);
    assert_eq!(table.lines().count(), folder.read("t.jsonl").lines().count() + 1, "a line a record, and the header");
}

#[test]
fn a_report_is_one_page_about_all_runs_and_the_same_every_time() {
    let folder = folder(&[("fine.toml", FINE), ("two.toml", TWO), ("fails.toml", FAILS)]);
    let words = ["run", "two.toml", "fails.toml", "--report", "r.html"];
    folder.schedsim(&words).code(1).err("report written to r.html").out("FAILED");
    let page = folder.read("r.html");
    for part in ["<!DOCTYPE html>", "two @ before", "two @ after", "fails @ main", "expected livelock", "deterministic"]
    {
        assert_eq!(page.contains(part), part != "deterministic", "{part}");
    }
    folder.schedsim(&words).code(1);
    assert_eq!(page, folder.read("r.html"));
    assert_eq!(folder.files().len(), 4, "nothing else is written: {:?}", folder.files());
    let json = folder.schedsim(&["run", "-q", "fine.toml", "--format", "json", "--report", "r.html"]).code(0).no_err();
    assert!(serde_json::from_str::<serde_json::Value>(&json.out).unwrap().is_object());
    assert_ne!(page, folder.read("r.html"), "the old page is replaced");
}

#[test]
fn a_report_that_cannot_be_written_is_2_and_leaves_nothing() {
    let folder = folder(&[("fine.toml", FINE), ("two.toml", TWO), ("d.html/x", "")]);
    let before = folder.files();
    for (path, says) in
        [("no/such/r.html", "there is no folder `no/such`"), ("d.html", "a folder"), ("fine.toml/r.html", "r.html")]
    {
        folder
            .schedsim(&["run", "fine.toml", "--report", path])
            .code(2)
            .no_out()
            .err("cannot write the report")
            .err(says);
    }
    folder
        .schedsim(&["run", "two.toml", "--seeds", "0..50", "--report", "r.html"])
        .code(2)
        .no_out()
        .err("at most 12 runs");
    folder.schedsim(&["run", "none.toml", "--report", "r.html"]).code(2).no_out();
    assert_eq!(folder.files(), before);
}

#[test]
fn the_json_of_a_run_says_how_to_make_it_again() {
    let folder = folder(&[("fails.toml", FAILS)]);
    let words = ["run", "fails.toml", "--set", "horizon=2m", "--format", "json"];
    let json: serde_json::Value = serde_json::from_str(&folder.schedsim(&words).code(1).out).unwrap();
    assert_eq!(json["expect"]["passed"], false);
    assert_eq!(json["reproduce"], "schedsim run fails.toml --variant main --seed 0 --set horizon=2m");
    let lines = folder.schedsim(&["run", "fails.toml", "--seeds", "3..5", "--state", "--format", "json"]).code(1).out;
    for (line, seed) in lines.lines().zip(3..) {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(json["reproduce"], format!("schedsim run fails.toml --variant main --seed {seed}"));
    }
}

#[test]
fn no_result_replaces_the_story_it_is_of() {
    let folder = folder(&[("fine.toml", FINE), ("fine.html", FINE), ("fine.csv", FINE), ("s/scenarios/a.toml", FINE)]);
    for words in [
        &["run", "fine.html", "--report", "./fine.html"][..],
        &["run", "fine.csv", "--trace", "fine.csv"],
        &["test", "s", "--junit", "s/scenarios/a.toml"],
    ] {
        folder.schedsim(words).code(2).no_out().err("would replace the input");
    }
    for path in ["fine.toml", "r.toml", "r", "r.htm", "html"] {
        folder.schedsim(&["run", "fine.toml", "--report", path]).code(2).no_out().err("ends in `.html`");
    }
    assert_eq!(folder.files(), ["fine.csv", "fine.html", "fine.toml", "s/scenarios/a.toml"]);
    for path in folder.files() {
        assert_eq!(folder.read(&path), FINE, "{path}");
    }
}

#[test]
fn twice_says_that_both_runs_are_the_same() {
    let folder = folder(&[("fine.toml", FINE)]);
    folder.schedsim(&["run", "fine.toml", "--twice"]).code(0).out("twice: the same ");
    let json = folder.schedsim(&["run", "fine.toml", "--twice", "--format", "json"]).code(0).out;
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().is_object(), "nothing but the object");
}

#[test]
fn a_run_that_is_cut_short_is_not_judged() {
    let folder = folder(&[("fails.toml", FAILS)]);
    folder.schedsim(&["run", "fails.toml", "--until", "30s"]).code(0).out("ran 0:30").out("before its horizon");
    folder.schedsim(&["run", "fails.toml", "--until", "1m"]).code(1);
    for (until, says) in [("soon", "90s"), ("5", "needs a unit"), ("0s", "shows nothing")] {
        folder.schedsim(&["run", "fails.toml", "--until", until]).code(2).no_out().err(says);
    }
}

#[test]
fn options_that_take_each_other_away_are_told() {
    let folder = folder(&[("fine.toml", FINE)]);
    let state = ["run", "fine.toml", "--seeds", "0..2", "--state"];
    folder.schedsim(&state).code(0).err("warning: --state is not shown");
    for more in [&["-v"][..], &["--format", "json"]] {
        folder.schedsim(&[&state, more].concat()).code(0).no_err();
    }
    let both = ["run", "fine.toml", "--with", "crash-backoff", "--without", "crash-backoff"];
    folder.schedsim(&both).code(0).out("`--with crash-backoff` and `--without crash-backoff` were both given");
    folder.schedsim(&both[..4]).code(0).no_err();
}

#[test]
fn overrides_that_make_no_sense_are_2() {
    let folder = folder(&[("fine.toml", FINE)]);
    for words in [
        ["--with", "no-such-fix"],
        ["--without", "no-such-fix"],
        ["--as-of", "tomorrow"],
        ["--set", "horizon"],
        ["--set", "=1"],
    ] {
        folder.schedsim(&["run", "fine.toml", words[0], words[1]]).code(2).no_out();
    }
    folder.schedsim(&["run", "fine.toml", "--set", "nonsense.key=1"]).code(2).no_out().err("nonsense");
    folder.schedsim(&["run", "fine.toml", "--set", "horizon=2m"]).code(0).out("ran 2:00");
}

#[cfg(unix)]
#[test]
fn a_word_that_is_no_text_is_named() {
    let folder = folder(&[]);
    let word: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&b"st\xffry.toml"[..]);
    done(folder.command(&["run"]).arg(word)).code(2).no_out().err("`st\u{fffd}ry.toml` is not UTF-8");
}

#[test]
fn standard_input_is_a_scenario_too() {
    let folder = folder(&[]);
    done(folder.command(&["run", "-"]).stdin(FINE)).code(0).out("stdin @ main");
    done(folder.command(&["run", "-"]).stdin(FAILS)).code(1).out("reproduce: schedsim run - --variant main");
    done(folder.command(&["run", "-"]).stdin("")).code(2).no_out();
    done(folder.command(&["run", "-"]).stdin(&b"about = '\xff'"[..])).code(2).no_out().err("not UTF-8");
    done(folder.command(&["run", "-", "-"]).stdin(FINE)).code(2).no_out().err("once");
}

#[test]
fn quiet_leaves_out_the_timeline_and_the_figures() {
    let folder = folder(&[("fails.toml", FAILS)]);
    let quiet = folder.schedsim(&["run", "-q", "fails.toml"]).code(1).out("outcome").out("reproduce:");
    assert!(!quiet.out.contains("figures"), "{}", quiet.out);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let folder = folder(&[("two.toml", TWO)]);
    let mut child = std::process::Command::new(snapbox::cmd::cargo_bin!("schedsim"))
        .args(["run", "two.toml", "--seeds", "0..20000"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    drop(reader);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_it_as_shells_expect() {
    use std::os::unix::process::ExitStatusExt;
    let folder = folder(&[]);
    // What a shell starts in the background ignores interrupts, and so would all of its children.
    let mut child = std::process::Command::new("env")
        .arg("--default-signal=INT")
        .arg(snapbox::cmd::cargo_bin!("schedsim"))
        .args(["run", "-"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    // `env` may not have come that far when the first interrupt comes.
    let status = loop {
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    // A shell tells this as status 130.
    assert_eq!(status.signal(), Some(2));
}

/// Two requests a second for forty minutes of an app that is more often away than not.
const CALLERS: &str = "schema = 1\nhorizon = \"40m\"\nworkload.shop.web.exit_after = \"5s\"\n\
    step = [{ at = \"0s\", do.deploy = { app = \"shop\", config = \"[services.web]\" } },\
    { at = \"20m\", name = \"halfway\", do.note = \"Still there?\" }]\n\
    traffic = [{ app = \"shop\", service = \"web\", rate = \"2/s\", from = \"10s\" }]\n";

#[test]
fn callers_that_fail_alike_are_a_burst_and_a_long_timeline_has_a_bound() {
    let folder = folder(&[("a.toml", CALLERS)]);
    let whole = folder.schedsim(&["run", "a.toml", "--full"]).code(0).out;
    let timeline = whole.split("\noutcome\n").next().expect("before it");
    let failed = timeline.lines().filter(|line| line.contains("request of web fails")).count();
    assert!((1..200).contains(&failed), "{failed} lines for some thousand requests");
    let times: usize = timeline
        .lines()
        .filter_map(|line| line.split(" this line: x").nth(1)?.split(',').next()?.parse::<usize>().ok())
        .sum();
    assert!(times > 1000, "{times}");
    let bounded = folder.schedsim(&["run", "a.toml"]).code(0).out("lines are left out (--full").out("halfway").out;
    let shown = bounded.split("\noutcome\n").next().expect("before it").lines().count();
    assert!((150..250).contains(&shown), "{shown}");
    let lives = folder.schedsim(&["run", "a.toml", "--lives"]).code(0).out("\nlives\n").out(" alike").out;
    assert!(lives.lines().count() < bounded.lines().count(), "{lives}");
    folder.schedsim(&["run", "a.toml", "--lives", "--full"]).code(2).err("cannot be used with");
    // Seconds have three decimals, in JSON, too; an address has more than one dot.
    let json = folder.schedsim(&["run", "a.toml", "--format", "json"]).code(0).out;
    for text in [&whole, &json] {
        let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.');
        let decimals = numbers.filter(|n| n.matches('.').count() == 1).filter_map(|n| n.split_once('.'));
        let longest = decimals.map(|(_, after)| after.len()).max();
        assert!(longest.is_some_and(|n| n <= 3), "{longest:?}");
    }
}
