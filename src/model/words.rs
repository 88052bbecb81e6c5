//! Enums that are known by words: in scenario files, records and texts.
//!
//! The word of a variant is written once, here in its macro's row; everybody else has the
//! variant. It may know nothing. What a newcomer gets wrong: a word is for writing and reading
//! files; whoever decides matches on the variant, without `_`, so that a new one asks for its arm.

/// An enum of which each variant has a word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every one, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word in scenario files, records and texts.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(crate) use words;
