//! The user's application config: three loaders, strict and lenient.

use std::sync::Arc;

/// Which of the three loaders reads the config. They must behave alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loader {
    /// Looks for the file from a working directory upwards.
    Upwards,
    /// Looks for the file under a given directory.
    Under,
    /// Is given the bytes.
    Bytes,
}

/// A config as a deploy hands it over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigSource {
    /// Who reads it.
    pub loader: Loader,
    /// Its text.
    pub text: Arc<str>,
    /// Where it came from, for messages: a path, or `config` for a text in the scenario itself.
    pub origin: Arc<str>,
}
