//! What a config may say, told through all three loaders and in both modes.
//!
//! Every refusal is compared word for word: a deploy that is refused shows these texts in golden files. `check` is
//! the only judge; it holds each loader to the same answer. What a newcomer gets wrong: a mistake that is not an
//! unknown field is the same error in both modes, and `refused` checks both.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::model::{Concurrency, DiskConfig, Name, PortConfig, ServiceConfig};

/// What each loader makes of a text; all three must agree, and the origin is the file's name.
fn check(text: &str, strictness: Strictness) -> Result<Loaded, String> {
    let root = tempfile::tempdir().unwrap();
    let inner = root.path().join("src/deep");
    fs::create_dir_all(&inner).unwrap();
    fs::write(root.path().join("src/app.toml"), text).unwrap();
    let sources = [
        ConfigSource::read_upwards(&inner, root.path()).unwrap(),
        ConfigSource::read_under(root.path()).unwrap(),
        ConfigSource::from_bytes(text.as_bytes(), "app.toml").unwrap(),
    ];
    assert_eq!(sources.each_ref().map(|source| source.loader), [Loader::Upwards, Loader::Under, Loader::Bytes]);
    let folder = format!("{}/", root.path().join("src").display());
    let [upwards, under, bytes] = sources
        .each_ref()
        .map(|source| load(source, strictness).map_err(|error| error.to_string().replace(folder.as_str(), "")));
    assert_eq!(upwards, bytes, "upwards, {strictness:?}: {text}");
    assert_eq!(under, bytes, "under, {strictness:?}: {text}");
    bytes
}

fn strict(text: &str) -> Result<Loaded, String> {
    check(text, Strictness::Strict)
}

/// The refusal of a text that is wrong in both modes.
fn refused(text: &str) -> String {
    let error = strict(text).unwrap_err();
    assert_eq!(check(text, Strictness::Lenient), Err(error.clone()), "{text}");
    error
}

fn services(text: &str) -> Vec<ServiceConfig> {
    strict(text).unwrap().app.resolve(Name::new("built"))
}

const FULL: &str = r#"
name = "shop"
post_import = "migrate"
concurrency = 20
include = ["lib", "assets"]

[[env]]
key = "B"
value = "app"

[[env]]
key = "A"
value = "app"

[build]
dockerfile = "Dockerfile"

[services.web]
command = "serve"
port = 8080
port_name = "http"
port_type = "http"
env = [{ key = "B", value = "web" }, { key = "C" }]

[services.web.concurrency]
mode = "auto"
requests_per_instance = 0
scale_down_delay = "1h30m"

[services.database]
image = "postgres:16"
port = 5432

[services.database.concurrency]
mode = "fixed"
num_instances = 1

[[services.database.disks]]
name = "data"
mount_path = "/data"
read_only = true
size_gb = 20
filesystem = "xfs"
lease_timeout = "90s"

[[services.database.disks]]
name = "old"
mount_path = "/old"
"#;

#[test]
fn everything_that_a_config_can_say_arrives() {
    let loaded = strict(FULL).unwrap();
    assert_eq!(loaded, check(FULL, Strictness::Lenient).unwrap());
    let app = &loaded.app;
    assert_eq!(app.name.as_ref().unwrap().value, "shop");
    assert_eq!(app.post_import.as_ref().unwrap().value, "migrate");
    assert_eq!(app.include.iter().map(|path| path.value.as_str()).collect::<Vec<_>>(), ["lib", "assets"]);
    assert_eq!(app.build, Some(Place { line: 15, column: 2 }));
    let services = app.resolve(Name::new("built"));
    let [database, web] = &services[..] else { panic!("{services:?}") };

    let name = Name::new;
    assert_eq!((database.name, database.image, database.command), (name("database"), name("postgres:16"), None));
    assert_eq!(database.port, Some(PortConfig { number: 5432, name: None, port_type: None }));
    assert_eq!(database.concurrency, Concurrency::Fixed { instances: 1 });
    assert_eq!(database.env, [(name("A"), name("app")), (name("B"), name("app"))]);
    let data = DiskConfig {
        name: name("data"),
        mount_path: name("/data"),
        read_only: true,
        size_gb: 20,
        filesystem: Filesystem::Xfs,
        lease_timeout: Some(SimDuration::from_secs(90)),
    };
    let old = DiskConfig {
        name: name("old"),
        mount_path: name("/old"),
        read_only: false,
        size_gb: 0,
        filesystem: Filesystem::Ext4,
        lease_timeout: None,
    };
    assert_eq!(database.disks, [data, old]);

    assert_eq!((web.image, web.command), (name("built"), Some(name("serve"))));
    let http = Some(name("http"));
    assert_eq!(web.port, Some(PortConfig { number: 8080, name: http, port_type: http }));
    let (requests_per_instance, scale_down_delay) = (0, SimDuration::from_mins(90));
    assert_eq!(web.concurrency, Concurrency::Auto { requests_per_instance, scale_down_delay });
    assert_eq!(web.env, [(name("A"), name("app")), (name("B"), name("web")), (name("C"), name(""))]);
}

