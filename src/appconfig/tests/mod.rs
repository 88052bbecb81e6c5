//! What a config may say, told through all three loaders and in both modes.
//!
//! Every refusal is compared word for word: a deploy that is refused shows these texts in golden files. `check` is
//! the only judge; it holds each loader to the same answer. What a newcomer gets wrong: a mistake that is not an
//! unknown field is the same error in both modes, and `refused` checks both.

mod hostile;
mod page;
mod rules;

use std::fs;

use super::find::FILE_NAME;
use super::*;
use crate::model::{Concurrency, DiskConfig, Name, PortConfig, ServiceConfig};

/// What each loader makes of a text; all three must agree, and the origin is the file's name.
fn check(text: &str, strictness: Strictness) -> Result<Loaded, String> {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("src/deep")).unwrap();
    fs::create_dir(root.path().join(".miren")).unwrap();
    fs::write(root.path().join(FILE_NAME), text).unwrap();
    let sources = [
        ConfigSource::read_upwards(root.path(), "src/deep").unwrap(),
        ConfigSource::read_under(root.path(), "").unwrap(),
        ConfigSource::from_bytes(text.as_bytes(), FILE_NAME).unwrap(),
    ];
    assert_eq!(sources.each_ref().map(|source| source.loader), [Loader::Upwards, Loader::Under, Loader::Bytes]);
    let [upwards, under, bytes] = sources.each_ref().map(|source| {
        load(source, &Grammar::latest(strictness)).map_err(|error| error.to_string().replace(".miren/", ""))
    });
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
    strict(text).unwrap().app.resolve(Name::new("built"), &Code::default())
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

[aliases]
console = "app run console"

[services.web]
command = "serve"
port = 8080
port_name = "main"
port_type = "tcp"
port_timeout = "60s"
env = [{ key = "B", value = "web" }, { key = "C" }]

[services.web.concurrency]
mode = "auto"
requests_per_instance = 0
scale_down_delay = "1h30m"
shutdown_timeout = "30s"

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
    let services = app.resolve(Name::new("built"), &Code::default());
    let [database, web] = &services[..] else { panic!("{services:?}") };

    let name = Name::new;
    assert_eq!((database.name, database.image, database.command), (name("database"), name("postgres:16"), None));
    let port = |number, called, port_type| PortConfig {
        number,
        name: name(called),
        port_type: name(port_type),
        protocol: Protocol::Tcp,
        node_port: 0,
    };
    assert_eq!(database.ports, [port(5432, "http", "http")]);
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
    assert_eq!(web.ports, [port(8080, "main", "tcp")]);
    assert_eq!(
        (web.port_timeout, web.shutdown_timeout),
        (Some(SimDuration::from_secs(60)), Some(SimDuration::from_secs(30)))
    );
    let (requests_per_instance, scale_down_delay) = (10, SimDuration::from_mins(90));
    assert_eq!(web.concurrency, Concurrency::Auto { requests_per_instance, scale_down_delay });
    assert_eq!(web.env, [(name("A"), name("app")), (name("B"), name("web")), (name("C"), name(""))]);
}

#[test]
fn a_service_that_says_little_is_auto_and_only_one_that_is_not_named_has_the_defaults_of_its_name() {
    let auto = |requests_per_instance, minutes| Concurrency::Auto {
        requests_per_instance,
        scale_down_delay: SimDuration::from_mins(minutes),
    };
    let fixed = |instances| Concurrency::Fixed { instances };
    for (text, name, port, concurrency) in [
        ("", "web", Some(3000), auto(10, 15)),
        ("name = \"shop\"", "web", Some(3000), auto(10, 15)),
        ("[services]", "web", Some(3000), auto(10, 15)),
        ("concurrency = 3", "web", Some(3000), auto(10, 15)),
        ("[services.web]", "web", Some(3000), auto(10, 2)),
        ("services.web.port = 80", "web", Some(80), auto(10, 2)),
        ("services.web.port = 0", "web", Some(3000), auto(10, 2)),
        ("[services.web.concurrency]", "web", Some(3000), auto(10, 2)),
        ("[services.web.concurrency]\nmode = \"\"\nscale_down_delay = \"\"", "web", Some(3000), auto(10, 2)),
        ("concurrency = 3\n[services.web.concurrency]\nrequests_per_instance = 7", "web", Some(3000), auto(7, 2)),
        ("[services.web.concurrency]\nrequests_per_instance = 0", "web", Some(3000), auto(10, 2)),
        ("[services.web.concurrency]\nnum_instances = 0", "web", Some(3000), auto(10, 2)),
        ("[services.web.concurrency]\nscale_down_delay = \"5m\"", "web", Some(3000), auto(10, 5)),
        ("[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 4", "web", Some(3000), fixed(4)),
        ("[services.worker]", "worker", None, auto(10, 2)),
        ("concurrency = 3\n[services.worker]", "worker", None, auto(10, 2)),
        ("[services.worker]\nport_name = \"http\"", "worker", None, auto(10, 2)),
        ("[services.worker.concurrency]\nrequests_per_instance = 4", "worker", None, auto(4, 2)),
        ("[services.worker]\nconcurrency = { mode = \"fixed\", num_instances = 4 }", "worker", None, fixed(4)),
        (
            "[services.worker.concurrency]\nmode = \"fixed\"\nnum_instances = 1\nrequests_per_instance = -5",
            "worker",
            None,
            fixed(1),
        ),
        ("[services.worker.concurrency]\nmode = \"auto\"", "worker", None, auto(10, 2)),
        ("[services.worker]\nimage = \"\"\ncommand = \"\"", "worker", None, auto(10, 2)),
    ] {
        let services = services(text);
        assert_eq!(services.len(), 1, "{text}");
        let service = &services[0];
        let number = service.ports.first().map(|port| port.number);
        assert_eq!((&*service.name, number, service.concurrency), (name, port, concurrency), "{text}");
        assert_eq!((&*service.image, service.command), ("built", None), "{text}");
        assert!(service.env.is_empty() && service.disks.is_empty(), "{text}");
    }
}

