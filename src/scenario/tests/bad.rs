//! Every error message of scenario files, as the user sees it.
//!
//! Each case is a file with one mistake or a few; the rendered diagnostics of a topic are one
//! snapshot. A case that is read without an error fails here.

use std::fmt::Write;
use std::path::Path;

use crate::scenario::{Overrides, Scenario};

/// A line before each case, and what stands in the file besides.
const HEAD: &str = "schema = 1\nhorizon = \"1h\"\n";
const DEPLOY: &str = "[[step]]\nname = \"go\"\nat = \"0s\"\ndo.deploy = { app = \"pds\", config = '' }\n";

/// The diagnostics of each text, in a row.
fn rendered(topic: &str, cases: &[(&str, &str)]) {
    let mut all = String::new();
    for (name, text) in cases {
        add(&mut all, name, text, &Overrides::default());
    }
    assert_snapshot(topic, &all);
}

/// The same, each text after the two lines that every scenario needs.
fn below_head(topic: &str, cases: &[(&str, &str)]) {
    let texts: Vec<(&str, String)> = cases.iter().map(|(name, text)| (*name, format!("{HEAD}{text}\n"))).collect();
    let cases: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    rendered(topic, &cases);
}

fn add(all: &mut String, name: &str, text: &str, overrides: &Overrides) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenario/tests/files");
    match Scenario::from_text(text, "bad.toml", Some(&dir), overrides) {
        Ok(_) => panic!("{name}: no error"),
        Err(diagnostics) => writeln!(all, "=== {name}\n{}", diagnostics.render(false)).expect("text"),
    }
}

fn assert_snapshot(topic: &str, all: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(topic, all);
    });
}

#[test]
fn errors_of_the_whole_file() {
    rendered(
        "bad-file",
        &[
            ("an empty file", ""),
            ("a file of comments", "# later\n\n"),
            ("nothing that is needed", "about = \"x\"\n"),
            ("another schema", "schema = 2\nhorizn = 3\n"),
            ("a schema that is no number", "schema = \"1\"\nhorizon = \"1h\"\n"),
            ("broken syntax in two places, and a misspelt key", "schema = 1\nhorizon = \nseeed = 3\nabout = \"x\n"),
            ("a key twice", "schema = 1\nhorizon = \"1h\"\nhorizon = \"2h\"\n"),
            ("a table that is open at the end", "schema = 1\nhorizon = \"1h\"\n[policy\n"),
            (
                "a missing step is not blamed on broken syntax",
                "schema = 1\nhorizon = \"1h\"\n[expect]\nsettled_after = \"go\"\n[[step]\nname = \"go\"\n",
            ),
        ],
    );
}

