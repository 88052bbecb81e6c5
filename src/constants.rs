//! Tables of constants: one row gives name, type, default, meaning, bounds, eras and role.
//!
//! What must know of *all* constants – the file format, the reference page, the proof of a
//! livelock – asks the table, so a constant is added by adding its row. The role is the type: only
//! a [`Period`] makes a ticker, and an [`Age`] is compared with nothing but a [`LookBack`]. It may
//! know nothing of what the constants are for. What a newcomer gets wrong: a default that changed
//! in history is an *era* of its row, not a decision of whoever uses it.

use std::cmp::Ordering;

use crate::model::Words;
use crate::time::{SimDuration, SimTime};

/// The type of a constant, as users write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingKind {
    /// `"5m"`.
    Duration,
    /// The same, longer than nothing: something is repeated after each.
    Pause,
    /// A whole number within bounds.
    Int { min: u32, max: u32 },
    /// A number that may have a point, read as parts per million, within bounds (in parts per million).
    Decimal { min: u64, max: u64 },
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value for a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    Duration(SimDuration),
    /// A whole number.
    Int(u32),
    /// Parts per million.
    Decimal(u64),
    /// The number of the word in [`SettingKind::Word`].
    Word(usize),
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name in its table.
    pub name: &'static str,
    /// Its type.
    pub kind: SettingKind,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// The names of the fixes that changed its default, the latest last.
    pub eras: &'static [&'static str],
}

/// How far a constant reaches in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A ticker's period.
    Period(Period),
    /// How far a rule looks at ages.
    LookBack(LookBack),
    /// Neither: it says how long something under way takes, or is no duration.
    Neither,
}

/// The period of a ticker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    task: &'static str,
    every: SimDuration,
}

impl Period {
    /// The period of the tasks of that name, which wait for nothing but their ticker.
    pub const fn of(task: &'static str, every: SimDuration) -> Self {
        Self { task, every }
    }
    /// The name of the tasks that tick.
    pub const fn task(self) -> &'static str {
        self.task
    }
    /// How often they do.
    pub const fn every(self) -> SimDuration {
        self.every
    }
}

/// How far back a rule looks: it asks whether something is older than this, and no more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LookBack(SimDuration);

impl LookBack {
    /// A look as far back as `length`.
    pub const fn of(length: SimDuration) -> Self {
        Self(length)
    }
    /// How far back.
    pub const fn length(self) -> SimDuration {
        self.0
    }
}

/// How old something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Age(SimDuration);

impl Age {
    /// The age at `now` of what began at `began`.
    pub const fn at(now: SimTime, began: SimTime) -> Self {
        Self(now.since(began))
    }
    /// The time since it began.
    pub const fn length(self) -> SimDuration {
        self.0
    }
}
impl PartialEq<LookBack> for Age {
    fn eq(&self, limit: &LookBack) -> bool {
        self.0 == limit.0
    }
}
impl PartialOrd<LookBack> for Age {
    fn partial_cmp(&self, limit: &LookBack) -> Option<Ordering> {
        self.0.partial_cmp(&limit.0)
    }
}

/// A type that a constant can have.
pub trait Value: Copy {
    /// How users write it, unless its row says otherwise.
    const KIND: SettingKind;
    /// Takes a value; false when it is of another type.
    fn put(&mut self, setting: Setting) -> bool;
    /// The value.
    fn get(self) -> Setting;
    /// Its role.
    fn role(self) -> Role {
        Role::Neither
    }
}

macro_rules! value {
    ($Type:ty, $kind:expr, $variant:ident($value:ident), $this:ident => $place:expr $(, $role:expr)?) => {
        impl Value for $Type {
            const KIND: SettingKind = $kind;
            fn put(&mut self, setting: Setting) -> bool {
                let $this = self;
                let Setting::$variant($value) = setting else { return false };
                $place = $value;
                true
            }
            fn get(self) -> Setting {
                let $this = &self;
                Setting::$variant($place)
            }
            $(fn role(self) -> Role {
                $role(self)
            })?
        }
    };
}
value!(SimDuration, SettingKind::Duration, Duration(d), this => *this);
value!(Period, SettingKind::Pause, Duration(d), this => this.every, Role::Period);
value!(LookBack, SettingKind::Duration, Duration(d), this => this.0, Role::LookBack);
value!(u32, SettingKind::Int { min: 1, max: 1_000_000 }, Int(n), this => *this);
value!(u64, SettingKind::Decimal { min: 0, max: 1_000_000 }, Decimal(ppm), this => *this);

impl<T: Words> Value for T {
    const KIND: SettingKind = SettingKind::Word(T::WORDS);
    fn put(&mut self, setting: Setting) -> bool {
        let Setting::Word(n) = setting else { return false };
        *self = T::ALL[n];
        true
    }
    fn get(self) -> Setting {
        Setting::Word(T::ALL.iter().position(|choice| *choice == self).expect("every choice is listed"))
    }
}

/// The eras of a table in which no default ever changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEras;

