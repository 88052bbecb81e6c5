//! Every refusal of a config that is not about unknown fields, word for word.
//!
//! Each holds in both modes and for all three loaders. The tables follow rule 3.4 in its order.

use super::*;

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
        "[services.w.concurrency]\nnum_instances = 2",
        "2:1: `num_instances` is not for service `w`, which has mode `auto` by default; remove it, or set `mode = \
         \"fixed\"`",
    ),
    (
        "[services.w.concurrency]\nrequests_per_instance = -1",
        "2:1: `requests_per_instance` of service `w` is -1; write 0, which means 10, or more",
    ),
    (
        "[services.web.concurrency]\nscale_down_delay = '15'",
        "2:20: `scale_down_delay` of the concurrency of service `web`: `15` is not right: a duration needs a unit (ns, \
         us, ms, s, m, h); write \"15s\"",
    ),
    // fixed
    (
        "[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 0",
        "3:1: `num_instances` is 0, and service `w` has mode `fixed`, which needs 1 or more; write 1",
    ),
    (
        "[services.w.concurrency]\nmode = 'fixed'",
        "2:1: service `w` has mode `fixed`, which needs 1 or more instances; add `num_instances = 1`",
    ),
    (
        "[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 1\nrequests_per_instance = 10",
        "4:1: `requests_per_instance` is not for service `w`, which has mode `fixed`; remove it, or set `mode = \
         \"auto\"`",
    ),
    (
        "[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 1\nscale_down_delay = '5m'",
        "4:1: `scale_down_delay` is not for service `w`, which has mode `fixed`; remove it, or set `mode = \"auto\"`",
    ),
    // disks
    (
        "[services.app]\n[[services.app.disks]]\nname = 'd'\nmount_path = '/d'",
        "1:11: service `app` has disks and has mode `auto` by default; a disk has one user, so set `mode = \"fixed\"` \
         and `num_instances = 1` in its concurrency",
    ),
    (
        "[services.w]\nconcurrency.mode = 'auto'\ndisks = [{ name = 'd', mount_path = '/d' }]",
        "2:13: service `w` has disks and has mode `auto`; a disk has one user, so set `mode = \"fixed\"` and \
         `num_instances = 1` in its concurrency",
    ),
    (
        "[services.w]\nconcurrency = { mode = 'fixed', num_instances = 2 }\ndisks = [{ name = 'd', mount_path = '/d' }]",
        "2:33: service `w` has disks and 2 instances; a disk has one user, so set `num_instances = 1`",
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
        "[[services.w.disks]]\nname = 'd'\nmount_path = '/d'\nfilesystem = 'ext3'\n[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 1",
        "4:14: `filesystem` of a disk of service `w`: `ext3` is none of them: write `ext4`, `xfs` or `btrfs`; did you \
         mean `ext4`?",
    ),
    (
        "[[services.w.disks]]\nname = 'd'\nmount_path = '/d'\nsize_gb = -20\n[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 1",
        "4:11: `size_gb` of a disk of service `w` is -20; write a number from 0 to 4294967295",
    ),
    (
        "[[services.w.disks]]\nname = 'd'\nmount_path = '/d'\nlease_timeout = 'soon'\n[services.w.concurrency]\nmode = 'fixed'\nnum_instances = 1",
        "4:17: `lease_timeout` of a disk of service `w`: `soon` is not right: this is not a duration; write one like \
         \"90s\" or \"1h30m\"",
    ),
    // numbers that do not fit
    (
        "concurrency = 0x1_0000_0000",
        "1:15: `concurrency` of the app config is 0x100000000; write a number from 0 to 4294967295",
    ),
    ("[services.w]\nport = -1", "2:8: `port` of service `w` is -1; write a number from 1 to 65535"),
    ("[services.w]\nport = 65536", "2:8: `port` of service `w` is 65536; write a number from 1 to 65535"),
    (
        "[services.w.concurrency]\nnum_instances = 4294967296",
        "2:17: `num_instances` of the concurrency of service `w` is 4294967296; write a number from 1 to \
         4294967295",
    ),
    // ports
    (
        "[services.w]\nport = 80\nports = [{ port = 81, name = 'a' }]",
        "2:1: service `w` has both `ports` and `port`; write the port as an entry of `ports`",
    ),
    (
        "[services.w]\nport_type = 'tcp'\nports = [{ port = 81, name = 'a' }]",
        "2:1: service `w` has both `ports` and `port_type`; write the port as an entry of `ports`",
    ),
    ("[[services.w.ports]]\nname = 'a'", "1:1: a port of service `w` has no `port`; add one, like `port = 3000`"),
    (
        "[[services.w.ports]]\nport = 0\nname = 'a'",
        "2:8: `port` of a port of service `w` is 0; write a number from 1 to 65535",
    ),
    ("[[services.w.ports]]\nport = 1", "1:1: a port of service `w` has no `name`; add one, like `name = \"http\"`"),
    (
        "[[services.w.ports]]\nport = 1\nname = ''",
        "3:1: `name` of a port of service `w` is empty; write one, like `name = \"http\"`",
    ),
    (
        "[[services.w.ports]]\nport = 1\nname = 'a'\ntype = 'grpc'",
        "4:8: `type` of a port of service `w`: `grpc` is none of them: write `http`, `tcp` or `udp`",
    ),
    (
        "[[services.w.ports]]\nport = 1\nname = 'a'\nnode_port = -1",
        "4:13: `node_port` of a port of service `w` is -1; write a number from 0 to 65535",
    ),
    (
        "services.w.ports = [{ port = 1, name = 'a' }, { port = 2, name = 'a' }]",
        "1:59: service `w` has two ports called `a`; give each its own name",
    ),
    (
        "services.w.ports = [{ port = 1, name = 'a' }, { port = 1, name = 'b', type = 'tcp' }]",
        "1:49: service `w` has port 1 twice; only TCP and UDP can share a number",
    ),
    (
        "[services.w]\nport_timeout = '120'",
        "2:16: `port_timeout` of service `w`: `120` is not right: a duration needs a unit (ns, us, ms, s, m, h); \
         write \"120s\"",
    ),
    (
        "[services.web.concurrency]\nscale_down_delay = '2d'",
        "2:20: `scale_down_delay` of the concurrency of service `web`: `2d` is not right: `d` is no unit of an app config; \
         write hours, like \"48h\"",
    ),
    (
        "[services.w]\nport_timeout = '1:30'",
        "2:16: `port_timeout` of service `w`: `1:30` is not right: an app config knows no clock times; write one like \
         \"5m\"",
    ),
    (
        "[services.w]\nport_timeout = ' 5m'",
        "2:16: `port_timeout` of service `w`: ` 5m` is not right: a duration has no spaces; write one like \"5m\"",
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
        ("[[services.w.ports]]\n", "a port of service `w`"),
        ("[[services.w.disks]]\n", "a disk of service `w`"),
    ];
    let mut wanted = Vec::new();
    for (shape, (head, called)) in suggest::SHAPES.iter().zip(heads) {
        for (field, example, _) in shape.fields {
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
            "aliases: a table",
            "include: a list",
            "key: a string",
            "value: a string",
            "command: a string",
            "port: a whole number",
            "port_name: a string",
            "port_type: a string",
            "ports: a list",
            "port_timeout: a string",
            "image: a string",
            "env: a list",
            "concurrency: a table",
            "disks: a list",
            "mode: a string",
            "requests_per_instance: a whole number",
            "scale_down_delay: a string",
            "num_instances: a whole number",
            "shutdown_timeout: a string",
            "port: a whole number",
            "name: a string",
            "type: a string",
            "node_port: a whole number",
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
        for (field, example, _) in shape.fields {
            let fixed = "[services.w]\nconcurrency = { mode = 'fixed', num_instances = 1 }\n";
            let disk = format!("{fixed}[[services.w.disks]]");
            let text = match (index, *field) {
                (0, _) => (*example).to_owned(),
                (1, "key") => format!("[[env]]\n{example}"),
                (1, _) => format!("[[env]]\nkey = 'K'\n{example}"),
                (2, "concurrency") => format!("[services.w]\n{example}"),
                (2, _) => format!("{fixed}{example}"),
                (3, "mode") => format!("[services.w.concurrency]\nnum_instances = 1\n{example}"),
                (3, "num_instances") => format!("[services.w.concurrency]\nmode = 'fixed'\n{example}"),
                (3, _) => format!("[services.w.concurrency]\n{example}"),
                (4, "port") => format!("[[services.w.ports]]\nname = 'a'\n{example}"),
                (4, "name") => format!("[[services.w.ports]]\nport = 1\n{example}"),
                (4, _) => format!("[[services.w.ports]]\nport = 1\nname = 'a'\n{example}"),
                (_, "name") => format!("{disk}\nmount_path = '/'\n{example}"),
                (_, "mount_path") => format!("{disk}\nname = 'd'\n{example}"),
                _ => format!("{disk}\nname = 'd'\nmount_path = '/'\n{example}"),
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
            "[services.w.concurrency]\nmode = 'fixed'\nrequests_per_instance = 1\nscale_down_delay = '1s'",
            &["2:1: service `w`", "3:1: `requests_per_instance`", "4:1: `scale_down_delay`"],
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