#[test]
fn errors_of_unknown_keys_at_every_level() {
    below_head(
        "bad-keys",
        &[
            ("top level", "sorce = \"x\""),
            ("top level, of a table", "settled_within = \"2m\""),
            ("top level, of nothing", "zzz = 1"),
            ("what a misspelt key holds", "[[steps]]\nat = 5\ndo.deplyo = { app = \"pds\", confg = 7 }"),
            (
                "a list under two names is one mistake",
                "[[steps]]\nat = \"0s\"\n[step.do.deploy]\napp = \"pds\"\n[[steps]]\nat = \"5s\"\n[step.do.deploy]\napp = \"pds\"\n\
                 [[traffic]]\napp = \"pds\"\nservice = \"web\"\nrate = \"1/s\"",
            ),
            ("policy", "[policy]\nas_off = \"current\""),
            ("tuning", "[tuning]\nstale_pending_atfer = \"5m\""),
            ("tuning, of the backoff", "[tuning]\nquick_crash = \"5m\""),
            ("tuning.backoff", "[tuning.backoff]\nbas = \"10s\""),
            ("tuning.grace", "[tuning.grace]\nno-overshot = \"10s\""),
            ("cluster", "[cluster]\nlatncy.store = \"2ms\""),
            ("cluster, of the tuning", "[cluster]\nnode_grace = \"5m\""),
            ("latency", "[cluster]\nlatency.stor = \"2ms\""),
            ("workload", "[workload.pds.database]\nexit_aftre = \"5s\""),
            ("step", "[[step]]\nat = \"0s\"\ndoo.note = \"x\"\ndo.note = \"x\""),
            ("step, of the deploy", "[[step]]\nat = \"0s\"\nconfig_file = \"x\"\ndo.note = \"x\""),
            ("do", "[[step]]\nat = \"0s\"\ndo.deplo = { app = \"pds\" }"),
            ("deploy", "[[step]]\nat = \"0s\"\ndo.deploy = { app = \"pds\", config = '', biuld = \"b1\" }"),
            ("fault", "[[fault]]\non = \"disk.mount\"\neffct.hang = {}\neffect.hang = {}"),
            ("where", "[[fault]]\non = \"disk.mount\"\nwhere = { dsk = \"x\" }\neffect.hang = {}"),
            ("when, of when.after", "[[fault]]\non = \"disk.mount\"\nwhen = { lasts = \"30s\" }\neffect.hang = {}"),
            ("effect", "[[fault]]\non = \"disk.mount\"\neffect.dely = \"3s\""),
            (
                "a key of the effect beside it",
                "[[fault]]\non = \"watch.deliver\"\neffect.drop = { uniform = [\"1s\", \"2s\"] }",
            ),
            ("expect", "[expect]\nverdit = \"settled\""),
            ("metrics", "[expect]\nmetrics.boot_failed = { max = 3 }"),
            ("bounds", "[expect]\nmetrics.boots_failed = { most = 3 }"),
            ("variant", "[[variant]]\nname = \"a\"\npolcy = {}"),
            ("variant, of the scenario", "[[variant]]\nname = \"a\"\nhorizon = \"2h\""),
        ],
    );
}

#[test]
fn errors_of_values() {
    below_head(
        "bad-values",
        &[
            ("a number for a text", "about = 5"),
            ("a list for a table", "policy = [1]"),
            ("a table for a list of tables", "[step]\nat = \"0s\""),
            ("a negative seed", "seed = -1"),
            ("a seed with a point", "seed = 1.5"),
            ("a seed too large", "seed = 99999999999999999999999"),
            ("no addresses", "[cluster]\naddresses_per_node = 0"),
            ("too many addresses", "[cluster]\naddresses_per_node = 65535"),
            ("an empty name", "name = \"\""),
            ("a name with a slash", "name = \"a/b\""),
            ("a name with a line break", "name = \"a\\nb\""),
            ("a name with a space at its end", "name = \"a \""),
            ("a name that is too long", &format!("name = \"{}\"", "x".repeat(201))),
            ("no nodes", "[cluster]\nnodes = []"),
            ("a node twice", "[cluster]\nnodes = [\"n1\", \"n2\", \"n1\"]"),
            ("a node that is no list", "[cluster]\nnodes = \"n1\""),
            ("a node called coordinator", "[cluster]\nnodes = [\"coordinator\"]"),
            ("too many variants", &"[[variant]]\n".repeat(1001)),
            (
                "too many nodes",
                &format!("[cluster]\nnodes = [{}]", (0..10_001).map(|i| format!("\"n{i}\", ")).collect::<String>()),
            ),
            ("a factor below zero", "[tuning.backoff]\nfactor = -2.0"),
            ("a jitter above one", "[tuning.backoff]\njitter = 1.5"),
            ("a jitter in quotes", "[tuning.backoff]\njitter = \"0.5\""),
            ("a jitter that is no number", "[tuning.backoff]\njitter = nan"),
            ("a jitter too fine", "[tuning.backoff]\njitter = 1e-9"),
            ("a factor too large", "[tuning.backoff]\nfactor = 1e60"),
            ("a word that is none", "[tuning]\nticker_phase = \"fxed\""),
            ("a period of zero", "[tuning]\nlease_poll = \"0s\""),
            ("a tuning integer out of bounds", "[tuning]\nmax_pool_size = 0"),
            ("a workload without a service", "[workload.pds]\nstart = \"1s\""),
            ("a workload that is no table", "workload = 5"),
            ("a workload of an app that is no table", "workload.pds = \"5s\""),
        ],
    );
}