#[test]
fn a_service_that_says_little_gets_the_defaults_of_its_name() {
    let auto = |requests_per_instance, minutes| Concurrency::Auto {
        requests_per_instance,
        scale_down_delay: SimDuration::from_mins(minutes),
    };
    let fixed = |instances| Concurrency::Fixed { instances };
    for (text, name, port, concurrency) in [
        ("", "web", Some(3000), auto(10, 15)),
        ("name = \"shop\"", "web", Some(3000), auto(10, 15)),
        ("[services]", "web", Some(3000), auto(10, 15)),
        ("concurrency = 3", "web", Some(3000), auto(3, 15)),
        ("[services.web]", "web", Some(3000), auto(10, 15)),
        ("services.web.port = 80", "web", Some(80), auto(10, 15)),
        ("[services.web.concurrency]", "web", Some(3000), auto(10, 15)),
        ("concurrency = 3\n[services.web.concurrency]\nrequests_per_instance = 7", "web", Some(3000), auto(7, 15)),
        ("[services.web.concurrency]\nscale_down_delay = \"2m\"", "web", Some(3000), auto(10, 2)),
        ("[services.web.concurrency]\nmode = \"fixed\"", "web", Some(3000), fixed(1)),
        ("[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 4", "web", Some(3000), fixed(4)),
        ("[services.worker]", "worker", None, fixed(1)),
        ("concurrency = 3\n[services.worker]", "worker", None, fixed(1)),
        ("[services.worker]\nport_name = \"http\"", "worker", None, fixed(1)),
        ("[services.worker.concurrency]\nnum_instances = 4", "worker", None, fixed(4)),
        ("[services.worker.concurrency]\nmode = \"auto\"", "worker", None, auto(10, 15)),
        ("[services.worker]\nimage = \"\"\ncommand = \"\"", "worker", None, fixed(1)),
    ] {
        let services = services(text);
        assert_eq!(services.len(), 1, "{text}");
        let service = &services[0];
        let number = service.port.map(|port| port.number);
        assert_eq!((&*service.name, number, service.concurrency), (name, port, concurrency), "{text}");
        assert_eq!((&*service.image, service.command), ("built", None), "{text}");
        assert!(service.env.is_empty() && service.disks.is_empty(), "{text}");
    }
}

#[test]
fn services_and_their_environment_come_sorted_and_the_last_word_counts() {
    let names: Vec<Name> = services("[services.b]\n[services.a]\n[services.\"a b\"]").iter().map(|s| s.name).collect();
    assert_eq!(names, [Name::new("a"), Name::new("a b"), Name::new("b")]);
    let text = r#"env = [{ key = "Z", value = "1" }, { key = "A", value = "1" }, { key = "Z", value = "2" }]"#;
    let name = Name::new;
    assert_eq!(services(text)[0].env, [(name("A"), name("1")), (name("Z"), name("2"))]);
}

