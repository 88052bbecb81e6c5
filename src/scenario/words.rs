//! Words of a scenario file: how a run can end, and what golden texts tell of it.

use crate::model::words::words;

words!(
    /// How a run can end.
    Verdict {
        /// Everything runs as wished, to the horizon.
        Settled = "settled",
        /// It comes to run as wished and ceases to, by itself, again and again to the end.
        Flaps = "flaps",
        /// It does not, and nobody can say that it never will.
        Unsettled = "unsettled",
        /// The state recurs with nothing ahead: it never will.
        Livelock = "livelock",
    }
);

words!(
    /// What the golden texts of a scenario tell.
    #[derive(Default)]
    Golden {
        /// Everything: a story that is reviewed as one.
        #[default]
        Lives = "lives",
        /// Steps and checks: a fact, which its claims tell, and which no change of another rule should move.
        Checks = "checks",
    }
);
