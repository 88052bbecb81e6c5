//! Deploys: from an app configuration to an active version (section 3 of the rules).
//!
//! Loads and checks the configuration, then writes a version and makes it the app's active one;
//! the launcher does the rest. What a newcomer gets wrong: a refused deploy has written nothing
//! at all.

use std::rc::Rc;

use crate::appconfig::{self, Code, ConfigSource, Feature, Grammar, Loaded, Strictness};
use crate::model::{
    App, AppChange, AppId, AppVersion, Disk, DiskIndex, Name, Reason, ServiceConfig, Subject, VersionId,
};
use crate::ports::{EntityStore, Host, Platform, Ports, Query};

use super::fixes::{Fix, Fixes};
use super::runtime::{Failure, Rules};

/// A deploy, as a user asks for it.
#[derive(Clone, Debug)]
pub struct DeployRequest {
    pub app: Name,
    pub config: ConfigSource,
    /// What its code says itself.
    pub code: Code,
    /// The image that this deploy built.
    pub image: Name,
}

/// Takes deploys.
pub struct Deployer<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
}

impl<P: Platform> Deployer<P> {
    /// A deployer under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules }
    }

    /// Makes a version of the configuration and activates it.
    ///
    /// # Errors
    /// The configuration is refused, or the store fails.
    pub async fn deploy(&self, request: &DeployRequest) -> Result<VersionId, Failure> {
        let result = self.try_deploy(request).await;
        match result {
            Ok(version) => self.ports.host.note(version, Reason::DeployAccepted { version }),
            Err(error) => self.ports.host.note(Subject::CLUSTER, Reason::DeployRefused { error }),
        }
        result
    }

    /// Rule 3.10.
    async fn try_deploy(&self, request: &DeployRequest) -> Result<VersionId, Failure> {
        let services = self.load(request)?;
        // Rule 3.6.
        if services.is_empty() && self.rules.has(Fix::RefuseNoServices) {
            return Err(Failure::NoServices);
        }
        let names_disks = services.iter().flat_map(|service| &service.disks).any(|disk| disk.size_gb == 0);
        if names_disks && self.rules.has(Fix::ValidateDisksAtDeploy) {
            self.validate_disks(&services).await?;
        }
        let app = self.ensure_app(request.app).await?;
        let versions = self.ports.store.list::<AppVersion>(Query::By(app)).await?;
        let number = versions.iter().map(|version| version.entity.number).max().unwrap_or(0) + 1;
        let version = AppVersion { app, config: services.into(), number };
        let version = self.ports.store.create(version).await?.id;
        self.ports.store.set(app, AppChange::ActiveVersion(Some(version))).await?;
        Ok(version)
    }

    fn load(&self, request: &DeployRequest) -> Result<Vec<ServiceConfig>, Failure> {
        let fixes = self.rules.fixes();
        let loaded = appconfig::load(&request.config, &grammar(|fix| fixes.has(fix)));
        // Asked for is only what makes another thing of this config: a fix that does not need not be tried.
        let hangs_on = |fix: &Fix| hangs_on(&request.config, loaded.as_ref().ok(), *fix);
        GRAMMAR_FIXES.iter().filter(|fix| hangs_on(fix)).for_each(|fix| _ = self.rules.has(*fix));
        let mut loaded = loaded.map_err(|error| Failure::Other(Name::new(&error.one_line())))?;
        for field in &loaded.ignored {
            let line = u32::try_from(field.line).unwrap_or(u32::MAX);
            self.ports.host.note(Subject::CLUSTER, Reason::FieldIgnored { field: Name::new(&field.path), line });
        }
        // Rule 3.8.
        let services = loaded.app.services.values_mut();
        for service in services.filter(|service| !service.env.is_empty() && !self.rules.has(Fix::ServiceEnv)) {
            service.env.clear();
        }
        Ok(loaded.app.resolve(request.image, &request.code))
    }

    /// A disk of size 0 means "use the existing one": there must be one.
    async fn validate_disks(&self, services: &[ServiceConfig]) -> Result<(), Failure> {
        for disk in services.iter().flat_map(|service| &service.disks).filter(|disk| disk.size_gb == 0) {
            let known = self.ports.store.list::<Disk>(Query::By(DiskIndex::Name(disk.name))).await?;
            if known.is_empty() {
                return Err(Failure::NoDiskToDeploy(disk.name));
            }
        }
        Ok(())
    }

    async fn ensure_app(&self, name: Name) -> Result<AppId, Failure> {
        let known = self.ports.store.list::<App>(Query::By(name)).await?;
        match known.first() {
            Some(app) => Ok(app.id),
            None => Ok(self.ports.store.create(App { name, active_version: None }).await?.id),
        }
    }
}

/// What a deploy would say to a config under these fixes, but for its disks: the fields that it ignores, each with its
/// line.
///
/// # Errors
/// It would be refused: every problem on a line of its own.
pub(crate) fn foretold(config: &ConfigSource, fixes: Fixes) -> Result<Vec<String>, String> {
    let loaded = appconfig::load(config, &grammar(|fix| fixes.has(fix))).map_err(|error| error.to_string())?;
    Ok(loaded.ignored.iter().map(|field| format!("line {}: `{}`", field.line, field.path)).collect())
}

/// The fixes that say what a config may say.
const GRAMMAR_FIXES: [Fix; 6] = [
    Fix::StrictAppConfig,
    Fix::PortOfService,
    Fix::GracefulShutdown,
    Fix::SeveralPorts,
    Fix::PortTimeoutInConfig,
    Fix::AliasesInConfig,
];

/// Whether a config might have been read in another way with one of them switched; `loaded` is none when it was refused.
fn hangs_on(config: &ConfigSource, loaded: Option<&Loaded>, fix: Fix) -> bool {
    // A refusal lists the fields that there are.
    let Some(loaded) = loaded else { return true };
    let mut features = Feature::ALL.iter().filter(|feature| fix_of(**feature) == fix);
    // A key may be written with escapes; one that goes on is another.
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let names = |feature: &Feature| {
        let field = feature.name();
        let found = || config.text.match_indices(field).any(|(at, _)| !goes_on(&config.text[at + field.len()..]));
        // Most have none: that is seen sooner than where one would be.
        config.text.contains('\\') || (config.text.contains(field) && found())
    };
    if fix == Fix::StrictAppConfig { !loaded.ignored.is_empty() } else { features.any(names) }
}

/// Since which fix a field is known.
const fn fix_of(feature: Feature) -> Fix {
    match feature {
        Feature::Port | Feature::PortName | Feature::PortType => Fix::PortOfService,
        Feature::ShutdownTimeout => Fix::GracefulShutdown,
        Feature::Ports => Fix::SeveralPorts,
        Feature::PortTimeout => Fix::PortTimeoutInConfig,
        Feature::Aliases => Fix::AliasesInConfig,
    }
}

/// What a config may say while the fixes are in force that `has` says (rules 3.2 and 3.3).
fn grammar(has: impl Fn(Fix) -> bool) -> Grammar {
    let strictness = if has(Fix::StrictAppConfig) { Strictness::Strict } else { Strictness::Lenient };
    let lacks = Feature::ALL.iter().copied().filter(|feature| !has(fix_of(*feature))).collect();
    Grammar { strictness, lacks }
}