/// One unknown field each: the text, where it is, its path, what strictness says of it.
const UNKNOWN: &[(&str, (usize, usize), &str, &str)] = &[
    ("service = 1", (1, 1), "service", "unknown field `service` in the app config; did you mean `services`?"),
    (
        "replicas = 1",
        (1, 1),
        "replicas",
        "unknown field `replicas` in the app config; the app config has `name`, `post_import`, `env`, `concurrency`, \
         `services`, `build` and `include`",
    ),
    (
        "[[env]]\nkey = 'A'\n  val = 'x'",
        (3, 3),
        "env[0].val",
        "unknown field `val` in an env entry of the app; did you mean `value`?",
    ),
    (
        "[services.web]\nprot = 80",
        (2, 1),
        "services.web.prot",
        "unknown field `prot` in service `web`; did you mean `port`?",
    ),
    (
        "[services.db]\nnum_instances = 1",
        (2, 1),
        "services.db.num_instances",
        "unknown field `num_instances` in service `db`; it is a field of a service's concurrency, while a service has \
         `command`, `port`, `port_name`, `port_type`, `image`, `env`, `concurrency` and `disks`",
    ),
    (
        "[services.\"my db\".concurrency]\ninstances = 1",
        (2, 1),
        "services.\"my db\".concurrency.instances",
        "unknown field `instances` in the concurrency of service `my db`; did you mean `num_instances`?",
    ),
    (
        "[[services.w.env]]\nkey = 'A'\n\"\\n\" = 1",
        (3, 1),
        "services.w.env[0].\"\\n\"",
        "unknown field `\\n` in an env entry of service `w`; an env entry has `key` and `value`",
    ),
    (
        "# é\nservices.database = { disks = [{ name = 'é', mount_path = '/', size = 20 }] }",
        (2, 64),
        "services.database.disks[0].size",
        "unknown field `size` in a disk of service `database`; did you mean `size_gb`?",
    ),
    ("\u{feff}nme = 'x'", (1, 1), "nme", "unknown field `nme` in the app config; did you mean `name`?"),
    (
        "[servces.web]\nport = 1",
        (1, 2),
        "servces",
        "unknown field `servces` in the app config; did you mean `services`?",
    ),
];

#[test]
fn an_unknown_field_is_an_error_when_strict_and_reported_as_ignored_when_lenient() {
    for (text, (line, column), path, said) in UNKNOWN {
        assert_eq!(strict(text).unwrap_err(), format!("app.toml:{line}:{column}: {said}"), "{text}");
        let ignored = IgnoredField { path: (*path).to_owned(), line: *line, column: *column };
        assert_eq!(check(text, Strictness::Lenient).unwrap().ignored, [ignored], "{text}");
    }
}

/// The config of the incident.
const TYPO: &str = "[services.database.concurrency]
mode = \"fixed\"
num_instances = 1

[[services.database.disks]]
name = \"pds-data\"
mount_path = \"/data\"
size = 20
";

#[test]
fn the_typo_of_the_incident_leaves_the_size_at_zero_when_lenient_and_is_refused_when_strict() {
    assert_eq!(
        strict(TYPO).unwrap_err(),
        "app.toml:8:1: unknown field `size` in a disk of service `database`; did you mean `size_gb`?"
    );
    let loaded = check(TYPO, Strictness::Lenient).unwrap();
    assert_eq!(loaded.ignored[0].path, "services.database.disks[0].size");
    assert_eq!(loaded.app.resolve(Name::new("b"))[0].disks[0].size_gb, 0);
    let fixed = TYPO.replace("size =", "size_gb =");
    assert_eq!(services(&fixed)[0].disks[0].size_gb, 20);
    assert!(check(&fixed, Strictness::Lenient).unwrap().ignored.is_empty());
}

#[test]
fn all_unknown_fields_of_a_file_are_reported_at_once_and_in_its_order() {
    let text = "zzz = 1\nnme = 'a'\n[services.web]\nprot = 1\n[[services.db.disks]]\nsize = 1\nnme = 'a'\n\
                [services.aaa]\nimg = 'x'\n";
    let lines: Vec<String> =
        strict(text).unwrap_err().lines().map(|line| line[..line.find(';').unwrap()].into()).collect();
    assert_eq!(
        lines,
        [
            "app.toml:1:1: unknown field `zzz` in the app config",
            "app.toml:2:1: unknown field `nme` in the app config",
            "app.toml:4:1: unknown field `prot` in service `web`",
            "app.toml:6:1: unknown field `size` in a disk of service `db`",
            "app.toml:7:1: unknown field `nme` in a disk of service `db`",
            "app.toml:9:1: unknown field `img` in service `aaa`",
        ]
    );
    let text = text.replace("size = 1\nnme = 'a'", "size = 1\nname = 'a'\nmount_path = '/'\nx = 1");
    let ignored = check(&text, Strictness::Lenient).unwrap().ignored;
    let paths: Vec<&str> = ignored.iter().map(|field| field.path.as_str()).collect();
    let disk = ["services.db.disks[0].size", "services.db.disks[0].x"];
    assert_eq!(paths, ["zzz", "nme", "services.web.prot", disk[0], disk[1], "services.aaa.img"]);
}

