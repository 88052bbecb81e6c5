//! Errors that records tell: why a request was not served, and why a handler gave up.
//!
//! What somebody asks about is a variant; the rest are a port's own words. Texts are made when
//! they are printed. What a newcomer gets wrong: a record has 64 bytes, so an error has 16 – a
//! variant can carry a name or a duration, not both.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::time::{SimDuration, SimTime};

use super::name::Name;

/// Why a request was not served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// No capacity came in time.
    PoolTimeout(SimDuration),
    /// The pool waits after crashes.
    Cooldown {
        /// Until then.
        until: SimTime,
    },
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
            Self::PoolTimeout(limit) => write!(f, "no capacity within {limit}"),
            Self::Cooldown { until } => write!(f, "the pool is in cooldown until {until}"),
            Self::MaxSize(limit) => write!(f, "the pool is at its maximum size of {limit}"),
            Self::DiedDuringBoot => f.write_str("the sandbox died during boot"),
            Self::NoPool => f.write_str("no pool serves the version"),
            Self::Conflict => f.write_str("the pool kept changing while its size was raised"),
            Self::BadGateway => f.write_str("bad gateway: the sandbox does not answer"),
            Self::NoService => f.write_str("the version has no such service"),
            Self::Store(message) => f.write_str(message),
            Self::NotDeployed => f.write_str("the app is not deployed"),
            Self::CoordinatorDown => f.write_str("the coordinator is down"),
            Self::ConnectionLost => f.write_str("the connection was lost"),
        }
    }
}

/// Why a handler gave up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The sandbox's port did not answer in time.
    PortNotBound {
        /// Its number.
        port: u16,
        /// How long it was waited for.
        limit: SimDuration,
    },
    /// There is no disk of that name, and no size to make one with.
    NoDisk(Name),
    /// Another lease of the disk is BOUND.
    DiskLeased(Name),
    /// In its own words.
    Other(Name),
}

impl Failure {
    /// A failure that nobody asks about, in these words.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::Other(Name::new(text.as_ref()))
    }
    /// Its text.
    pub fn text(self) -> Name {
        match self {
            Self::Other(text) => text,
            Self::PortNotBound { .. } | Self::NoDisk(_) | Self::DiskLeased(_) => Name::new(&self.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortNotBound { port, limit } => write!(f, "port {port} not bound within {limit}"),
            Self::NoDisk(disk) => {
                write!(f, "disk \"{disk}\" does not exist and no size specified for auto-creation")
            }
            Self::DiskLeased(disk) => write!(f, "disk \"{disk}\" has an active lease"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

macro_rules! text_serialize {
    ($($ty:ident),*) => {$(
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
    )*};
}
text_serialize!(RequestError, Failure);
