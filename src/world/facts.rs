//! What belongs to what: all that a fault's filters can ask about a call or a write.
//!
//! It reads the store's tables, and what the store keeps of those that were deleted: a sandbox outlives its
//! pool, and the other way round. Filters compare names, because names are stable between runs and ids are
//! not a scenario's business.

use crate::model::{Actor, Id, Kind, Node, Subject};

use super::faults::Facts;
use super::store::Store;

/// A disk made anew under an old name is `name~2`: filters mean the name.
fn unnumbered(name: &str) -> &str {
    name.split_once('~').map_or(name, |(name, _)| name)
}

impl Store {
    /// What filters can ask about a call; a store call is about entities of a kind.
    pub(super) fn facts_of_call(&self, actor: Actor, subject: Subject, kind: Option<Kind>) -> Facts {
        let mut facts = self.facts_of(subject);
        facts.controller = Some(actor.controller.name());
        facts.kind = kind.map(Kind::name);
        if let Some(node) = actor.node() {
            facts.node = self.node_name(node);
        }
        facts
    }

    /// What filters can ask about a subject: its own name and those it belongs to.
    pub(super) fn facts_of(&self, subject: Subject) -> Facts {
        let mut facts = Facts::default();
        self.add_facts(subject, &mut facts);
        facts
    }

    fn node_name(&self, node: Id<Node>) -> Option<&'static str> {
        self.tables().nodes.with(node, |node, _| node.name.as_str())
    }

    fn add_facts(&self, subject: Subject, facts: &mut Facts) {
        let short = self.log().name(subject).short();
        let tables = self.tables();
        let id = subject.index;
        let owner: Option<Subject> = match subject.kind {
            Kind::App => {
                facts.app = self.app_name(id).map(|app| app.as_str());
                None
            }
            Kind::Version => tables.versions.with(Id::from_index(id), |version, _| version.app.into()),
            Kind::Pool => {
                facts.pool = Some(short);
                if let Some((app, service)) = self.program_of_pool(id) {
                    facts.app = Some(app.as_str());
                    facts.service = Some(service.as_str());
                }
                None
            }
            Kind::Sandbox => {
                facts.sandbox = Some(short);
                let node = tables.sandboxes.with(Id::from_index(id), |sandbox, _| sandbox.node).flatten();
                facts.node = node.and_then(|node| self.node_name(node));
                self.pool_of(id).map(Into::into)
            }
            Kind::Disk => {
                facts.disk = Some(unnumbered(short));
                tables.disks.with(Id::from_index(id), |disk, _| disk.created_by).flatten().map(Into::into)
            }
            Kind::Lease => {
                facts.lease = Some(short);
                let known = tables.leases.with(Id::from_index(id), |lease, _| (lease.disk, lease.sandbox));
                if let Some((disk, _)) = known {
                    facts.disk = Some(unnumbered(self.log().name(disk).as_str().trim_start_matches("disk/")));
                }
                known.map(|(_, sandbox)| sandbox.into())
            }
            Kind::Volume => {
                facts.disk = Some(short);
                None
            }
            Kind::Node => {
                facts.node = Some(short);
                None
            }
            Kind::Cluster | Kind::Step | Kind::Fault | Kind::Process => None,
        };
        if let Some(owner) = owner {
            self.add_facts(owner, facts);
        }
    }
}
