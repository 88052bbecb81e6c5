//! The user's application config: three loaders, strict and lenient, validation and defaults.
//!
//! It may know the model's types and nothing of controllers, stores or scenarios. It is the door through which
//! every deploy comes (rules 3.1 to 3.9): a text goes in, the services of an app version come out, or an error
//! that names every mistake with its line and column. What a newcomer gets wrong: the loaders differ in how the
//! file is found only – whatever a [`Loader`] says, [`load`] reads the text with the same parser, because the
//! incident this tool was born of began with a field that one of them ignored.

mod code;
mod error;
mod find;
mod parse;
mod reader;
mod resolve;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeMap;

use crate::model::words::words;
use crate::model::{Filesystem, Protocol};
use crate::time::SimDuration;

pub use code::{Code, Runs, parse_procfile};
pub use error::Place;
pub use find::FindError;
pub use parse::load;
pub(crate) use parse::misspelt;
pub(crate) use resolve::{unnamed, web_port};
#[cfg(test)]
pub(crate) use source::CONFIG_BYTES_MAX;
pub use source::{ConfigSource, Loader, ReadError};

/// What happens to a field that nobody knows: the fix `strict-app-config`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strictness {
    /// It is an error.
    Strict,
    /// It is ignored, and reported as ignored; the behaviour before the fix.
    Lenient,
}

words!(
    /// A field that the platform has not always known.
    Feature {
        /// `port` of a service: the fix `port-of-service`.
        Port = "port",
        /// `port_name`, with it.
        PortName = "port_name",
        /// `port_type`, with it.
        PortType = "port_type",
        /// `shutdown_timeout` of a service's concurrency: the fix `graceful-shutdown`.
        ShutdownTimeout = "shutdown_timeout",
        /// `ports` of a service: the fix `several-ports`.
        Ports = "ports",
        /// `port_timeout` of a service: the fix `port-timeout-in-config`.
        PortTimeout = "port_timeout",
        /// `aliases`: the fix `aliases-in-config`.
        Aliases = "aliases",
    }
);

/// What a config may say, and what becomes of what it may not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grammar {
    /// What happens to a field that nobody knows.
    pub strictness: Strictness,
    /// The fields that are not known yet.
    pub lacks: Vec<Feature>,
}

impl Grammar {
    /// That of today, which knows every field.
    pub const fn latest(strictness: Strictness) -> Self {
        Self { strictness, lacks: Vec::new() }
    }
}

/// A config that passed, and what of it was ignored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loaded {
    pub app: AppConfig,
    /// The fields that nobody knows, in the order of the file; always empty when loaded strictly.
    pub ignored: Vec<IgnoredField>,
}

/// A field that a lenient load ignored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IgnoredField {
    /// Its path from the top of the file: `services.database.disks[0].size`.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The field that it was probably meant to be.
    pub near: Option<&'static str>,
}

/// A value and the place of the field that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At<T> {
    pub value: T,
    pub place: Place,
}

/// The config as the file has it: checked, and no default filled in yet (see [`AppConfig::resolve`]).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AppConfig {
    /// `name`: the app's name, when the file gives one.
    pub name: Option<At<String>>,
    /// `post_import`: a command that the platform runs after an import; the scheduler never does.
    pub post_import: Option<At<String>>,
    /// `env`: the environment of every service.
    pub env: Vec<EnvVar>,
    /// `concurrency`: read and used for nothing, as in the platform.
    pub concurrency: Option<At<u32>>,
    /// `services`, by name.
    pub services: BTreeMap<String, Service>,
    /// `build`: where it stands, when it does; its content is the image builder's business.
    pub build: Option<Place>,
    /// `aliases`: commands of the command line, by name; the scheduler never sees them.
    pub aliases: Option<Place>,
    /// `include`: more files for the image builder.
    pub include: Vec<At<String>>,
}

/// An entry of an `env` list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnvVar {
    /// `key`, never empty.
    pub key: At<String>,
    /// `value`; empty when the file gives none.
    pub value: String,
}

/// A table `services.NAME`. Absent, not empty, is what the file does not say; an empty text is as good as none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Service {
    pub place: Place,
    /// `command`: what it runs, when not the image's own command.
    pub command: Option<At<String>>,
    /// `port`: what it must answer on; 0 is as good as none.
    pub port: Option<At<u16>>,
    /// `port_name`.
    pub port_name: Option<At<String>>,
    /// `port_type`: `http`, `tcp`, …
    pub port_type: Option<At<String>>,
    /// `ports`: several of them, in place of the three fields above.
    pub ports: Vec<Port>,
    /// `port_timeout`: how long a boot waits for each port.
    pub port_timeout: Option<At<SimDuration>>,
    /// `image`: what it runs, when not the image built by the deploy.
    pub image: Option<At<String>>,
    /// `env`: its environment, on top of the app's.
    pub env: Vec<EnvVar>,
    /// `concurrency`: how many of it run.
    pub concurrency: Scaling,
    /// `disks`: what it mounts.
    pub disks: Vec<Disk>,
}

/// A table `services.NAME.concurrency`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scaling {
    /// `mode`.
    pub mode: Option<At<Mode>>,
    /// `requests_per_instance`, as written: mode `fixed` wants none above 0.
    pub requests_per_instance: Option<At<i64>>,
    /// `scale_down_delay`.
    pub scale_down_delay: Option<At<SimDuration>>,
    /// `shutdown_timeout`: how long the program may take to end.
    pub shutdown_timeout: Option<At<SimDuration>>,
    /// `num_instances`, as written: mode `fixed` wants 1 or more, mode `auto` none above 0.
    pub num_instances: Option<At<i64>>,
}

words!(
    /// How the number of a service's instances comes about.
    Mode {
        /// From its requests.
        Auto = "auto",
        /// From `num_instances`.
        Fixed = "fixed",
    }
);

/// An entry of a service's `ports`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// `port`.
    pub number: At<u16>,
    /// `name`, never empty, and no other entry's.
    pub name: At<String>,
    /// `type`: `http` when the file gives none.
    pub port_type: Option<At<PortType>>,
    /// `node_port`; none or 0: none is opened.
    pub node_port: Option<At<u16>>,
}

words!(
    /// What an entry of `ports` carries.
    PortType {
        /// Requests, by way of the ingress.
        Http = "http",
        /// TCP connections.
        Tcp = "tcp",
        /// UDP packets.
        Udp = "udp",
    }
);

impl PortType {
    /// What its traffic goes by.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Http | Self::Tcp => Protocol::Tcp,
            Self::Udp => Protocol::Udp,
        }
    }
}

/// An entry of a service's `disks`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// `name`, never empty.
    pub name: At<String>,
    /// `mount_path`, never empty.
    pub mount_path: At<String>,
    /// `read_only`.
    pub read_only: Option<At<bool>>,
    /// `size_gb`; none or 0: the disk must exist already.
    pub size_gb: Option<At<u32>>,
    /// `filesystem`.
    pub filesystem: Option<At<Filesystem>>,
    /// `lease_timeout`: how long a boot waits for the disk's lease.
    pub lease_timeout: Option<At<SimDuration>>,
}
