//! Errors that records tell: why a request was not served, and why a handler gave up.
//!
//! A variant an error, with the values of its text, which is made when it is printed: nothing
//! that fails again and again for other values interns a text each time. Only what a port or a
//! user said is kept in their own words. What a newcomer gets wrong: a record has 64 bytes, so a
//! failure has 24 – two names, or a name and a duration.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::{SimDuration, SimTime};

use super::id::Kind;
use super::name::Name;
use super::status::DiskStatus;

/// Why a request was not served.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum RequestError {
    /// No capacity came in time.
    PoolTimeout(SimDuration),
    /// The pool waits after crashes.
    Cooldown { until: SimTime },
    /// The pool may not grow any more.
    MaxSize(u32),
    /// Every sandbox of the pool is stopped or dead.
    DiedDuringBoot,
    /// No pool serves the version.
    NoPool,
    /// Others kept writing the pool.
    Conflict,
    /// The sandbox that was chosen does not answer.
    BadGateway,
    /// The sandbox that was chosen has not answered in time.
    NoAnswer(SimDuration),
    /// The version does not run that service.
    NoService,
    /// The store failed.
    Store(Name),
    /// No version of the app is active.
    NotDeployed,
    /// Nobody takes requests.
    CoordinatorDown,
    /// Who was to answer died.
    ConnectionLost,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolTimeout(limit) => write!(f, "no capacity within {}", limit.clock()),
            Self::Cooldown { until } => write!(f, "the pool is in cooldown until {}", until.elapsed().clock()),
            Self::MaxSize(limit) => write!(f, "the pool is at its maximum size of {limit}"),
            Self::DiedDuringBoot => f.write_str("the sandbox died during boot"),
            Self::NoPool => f.write_str("no pool serves the version"),
            Self::Conflict => f.write_str("the pool kept changing while its size was raised"),
            Self::BadGateway => f.write_str("bad gateway: the sandbox does not answer"),
            Self::NoAnswer(limit) => write!(f, "no answer within {}", limit.clock()),
            Self::NoService => f.write_str("the version has no such service"),
            Self::Store(message) => f.write_str(message),
            Self::NotDeployed => f.write_str("the app is not deployed"),
            Self::CoordinatorDown => f.write_str("the coordinator is down"),
            Self::ConnectionLost => f.write_str("the connection was lost"),
        }
    }
}

/// Why a handler, a deploy or an operator's request gave up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub enum Failure {
    /// There is no such entity.
    NotFound,
    /// The entity has another revision than expected.
    Conflict,
    /// The sandbox's port did not answer within the limit.
    PortNotBound { port: u16, limit: SimDuration },
    /// The sandbox's container is still there at the limit.
    NotDestroyed { limit: SimDuration },
    /// Sandboxes of an old pool are left at the limit that may hold a disk.
    NotDrained { limit: SimDuration },
    /// A service was left out, and its app has no pool for it yet.
    ServiceLeftOut,
    /// The program exited while its boot waited for the port.
    ProcessExited,
    /// Neither config nor code names a service.
    NoServices,
    /// There is no disk of that name, and no size to make one with.
    NoDisk(Name),
    /// As [`Failure::NoDisk`], found at the deploy.
    NoDiskToDeploy(Name),
    /// Another lease of the disk is BOUND.
    DiskLeased(Name),
    /// The disk of a lease does not exist.
    DiskGone,
    /// The disk has no volume, and none is on its way.
    NoVolume(DiskStatus),
    /// The volume is on another node than its disk's lease.
    VolumeElsewhere,
    /// The version that says whose a disk is cannot be read: in the store's words, if it said more
    /// than that there is none.
    OwnerUnknown(Option<Name>),
    /// The lease that a boot waits for is gone.
    LeaseDeleted { disk: Name },
    /// The lease that a boot waits for was given up.
    LeaseReleased { disk: Name },
    /// The lease that a boot waits for failed, for the reason that it gives itself.
    LeaseFailed { disk: Name, why: Option<Name> },
    /// The lease that a boot waits for did not come within the limit.
    LeaseLate { disk: Name, limit: SimDuration },
    /// An operator asks for what is not there.
    Unknown { kind: Kind, name: Name },
    /// No pool runs that service of the app's active version.
    NoPool { app: Name, service: Name },
    /// In the words of a port, or of whoever wrote the app's configuration.
    Other(Name),
}

impl Failure {
    /// Its text, as an entity's field holds it.
    pub fn text(self) -> Name {
        if let Self::Other(text) = self { text } else { Name::new(&self.to_string()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::Conflict => f.write_str("revision conflict"),
            Self::PortNotBound { port, limit } => write!(f, "port {port} not bound within {}", limit.clock()),
            Self::ProcessExited => f.write_str("the program exited before its port was bound"),
            Self::NotDestroyed { limit } => write!(f, "not destroyed within {}", limit.clock()),
            Self::NotDrained { limit } => write!(f, "its old pool is not drained within {}", limit.clock()),
            Self::ServiceLeftOut => f.write_str("a service is left out"),
            Self::NoServices => f.write_str("no service is defined: neither by the config nor by the code"),
            Self::NoDisk(disk) => {
                write!(f, "disk \"{disk}\" does not exist and no size specified for auto-creation")
            }
            Self::NoDiskToDeploy(disk) => {
                write!(f, "disk \"{disk}\" does not exist; set size_gb to auto-create it")
            }
            Self::DiskLeased(disk) => write!(f, "disk \"{disk}\" has an active lease"),
            Self::DiskGone => f.write_str("the disk does not exist"),
            Self::VolumeElsewhere => f.write_str("the volume is on another node"),
            Self::NoVolume(status) => write!(f, "the disk is {status} and has no volume to mount"),
            Self::OwnerUnknown(why) => {
                let why = why.as_deref().unwrap_or("not found");
                write!(f, "the app of the disk is not known: its version cannot be read: {why}")
            }
            Self::LeaseDeleted { disk } => write!(f, "the lease of disk \"{disk}\" was deleted"),
            Self::LeaseReleased { disk } => write!(f, "the lease of disk \"{disk}\" is released"),
            Self::LeaseFailed { disk, why } => {
                let why = why.as_deref().unwrap_or("no reason given");
                write!(f, "the lease of disk \"{disk}\" failed: {why}")
            }
            Self::LeaseLate { disk, limit } => write!(f, "disk \"{disk}\" not leased within {}", limit.clock()),
            Self::Unknown { kind, name } => write!(f, "{} \"{name}\" does not exist", kind.name()),
            Self::NoPool { app, service } => write!(f, "app \"{app}\" has no pool for service \"{service}\""),
            Self::Other(text) => f.write_str(text),
        }
    }
}

macro_rules! text_serialize {
    ($($ty:ident read as $variant:ident),*) => {$(
        impl Serialize for $ty {
            /// A text for people, itself for programs.
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { Self::serialize(self, s) }
            }
        }
        impl<'de> Deserialize<'de> for $ty {
            /// What people read comes back in the words that it was written in.
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() { Name::deserialize(d).map(Self::$variant) } else { Self::deserialize(d) }
            }
        }
    )*};
}
text_serialize!(RequestError read as Store, Failure read as Other);
