//! The ports: everything a controller can reach.
//!
//! Small traits that a real platform implements over a wall clock, an etcd-like store, a
//! container runtime and a volume service, and the simulator over its world.
//! DIFFERS: the design has four; `Host` is a fifth – randomness, the audit log of decisions and
//! the trace context, which every process has and the other four have no place for. They may use the
//! model and time only. Every call is asynchronous and may fail. What a newcomer gets wrong: a
//! call takes effect when it is *answered*, not when it is made – between the two, others act.
//! Snapshots and specs are shared by `Rc`, and no future needs to be `Send`: a platform drives
//! each process on one thread (a current-thread runtime), as many processes as it likes beside
//! another. [`Remembers`] is a port for debugging: nothing that a controller does depends on it.

mod memory;

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;

use crate::model::{
    Address, DiskId, Entity, Filesystem, Id, Name, NodeId, Reason, Revision, SandboxId, SandboxSpec, Subject, VolumeId,
};
use crate::time::{SimDuration, SimTime};

pub use memory::{Fact, Remembers, Strain};

/// The set of ports that one platform offers. Controllers are generic over it.
pub trait Platform: Sized + 'static {
    /// Its clock.
    type Clock: Clock;
    /// Its process environment.
    type Host: Host;
    /// Its entity store.
    type Store: EntityStore;
    /// Its container runtime, as seen from one node.
    type Sandboxes: SandboxBackend;
    /// Its volume service, as seen from one node.
    type Disks: DiskBackend;
}

/// The ports of a controller that runs in the coordinator.
pub struct Ports<P: Platform> {
    /// Time.
    pub clock: P::Clock,
    /// Randomness, decisions, trace context.
    pub host: P::Host,
    /// The store.
    pub store: P::Store,
}

impl<P: Platform> Clone for Ports<P> {
    fn clone(&self) -> Self {
        Self { clock: self.clock.clone(), host: self.host.clone(), store: self.store.clone() }
    }
}

/// Time, as a controller sees it.
pub trait Clock: Clone + 'static {
    /// Now.
    fn now(&self) -> SimTime;
    /// Ends after `d` from now.
    fn sleep(&self, d: SimDuration) -> impl Future<Output = ()>;
    /// What `future` gives, or nothing when `limit` passes first; a wait of the future's that ends
    /// at the same instant counts.
    fn timeout<T>(&self, limit: SimDuration, future: impl Future<Output = T>) -> impl Future<Output = Option<T>>;
    /// What `future` gives. The caller says that it waits with nothing in hand, at the top of its loop: what
    /// it will do is told by when it goes on, and by what its controller remembers ([`Remembers`]).
    fn idle<T>(&self, future: impl Future<Output = T>) -> impl Future<Output = T>;
}

/// An opaque trace context, as a tracing header is on a real platform: queues carry it beside
/// their items so that a decision can be told from what it led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin(pub u32);

/// What the process around a controller gives it: randomness, an audit log, a trace context.
pub trait Host: Clone + 'static {
    /// 64 random bits for one question about one subject.
    fn draw(&self, subject: &str, purpose: &'static str) -> u64;
    /// A number below `n` for one question about one subject (by multiplication: the bias is
    /// below `n / 2^64`).
    fn draw_below(&self, subject: &str, purpose: &'static str, n: usize) -> usize {
        ((u128::from(self.draw(subject, purpose)) * n as u128) >> 64) as usize
    }
    /// Writes a decision to the audit log; what the caller does next is seen as its consequence.
    fn note(&self, about: impl Into<Subject>, reason: Reason);
    /// How far the ticks of a ticker of this process are offset, below its period.
    fn phase(&self, ticker: &'static str, period: SimDuration) -> SimDuration;
    /// The current trace context.
    fn origin(&self) -> Origin;
    /// Continues in the trace context of something that was taken from a queue.
    fn attach(&self, origin: Origin);
}

/// Why a store call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// There is no such entity.
    NotFound,
    /// The entity has another revision than expected.
    Conflict,
    /// The call failed, or its answer was lost.
    Failed(Name),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::Conflict => f.write_str("revision conflict"),
            Self::Failed(message) => f.write_str(message),
        }
    }
}
impl std::error::Error for StoreError {}

/// Why a backend call failed: the backend's own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackendError(pub Name);

