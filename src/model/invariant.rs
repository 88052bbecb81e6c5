//! Invariants: what must hold in every run, by the names that scenario files list them by.
//!
//! Only their names; the rules are the judge's. What a newcomer gets wrong: a broken invariant
//! need not be an error – a story that shows a bug expects it.

use super::words::words;

words!(
    /// What must always hold (`SCENARIO.md`, *Invariants*).
    Invariant {
        /// No disk has two BOUND leases.
        OneBoundLeasePerDisk = "one-bound-lease-per-disk",
        /// No volume is mounted twice, or written by two live containers.
        OneMountPerVolume = "one-mount-per-volume",
        /// A BOUND lease belongs to a live sandbox.
        BoundLeaseHasLiveSandbox = "bound-lease-has-live-sandbox",
        /// No address belongs to two live containers.
        AddressOwnedOnce = "address-owned-once",
        /// An address that is taken has a live owner.
        NoLeakedAddress = "no-leaked-address",
        /// A container has a live sandbox.
        NoOrphanContainer = "no-orphan-container",
        /// A dead sandbox is never written to life again.
        DeadIsFinal = "dead-is-final",
        /// Statuses change only as they may.
        LegalTransition = "legal-transition",
        /// No pool wants or has more than the limit.
        PoolWithinMaxSize = "pool-within-max-size",
        /// No sandbox is created while its pool cools down.
        NoBootDuringCooldown = "no-boot-during-cooldown",
        /// No pool has more live sandboxes than it wants.
        NoOvershoot = "no-overshoot",
        /// A disk names the app that made it.
        DiskHasOwner = "disk-has-owner",
        /// Nothing belongs to a deleted app.
        NothingOutlivesItsApp = "nothing-outlives-its-app",
        /// Failed boots become rarer.
        FailuresBackOff = "failures-back-off",
        /// A cluster that can settle does.
        Progress = "progress",
    }
);
