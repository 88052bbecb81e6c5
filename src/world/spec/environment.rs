//! What surrounds the scheduler: sessions, restarts, the phases of tickers, what judges forgive.
//!
//! These are constants of whatever hosts and judges the scheduler, not of its logic, though users set them in
//! the same table.

use crate::constants::{NoEras, SettingKind, constants};
use crate::kernel::SimDuration;
use crate::model::words::words;

const fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

words!(
    /// How the tickers of processes are offset.
    #[derive(Default)]
    Phase {
        /// A fixed offset for each ticker and process, the same for every seed, so that no two tick in one instant.
        #[default]
        Fixed = "fixed",
        /// Drawn for every seed: how long before the story each process began, with all its tickers (rule 2.10).
        Seed = "seed",
        /// None: all tickers are aligned.
        Zero = "zero",
    }
);

constants! {
    /// The constants of what surrounds the scheduler.
    pub struct Environment under NoEras {
        session_ttl: SimDuration = secs(60), "how long a node's session lives";
        session_renew: SimDuration = secs(30), "how often it is renewed" [SettingKind::Pause];
        restart_after: SimDuration = secs(2), "how long a crashed process is down";
        ticker_phase: Phase = Phase::Fixed, "how tickers are offset: each by itself and the same for every seed; by seed, those of a process together; or not at all";
    }
    below { grace: Graces, "what invariants forgive"; }
}

constants! {
    /// How long each invariant forgives.
    pub struct Graces under NoEras {
        bound_lease_has_live_sandbox as "bound-lease-has-live-sandbox": SimDuration = secs(90), "a lease may be BOUND to a dead sandbox for so long";
        no_leaked_address as "no-leaked-address": SimDuration = secs(300), "an address may be without a live owner for so long";
        no_orphan_container as "no-orphan-container": SimDuration = secs(600), "a container may outlive its sandbox for so long";
        no_overshoot as "no-overshoot": SimDuration = secs(90), "a pool may have too many live sandboxes for so long";
        nothing_outlives_its_app as "nothing-outlives-its-app": SimDuration = secs(120), "what belonged to a deleted app may last for so long";
        failures_back_off as "failures-back-off": SimDuration = secs(600), "the window in which failed boots are counted";
        requests_served as "requests-served": SimDuration = secs(60), "requests may be led to a sandbox that does not answer for so long";
        volume_has_disk as "volume-has-disk": SimDuration = secs(120), "a volume may be without a disk for so long";
        live_program_keeps_its_own as "live-program-keeps-its-own": SimDuration = secs(90), "a program may run on for so long without its address or lease";
        progress: SimDuration = secs(600), "how long, beyond the backoff's cap, a cluster may take to settle";
    }
}