impl BackendError {
    /// A failure, in the backend's own words.
    pub fn new(message: &str) -> Self {
        Self(Name::new(message))
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for BackendError {}

/// An entity as it was at one revision: a snapshot that its readers share.
#[derive(Debug)]
pub struct Versioned<E>(Rc<Snapshot<E>>);

/// What a [`Versioned`] holds.
#[derive(Debug)]
pub struct Snapshot<E> {
    pub id: Id<E>,
    pub entity: E,
    /// The store's bookkeeping.
    pub meta: Meta,
}

impl<E> Versioned<E> {
    /// The entity `id` as it is at the revision of `meta`.
    pub fn new(id: Id<E>, entity: E, meta: Meta) -> Self {
        Self(Rc::new(Snapshot { id, entity, meta }))
    }
}

impl<E> Clone for Versioned<E> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<E> Deref for Versioned<E> {
    type Target = Snapshot<E>;
    fn deref(&self) -> &Snapshot<E> {
        &self.0
    }
}

/// What a query found, in the order of the keys; shared, so that a store may answer the same
/// question twice with the same list.
pub type Listed<E> = Rc<[Versioned<E>]>;

/// What the store keeps about an entity besides its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its readable name, e.g. `sandbox/pds-database-0`.
    pub name: Name,
    /// The revision of its last write.
    pub revision: Revision,
    /// When it was created, in whole milliseconds.
    pub created_at: SimTime,
    /// When it was last written, in whole milliseconds.
    pub updated_at: SimTime,
    /// The trace context of its last write.
    pub origin: Origin,
}

/// Which entities of a kind.
#[derive(Debug)]
pub enum Query<E: Entity> {
    /// All.
    All,
    /// Those with that index entry.
    By(E::Index),
}

impl<E: Entity> Clone for Query<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Entity> Copy for Query<E> {}

/// What happened to an entity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It was created.
    Added,
    /// It was written.
    Updated,
    /// It was deleted; the entity is its last state.
    Deleted,
}

/// One piece of news of a watch.
#[derive(Clone, Debug)]
pub struct WatchEvent<E: Entity> {
    pub change: Change,
    /// To which entity, as it was then.
    pub item: Versioned<E>,
}

/// The entity store.
pub trait EntityStore: Clone + 'static {
    /// A running watch.
    type Watch<E: Entity>: Watch<E>;

    /// Reads one entity.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, [`StoreError::Failed`] when the call fails.
    fn get<E: Entity>(&self, id: Id<E>) -> impl Future<Output = Result<Versioned<E>, StoreError>>;
    /// Reads all entities of a query, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the call fails.
    fn list<E: Entity>(&self, query: Query<E>) -> impl Future<Output = Result<Listed<E>, StoreError>>;
    /// Reads all entities, of which only those with an index entry are looked at: they are all
    /// that is handed out, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the call fails.
    fn list_all_for<E: Entity>(&self, wanted: E::Index) -> impl Future<Output = Result<Listed<E>, StoreError>>;
    /// Writes a new entity.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the call fails or its answer is lost.
    fn create<E: Entity>(&self, entity: E) -> impl Future<Output = Result<Versioned<E>, StoreError>>;
    /// Writes named fields, last writer wins; with an expected revision only onto that.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`], or [`StoreError::Failed`].
    fn patch<E: Entity>(
        &self,
        id: Id<E>,
        changes: Vec<E::Change>,
        expected: Option<Revision>,
    ) -> impl Future<Output = Result<Revision, StoreError>>;
    /// Writes one field, last writer wins.
    ///
    /// # Errors
    /// As [`EntityStore::patch`].
    fn set<E: Entity>(&self, id: Id<E>, change: E::Change) -> impl Future<Output = Result<Revision, StoreError>> {
        self.patch(id, vec![change], None)
    }
    /// Writes every field of an entity.
    ///
    /// # Errors
    /// As [`EntityStore::patch`].
    fn replace<E: Entity>(
        &self,
        id: Id<E>,
        entity: E,
        expected: Option<Revision>,
    ) -> impl Future<Output = Result<Revision, StoreError>>;
    /// Removes an entity.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Failed`].
    fn delete<E: Entity>(&self, id: Id<E>) -> impl Future<Output = Result<(), StoreError>>;
    /// Opens a watch from now on, or from just after a revision.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the store cannot be reached.
    fn watch<E: Entity>(
        &self,
        query: Query<E>,
        after: Option<Revision>,
    ) -> impl Future<Output = Result<Self::Watch<E>, StoreError>>;
}

/// A running watch.
pub trait Watch<E: Entity>: 'static {
    /// The revision that it began at: what was written up to then is not told.
    fn since(&self) -> Revision;
    /// The next event; `None` when the watch ended without an error.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the connection broke; what happens meanwhile is lost.
    fn next(&mut self) -> impl Future<Output = Result<Option<WatchEvent<E>>, StoreError>>;
}

/// What the runtime knows of one container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContainerInfo {
    pub sandbox: SandboxId,
    pub address: Address,
    pub task_alive: bool,
    /// Whether it listens on its port, as the node's own kernel says.
    pub listening: bool,
    /// When its program was told to end, if nobody waits for that any more.
    pub told_at: Option<SimTime>,
}

/// A process ended by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessExit {
    pub sandbox: SandboxId,
    pub code: i32,
}

/// A signal to a container's task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Quit and leave a core.
    Quit,
    /// End at once.
    Kill,
}

