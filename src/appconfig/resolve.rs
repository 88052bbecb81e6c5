//! The defaults: from the config as the file has it to the services that an app version runs.
//!
//! It may know the raw config and the model, and nothing of files. Here, and only here, a service that says little
//! gets the rest (rule 3.5). What a newcomer gets wrong: the defaults of a *name* – `web` scales with its requests and
//! is kept for 15 minutes, any other runs once – are those of services that the file does not name. One that it names
//! without a mode is `auto`, whatever it is called, and kept for two minutes.

use std::collections::BTreeMap;

use crate::model::{Concurrency, DiskConfig, Name, PortConfig, Protocol, ServiceConfig};
use crate::time::SimDuration;

use super::{AppConfig, At, Code, Disk, EnvVar, Mode, Port, PortType, Runs, Scaling, Service};

/// The service that serves requests: the one with defaults of its own, and what an image runs by itself.
const WEB: &str = "web";
/// The port of `web`, when it names none.
const WEB_PORT: u16 = 3000;
/// What a port is called and what type it has, unless the file says.
const HTTP: &str = "http";
/// Requests that an instance in mode `auto` takes at once.
const REQUESTS_PER_INSTANCE: u32 = 10;
/// How long an idle instance in mode `auto` is kept, when the file names the service.
const SCALE_DOWN_DELAY: SimDuration = SimDuration::from_mins(2);
/// How long an idle `web` is kept, when the file does not.
const UNNAMED_WEB_DELAY: SimDuration = SimDuration::from_mins(15);

/// The mode of a service that the file names: its own, or `auto`.
pub(super) fn mode_of(scaling: &Scaling) -> Mode {
    scaling.mode.map_or(Mode::Auto, |mode| mode.value)
}

impl AppConfig {
    /// The services of an app version with all defaults, sorted by name: those that the config names, those of the
    /// code's Procfile, and a `web` where the code's image runs something by itself (rule 3.6). `built_image` runs
    /// those that name no image.
    pub fn resolve(&self, built_image: Name, code: &Code) -> Vec<ServiceConfig> {
        let own = |name: &str| self.services.get(name);
        let has_web = own(WEB).is_some_and(|web| named(&web.command).is_some()) || code.procfile.contains_key(WEB);
        let by_image = match &code.runs {
            Runs::Command(command) if !has_web => Some((WEB, Some(command.as_str()))),
            Runs::Unsaid if self.services.is_empty() && code.procfile.is_empty() => Some((WEB, None)),
            Runs::Command(_) | Runs::Unsaid | Runs::Nothing => None,
        };
        let of_code = code.procfile.iter().map(|(name, command)| (name.as_str(), Some(command.as_str())));
        let of_config = self.services.keys().map(|name| (name.as_str(), None));
        let mut commands: BTreeMap<&str, Option<&str>> = of_config.chain(of_code).collect();
        commands.extend(by_image);
        let unnamed_one = Service::default();
        let resolve = |(name, command): (&str, Option<&str>)| {
            let concurrency = own(name).map_or_else(|| unnamed(name), |own| named_one(&own.concurrency));
            let mut service = self.resolve_service(name, own(name).unwrap_or(&unnamed_one), concurrency, built_image);
            service.command = service.command.or(command.map(Name::new));
            service.unsaid = own(name).is_some_and(|own| is_unsaid(&own.concurrency));
            service
        };
        commands.into_iter().map(resolve).collect()
    }

    fn resolve_service(
        &self,
        name: &str,
        service: &Service,
        concurrency: Concurrency,
        built_image: Name,
    ) -> ServiceConfig {
        ServiceConfig {
            name: Name::new(name),
            image: named(&service.image).unwrap_or(built_image),
            command: named(&service.command),
            ports: ports(name, service),
            port_timeout: service.port_timeout.map(|limit| limit.value),
            shutdown_timeout: service.concurrency.shutdown_timeout.map(|limit| limit.value),
            concurrency,
            unsaid: false,
            env: merged(&self.env, &service.env),
            disks: service.disks.iter().map(disk).collect(),
        }
    }
}

