//! What a service's sandboxes are made from, and whether a pool's spec will do (`docs/rules.md` §4).
//!
//! What a newcomer gets wrong: the version is part of a spec and never compared.

use std::rc::Rc;

use crate::appconfig;
use crate::model::{AppId, Name, SandboxSpec, ServiceConfig, VersionId};
use crate::ports::{EntityStore, Platform};

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::Failure;

use super::Launcher;

/// Variables that the platform sets itself.
const PLATFORM_ENV: [&str; 4] = ["MIREN_APP", "MIREN_INSTANCE_NUM", "MIREN_VERSION", "PORT"];

impl<P: Platform> Launcher<P> {
    /// The spec that the active version wants for a service.
    pub(super) async fn spec(
        &self,
        app: AppId,
        active: VersionId,
        service: &ServiceConfig,
    ) -> Result<Rc<SandboxSpec>, Failure> {
        // For its name, which is part of the environment.
        self.ports.store.get(app).await?;
        let mut spec = spec_of(active, service);
        // Rule 3.7.
        if spec.ports.is_empty() && !self.rules.has(Fix::PortOfWebOnly) {
            spec.ports.push(appconfig::web_port());
        }
        Ok(Rc::new(spec))
    }

    /// Whether a pool's spec will do, whatever its version (rule 4.5).
    pub(super) fn matches(&self, have: &SandboxSpec, want: &SandboxSpec) -> bool {
        have.image == want.image
            && have.command == want.command
            && have.ports == want.ports
            && have.port_timeout == want.port_timeout
            && have.shutdown_timeout == want.shutdown_timeout
            && users_env(have).eq(users_env(want))
            && (have.volumes == want.volumes || !self.rules.has(Fix::CompareVolumes))
    }
}

/// The environment that two specs must share (rule 3.9): variables that the platform sets itself do not count.
fn users_env(spec: &SandboxSpec) -> impl Iterator<Item = &(Name, Name)> {
    spec.env.iter().filter(|(key, _)| !PLATFORM_ENV.contains(&&**key))
}

fn spec_of(version: VersionId, service: &ServiceConfig) -> SandboxSpec {
    let fixed = service.concurrency.fixed().is_some();
    SandboxSpec {
        version,
        image: service.image,
        command: service.command,
        ports: service.ports.clone(),
        port_timeout: service.port_timeout,
        shutdown_timeout: service.shutdown_timeout,
        env: service.env.clone(),
        volumes: if fixed { service.disks.clone() } else { Vec::new() },
    }
}
