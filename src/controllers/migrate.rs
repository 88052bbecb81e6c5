//! What the coordinator mends in the store when it starts (`docs/rules.md` rule 3.5).
//!
//! It knows versions. What a newcomer gets wrong: a service of which its config says nothing is automatic, until
//! the coordinator happens to start again.

use std::rc::Rc;

use crate::appconfig;
use crate::model::{AppVersion, AppVersionChange, Reason};
use crate::ports::{EntityStore, Host, Platform, Ports, Query};

use super::runtime::Task;

/// The task that fills in the defaults of services of which nothing is said. What cannot be read or written is
/// left for the next start.
///
/// DIFFERS: upstream everything else starts behind it; here it runs beside, some milliseconds.
pub fn task<P: Platform>(ports: Ports<P>) -> Task {
    ("migration", Box::pin(fill_in(ports)))
}

async fn fill_in<P: Platform>(ports: Ports<P>) {
    for version in ports.store.list::<AppVersion>(Query::All).await.unwrap_or_default().iter() {
        if version.entity.config.iter().all(|service| !service.unsaid) {
            continue;
        }
        let mut services = version.entity.config.to_vec();
        for service in services.iter_mut().filter(|service| service.unsaid) {
            service.concurrency = appconfig::unnamed(&service.name);
            service.unsaid = false;
        }
        ports.host.note(version.id, Reason::DefaultsFilledIn);
        let _ = ports.store.set(version.id, AppVersionChange::Config(Rc::from(services))).await;
    }
}