#[test]
fn several_ports_of_a_service_are_an_array_and_web_always_takes_requests() {
    let ports = |text: &str| {
        let told = |port: &PortConfig| format!("{} {} {:?} {}", port.name, port.number, port.protocol, port.node_port);
        services(text)[0].ports.iter().map(told).collect::<Vec<_>>().join(", ")
    };
    for (text, told) in [
        ("services.irc.ports = [{ port = 6667, name = 'irc', type = 'tcp', node_port = 6667 }]", "irc 6667 Tcp 6667"),
        ("services.w.ports = []", ""),
        (
            "services.w.ports = [{ port = 80, name = 'a' }, { port = 80, name = 'b', type = 'udp' }]",
            "a 80 Tcp 0, b 80 Udp 0",
        ),
        ("services.web.ports = [{ port = 53, name = 'dns', type = 'udp' }]", "dns 53 Udp 0, http 3000 Tcp 0"),
        ("services.web.ports = [{ port = 80, name = 'a' }, { port = 81, name = 'b' }]", "a 80 Tcp 0, b 81 Tcp 0"),
    ] {
        assert_eq!(ports(text), told, "{text}");
    }
}

#[test]
fn a_field_is_unknown_before_its_day() {
    let text = "aliases = { x = 'y' }\n[services.w]\nport_timeout = '60s'\nports = [{ port = 1, name = 'a' }]\n\
                [services.v]\nport = 1\nport_name = 'a'\nport_type = 'tcp'\nconcurrency.shutdown_timeout = '1s'\n";
    let source = ConfigSource::from_bytes(text.as_bytes(), "app.toml").unwrap();
    let with = |strictness, lacks: &[Feature]| load(&source, &Grammar { strictness, lacks: lacks.to_vec() });
    assert!(with(Strictness::Strict, &[]).is_ok());
    for (lacks, path) in [
        (Feature::Aliases, "aliases"),
        (Feature::Ports, "services.w.ports"),
        (Feature::PortTimeout, "services.w.port_timeout"),
        (Feature::Port, "services.v.port"),
        (Feature::PortName, "services.v.port_name"),
        (Feature::PortType, "services.v.port_type"),
        (Feature::ShutdownTimeout, "services.v.concurrency.shutdown_timeout"),
    ] {
        let loaded = with(Strictness::Lenient, &[lacks]).unwrap();
        assert_eq!(loaded.ignored.iter().map(|field| field.path.as_str()).collect::<Vec<_>>(), [path]);
        let refused = with(Strictness::Strict, &[lacks]).unwrap_err().to_string();
        let field = path.rsplit('.').next().unwrap();
        assert!(refused.contains(&format!("unknown field `{field}`")), "{refused}");
        assert!(!refused.contains(&format!(", `{field}`")), "it is proposed: {refused}");
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
         `services`, `build`, `aliases` and `include`",
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
         `command`, `port`, `port_name`, `port_type`, `ports`, `port_timeout`, `image`, `env`, `concurrency` and \
         `disks`",
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
        "# é\nservices.database = { disks = [{ name = 'é', mount_path = '/', size = 20 }], concurrency = { mode = 'fixed', \
         num_instances = 1 } }",
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
        let near = said.split_once("did you mean `").map(|(_, near)| near.trim_end_matches("`?"));
        let ignored = &check(text, Strictness::Lenient).unwrap().ignored;
        let found: Vec<_> = ignored.iter().map(|f| (f.path.as_str(), f.line, f.column, f.near)).collect();
        assert_eq!(found, [(*path, *line, *column, near)], "{text}");
        // Read as it was meant, it is no mistake any more, and nothing else is another.
        let source = ConfigSource::from_bytes(text.as_bytes(), "app.toml").unwrap();
        for (_, known, meant) in misspelt(&source) {
            assert_eq!((Some(known), meant.text.replacen(known, "", 1)), (near, without(text, path)), "{text}");
            assert!(load(&meant, &Grammar::latest(Strictness::Lenient)).unwrap().ignored.is_empty(), "{text}");
        }
    }
}

/// A text without the last name of a path, where it stands first.
fn without(text: &str, path: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let name = path.rsplit('.').next().unwrap_or(path).trim_matches('"');
    text.replacen(&format!("\"{name}\""), "", 1).replacen(name, "", 1)
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
    assert_eq!(loaded.app.resolve(Name::new("b"), &Code::default())[0].disks[0].size_gb, 0);
    let fixed = TYPO.replace("size =", "size_gb =");
    assert_eq!(services(&fixed)[0].disks[0].size_gb, 20);
    assert!(check(&fixed, Strictness::Lenient).unwrap().ignored.is_empty());
}

#[test]
fn all_unknown_fields_of_a_file_are_reported_at_once_and_in_its_order() {
    let text = "zzz = 1\nnme = 'a'\n[services.web]\nprot = 1\n[[services.db.disks]]\nsize = 1\nnme = 'a'\n\
                [services.aaa]\nimg = 'x'\n[services.db.concurrency]\nmode = 'fixed'\nnum_instances = 1\n";
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
