//! The entities of the store, their fields, and changes of single fields.
//!
//! A change names one field and its new value; a patch is a list of changes. Races of the real
//! system come from the last writer winning *per field*, so patches must be that fine. What a
//! newcomer gets wrong: [`Entity::diff`] leaves out fields that became zero, empty or absent –
//! that is the real framework's bug, and stories depend on it.

use std::fmt;
use std::hash::Hash;
use std::rc::Rc;

use crate::time::{SimDuration, SimTime};

use super::config::{DiskConfig, Filesystem, PortConfig, ServiceConfig};
use super::field::{Detail, Field, FieldType, Value};
use super::id::{Address, Id, Kind, Subject, VolumeId};
use super::name::Name;
use super::status::{DiskStatus, LeaseStatus, NodeStatus, SandboxStatus};

/// Handle of an app.
pub type AppId = Id<App>;
/// Handle of an app version.
pub type VersionId = Id<AppVersion>;
/// Handle of a pool.
pub type PoolId = Id<Pool>;
/// Handle of a sandbox.
pub type SandboxId = Id<Sandbox>;
/// Handle of a disk.
pub type DiskId = Id<Disk>;
/// Handle of a disk lease.
pub type LeaseId = Id<DiskLease>;
/// Handle of a node.
pub type NodeId = Id<Node>;

impl<E: Entity> From<Id<E>> for Subject {
    fn from(id: Id<E>) -> Self {
        Self { kind: E::KIND, index: id.index() }
    }
}

/// A kind of entity that the store holds.
pub trait Entity: Clone + fmt::Debug + 'static {
    /// What a trace record about it is filed under.
    const KIND: Kind;
    /// A new value for one field.
    type Change: Clone + fmt::Debug;
    /// What it can be looked up by, besides its id.
    type Index: Copy + Eq + Hash + fmt::Debug;

    /// The changes that lead from `self` to `new`: every field that differs, save those that
    /// became zero, empty or absent, unless `clears` says otherwise of the field.
    fn diff(&self, new: &Self, clears: impl Fn(Field) -> bool) -> Vec<Self::Change>;

    /// Makes one change; returns the field, its former and its new value.
    fn apply(&mut self, change: Self::Change) -> (Field, Value, Value);

    /// Becomes another in every field; returns the fields that differed, their former and new values.
    fn become_whole(&mut self, new: &Self) -> Vec<(Field, Value, Value)> {
        self.diff(new, |_| true).into_iter().map(|change| self.apply(change)).collect()
    }

    /// Tells every field with its value.
    fn for_each_field(&self, tell: impl FnMut(Field, Value));

    /// Every field with its value.
    fn fields(&self) -> Vec<(Field, Value)> {
        let mut fields = Vec::with_capacity(16);
        self.for_each_field(|field, value| fields.push((field, value)));
        fields
    }

    /// All of a field whose value is a summary; none for the others.
    fn detail(&self, field: Field) -> Option<Detail>;

    /// The entity that an index entry names, if it names one.
    fn index_subject(index: Self::Index) -> Option<Subject>;

    /// Tells every index entry of the entity.
    fn for_each_index(&self, tell: &mut dyn FnMut(Self::Index));

    /// What there is of this kind among that of all kinds.
    fn of<F: PerKind>(all: &OfAll<F>) -> &F::Of<Self>;
}

/// Something that there is of each kind of entity.
pub trait PerKind {
    /// What it is of entities of type `E`.
    type Of<E: Entity>;
}

/// What there is of each kind of entity.
pub struct OfAll<F: PerKind> {
    pub apps: F::Of<App>,
    pub versions: F::Of<AppVersion>,
    pub pools: F::Of<Pool>,
    pub sandboxes: F::Of<Sandbox>,
    pub disks: F::Of<Disk>,
    pub leases: F::Of<DiskLease>,
    pub nodes: F::Of<Node>,
}