/// A config that breaks one rule, and the refusal.
const BROKEN: &[(&str, &str)] = &[
    // env keys non-empty
    ("[[env]]\nkey = ''", "2:1: `key` of an env entry of the app is empty; write one, like `key = \"KEY\"`"),
    ("env = [{ value = 'x' }]", "1:8: an env entry of the app has no `key`; add one, like `key = \"KEY\"`"),
    (
        "[services.w]\nenv = [{ key = '' }]",
        "2:10: `key` of an env entry of service `w` is empty; write one, like `key = \"KEY\"`",
    ),
    // mode auto | fixed
    (
        "[services.w.concurrency]\nmode = 'manual'",
        "2:8: `mode` of the concurrency of service `w`: `manual` is none of them: write `auto` or `fixed`",
    ),
    (
        "[services.w.concurrency]\nmode = 'Auto'",
        "2:8: `mode` of the concurrency of service `w`: `Auto` is none of them: write `auto` or `fixed`; did you mean \
         `auto`?",
    ),
    // auto
    (
        "[services.w.concurrency]\nmode = 'auto'\nnum_instances = 2",
        "3:1: `num_instances` is not for service `w`, which has mode `auto`; remove it, or set `mode = \"fixed\"`",
    ),
    (
        "[services.web.concurrency]\nnum_instances = 0",
        "2:1: `num_instances` is not for service `web`, which has mode `auto` by default; remove it, or set `mode = \
         \"fixed\"`",
    ),
    (
        "[services.web.concurrency]\nrequests_per_instance = -1",
        "2:25: `requests_per_instance` of the concurrency of service `web` is -1; write a number from 0 to 4294967295",
    ),
    (
        "[services.web.concurrency]\nscale_down_delay = '15'",
        "2:20: `scale_down_delay` of the concurrency of service `web`: `15` is not right: a duration needs a unit (ns, \
         us, ms, s, m, h, d); write \"5s\"",
    ),
    // fixed
    (
        "[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 0",
        "3:1: `num_instances` is 0, and service `w` has mode `fixed`, which needs 1 or more; write 1",
    ),
    (
        "[services.w.concurrency]\nnum_instances = -3",
        "2:1: `num_instances` is -3, and service `w` has mode `fixed` by default, which needs 1 or more; write 1",
    ),
    (
        "[services.w.concurrency]\nmode = 'fixed'\nrequests_per_instance = 0",
        "3:1: `requests_per_instance` is not for service `w`, which has mode `fixed`; remove it, or set `mode = \
         \"auto\"`",
    ),
    (
        "[services.w.concurrency]\nscale_down_delay = '5m'",
        "2:1: `scale_down_delay` is not for service `w`, which has mode `fixed` by default; remove it, or set `mode = \
         \"auto\"`",
    ),
    // disks
    (
        "[services.web]\n[[services.web.disks]]\nname = 'd'\nmount_path = '/d'",
        "1:11: service `web` has disks and has mode `auto` by default; a disk has one user, so set `mode = \"fixed\"` \
         and `num_instances = 1` in its concurrency",
    ),
    (
        "[services.w]\nconcurrency.mode = 'auto'\ndisks = [{ name = 'd', mount_path = '/d' }]",
        "2:13: service `w` has disks and has mode `auto`; a disk has one user, so set `mode = \"fixed\"` and \
         `num_instances = 1` in its concurrency",
    ),
    (
        "[services.w]\nconcurrency.num_instances = 2\ndisks = [{ name = 'd', mount_path = '/d' }]",
        "2:13: service `w` has disks and 2 instances; a disk has one user, so set `num_instances = 1`",
    ),
    (
        "[[services.w.disks]]\nmount_path = '/d'",
        "1:1: a disk of service `w` has no `name`; add one, like `name = \"data\"`",
    ),
    (
        "[[services.w.disks]]\nname = ''\nmount_path = '/d'",
        "2:1: `name` of a disk of service `w` is empty; write one, like `name = \"data\"`",
    ),
    (
        "[[services.w.disks]]\nname = 'd'",
        "1:1: a disk of service `w` has no `mount_path`; add one, like `mount_path = \"/data\"`",
    ),
    (
        "[[services.w.disks]]\nname = 'd'\nmount_path = ''",
        "3:1: `mount_path` of a disk of service `w` is empty; write one, like `mount_path = \"/data\"`",
    ),
    (
        "[[services.w.disks]]\nname = 'd'\nmount_path = '/d'\nfilesystem = 'ext3'",
        "4:14: `filesystem` of a disk of service `w`: `ext3` is none of them: write `ext4`, `xfs` or `btrfs`; did you \
         mean `ext4`?",
    ),
    (
        "[[services.w.disks]]\nname = 'd'\nmount_path = '/d'\nsize_gb = -20",
        "4:11: `size_gb` of a disk of service `w` is -20; write a number from 0 to 4294967295",
    ),
    (
        "[[services.w.disks]]\nname = 'd'\nmount_path = '/d'\nlease_timeout = 'soon'",
        "4:17: `lease_timeout` of a disk of service `w`: `soon` is not right: this is not a duration; write one like \
         \"90s\" or \"1h30m\"",
    ),
    // numbers that do not fit
    (
        "concurrency = 0x1_0000_0000",
        "1:15: `concurrency` of the app config is 0x100000000; write a number from 0 to 4294967295",
    ),
    ("[services.w]\nport = 0", "2:8: `port` of service `w` is 0; write a number from 1 to 65535"),
    ("[services.w]\nport = 65536", "2:8: `port` of service `w` is 65536; write a number from 1 to 65535"),
    (
        "[services.w.concurrency]\nnum_instances = 4294967296",
        "2:17: `num_instances` of the concurrency of service `w` is 4294967296; write a number from 1 to \
         4294967295",
    ),
    // lists and tables of the wrong things
    (
        "include = ['a', 1]",
        "1:17: `include` of the app config has a whole number in its list; write strings only, like `include = [\"path\"]`",
    ),
    (
        "env = ['A=1']",
        "1:8: `env` of the app config has a string in its list; write tables only, like `env = [{ key = \"KEY\", value \
         = \"text\" }]`",
    ),
    ("services.web = 1", "1:16: service `web` is a whole number; write a table, like `[services.web]`"),
    // not TOML
    ("name = ", "1:8: this is not TOML: string values must be quoted, expected literal string"),
    ("name = 'a'\nname = 'b'", "2:1: this is not TOML: duplicate key"),
];

