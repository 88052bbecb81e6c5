//! The defaults: from the config as the file has it to the services that an app version runs.
//!
//! It may know the raw config and the model, and nothing of files. Here, and only here, a service that says little
//! gets the rest (`CONTROLLERS.md` §3). What a newcomer gets wrong: the defaults go by the *name* of a service –
//! `web` serves requests and scales with them, any other runs once.

use std::collections::BTreeMap;

use crate::model::{Concurrency, DiskConfig, Name, PortConfig, ServiceConfig};
use crate::time::SimDuration;

use super::{AppConfig, At, Disk, EnvVar, Mode, Service};

/// The service that serves requests: the one with defaults of its own, and the only one of an app that names none.
const WEB: &str = "web";
/// The port of `web`, when it names none.
const WEB_PORT: u16 = 3000;
/// Requests that an instance in mode `auto` takes at once.
const REQUESTS_PER_INSTANCE: u32 = 10;
/// How long an idle instance in mode `auto` is kept.
const SCALE_DOWN_DELAY: SimDuration = SimDuration::from_mins(15);
/// Instances in mode `fixed`.
const INSTANCES: u32 = 1;

/// The mode of a service: its own, or that of its name.
///
/// ASSUMES: a `concurrency` table without a mode says nothing of the mode, so that the service keeps its default one.
pub(super) fn mode_of(name: &str, service: &Service) -> Mode {
    let default = if name == WEB { Mode::Auto } else { Mode::Fixed };
    service.concurrency.mode.map_or(default, |mode| mode.value)
}

impl AppConfig {
    /// The services of an app version with all defaults, sorted by name; `built_image` runs those that name no image.
    pub fn resolve(&self, built_image: Name) -> Vec<ServiceConfig> {
        if self.services.is_empty() {
            return vec![self.resolve_service(WEB, &Service::default(), built_image)];
        }
        self.services.iter().map(|(name, service)| self.resolve_service(name, service, built_image)).collect()
    }

    fn resolve_service(&self, name: &str, service: &Service, built_image: Name) -> ServiceConfig {
        ServiceConfig {
            name: Name::new(name),
            image: named(&service.image).unwrap_or(built_image),
            command: named(&service.command),
            port: port(name, service),
            concurrency: self.concurrency_of(name, service),
            env: merged(&self.env, &service.env),
            disks: service.disks.iter().map(disk).collect(),
        }
    }

    /// ASSUMES: the app's `concurrency` is the `requests_per_instance` of its services in mode `auto` that have none
    /// of their own (it is an int, and the only other int, `num_instances`, is forbidden to `web`). An `auto` service
    /// of another name has the numbers of `web`; a `fixed` one without `num_instances` runs once, as by default.
    fn concurrency_of(&self, name: &str, service: &Service) -> Concurrency {
        let own = &service.concurrency;
        match mode_of(name, service) {
            Mode::Auto => Concurrency::Auto {
                requests_per_instance: own
                    .requests_per_instance
                    .or(self.concurrency)
                    .map_or(REQUESTS_PER_INSTANCE, |number| number.value),
                scale_down_delay: own.scale_down_delay.map_or(SCALE_DOWN_DELAY, |delay| delay.value),
            },
            Mode::Fixed => Concurrency::Fixed {
                // A number that fits was checked at the load.
                instances: own
                    .num_instances
                    .and_then(|number| u32::try_from(number.value).ok())
                    .unwrap_or(INSTANCES)
                    .max(INSTANCES),
            },
        }
    }
}

/// ASSUMES: an empty text is as good as none, as in a config written by a program.
fn named(text: &Option<At<String>>) -> Option<Name> {
    text.as_ref().filter(|text| !text.value.is_empty()).map(|text| Name::new(&text.value))
}

/// ASSUMES: the name and type of a port say nothing where there is no port.
fn port(name: &str, service: &Service) -> Option<PortConfig> {
    let default = (name == WEB).then_some(WEB_PORT);
    let number = service.port.map(|port| port.value).or(default)?;
    Some(PortConfig { number, name: named(&service.port_name), port_type: named(&service.port_type) })
}

/// The app's environment and, stronger, the service's own, sorted by key.
///
/// ASSUMES: of two entries of one list with the same key the later one counts.
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