macro_rules! entity {
    ($(#[$doc:meta])* $name:ident, $change:ident, $kind:ident, $table:ident {
        $($(#[$fdoc:meta])* $field:ident: $variant:ident($ty:ty)),* $(,)?
    } index $index:ty, |$this:ident, $tell:ident| $body:block, |$entry:ident| $named:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }

        #[doc = concat!("A new value for one field of [`", stringify!($name), "`].")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum $change { $(#[doc = concat!("`", stringify!($field), "`")] $variant($ty)),* }

        impl Entity for $name {
            const KIND: Kind = Kind::$kind;
            type Change = $change;
            type Index = $index;

            fn diff(&self, new: &Self, clears: impl Fn(Field) -> bool) -> Vec<$change> {
                let mut changes = Vec::new();
                $(if self.$field != new.$field && (!new.$field.is_zero() || clears(Field::$variant)) {
                    changes.push($change::$variant(new.$field.clone()));
                })*
                changes
            }
            fn apply(&mut self, change: $change) -> (Field, Value, Value) {
                match change {
                    $($change::$variant(new) => {
                        let from = self.$field.value();
                        let to = new.value();
                        self.$field = new;
                        (Field::$variant, from, to)
                    })*
                }
            }
            fn for_each_field(&self, mut tell: impl FnMut(Field, Value)) {
                $(tell(Field::$variant, self.$field.value());)*
            }
            fn detail(&self, field: Field) -> Option<Detail> {
                match field {
                    $(Field::$variant => self.$field.detail(),)*
                    _ => None,
                }
            }
            fn index_subject($entry: $index) -> Option<Subject> {
                $named
            }
            fn for_each_index(&self, tell: &mut dyn FnMut($index)) {
                let ($this, $tell) = (self, tell);
                $body
            }
            fn of<F: PerKind>(all: &OfAll<F>) -> &F::Of<Self> {
                &all.$table
            }
        }
    };
}

entity! {
    /// A user's application.
    App, AppChange, App, apps {
        /// Its name.
        name: Name(Name),
        /// The version that ought to run.
        active_version: ActiveVersion(Option<VersionId>),
    } index Name, |this, tell| { tell(this.name); }, |_name| None
}

/// What versions are looked up by: their app.
pub type VersionIndex = AppId;

entity! {
    /// What one deploy made of an app.
    AppVersion, AppVersionChange, Version, versions {
        /// Its app.
        app: App(AppId),
        /// Its services, sorted by name.
        config: Config(Rc<[ServiceConfig]>),
        /// The order of creation within the app, from 1.
        number: Number(u32),
    } index VersionIndex, |this, tell| { tell(this.app); }, |app| Some(app.into())
}

impl AppVersion {
    /// Its service of that name.
    pub fn service(&self, name: Name) -> Option<&ServiceConfig> {
        self.config.iter().find(|service| service.name == name)
    }
}

/// What pools are looked up by: their app.
pub type PoolIndex = AppId;

/// What a sandbox is made from; copied from its pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SandboxSpec {
    pub version: VersionId,
    pub image: Name,
    /// The command, when it is not the image's own.
    pub command: Option<Name>,
    /// The ports it must answer on.
    pub ports: Vec<PortConfig>,
    /// How long a boot waits for each of them; none: the tuning's `port_timeout`.
    pub port_timeout: Option<SimDuration>,
    /// How long the program may take to end; none: the platform's default.
    pub shutdown_timeout: Option<SimDuration>,
    /// The user's environment, sorted by key.
    pub env: Vec<(Name, Name)>,
    pub volumes: Vec<DiskConfig>,
}

impl SandboxSpec {
    /// Whether there is a port on which somebody can be seen to listen.
    pub fn has_tcp_port(&self) -> bool {
        self.ports.iter().any(PortConfig::is_tcp)
    }
}

entity! {
    /// The sandboxes of one service that are made from one spec.
    Pool, PoolChange, Pool, pools {
        /// Its app.
        app: App(AppId),
        /// Its service.
        service: Service(Name),
        /// What its sandboxes are made from.
        spec: Spec(Rc<SandboxSpec>),
        /// How many there should be.
        desired_instances: DesiredInstances(u32),
        /// How many are running or pending, as last counted.
        current_instances: CurrentInstances(u32),
        /// How many are running, as last counted.
        ready_instances: ReadyInstances(u32),
        /// The versions that use it.
        referenced_by_versions: ReferencedByVersions(Vec<VersionId>),
        /// Crashes in a row.
        consecutive_crash_count: ConsecutiveCrashCount(u32),
        /// The high-water mark of the crashes that were counted.
        last_crash_time: LastCrashTime(Option<SimTime>),
        /// Nothing is created before.
        cooldown_until: CooldownUntil(Option<SimTime>),
    } index PoolIndex, |this, tell| { tell(this.app); }, |app| Some(app.into())
}

/// What sandboxes are looked up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SandboxIndex {
    /// The pool they name.
    Pool(PoolId),
    /// The version of their spec.
    Version(VersionId),
    /// Their node.
    Node(NodeId),
}