/// The container runtime of one node.
pub trait SandboxBackend: Clone + 'static {
    /// The exits of processes, as they happen.
    type Exits: Exits;

    /// Takes an address of the node's subnet: first fit; one that was given back less than
    /// `rest` ago only when no other is left.
    ///
    /// # Errors
    /// No address is left, or the call fails.
    fn allocate_address(
        &self,
        sandbox: SandboxId,
        rest: SimDuration,
    ) -> impl Future<Output = Result<Address, BackendError>>;
    /// Takes that address of the node's subnet; one that is taken stays whose it is.
    fn reserve_address(&self, address: Address, sandbox: SandboxId) -> impl Future<Output = ()>;
    /// The addresses that are taken, and for whom, in their order.
    fn addresses(&self) -> impl Future<Output = Vec<(Address, SandboxId)>>;
    /// Gives an address back; one that is free stays so.
    fn release_address(&self, address: Address) -> impl Future<Output = ()>;
    /// Fetches the image, unless the node has it.
    ///
    /// # Errors
    /// The call fails.
    fn pull_image(&self, sandbox: SandboxId, image: Name) -> impl Future<Output = Result<(), BackendError>>;
    /// Makes the container.
    ///
    /// # Errors
    /// The sandbox has one already, or the call fails.
    fn create_container(
        &self,
        sandbox: SandboxId,
        spec: Rc<SandboxSpec>,
        address: Address,
    ) -> impl Future<Output = Result<(), BackendError>>;
    /// Starts the container's task.
    ///
    /// # Errors
    /// There is no container, or the call fails.
    fn start(&self, sandbox: SandboxId) -> impl Future<Output = Result<(), BackendError>>;
    /// What is known of a sandbox's container.
    ///
    /// # Errors
    /// The call fails.
    fn inspect(&self, sandbox: SandboxId) -> impl Future<Output = Result<Option<ContainerInfo>, BackendError>>;
    /// Whether the sandbox's port takes a connection.
    ///
    /// # Errors
    /// The call fails (which a caller may well take for a no).
    fn probe_port(&self, sandbox: SandboxId, port: u16) -> impl Future<Output = Result<bool, BackendError>>;
    /// Sends a signal; a container that is gone takes none.
    fn signal(&self, sandbox: SandboxId, signal: Signal) -> impl Future<Output = ()>;
    /// Ends the task (SIGTERM, and by force when `grace` is over) and removes the container.
    ///
    /// # Errors
    /// The call fails.
    fn destroy(&self, sandbox: SandboxId, grace: SimDuration) -> impl Future<Output = Result<(), BackendError>>;
    /// Every container on the node, in the order of their creation.
    ///
    /// # Errors
    /// The call fails.
    fn containers(&self) -> impl Future<Output = Result<Vec<ContainerInfo>, BackendError>>;
    /// Listens for exits from now on.
    fn exits(&self) -> Self::Exits;
}

/// A running subscription to process exits.
pub trait Exits: 'static {
    /// The next exit.
    fn next(&mut self) -> impl Future<Output = ProcessExit>;
}

/// The proof that one holds the exclusive lease of a volume. It lives in its holder's memory only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nonce(pub u64);

/// The volume service, as seen from one node.
pub trait DiskBackend: Clone + 'static {
    /// Makes a volume for a disk of that name, on this node: another one at each call.
    ///
    /// # Errors
    /// The quota is used up, or the call fails.
    fn create_volume(
        &self,
        disk: DiskId,
        name: Name,
        size_gb: u32,
    ) -> impl Future<Output = Result<VolumeId, BackendError>>;
    /// The volumes that were made for a disk, each with the node that made it, in the order of their making.
    ///
    /// # Errors
    /// The call fails.
    fn volumes_of(&self, disk: DiskId) -> impl Future<Output = Result<Vec<(VolumeId, NodeId)>, BackendError>>;
    /// Whether the volume exists.
    ///
    /// # Errors
    /// The call fails.
    fn volume_exists(&self, volume: VolumeId) -> impl Future<Output = Result<bool, BackendError>>;
    /// Removes a volume; one that is gone is no error.
    ///
    /// # Errors
    /// It is leased or mounted, or the call fails.
    fn delete_volume(&self, volume: VolumeId) -> impl Future<Output = Result<(), BackendError>>;
    /// Takes the volume's exclusive lease.
    ///
    /// # Errors
    /// Somebody holds it, there is no such volume, or the call fails.
    fn acquire_volume(&self, volume: VolumeId) -> impl Future<Output = Result<Nonce, BackendError>>;
    /// Makes the file system, unless the volume has one.
    ///
    /// # Errors
    /// The call fails.
    fn initialise(&self, volume: VolumeId, filesystem: Filesystem) -> impl Future<Output = Result<(), BackendError>>;
    /// Mounts the volume on this node.
    ///
    /// # Errors
    /// It is mounted on another node, or the call fails.
    fn mount(&self, volume: VolumeId) -> impl Future<Output = Result<(), BackendError>>;
    /// Unmounts it.
    ///
    /// # Errors
    /// The call fails.
    fn unmount(&self, volume: VolumeId) -> impl Future<Output = Result<(), BackendError>>;
    /// Whether it is mounted on this node.
    ///
    /// # Errors
    /// The call fails.
    fn is_mounted(&self, volume: VolumeId) -> impl Future<Output = Result<bool, BackendError>>;
    /// Gives back the exclusive lease.
    ///
    /// # Errors
    /// The nonce is not the holder's, or the call fails.
    fn release_volume(&self, volume: VolumeId, nonce: Nonce) -> impl Future<Output = Result<(), BackendError>>;
}