/// A table of constants, and the tables below it.
///
/// A row is `field [as "name"]: Type = default, "meaning" [kind] { fix => later default, … };`.
/// Name and kind are the field's and the type's own unless they are written; of the later
/// defaults, the last whose fix is in force holds.
macro_rules! constants {
    (
        $(#[$attr:meta])*
        $vis:vis struct $Table:ident under $Eras:ty {
            $($field:ident $(as $name:literal)?: $Type:ty = $default:expr, $meaning:literal
                $([$kind:expr])? $({ $($fix:expr => $later:expr),+ })?;)*
        }
        $(below { $($below:ident: $Below:ty, $about:literal;)+ })?
    ) => {
        $(#[$attr])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        $vis struct $Table {
            $(#[doc = $meaning] $vis $field: $Type,)*
            $($(#[doc = $about] $vis $below: $Below,)+)?
        }

        impl $Table {
            /// Its rows, without those of the tables below it.
            $vis const ROWS: &[$crate::constants::Row] = &[$($crate::constants::Row {
                name: $crate::constants::constants!(@name $field $($name)?),
                kind: $crate::constants::constants!(@kind $Type $(, $kind)?),
                meaning: $meaning,
                eras: &[$($($fix.name()),+)?],
            }),*];

            /// The defaults, as they were when these fixes were in force.
            $vis fn of(eras: $Eras) -> Self {
                let _ = eras;
                Self {
                    $($field: {
                        let value: $Type = $default;
                        $($(let value = if eras.has($fix) { $later } else { value };)+)?
                        value
                    },)*
                    $($($below: <$Below>::of(eras),)+)?
                }
            }
            /// Sets the constant at `path`; false when there is none or the value has another type.
            $vis fn set(&mut self, path: &str, value: $crate::constants::Setting) -> bool {
                match path {
                    $($crate::constants::constants!(@name $field $($name)?) => {
                        $crate::constants::Value::put(&mut self.$field, value)
                    })*
                    _ => {
                        $($(if let Some(path) = path.strip_prefix(concat!(stringify!($below), ".")) {
                            return self.$below.set(path, value);
                        })+)?
                        false
                    }
                }
            }
            /// The value of the constant at `path`, if there is one.
            $vis fn get(&self, path: &str) -> Option<$crate::constants::Setting> {
                match path {
                    $($crate::constants::constants!(@name $field $($name)?) => {
                        Some($crate::constants::Value::get(self.$field))
                    })*
                    _ => {
                        $($(if let Some(path) = path.strip_prefix(concat!(stringify!($below), ".")) {
                            return self.$below.get(path);
                        })+)?
                        None
                    }
                }
            }
            /// The roles of all constants, of the tables below, too.
            $vis fn roles(&self) -> impl Iterator<Item = $crate::constants::Role> {
                let roles = [$($crate::constants::Value::role(self.$field)),*].into_iter();
                $($(let roles = roles.chain(self.$below.roles());)+)?
                roles
            }
        }
        impl Default for $Table {
            fn default() -> Self {
                Self::of(<$Eras>::default())
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (@kind $Type:ty) => { <$Type as $crate::constants::Value>::KIND };
    (@kind $Type:ty, $kind:expr) => { $kind };
}
pub(crate) use constants;

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> SimDuration {
        SimDuration::from_secs(n)
    }

    #[derive(Clone, Copy, Default)]
    struct Eras(&'static [&'static str]);
    struct Change(&'static str);

    impl Eras {
        fn has(self, change: Change) -> bool {
            self.0.contains(&change.0)
        }
    }
    impl Change {
        const fn name(self) -> &'static str {
            self.0
        }
    }

    constants! {
        /// Two rows and a table.
        struct Top under Eras {
            sweep_every: Period = Period::of("sweep", secs(60)), "how often"
                { Change("first") => Period::of("sweep", secs(30)), Change("second") => Period::of("sweep", secs(10)) };
            sizes as "size": u32 = 5, "how many" [SettingKind::Int { min: 3, max: 9 }];
        }
        below { deep: Deep, "further below"; }
    }
    constants! {
        /// What lies below.
        struct Deep under Eras {
            kept: LookBack = LookBack::of(secs(7)), "how long";
        }
    }

    #[test]
    fn a_row_tells_everything_of_its_constant() {
        let told = |row: &Row| (row.name, row.kind, row.meaning, row.eras);
        let size = SettingKind::Int { min: 3, max: 9 };
        let rows = [
            ("sweep_every", SettingKind::Pause, "how often", &["first", "second"][..]),
            ("size", size, "how many", &[]),
        ];
        assert_eq!(Top::ROWS.iter().map(told).collect::<Vec<_>>(), rows);
        assert_eq!(
            Deep::ROWS.iter().map(told).collect::<Vec<_>>(),
            [("kept", SettingKind::Duration, "how long", &[][..])]
        );
        assert!(Top::of(Eras(&[])).roles().eq([
            Role::Period(Period::of("sweep", secs(60))),
            Role::Neither,
            Role::LookBack(LookBack::of(secs(7))),
        ]));
    }

    #[test]
    fn of_the_eras_the_last_in_force_gives_the_default() {
        let every = |eras| Top::of(Eras(eras)).sweep_every.every();
        assert_eq!([every(&[]), every(&["first"]), every(&["second"])], [secs(60), secs(30), secs(10)]);
        assert_eq!(every(&["second", "first"]), secs(10));
    }

    #[test]
    fn a_constant_is_set_by_its_path_to_values_of_its_type_only() {
        let mut top = Top::default();
        for (path, value) in [
            ("sweep_every", Setting::Duration(secs(1))),
            ("size", Setting::Int(4)),
            ("deep.kept", Setting::Duration(secs(2))),
        ] {
            assert_ne!(top.get(path), Some(value), "{path}");
            assert!(top.set(path, value), "{path}");
            assert_eq!(top.get(path), Some(value), "{path}");
            assert!(!top.set(path, Setting::Decimal(1)), "{path}");
        }
        assert_eq!(top.sweep_every, Period::of("sweep", secs(1)), "the task stays");
        for path in ["sizes", "kept", "deep", "deep.", "deep.size", ""] {
            assert!(top.get(path).is_none() && !top.set(path, Setting::Int(4)), "{path}");
        }
    }
}
