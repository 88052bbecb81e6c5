//! Help texts: the commands that exist, and no others.

use snapbox::str;

use super::{folder, schedsim};

#[test]
fn without_arguments_the_help_is_on_stderr_and_the_status_is_2() {
    let done = folder(&[]).schedsim(&[]).code(2).no_out();
    assert!(done.err.contains("Usage: schedsim [OPTIONS] <COMMAND>"), "{}", done.err);
}

#[test]
fn the_help_lists_the_commands_that_are_built() {
    schedsim().arg("--help").assert().success().stderr_eq("").stdout_eq(str![[r#"
Replays what happened in a container scheduler: same file, same seed, same bytes

Usage: schedsim [OPTIONS] <COMMAND>

Commands:
  new          Writes the beginning of a scenario, commented
  run          Replays scenarios: timeline, outcome, figures
  explain      Tells why something happened: the causal chain from its end back to its root, and
               what decides it
  view         Shows a run in the terminal: lanes, a cursor in time, and why – to walk along
  test         Replays every scenario below PATH; checks [expect] and the snapshot beside it
  review       Shows each text that moved and asks: accept, reject or skip
  check        Parses and validates scenarios and sweeps without running them
  compare      Shows the same story under two or more logics side by side, or what each single fix
               is worth
  bisect       Finds the fix, or the smallest set of fixes, that heals a story or breaks it
  sweep        Runs settings × seeds over scenarios and says which settings are better, and how
               surely
  fixes        Lists the known fixes: name, day, what each changes
  digest       Prints the digest of a trace that `run --trace FILE.jsonl` wrote: that of the run
  schema       Prints the JSON Schema of a scenario or sweep file, for editors
  completions  Prints a completion script for a shell
  man          Prints the manual page: `schedsim man | man -l -`
  help         Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>  Colour; `auto`: on a terminal, unless NO_COLOR is set [default: auto]
                      [possible values: auto, always, never]
  -v, --verbose...    Print more
  -q, --quiet         Print less
  -h, --help          Print help
  -V, --version       Print version

Exit status: 0 all as expected; 1 an expectation, snapshot or invariant failed; 2 the command line
or an input file is wrong; 4 nothing matched; 75 another process writes there; 101 a bug in
schedsim; 130 interrupted.

"#]]);
}

#[test]
fn the_help_of_run_lists_its_options() {
    schedsim().args(["run", "-h"]).assert().success().stderr_eq("").stdout_eq(str![[r#"
Replays scenarios: timeline, outcome, figures

Usage: schedsim run [OPTIONS] <FILE>...

Arguments:
  <FILE>...  Scenario files; `-` is standard input

Options:
      --color <WHEN>    Colour; `auto`: on a terminal, unless NO_COLOR is set [default: auto]
                        [possible values: auto, always, never]
      --variant <NAME>  Only this variant (repeatable); all by default
  -v, --verbose...      Print more
  -q, --quiet           Print less
  -h, --help            Print help (see more with '--help')

Logic:
      --seed <N>          The seed of all draws, instead of the file's
      --seeds <A..B>      One run for each of these seeds; B is the first that is left out
      --as-of <DATE>      The fixes in force at the end of that day; also `current` and `proposed`
      --with <FIX>        …plus this one (repeatable)
      --without <FIX>     …minus this one (repeatable)
      --set <PATH=VALUE>  Another value for a field of the file, like `tuning.backoff.base=5s`
                          (repeatable)
      --until <T>         Ends the run there; expectations are checked only when that is not before
                          the horizon

Results:
      --trace <FILE>              Writes the trace of the one run to FILE; `.jsonl`: one record a
                                  line, `.csv`: a table, `.json`: Chrome trace events, for Perfetto
      --report <FILE.html>        Writes a page about all runs to FILE, to be looked at in a
                                  browser: no network, no server
      --format <FORMAT>           For whom results are written; JSON: one object a run, as lines
                                  when there are several [default: text] [possible values: text,
                                  json]
      --full                      The whole timeline, however long; by default about 200 lines, with
                                  all steps and violations
      --lives                     The lives of all entities, alike ones together, as golden texts
                                  tell them, instead of the timeline
      --state                     The store at the end (or at --until) as tables, and where the
                                  backends know better
      --trace-to-disk[=<FOLDER>]  However many records the run has, all but the last million lie in
                                  a file in FOLDER, by default the system's for such files, until
                                  the command ends; without it, all but 10 million
      --stop-when-proved          Ends a run as soon as a livelock is proved; metrics are then not
                                  checked
      --twice                     Runs again in a fresh world and names the first record that
                                  differs
      --expect-from-run           Writes what comes out into the file as its `[expect]`, for every
                                  variant that has none
      --watch                     Runs again whenever a file is saved that the scenario is read
                                  from, and marks what changed

"#]]);
}

#[test]
fn the_help_of_test_lists_its_options() {
    schedsim().args(["test", "-h"]).assert().success().stderr_eq("").stdout_eq(str![[r#"
Replays every scenario below PATH; checks [expect] and the snapshot beside it

Usage: schedsim test [OPTIONS] <PATH>...

Arguments:
  <PATH>...  Scenario files, and folders with scenarios below

Options:
      --accept           Writes snapshots and fingerprints as they are now; expectations are checked
                         all the same
      --color <WHEN>     Colour; `auto`: on a terminal, unless NO_COLOR is set [default: auto]
                         [possible values: auto, always, never]
      --jobs <N>         So many runs at once; by default as many as there are processors
  -v, --verbose...       Print more
      --filter <TEXT>    Only runs in whose name, like `mir-788/lease-carousel@before`, this text is
  -q, --quiet            Print less
      --variant <NAME>   Only the variant of that name of each scenario
      --junit <FILE>     Writes the results as JUnit XML, too; `-` is standard output, and the text
                         goes to standard error then
      --format <FORMAT>  For whom the results are written; with `json` the text goes to standard
                         error [default: text] [possible values: text, json]
  -h, --help             Print help (see more with '--help')

"#]]);
}

#[test]
fn a_command_that_is_not_built_is_refused() {
    for command in ["explore", "help"] {
        let error = folder(&[]).schedsim(&[command, "x.toml"]).code(2).no_out();
        assert!(error.err.contains("unrecognized subcommand"), "{}", error.err);
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    folder(&[]).schedsim(&["--version"]).code(0).out(concat!("schedsim ", env!("CARGO_PKG_VERSION"), "\n")).no_err();
}
