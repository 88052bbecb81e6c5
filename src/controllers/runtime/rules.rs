//! What all controllers share: the logic in force, and how they fail.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::controllers::fixes::{Fix, Fixes};
use crate::controllers::tuning::Tuning;
use crate::model::{Failure, Reason};
use crate::ports::{BackendError, StoreError};

/// Which logic is in force: fixes and constants.
#[derive(Clone, Default)]
pub struct Rules {
    fixes: Fixes,
    /// The constants.
    pub tuning: Tuning,
    asked: Asked,
}

/// The fixes that somebody asked for, a bit each: whether another is in force cannot have mattered. Whoever keeps
/// them by decisions takes them out.
pub type Asked = Rc<Cell<u128>>;

impl Rules {
    /// These fixes and constants; whoever asks for a fix is noted in `asked`.
    pub fn new(fixes: Fixes, tuning: Tuning, asked: Asked) -> Self {
        Self { fixes, tuning, asked }
    }
    /// All fixes in force, for whoever replaces them. Who decides asks [`Rules::has`], so that it is noted.
    pub fn fixes(&self) -> Fixes {
        self.fixes
    }
    /// Whether a fix is in force.
    #[inline]
    pub fn has(&self, fix: Fix) -> bool {
        self.asked.set(self.asked.get() | Fixes::NONE.with(fix).bits());
        self.fixes.has(fix)
    }
}

/// A piece of a controller that runs by itself: its name, and what it does.
pub type Task = (&'static str, Pin<Box<dyn Future<Output = ()>>>);

impl Failure {
    /// The note of one that is logged and changes nothing else: work goes on with the next thing.
    pub const fn passed_over(self) -> Reason {
        Reason::PassedOver { error: self }
    }
}
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Failed(message) => Self::Other(message),
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict => Self::Conflict,
        }
    }
}
impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Other(error.0)
    }
}
