//! What all controllers share: the logic in force, and how they fail.

use std::future::Future;
use std::pin::Pin;

use crate::controllers::fixes::{Fix, Fixes};
use crate::controllers::tuning::Tuning;
use crate::model::{Name, Reason};
use crate::ports::{BackendError, StoreError};

/// Which logic is in force: fixes and constants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// The fixes.
    pub fixes: Fixes,
    /// The constants.
    pub tuning: Tuning,
}

impl Rules {
    /// Whether a fix is in force.
    pub const fn has(&self, fix: Fix) -> bool {
        self.fixes.has(fix)
    }
}

/// A piece of a controller that runs by itself: its name, and what it does.
pub type Task = (&'static str, Pin<Box<dyn Future<Output = ()>>>);

/// Why a handler gave up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure(pub Name);

impl Failure {
    /// A failure with that text.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Name::new(text.as_ref()))
    }
}
impl Failure {
    /// The note of one that is logged and changes nothing else: work goes on with the next thing.
    pub const fn passed_over(self) -> Reason {
        Reason::PassedOver { error: self.0 }
    }
}
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Failed(message) => Self(message),
            StoreError::NotFound | StoreError::Conflict => Self::new(error.to_string()),
        }
    }
}
impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self(error.0)
    }
}
