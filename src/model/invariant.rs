//! Invariants: what must hold in every run, by the names that scenario files list them by.
//!
//! Their names, and what each says and why; the rules are the judge's. What a newcomer gets wrong: a
//! broken invariant need not be an error – a story that shows a bug expects it.

use super::words::words;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $meaning:literal;)*) => {
        words!(
            /// What must always hold.
            Invariant { $(#[doc = $meaning] $variant = $name,)* }
        );

        impl Invariant {
            /// What it says, and why it must hold.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

invariants! {
    OneBoundLeasePerDisk = "one-bound-lease-per-disk", "No disk has two BOUND leases: a lease is what keeps the second writer away.";
    OneMountPerVolume = "one-mount-per-volume", "No volume is mounted on two nodes, or written by two live containers: that destroys file systems.";
    BoundLeaseHasLiveSandbox = "bound-lease-has-live-sandbox", "A BOUND lease belongs to a PENDING or RUNNING sandbox: else nobody can have the disk.";
    AddressOwnedOnce = "address-owned-once", "No address belongs to two live containers: callers would reach the wrong one.";
    NoLeakedAddress = "no-leaked-address", "An address that is taken has a live owner: subnets are small.";
    NoOrphanContainer = "no-orphan-container", "A container has a live sandbox: else it runs, and costs, and nobody knows.";
    DeadIsFinal = "dead-is-final", "A dead sandbox is never written to life again: its container is gone.";
    LegalTransition = "legal-transition", "Statuses change only as they may.";
    PoolWithinMaxSize = "pool-within-max-size", "No pool wants or has more sandboxes than the limit.";
    NoBootDuringCooldown = "no-boot-during-cooldown", "No sandbox is created while its pool cools down.";
    NoOvershoot = "no-overshoot", "No pool has more live sandboxes than it wants.";
    DiskHasOwner = "disk-has-owner", "A disk names the app that made it: else nobody deletes it.";
    NothingOutlivesItsApp = "nothing-outlives-its-app", "Nothing in the store belongs to a deleted app.";
    FailuresBackOff = "failures-back-off", "Failed boots become rarer: at most 8 in the window for each instance that the pool was meant to have.";
    Progress = "progress", "An app that can settle does. Excuses are a program that cannot run, no node that takes sandboxes, a network that is cut, a delay of a fault that still runs, and whatever strikes it again and again; none are another app's fault, a fault that strikes nothing of it, one that is confined to a node while it could run on another (none of its services has a disk), and a call that hangs: who waits for it had the time to give it up.";
    RequestsServed = "requests-served", "No request fails for reasons of the scheduler. Those are: it finds no capacity, or no pool, while a sandbox of the service truly serves for at least half of its wait (and nothing more is on its way, and the pool may grow); it is refused at a limit that the pool has not reached, or because others wrote the pool; its sandbox is stopped under it; it is led to one that has not answered for longer than the grace. A service without anything that serves is no such reason – its program may be broken, its node lost –, nor is an operator's own stop, a coordinator that is down, or a store that fails.";
    RolloutKeepsServing = "rollout-keeps-serving", "No rollout stops the last sandbox of a service that serves before the new version does: the old one would have served on, whatever is wrong with the new one. A service with a disk of its own cannot be run twice, and an operator's own stop is no rollout.";
    VolumeHasDisk = "volume-has-disk", "A volume has a disk of its name: else it costs, and fills the quota, and nobody deletes it.";
    VolumeKeepsItsApp = "volume-keeps-its-app", "No program of another app gets a volume: it holds the data of the app that it was made for. An app that is deployed again under its name is the same one.";
    UsedDiskKeepsData = "used-disk-keeps-data", "The data of a disk that the active version of an app names are not deleted: an order to delete it must be refused, or wait until the app is gone.";
    LiveProgramKeepsItsOwn = "live-program-keeps-its-own", "A program that runs holds its address, and its disks are leased to it: what is given away under it gets a second user. A program that was told to end has the grace for it.";
}