entity! {
    /// One running copy of a service.
    Sandbox, SandboxChange, Sandbox, sandboxes {
        /// Where it is in its life.
        status: Status(SandboxStatus),
        /// What it is made from.
        spec: Spec(Rc<SandboxSpec>),
        /// Its pool.
        pool: Pool(PoolId),
        /// Its service.
        service: Service(Name),
        /// Its number in the pool; the lowest unused when it was made.
        instance: Instance(u32),
        /// The node it is scheduled to.
        node: Node(Option<NodeId>),
        /// Its network address.
        address: Address(Option<Address>),
        /// When it last served a request.
        last_activity: LastActivity(Option<SimTime>),
        /// Whether its boot failed. DIFFERS: the store of today has no such field; the proposed fix
        /// `slow-failures-count` needs one, and nothing else writes it.
        boot_failed: BootFailed(bool),
    } index SandboxIndex, |this, tell| {
        tell(SandboxIndex::Pool(this.pool));
        tell(SandboxIndex::Version(this.spec.version));
        if let Some(node) = this.node {
            tell(SandboxIndex::Node(node));
        }
    }, |entry| Some(match entry {
        SandboxIndex::Pool(pool) => pool.into(),
        SandboxIndex::Version(version) => version.into(),
        SandboxIndex::Node(node) => node.into(),
    })
}

/// What disks are looked up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DiskIndex {
    /// Their name.
    Name(Name),
    /// The app that made them.
    CreatedBy(AppId),
}

entity! {
    /// A disk that outlives the sandboxes that mount it.
    Disk, DiskChange, Disk, disks {
        /// Its name.
        name: Name(Name),
        /// Its size.
        size_gb: SizeGb(u32),
        /// Its file system.
        filesystem: Filesystem(Filesystem),
        /// Where it is in its life.
        status: Status(DiskStatus),
        /// Its volume in the backend.
        volume: Volume(Option<VolumeId>),
        /// The app whose boot made it.
        created_by: CreatedBy(Option<AppId>),
    } index DiskIndex, |this, tell| {
        tell(DiskIndex::Name(this.name));
        if let Some(app) = this.created_by {
            tell(DiskIndex::CreatedBy(app));
        }
    }, |entry| match entry {
        DiskIndex::Name(_) => None,
        DiskIndex::CreatedBy(app) => Some(app.into()),
    }
}

/// What disk leases are looked up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LeaseIndex {
    /// The app they belong to.
    App(AppId),
    /// Their disk.
    Disk(DiskId),
    /// Their sandbox.
    Sandbox(SandboxId),
    /// Their node.
    Node(NodeId),
}

/// Where and how a leased disk is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mount {
    pub path: Name,
    pub read_only: bool,
}

entity! {
    /// The right of one sandbox to one disk.
    DiskLease, DiskLeaseChange, Lease, leases {
        /// The disk.
        disk: Disk(DiskId),
        /// Who wants it.
        sandbox: Sandbox(SandboxId),
        /// The app of that sandbox.
        app: App(Option<AppId>),
        /// Where the sandbox is.
        node: Node(NodeId),
        /// How it is mounted.
        mount: Mount(Mount),
        /// Where it is in its life.
        status: Status(LeaseStatus),
        /// When it was bound.
        acquired_at: AcquiredAt(Option<SimTime>),
        /// Why it failed.
        error_message: ErrorMessage(Option<Name>),
    } index LeaseIndex, |this, tell| {
        if let Some(app) = this.app {
            tell(LeaseIndex::App(app));
        }
        tell(LeaseIndex::Disk(this.disk));
        tell(LeaseIndex::Sandbox(this.sandbox));
        tell(LeaseIndex::Node(this.node));
    }, |entry| Some(match entry {
        LeaseIndex::App(app) => app.into(),
        LeaseIndex::Disk(disk) => disk.into(),
        LeaseIndex::Sandbox(sandbox) => sandbox.into(),
        LeaseIndex::Node(node) => node.into(),
    })
}

/// What nodes are looked up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NodeIndex {
    /// That they take sandboxes.
    Ready,
}

entity! {
    /// A machine that runs sandboxes.
    Node, NodeChange, Node, nodes {
        /// Its name.
        name: Name(Name),
        /// Whether it takes sandboxes.
        status: Status(NodeStatus),
        /// When its session ends unless it is renewed.
        session_until: SessionUntil(Option<SimTime>),
    } index NodeIndex, |this, tell| {
        if this.status == NodeStatus::Ready {
            tell(NodeIndex::Ready);
        }
    }, |entry| match entry { NodeIndex::Ready => None }
}