#[test]
fn each_rule_refuses_what_breaks_it_in_both_modes() {
    for (text, said) in BROKEN {
        assert_eq!(refused(text), format!("app.toml:{said}"), "{text}");
    }
}

#[test]
fn a_wrong_type_is_refused_in_every_field_with_an_example_of_the_right_one() {
    // The head of a config that holds a table of each shape, and what messages call that table.
    let heads = [
        ("", "the app config"),
        ("[[env]]\n", "an env entry of the app"),
        ("[services.w]\n", "service `w`"),
        ("[services.w.concurrency]\n", "the concurrency of service `w`"),
        ("[[services.w.disks]]\n", "a disk of service `w`"),
    ];
    let mut wanted = Vec::new();
    for (shape, (head, called)) in suggest::SHAPES.iter().zip(heads) {
        for (field, example) in shape.fields {
            let error = refused(&format!("{head}{field} = 2026-03-12"));
            let (line, column) = (head.lines().count() + 1, field.len() + 4);
            let before = format!("app.toml:{line}:{column}: `{field}` of {called} is a date or time; write ");
            let rest = error.strip_prefix(&before).unwrap_or_else(|| panic!("{error}"));
            let (what, shown) = rest.split_once(", like ").unwrap();
            assert_eq!(shown, format!("`{example}`"));
            wanted.push(format!("{field}: {what}"));
        }
    }
    assert_eq!(
        wanted,
        [
            "name: a string",
            "post_import: a string",
            "env: a list",
            "concurrency: a whole number",
            "services: a table",
            "build: a table",
            "include: a list",
            "key: a string",
            "value: a string",
            "command: a string",
            "port: a whole number",
            "port_name: a string",
            "port_type: a string",
            "image: a string",
            "env: a list",
            "concurrency: a table",
            "disks: a list",
            "mode: a string",
            "requests_per_instance: a whole number",
            "scale_down_delay: a string",
            "num_instances: a whole number",
            "name: a string",
            "mount_path: a string",
            "read_only: `true` or `false`",
            "size_gb: a whole number",
            "filesystem: a string",
            "lease_timeout: a string",
        ]
    );
}