#[test]
fn errors_of_durations() {
    rendered(
        "bad-horizon",
        &[
            ("a bare number", "schema = 1\nhorizon = 40\n"),
            ("zero", "schema = 1\nhorizon = \"0s\"\n"),
            ("no unit", "schema = 1\nhorizon = \"40\"\n"),
        ],
    );
    let cases = [
        ("a bare number", "5"),
        ("a bare number with a point", "0.5"),
        ("a negative number", "-5"),
        ("a negative duration", "\"-5s\""),
        ("no unit", "\"5\""),
        ("a unit of nobody", "\"5sec\""),
        ("words", "\"soon\""),
        ("spaces", "\"1h 30m\""),
        ("spaces and words", "\"5 minutes\""),
        ("nothing", "\"\""),
        ("never", "\"never\""),
        ("longer than the clock", "\"365250d\""),
        ("a boolean", "true"),
        ("two ways at once", "{ uniform = [\"1s\", \"2s\"], exponential = \"1s\" }"),
        ("no way at all", "{}"),
        ("a misspelt way", "{ unifrom = [\"1s\", \"2s\"] }"),
        ("one of two durations", "{ uniform = [\"1s\"] }"),
        ("the wrong way round", "{ uniform = [\"2s\", \"1s\"] }"),
        ("no list", "{ normal = \"1s\" }"),
        ("bare numbers in the list", "{ normal = [1, 2] }"),
        ("a list", "[\"1s\"]"),
    ];
    let texts: Vec<String> = cases.iter().map(|(_, value)| format!("[workload.a.b]\nstart = {value}")).collect();
    let cases: Vec<(&str, &str)> = cases.iter().zip(&texts).map(|((name, _), text)| (*name, text.as_str())).collect();
    below_head("bad-durations", &cases);
    below_head(
        "bad-delays",
        &[
            ("an empty list", "[workload.a.b]\nexit_after = []"),
            ("a bare number in the list", "[workload.a.b]\nexit_after = [\"5s\", 5]"),
            ("a misspelt never", "[workload.a.b]\nready = \"nevr\""),
        ],
    );
}