/// The concurrency of a service that the file does not name (rule 3.6).
pub fn unnamed(name: &str) -> Concurrency {
    if name == WEB {
        Concurrency::Auto { requests_per_instance: REQUESTS_PER_INSTANCE, scale_down_delay: UNNAMED_WEB_DELAY }
    } else {
        Concurrency::Fixed { instances: 1 }
    }
}

/// Whether the file says nothing of how many of a service run: zero is as good as nothing (rule 3.5).
fn is_unsaid(own: &Scaling) -> bool {
    let numbers = [own.requests_per_instance, own.num_instances];
    own.mode.is_none() && own.scale_down_delay.is_none() && numbers.iter().flatten().all(|number| number.value == 0)
}

/// The concurrency of a service that the file names (rule 3.5): zero is as good as nothing.
fn named_one(own: &Scaling) -> Concurrency {
    let number = |given: Option<At<i64>>| given.and_then(|given| u32::try_from(given.value).ok()).filter(|n| *n > 0);
    match mode_of(own) {
        Mode::Auto => Concurrency::Auto {
            requests_per_instance: number(own.requests_per_instance).unwrap_or(REQUESTS_PER_INSTANCE),
            scale_down_delay: own.scale_down_delay.map_or(SCALE_DOWN_DELAY, |delay| delay.value),
        },
        // That there is one was checked at the load.
        Mode::Fixed => Concurrency::Fixed { instances: number(own.num_instances).unwrap_or(1) },
    }
}

/// An empty text is as good as none.
fn named(text: &Option<At<String>>) -> Option<Name> {
    text.as_ref().filter(|text| !text.value.is_empty()).map(|text| Name::new(&text.value))
}

/// The port of `web` where it names none.
pub fn web_port() -> PortConfig {
    let http = Name::new(HTTP);
    PortConfig { number: WEB_PORT, name: http, port_type: http, protocol: Protocol::Tcp, node_port: 0 }
}

/// The ports of a service (rule 3.7): zero is as good as none, and where there is none, name and type say nothing.
/// `web` always has one that takes requests.
fn ports(name: &str, service: &Service) -> Vec<PortConfig> {
    let web = web_port();
    if service.ports.is_empty() {
        let default = (name == WEB).then_some(WEB_PORT);
        let number = service.port.map(|port| port.value).filter(|number| *number > 0).or(default);
        let or_http = |text| named(text).unwrap_or(web.name);
        let (name, port_type) = (or_http(&service.port_name), or_http(&service.port_type));
        return number.map(|number| PortConfig { number, name, port_type, ..web }).into_iter().collect();
    }
    let mut ports: Vec<PortConfig> = service.ports.iter().map(port).collect();
    if name == WEB && ports.iter().all(|port| port.port_type != web.port_type) {
        ports.push(web);
    }
    ports
}

fn port(port: &Port) -> PortConfig {
    PortConfig {
        number: port.number.value,
        name: Name::new(&port.name.value),
        port_type: Name::new(type_of(port).name()),
        protocol: protocol_of(port),
        node_port: port.node_port.map_or(0, |port| port.value),
    }
}

fn type_of(port: &Port) -> PortType {
    port.port_type.map_or(PortType::Http, |given| given.value)
}

pub(super) fn protocol_of(port: &Port) -> Protocol {
    type_of(port).protocol()
}

/// The app's environment and, stronger, the service's own, sorted by key.
///
/// Of two entries of one list with the same key the later one counts (rule 3.8).
fn merged(app: &[EnvVar], service: &[EnvVar]) -> Vec<(Name, Name)> {
    let all = app.iter().chain(service);
    let env: BTreeMap<&str, &str> = all.map(|var| (var.key.value.as_str(), var.value.as_str())).collect();
    env.into_iter().map(|(key, value)| (Name::new(key), Name::new(value))).collect()
}

fn disk(disk: &Disk) -> DiskConfig {
    DiskConfig {
        name: Name::new(&disk.name.value),
        mount_path: Name::new(&disk.mount_path.value),
        read_only: disk.read_only.is_some_and(|read_only| read_only.value),
        size_gb: disk.size_gb.map_or(0, |size| size.value),
        filesystem: disk.filesystem.map(|filesystem| filesystem.value).unwrap_or_default(),
        lease_timeout: disk.lease_timeout.map(|timeout| timeout.value),
    }
}
