//! `[cluster]` and `[workload]`: the machines, and how programs behave on them.
//!
//! Knows the world's plain data and its defaults. Nodes are read first of all sections, for others refer to
//! them.

use std::collections::BTreeMap;

use crate::model::Name;
use crate::world::spec::{ClusterSpec, WorkloadSpec};

use super::schema::{Kind, WORKLOAD};
use super::story::WorkloadChange;
use super::tree::{Node, Value};
use super::values;
use super::walk::{Fields, Walk};

/// The process that is no node's.
const COORDINATOR: &str = "coordinator";

/// Reads `[cluster]`; without one, its defaults.
pub(crate) fn cluster(walk: &mut Walk, scenario: &mut Fields<'_>) -> ClusterSpec {
    let mut cluster = ClusterSpec::default();
    let Some(mut fields) = scenario.table(walk, "cluster") else {
        walk.nodes = scenario.get("cluster").is_none().then(|| cluster.nodes.clone());
        return cluster;
    };
    walk.nodes = match fields.get("nodes") {
        None => Some(cluster.nodes.clone()),
        Some(node) => nodes(walk, node),
    };
    cluster.nodes = walk.nodes.clone().unwrap_or_default();
    if let Some(n) = fields.int(walk, "addresses_per_node") {
        cluster.addresses_per_node = u16::try_from(n).expect("within bounds of 16 bits");
    }
    if let Some(n) = fields.int(walk, "disk_quota_gb") {
        cluster.disk_quota_gb = n;
    }
    if let Some(mut latency) = fields.table(walk, "latency") {
        for key in latency.spec.names() {
            if let Some(spread) = latency.spread(walk, key) {
                *cluster.latency.get_mut(key).expect("the keys are its own") = spread;
            }
        }
    }
    cluster
}

fn nodes(walk: &mut Walk, node: &Node) -> Option<Vec<Name>> {
    let nodes = values::distinct(walk, node, "names", |walk, node| {
        let name = values::name(walk, node)?;
        if name.as_str() == COORDINATOR {
            return walk
                .error(node.span, format!("no node can be called `{COORDINATOR}`"))
                .help("the coordinator is a process of its own")
                .none();
        }
        Some(name)
    })?;
    if nodes.is_empty() {
        walk.error(node.span, "a cluster has at least one node");
    }
    Some(nodes)
}

/// Reads all `[workload.APP.SERVICE]`.
pub(crate) fn workloads(walk: &mut Walk, scenario: &mut Fields<'_>) -> BTreeMap<(Name, Name), WorkloadSpec> {
    assert!(matches!(scenario.kind("workload"), Kind::PerService(_)), "workloads are listed by service");
    let mut workloads = BTreeMap::new();
    let Some(node) = scenario.get("workload") else { return workloads };
    let Value::Table(apps) = &node.value else {
        walk.mismatch(node, "a table").help("write `[workload.APP.SERVICE]`");
        return workloads;
    };
    for app in &apps.0 {
        let Value::Table(services) = &app.node.value else {
            not_of_a_service(walk, &app.node, "workload", &app.key);
            continue;
        };
        for service in &services.0 {
            if service.node.table().is_none() {
                not_of_a_service(walk, &service.node, &format!("workload.{}", app.key), &service.key);
                continue;
            }
            let Some(fields) = Fields::open(walk, &service.node, &WORKLOAD) else { continue };
            let spec = changed(&WorkloadSpec::default(), change(walk, fields));
            let name = |walk: &mut Walk, key: &str, span| {
                values::name(walk, &Node { span, value: Value::String(key.to_owned()) })
            };
            let names = (name(walk, &app.key, app.key_span), name(walk, &service.key, service.key_span));
            if let (Some(app), Some(service)) = names {
                workloads.insert((app, service), spec);
            }
        }
    }
    workloads
}

fn not_of_a_service(walk: &mut Walk, node: &Node, path: &str, key: &str) {
    let problem = walk.mismatch(node, &format!("a table under `{path}.{key}`"));
    problem.help("a workload is that of a service of an app: write `[workload.APP.SERVICE]`");
}

/// Reads the keys of a workload.
pub(crate) fn change(walk: &mut Walk, mut fields: Fields<'_>) -> WorkloadChange {
    WorkloadChange {
        image_pull: fields.spread(walk, "image_pull"),
        start: fields.spread(walk, "start"),
        ready: fields.delays(walk, "ready"),
        exit_after: fields.delays(walk, "exit_after"),
        request: fields.spread(walk, "request"),
    }
}

fn changed(spec: &WorkloadSpec, change: WorkloadChange) -> WorkloadSpec {
    WorkloadSpec {
        image_pull: change.image_pull.unwrap_or(spec.image_pull),
        start: change.start.unwrap_or(spec.start),
        ready: change.ready.unwrap_or_else(|| spec.ready.clone()),
        exit_after: change.exit_after.unwrap_or_else(|| spec.exit_after.clone()),
        request: change.request.unwrap_or(spec.request),
    }
}

/// A node that must be one of the cluster's.
pub(crate) fn node_named(walk: &mut Walk, node: &Node) -> Option<Name> {
    among(walk, node, "node", &[])
}

/// A node's process, or the coordinator: none.
pub(crate) fn process_named(walk: &mut Walk, node: &Node) -> Option<Option<Name>> {
    let found = among(walk, node, "process", &[Name::new(COORDINATOR)])?;
    Some((found.as_str() != COORDINATOR).then_some(found))
}

fn among(walk: &mut Walk, node: &Node, what: &str, besides: &[Name]) -> Option<Name> {
    let Some(nodes) = &walk.nodes else { return values::name(walk, node) };
    let known = [besides, nodes].concat();
    let before = walk.problems.len();
    let found = values::known(walk, node, what, &known, |name| name.as_str()).copied();
    // It may be defined in a part that could not be read.
    walk.problems[before..].iter_mut().for_each(|problem| {
        problem.dependent();
    });
    found
}