#[test]
fn the_examples_in_messages_are_themselves_right() {
    for (index, shape) in suggest::SHAPES.iter().enumerate() {
        for (field, example) in shape.fields {
            let fixed = "[services.web]\nconcurrency.mode = 'fixed'\n";
            let text = match (index, *field) {
                (0, _) => (*example).to_owned(),
                (1, "key") => format!("[[env]]\n{example}"),
                (1, _) => format!("[[env]]\nkey = 'K'\n{example}"),
                (2, "concurrency") => format!("[services.web]\n{example}"),
                (2, _) => format!("{fixed}{example}"),
                (3, "mode" | "num_instances") => format!("[services.w.concurrency]\n{example}"),
                (3, _) => format!("[services.web.concurrency]\n{example}"),
                (_, "name") => format!("[[services.w.disks]]\nmount_path = '/'\n{example}"),
                (_, "mount_path") => format!("[[services.w.disks]]\nname = 'd'\n{example}"),
                _ => format!("[[services.w.disks]]\nname = 'd'\nmount_path = '/'\n{example}"),
            };
            assert!(strict(&text).is_ok(), "{text}: {:?}", strict(&text));
        }
    }
}

#[test]
fn independent_mistakes_are_reported_together_and_one_slip_is_reported_once() {
    for (text, lines) in [
        // Two services, three mistakes; the disk's typo does not hide the mode's.
        (
            "[services.a]\nport = 'x'\n[services.web]\ndisks = [{ name = 'd', mount_path = '/', size = 1 }]",
            &["2:8: `port`", "3:11: service `web` has disks", "4:42: unknown field `size`"][..],
        ),
        // A misspelt name is not a missing one as well, and a misspelt mode forbids nothing.
        ("[[services.w.disks]]\nnmae = 'd'\nmount_path = '/'", &["2:1: unknown field `nmae`"]),
        ("[services.web.concurrency]\nmoed = 'fixed'\nnum_instances = 2", &["2:1: unknown field `moed`"]),
        ("[services.web.concurrency]\nmode = 'fxied'\nnum_instances = 2", &["2:8: `mode`"]),
        ("[services.web]\nconcurency = { num_instances = 1 }\ndisks = []", &["2:1: unknown field `concurency`"]),
        // Both modes of missing, and two rules of one service.
        (
            "[[services.w.disks]]",
            &["1:1: a disk of service `w` has no `name`", "1:1: a disk of service `w` has no `mount_path`"],
        ),
        (
            "[services.w.concurrency]\nrequests_per_instance = 1\nscale_down_delay = '1s'",
            &["2:1: `requests_per_instance`", "3:1: `scale_down_delay`"],
        ),
        // Every syntax error, and nothing that was guessed after one.
        ("name = \nprot = 1\nport 2\n", &["1:8: this is not TOML", "3:6: this is not TOML"]),
    ] {
        let error = strict(text).unwrap_err();
        let got: Vec<&str> = error.lines().collect();
        assert_eq!(got.len(), lines.len(), "{text}\n{error}");
        for (got, line) in got.iter().zip(lines) {
            assert!(got.starts_with(&format!("app.toml:{line}")), "{text}\n{error}");
        }
    }
}

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
        format!("services.w.env = [{}]", deep("{},", 300_000)),
        (0..90_000).map(|n| format!("k{n} = 1\n")).collect(),
        format!("services = {{ {} }}", (0..90_000).map(|n| format!("k{n}=1,")).collect::<String>()),
        deep("= \n", 300_000),
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
        load(&source, Strictness::Lenient).unwrap_err().one_line(),
        "config:1:1: a config can have 1048576 bytes at most; is this the right file?"
    );
}

/// Loads bytes in both modes and resolves what passes; lenient must accept whatever strict does.
fn survives(bytes: &[u8]) {
    let Ok(source) = ConfigSource::from_bytes(bytes, "config") else { return };
    let lenient = load(&source, Strictness::Lenient);
    match load(&source, Strictness::Strict) {
        Ok(loaded) => {
            assert_eq!(loaded.ignored, []);
            assert_eq!(Ok(&loaded), lenient.as_ref());
            assert!(!loaded.app.resolve(Name::new("built")).is_empty());
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