#[test]
fn errors_of_steps() {
    let step = |text: &str| format!("[[step]]\nname = \"x\"\nat = \"1s\"\n{text}\n{DEPLOY}");
    let cases: Vec<(&str, String)> = vec![
        ("nothing in it", "[[step]]\n".to_owned()),
        ("no time", "[[step]]\ndo.note = \"x\"".to_owned()),
        ("no action", "[[step]]\nat = \"0s\"\ndo = {}".to_owned()),
        ("two actions", step("do.delete_app = { app = \"pds\" }\ndo.note = \"x\"")),
        ("an action that is no table", step("do.delete_app = \"pds\"")),
        ("two steps of one name", format!("{DEPLOY}{DEPLOY}")),
        ("an app that nobody deploys", step("do.delete_app = { app = \"pdz\" }")),
        ("an app when none is deployed", "[[step]]\nat = \"0s\"\ndo.restart_app = { app = \"pds\" }".to_owned()),
        ("arguments missing", step("do.set_desired = { app = \"pds\" }")),
        (
            "a negative number of instances",
            step("do.set_desired = { app = \"pds\", service = \"web\", instances = -1 }"),
        ),
        ("a sandbox of another kind", step("do.kill = { sandbox = \"pool/pds-web\" }")),
        ("a note that is no text", step("do.note = 5")),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    below_head("bad-steps", &cases);
}

#[test]
fn errors_of_deploys() {
    let deploy = |text: &str| format!("[[step]]\nat = \"1s\"\ndo.deploy = {{ {text} }}");
    let cases: Vec<(&str, String)> = vec![
        ("no app", deploy("config = ''")),
        ("no config", deploy("app = \"pds\"")),
        ("no config, and a misspelt build", deploy("app = \"pds\", biuld = \"b1\"")),
        ("a misspelt config", deploy("app = \"pds\", confg_file = \"pds/fixed.toml\"")),
        ("two configs", deploy("app = \"pds\", config = '', config_file = \"pds/fixed.toml\"")),
        ("a missing file", deploy("app = \"pds\", config_file = \"pds/gone.toml\"")),
        ("a directory for a file", deploy("app = \"pds\", config_file = \"pds\"")),
        ("no path", deploy("app = \"pds\", config_file = \"\"")),
        ("a file that is not UTF-8", deploy("app = \"pds\", config_file = \"latin1.toml\"")),
        ("a missing directory", deploy("app = \"pds\", config_dir = \"gone\"")),
        ("a working directory outside", deploy("app = \"pds\", working_dir = \"..\"")),
        ("a file for a directory", deploy("app = \"pds\", working_dir = \"pds/fixed.toml\"")),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    below_head("bad-deploys", &cases);
}

#[test]
fn errors_of_faults() {
    let fault = |text: &str| format!("[[fault]]\non = \"disk.mount\"\n{text}\n");
    let cases: Vec<(&str, String)> = vec![
        ("nothing in it", "[[fault]]\n".to_owned()),
        ("a misspelt point", "[[fault]]\non = \"disk.mont\"\neffect.hang = {}".to_owned()),
        ("a group that is none", "[[fault]]\non = \"disc.*\"\neffect.hang = {}".to_owned()),
        ("a point of nothing", "[[fault]]\non = \"zzzzzz\"\neffect.hang = {}".to_owned()),
        ("no effect", fault("effect = {}")),
        ("two effects", fault("effect.hang = {}\neffect.delay = \"5s\"")),
        ("a hang that is no table", fault("effect.hang = true")),
        ("a stale write", fault("effect.stale = \"30s\"")),
        ("a dropped call", fault("effect.drop = {}")),
        ("a crash in between", fault("effect.crash = \"during\"")),
        ("a node that is not there", fault("where = { node = \"n7\" }\neffect.hang = {}")),
        ("a controller that is none", fault("where = { controller = \"luncher\" }\neffect.hang = {}")),
        ("a kind that is none", fault("where = { kind = \"volume\" }\neffect.hang = {}")),
        ("call number zero", fault("when = { calls = [0] }\neffect.hang = {}")),
        ("no call", fault("when = { calls = [] }\neffect.hang = {}")),
        ("a call twice", fault("when = { calls = [2, 2] }\neffect.hang = {}")),
        ("a chance above one", fault("when = { chance = 25 }\neffect.hang = {}")),
        ("zero times", fault("when = { times = 0 }\neffect.hang = {}")),
        ("a window that is empty", fault("when = { from = \"5m\", until = \"5m\" }\neffect.hang = {}")),
        ("an empty trigger", fault("when.after = {}\neffect.hang = {}")),
        ("a status of another kind", fault("when.after = { kind = \"disk\", status = \"pending\" }\neffect.hang = {}")),
        ("a misspelt status", fault("when.after = { kind = \"sandbox\", status = \"stoped\" }\neffect.hang = {}")),
        ("a kind without a status", fault("when.after = { kind = \"pool\", status = \"ready\" }\neffect.hang = {}")),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    below_head("bad-faults", &cases);
}

#[test]
fn errors_of_policies_expectations_and_variants() {
    below_head(
        "bad-logic",
        &[
            ("a fix that is none", "[policy]\nwith = [\"crash-backof\"]"),
            ("a fix in both", "[policy]\nwith = [\"crash-backoff\"]\nwithout = [\"crash-backoff\"]"),
            ("a fix twice", "[policy]\nwith = [\"crash-backoff\", \"crash-backoff\"]"),
            ("a fix that is no list", "[policy]\nwith = \"crash-backoff\""),
            ("a day that is none", "[policy]\nas_of = \"2026-02-30\""),
            ("a day without quotes", "[policy]\nas_of = 2026-03-11"),
            ("a verdict that is none", "[expect]\nverdict = \"setled\""),
            ("a step that is none", &format!("{DEPLOY}[expect]\nsettled_after = \"og\"\nrejected = [\"stop\"]")),
            ("an invariant that is none", "[expect]\nviolations = [\"no-overshot\"]"),
            ("a word for invariants that is none", "[expect]\nviolations = \"some\""),
            ("bounds that are a number", "[expect]\nmetrics.boots_failed = 3"),
            ("bounds that say nothing", "[expect]\nmetrics.boots_failed = {}"),
            ("bounds with a text", "[expect]\nmetrics.cooldown_s = { max = \"5m\" }"),
            ("bounds the wrong way round", "[expect]\nmetrics.boots_failed = { min = 3, max = 2 }"),
            ("equal and at least", "[expect]\nmetrics.boots_failed = { min = 3, equals = 3 }"),
            ("a negative bound", "[expect]\nmetrics.boots_failed = { min = -3 }"),
            ("two variants of one name", "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"a\""),
            (
                "mistakes in a variant",
                "[[variant]]\nname = \"a\"\npolicy = { as_of = \"now\" }\ntuning.lease_poll = 5\nseed = -1",
            ),
        ],
    );
}

#[test]
fn errors_of_what_happens_to_machines_and_controllers() {
    let cases: Vec<(String, String)> = [
        "node_down = {}",
        "node_down = { node = \"n2\" }",
        "node_down = { node = \"coordinator\" }",
        "node_up = { nod = \"n1\" }",
        "node_up = { node = 1 }",
        "drain = { node = \"\" }",
        "drain = { node = \"node-a1\", until = \"5m\" }",
        "restart = {}",
        "restart = { process = \"n1\" }",
        "restart = { process = \"coordinater\" }",
        "restart = { process = \"node-a3\" }",
        "upgrade = {}",
        "upgrade = { with = [] }",
        "upgrade = { wiht = [\"skip-dead\"] }",
        "upgrade = { as_of = \"2026-13-01\" }",
        "upgrade = { as_of = 2026-03-12 }",
        "upgrade = { as_of = \"next\", with = [\"skip-deat\"] }",
        "upgrade = { with = \"skip-dead\" }",
        "upgrade = { with = [\"skip-dead\"], without = [\"skip-dead\"] }",
        "set_status = {}",
        "set_status = { of = \"pds-data-0\", status = \"bound\" }",
        "set_status = { of = \"pool/pds-web\", status = \"dead\" }",
        "set_status = { of = \"lease/pds-data-0\", status = \"running\" }",
        "set_volume = { volume = \"disk/x\" }",
        "cut_watch = {}",
        "cut_watch = { controller = \"pool\" }",
        "cut_watch = { controller = \"pol\", lasts = \"5s\" }",
        "cut_watch = { controller = \"everything\", lasts = \"5s\" }",
        "cut_watch = { controller = \"watchdog\", lasts = \"5s\" }",
        "cut_watch = { controller = \"pool\", lasts = 5 }",
        "cut_watch = { controller = \"pool\", lasts = \"never\" }",
    ]
    .iter()
    .map(|text| {
        let nodes = "[cluster]\nnodes = [\"node-a1\", \"node-a2\"]\n";
        (text.to_string(), format!("{nodes}[[step]]\nat = \"1s\"\ndo.{text}"))
    })
    .collect();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    below_head("bad-machines", &cases);
}

#[test]
fn errors_of_traffic_and_of_changed_workloads() {
    let to_pds = "app = \"pds\"\nservice = \"web\"\n";
    let mut cases: Vec<(String, String)> = [
        ("nothing in it", String::new()),
        ("an app that nobody deploys", "app = \"blog\"\nservice = \"web\"\nrate = \"5/s\"".to_owned()),
        ("a misspelt app", "app = \"pdz\"\nservice = \"web\"\nrate = \"5/s\"".to_owned()),
        ("arrivals of another kind", format!("{to_pds}rate = \"5/s\"\narrivals = \"random\"")),
        ("an end before the beginning", format!("{to_pds}rate = \"5/s\"\nfrom = \"2m\"\nuntil = \"1m\"")),
        ("an end at the beginning", format!("{to_pds}rate = \"5/s\"\nuntil = \"0s\"")),
        ("a time that is a number", format!("{to_pds}rate = \"5/s\"\nfrom = 60")),
        ("a misspelt key", format!("{to_pds}rates = \"5/s\"\nrate = \"5/s\"")),
        ("a key of the workload", format!("{to_pds}rate = \"5/s\"\nrequest = \"50ms\"")),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), format!("{DEPLOY}[[traffic]]\n{text}")))
    .collect();
    let rates = [
        "5",
        "0.5",
        "true",
        "\"5\"",
        "\"fast\"",
        "\"5 per second\"",
        "\"/s\"",
        "\"5/\"",
        "\"0/s\"",
        "\"-5/s\"",
        "\"5/sec\"",
        "\"5/10s\"",
        "\"1e-9/s\"",
        "\"9000/ns\"",
    ];
    let rates = rates.map(|rate| (format!("rate = {rate}"), format!("{DEPLOY}[[traffic]]\n{to_pds}rate = {rate}")));
    cases.extend(rates);
    let changes = [
        "service = \"web\", exit_after = \"5s\"",
        "app = \"pdz\", service = \"web\", exit_after = \"5s\"",
        "app = \"pds\", service = \"web\"",
        "app = \"pds\", service = \"web\", exit_aftr = \"5s\"",
        "app = \"pds\", service = \"web\", exit_after = []",
        "app = \"pds\", service = \"web\", request = \"never\"",
        "app = \"pds\", service = \"web\", image_pull = { uniform = [\"2s\", \"1s\"] }",
    ];
    cases.extend(changes.map(|change| {
        let step = format!("{DEPLOY}[[step]]\nat = \"1s\"\ndo.set_workload = {{ {change} }}");
        (format!("set_workload = {{ {change} }}"), step)
    }));
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    below_head("bad-traffic", &cases);
}

#[test]
fn errors_of_options_name_the_option() {
    let text = format!("{HEAD}{DEPLOY}[[fault]]\non = \"disk.mount\"\neffect.hang = {{}}\n");
    let mut all = String::new();
    let sets = [
        ("a bad duration", "tuning.backoff.base", "5x"),
        ("a misspelt key", "tuning.backof.base", "5s"),
        ("a key below a value", "horizon.max", "5s"),
        ("a step that is not there", "step.og.at", "5s"),
        ("a fault that is not there", "fault.1.when.chance", "0.5"),
        ("a chance above one", "fault.0.when.chance", "2"),
        ("broken TOML", "workload.pds.web.exit_after", "[5s, never]"),
        ("no path", "", "5s"),
        ("a hole in the path", "tuning..base", "5s"),
        ("a path with an open quote", "step.\"go.at", "5s"),
        ("a fix that is none", "policy.with", "[\"crash-backof\"]"),
        ("two effects", "fault.0.effect.delay", "5s"),
        ("another schema", "schema", "2"),
        ("a variant that is not there", "variant.0.seed", "2"),
    ];
    for (name, path, value) in sets {
        let overrides = Overrides { set: vec![(path.to_owned(), value.to_owned())], ..Overrides::default() };
        add(&mut all, &format!("{name}: --set '{path}={value}'"), &text, &overrides);
    }
    let overrides = Overrides {
        as_of: Some("yesterday".into()),
        with: vec!["crash-backof".into()],
        without: vec!["".into()],
        ..Overrides::default()
    };
    add(&mut all, "--as-of, --with, --without", &text, &overrides);
    assert_snapshot("bad-options", &all);
}

#[test]
fn errors_of_claims_of_the_state() {
    let claim = |text: &str| format!("{HEAD}{DEPLOY}[[expect.at]]\nat = \"1m\"\n{text}\n");
    let cases = [
        ("a kind that there is not", "\"sandbx/pds-web-0\".status = \"dead\""),
        ("a field that there is not", "\"pool/pds-web\".desird_instances = 3"),
        ("a field of another kind", "\"pool/pds-web\".status = \"dead\""),
        ("a status that there is not", "\"sandbox/pds-web-0\".status = \"daed\""),
        (
            "a text for a number, a number for a time, a number for yes or no",
            "\"pool/pds-web\".desired_instances = \"3\"\n\"sandbox/pds-web-0\" = { last_activity = 5, boot_failed = 1 }",
        ),
        ("a text for a list", "\"pool/pds-web\".referenced_by_versions = \"pds-v1\""),
        ("a name of another kind", "\"sandbox/pds-web-0\".pool = \"app/pds\""),
        (
            "an app that nobody deploys, a node of no cluster",
            "\"app/pdss\".absent = false\n\"sandbox/pds-web-0\".node = \"n2\"",
        ),
        ("a name that is none", "\"sandbox/\".absent = true\n\"sandbox/a/b\".absent = true"),
        ("a thing without a field", "\"sandbox/pds-web-0\" = \"dead\""),
        ("a thing of which nothing is said", "\"sandbox/pds-web-0\" = {}"),
        ("fields of what is absent", "\"sandbox/pds-web-0\" = { absent = true, status = \"dead\" }"),
        ("a controller that there is not", "\"sandbox/pds-web-0\".by = \"lancher\""),
        ("two claims of one field", "\"pool/pds-web\".desired_instances = { equals = 3, not = 4 }"),
        ("no claim of a field", "\"pool/pds-web\".desired_instances = {}"),
        (
            "bounds of a status, a member of a number",
            "\"sandbox/pds-web-0\" = { status = { min = 1 }, instance = { has = \"1\" } }",
        ),
        ("bounds the wrong way round", "\"pool/pds-web\".desired_instances = { min = 3, max = 2 }"),
        (
            "absence of what is always there",
            "\"pool/pds-web\" = { desired_instances.absent = true, created_at.absent = true }",
        ),
        ("a count of a kind that there is not", "count.sandboxes = 3"),
        ("a count by a field that there is not", "count.sandbox = { statsu = \"dead\", equals = 3 }"),
        (
            "a count of no number, and of too many",
            "count.sandbox = { status = \"dead\" }\ncount.disk = { equals = 1, max = 2 }\ncount.pool = { min = 2, max = 1 }",
        ),
        (
            "a count of a text, and by who wrote it",
            "count.sandbox = \"3\"\ncount.node = { status = { by = \"world\" }, equals = 1 }",
        ),
        ("nothing", ""),
        ("a key that is no thing", "sandbox = 3"),
        ("two kinds of span", "within = \"1m\"\nfor = \"2m\"\ncount.sandbox = 3"),
        ("a span that ends after the horizon", "for = \"1h\"\ncount.sandbox = 3"),
    ];
    let texts: Vec<(&str, String)> = cases.iter().map(|(name, text)| (*name, claim(text))).collect();
    let mut cases: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let late = format!(
        "{HEAD}[[expect.at]]\nat = \"61m\"\ncount.sandbox = 3\n[[variant]]\nexpect.at = [{{ count.sandbox = 3 }}]\n"
    );
    cases.push(("a moment after the horizon, a moment without a time in a variant", &late));
    cases.push(("a table for a list of moments", "schema = 1\nhorizon = \"1h\"\n[expect.at]\nat = \"1s\"\n"));
    rendered("bad-claims", &cases);
}
