//! The folder of a sweep's results: what is in it, and that nothing in it is ever lost or doubled.
//!
//! The manifest says whose rows they are; how they are written is the appender's matter. It knows plans
//! and lines, not what a run is. What a newcomer gets wrong: after a kill the last line may be half
//! written – resuming cuts it off and makes that run again – and some rows lie beside the file still.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::append::{self, Appender, Early};
pub use super::lock::Closed;
use super::lock::{LOCK, Lock};
use super::plan::{Plan, SCHEMA};
use super::records::Records;
use super::rows;

/// The file of the rows.
pub const RUNS: &str = "runs.csv";
/// The file that says what was swept.
pub const PLAN: &str = "sweep.json";
/// The file that says which part of it is here.
pub const MANIFEST: &str = "manifest.json";

/// One of N parts: `1/1` is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// How many of `runs` are in it.
    pub fn share(self, runs: u64) -> u64 {
        runs / self.of + u64::from(runs % self.of >= self.number)
    }
    /// The run that is its `nth`, from 0.
    pub fn index(self, nth: u64) -> u64 {
        nth * self.of + self.number - 1
    }
}

/// What a folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub schema: u32,
    /// The program's version.
    pub tool: String,
    /// The digest of the sweep and of everything it names.
    pub sweep: String,
    /// Which part.
    pub shard: Shard,
    /// How many rows it has when it is complete.
    pub rows: u64,
    /// The digest of the rows; none: they are not complete.
    pub runs: Option<String>,
}

impl Manifest {
    /// Whether what lies in its folder is written as this program writes it.
    fn is_readable(&self, dir: &Path) -> Result<(), String> {
        if self.schema == SCHEMA {
            return Ok(());
        }
        Err(format!(
            "`{}` holds results in the form of schema {}, by {}; this program writes schema {SCHEMA}: sweep again into \
             another folder",
            dir.display(),
            self.schema,
            self.tool
        ))
    }

    /// Whether the folder that it lies in holds that part of that sweep.
    fn is_of(&self, plan: &Plan, shard: Shard, dir: &Path) -> Result<(), String> {
        let shown = dir.display();
        self.is_readable(dir)?;
        if self.sweep != plan.digest {
            return Err(format!(
                "`{shown}` holds the results of another sweep (or of other versions of its files); nothing was \
                 overwritten: choose another folder"
            ));
        }
        if self.shard != shard {
            let Shard { number, of } = self.shard;
            return Err(format!("`{shown}` holds shard {number}/{of} of this sweep; choose another folder"));
        }
        Ok(())
    }
}

/// Whether nothing is in a folder but what a kill at the very beginning may leave.
fn is_empty(dir: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        if name != LOCK && name != format!("{MANIFEST}.new").as_str() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A folder that runs are written into.
#[derive(Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Folder {
    pub dir: PathBuf,
    pub shard: Shard,
    /// So many rows are in their places already.
    pub(super) finished: u64,
    /// Rows that are there, but wait for others before them.
    pub(super) early: Early,
    /// No other process writes here meanwhile.
    _lock: Lock,
}

impl Folder {
    /// The folder of all runs of a sweep, as it lies there.
    pub(super) fn whole(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), shard: Shard::WHOLE, finished: 0, early: Early::new(), _lock: Lock::default() }
    }

    /// How many runs it had when it was opened.
    pub fn kept(&self) -> u64 {
        self.finished + self.early.len() as u64
    }

    /// Opens a folder for a part of a sweep: a new or empty one, or with `resume` one with a
    /// beginning of these very results.
    ///
    /// # Errors
    /// Why not, in words; nothing in the folder is changed then.
    pub fn open(dir: &Path, plan: &Plan, shard: Shard, resume: bool) -> Result<Self, Closed> {
        let lock = Self::lock(dir, plan, shard)?;
        Ok(Self::locked(lock, dir, plan, shard, resume)?)
    }

    /// Keeps others away from a folder for a part of a sweep; makes it when it is not there.
    pub(super) fn lock(dir: &Path, plan: &Plan, shard: Shard) -> Result<Lock, Closed> {
        let shown = dir.display();
        let cannot = |what: &str, error: io::Error| format!("cannot {what} `{shown}`: {error}");
        match Self::manifest_of(dir)? {
            Some(manifest) => manifest.is_of(plan, shard, dir)?,
            None => match is_empty(dir) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(format!("`{shown}` is not empty and holds no sweep; choose another folder").into());
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(dir).map_err(|error| cannot("make", error))?;
                }
                Err(error) => return Err(cannot("read", error).into()),
            },
        }
        Lock::of(dir)
    }

    /// Opens a folder that others are kept away from.
    pub(super) fn locked(lock: Lock, dir: &Path, plan: &Plan, shard: Shard, resume: bool) -> Result<Self, String> {
        let shown = dir.display();
        let rows = shard.share(plan.runs());
        let mut folder = Self { shard, _lock: lock, ..Self::whole(dir) };
        // Asked again: somebody may have begun before the lock was ours.
        let Some(manifest) = Self::manifest_of(dir)? else {
            folder.begin(plan, rows)?;
            return Ok(folder);
        };
        manifest.is_of(plan, shard, dir)?;
        if manifest.rows != rows && manifest.runs.is_some() {
            return Err(format!(
                "`{shown}` holds this sweep, complete, with {} runs; add --resume to see what follows from them",
                manifest.rows
            ));
        }
        let (finished, bytes) = folder.count(plan)?;
        let pairs = plan.pairs();
        let is_row = |nth: u64, row: &str| nth < rows && rows::is_row_of(plan, plan.key(&pairs, shard.index(nth)), row);
        folder.early = append::early(&folder.runs(), finished, is_row)?;
        folder.finished = finished;
        if !resume {
            let kept = folder.kept();
            return Err(format!(
                "`{shown}` holds {kept} of {rows} runs of this very sweep; add --resume to go on with it"
            ));
        }
        if finished == 0 {
            folder.begin(plan, rows)?;
        } else {
            let cut = OpenOptions::new().write(true).open(folder.runs()).and_then(|file| file.set_len(bytes));
            cut.map_err(|error| format!("cannot write to `{shown}`: {error}"))?;
        }
        Ok(folder)
    }

    /// What a folder says of itself; none: it is no folder of results.
    fn manifest_of(dir: &Path) -> Result<Option<Manifest>, String> {
        let shown = dir.display();
        match fs::read_to_string(dir.join(MANIFEST)) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
                format!("`{shown}` holds a {MANIFEST} that cannot be read ({error}); choose another folder")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("cannot read `{shown}`: {error}")),
        }
    }

    /// The plan of a folder that holds all of a sweep; none: it does not.
    pub(super) fn complete_plan(dir: &Path) -> Result<Option<Plan>, String> {
        match Self::manifest_of(dir)? {
            Some(it) if it.schema == SCHEMA && it.runs.is_some() && it.shard == Shard::WHOLE => plan_in(dir).map(Some),
            _ => Ok(None),
        }
    }

    /// The file of the rows.
    pub fn runs(&self) -> PathBuf {
        self.dir.join(RUNS)
    }

    /// Writes manifest, plan and header. The manifest is first: after a kill the folder is known as ours.
    fn begin(&self, plan: &Plan, rows: u64) -> Result<(), String> {
        self.manifest(plan, rows, None)?;
        self.write(PLAN, &plan_text(plan))?;
        self.write(RUNS, &rows::header(plan))
    }

    fn manifest(&self, plan: &Plan, rows: u64, runs: Option<String>) -> Result<(), String> {
        let manifest = Manifest {
            schema: SCHEMA,
            tool: plan.tool.clone(),
            sweep: plan.digest.clone(),
            shard: self.shard,
            rows,
            runs,
        };
        let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data");
        self.write(MANIFEST, &(text + "\n"))
    }

    /// Writes a small file at once: it is either the old one or the new one.
    pub fn write(&self, name: &str, text: &str) -> Result<(), String> {
        self.fill(name, |mut file| {
            let written = file.write_all(text.as_bytes());
            written.map_err(|error| format!("cannot write `{}`: {error}", self.dir.join(name).display()))
        })
    }

    /// Fills a file beside its place and moves it there when it is complete.
    pub(super) fn fill<T>(&self, name: &str, fill: impl FnOnce(&File) -> Result<T, String>) -> Result<T, String> {
        let path = self.dir.join(name);
        let beside = self.dir.join(format!("{name}.new"));
        let cannot = |error: io::Error| format!("cannot write `{}`: {error}", path.display());
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&beside));
        let filled = made.map_err(cannot).and_then(|file| {
            let made = fill(&file)?;
            fs::rename(&beside, &path).map_err(cannot)?;
            Ok(made)
        });
        filled.inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }

    /// How many whole rows there are, each the one it must be, and where the last of them ends.
    fn count(&self, plan: &Plan) -> Result<(u64, u64), String> {
        let path = self.runs();
        let shown = path.display();
        let cannot = |error: io::Error| format!("cannot read `{shown}`: {error}");
        let Some(mut records) = Records::open(&path)? else { return Ok((0, 0)) };
        match records.next().map_err(cannot)? {
            None => return Ok((0, 0)),
            Some(header) if header == rows::header(plan) => {}
            Some(_) => return Err(format!("`{shown}` has other columns than this sweep")),
        }
        let (pairs, rows) = (plan.pairs(), self.shard.share(plan.runs()));
        let mut finished = 0;
        while let Some(row) = records.next().map_err(cannot)? {
            let key = plan.key(&pairs, self.shard.index(finished));
            if finished >= rows || !rows::is_row_of(plan, key, row.trim_end_matches('\n')) {
                return Err(format!("`{shown}`: row {} is not that of its run; it was changed", finished + 1));
            }
            finished += 1;
        }
        Ok((finished, records.bytes))
    }

    /// The writer of further rows.
    pub(super) fn append(&self) -> Result<Appender<File>, String> {
        Appender::open(&self.runs(), self.finished, self.early.clone())
    }

    /// Notes that all rows are there.
    pub fn complete(&self, plan: &Plan) -> Result<(), String> {
        let digest = digest_of(&self.runs())?;
        self.manifest(plan, self.shard.share(plan.runs()), Some(digest))
    }
}

/// A plan as its file has it.
pub fn plan_text(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan is plain data") + "\n"
}

/// The plan that lies in a folder.
fn plan_in(dir: &Path) -> Result<Plan, String> {
    let path = dir.join(PLAN);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn digest_of(path: &Path) -> Result<String, String> {
    let cannot = |error: io::Error| format!("cannot read `{}`: {error}", path.display());
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path).map_err(cannot)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(cannot)? {
            0 => return Ok(format!("b3:{}", hasher.finalize().to_hex())),
            read => hasher.update(&buffer[..read]),
        };
    }
}

/// The parts of a sweep, ready to be joined.
struct Part {
    dir: PathBuf,
    manifest: Manifest,
}

impl Part {
    fn read(dir: &Path) -> Result<Self, String> {
        let path = dir.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|error| format!("`{}` is no shard: {error}", dir.display()))?;
        let manifest = serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Whether it is complete, and a part of the same sweep as the first.
    fn belongs_to(&self, first: &Self) -> Result<(), String> {
        let (shown, theirs) = (self.dir.display(), first.dir.display());
        let (ours, of) = (&self.manifest, first.manifest.shard.of);
        ours.is_readable(&self.dir)?;
        if ours.sweep != first.manifest.sweep || ours.tool != first.manifest.tool {
            return Err(format!("`{shown}` is a shard of another sweep than `{theirs}`"));
        }
        if ours.shard.of != of {
            return Err(format!("`{shown}` is one of {} shards, `{theirs}` one of {of}", ours.shard.of));
        }
        if ours.runs.is_none() {
            return Err(format!("`{shown}` is not complete; finish it with --resume"));
        }
        if ours.runs != Some(digest_of(&self.dir.join(RUNS))?) {
            return Err(format!("`{shown}`: its {RUNS} was changed or is damaged"));
        }
        Ok(())
    }

    /// All parts of one sweep, in their order, each there once.
    fn all(shards: &[PathBuf]) -> Result<Vec<Self>, String> {
        let mut parts = shards.iter().map(|dir| Self::read(dir)).collect::<Result<Vec<_>, _>>()?;
        let first = parts.first().ok_or("there is no shard to merge")?;
        let of = first.manifest.shard.of;
        parts.iter().try_for_each(|part| part.belongs_to(first))?;
        parts.sort_by_key(|part| part.manifest.shard);
        if let Some(pair) = parts.windows(2).find(|pair| pair[0].manifest.shard == pair[1].manifest.shard) {
            let (one, other) = (pair[0].dir.display(), pair[1].dir.display());
            return Err(format!("`{one}` and `{other}` are both shard {}/{of}", pair[0].manifest.shard.number));
        }
        let there = |number: &u64| parts.iter().any(|part| part.manifest.shard.number == *number);
        let missing: Vec<String> =
            (1..=of).filter(|number| !there(number)).map(|number| format!("{number}/{of}")).collect();
        if missing.is_empty() { Ok(parts) } else { Err(format!("shards are missing: {}", missing.join(", "))) }
    }
}

/// Joins the shards of one sweep into `dir`, as if it had been run in one piece.
///
/// # Errors
/// What is missing, or does not belong together; nothing is written then.
pub fn merge(dir: &Path, shards: &[PathBuf]) -> Result<(Folder, Plan), Closed> {
    let parts = Part::all(shards)?;
    let plan = plan_in(&parts[0].dir)?;
    let shown = dir.display();
    // Whether it is yet to be made.
    let absent = || match is_empty(dir) {
        Ok(true) => Ok(false),
        Ok(false) => Err(format!("`{shown}` is not empty; nothing was overwritten: merge into a new or empty folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(format!("cannot read `{shown}`: {error}")),
    };
    let made = absent()?;
    let lock = Folder::lock(dir, &plan, Shard::WHOLE)?;
    // Asked again: another merge may have filled it before the lock was ours.
    absent()?;
    let joined = Folder::locked(Lock::default(), dir, &plan, Shard::WHOLE, false).and_then(|folder| {
        interleave(&folder, &plan, &parts)?;
        folder.complete(&plan)?;
        Ok(folder)
    });
    joined.map(|folder| (Folder { _lock: lock, ..folder }, plan)).map_err(|error| {
        // Half of the rows is of no use to anybody: the shards have all of them.
        for name in [RUNS, PLAN, MANIFEST] {
            let _ = fs::remove_file(dir.join(name));
        }
        if made {
            let _ = fs::remove_file(dir.join(LOCK));
            let _ = fs::remove_dir(dir);
        }
        format!("{error}; the shards are as they were: make room, then merge again").into()
    })
}

fn interleave(folder: &Folder, plan: &Plan, parts: &[Part]) -> Result<(), String> {
    let to = OpenOptions::new().append(true).open(folder.runs()).map_err(|error| error.to_string())?;
    let parts: Vec<_> = parts.iter().map(|part| (part.dir.join(RUNS), 1)).collect();
    weave(plan, &parts, &mut io::BufWriter::new(to))
}

type Rows = Records<BufReader<File>>;

/// The rows of a file, its first line read.
fn behind_header(path: &Path) -> Result<Rows, String> {
    let mut rows = Records::open(path)?.ok_or_else(|| format!("there is no `{}`", path.display()))?;
    record(&mut rows)?;
    Ok(rows)
}

/// The next row, which must be there.
fn record(rows: &mut Rows) -> Result<String, String> {
    rows.next().map_err(|error| error.to_string())?.ok_or_else(|| format!("a part's {RUNS} ends too early"))
}

/// Joins the rows of several ranges of seeds, each in its own file, into one in the plan's order.
pub fn join(plan: &Plan, parts: &[(PathBuf, u64)], to: &mut impl Write) -> Result<(), String> {
    to.write_all(rows::header(plan).as_bytes()).map_err(|error| cannot_write(&error))?;
    weave(plan, parts, to)
}

/// Writes the rows of all parts, so many of each in its turn.
fn weave(plan: &Plan, parts: &[(PathBuf, u64)], to: &mut impl Write) -> Result<(), String> {
    let readers = parts.iter().map(|(path, each)| Ok((behind_header(path)?, *each)));
    let mut readers = readers.collect::<Result<Vec<_>, String>>()?;
    let mut left = plan.runs();
    while left > 0 {
        for (reader, each) in &mut readers {
            for _ in 0..left.min(*each) {
                to.write_all(record(reader)?.as_bytes()).map_err(|error| cannot_write(&error))?;
                left -= 1;
            }
        }
    }
    to.flush().map_err(|error| cannot_write(&error))
}

fn cannot_write(error: &io::Error) -> String {
    format!("cannot write the results: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_take_turns_and_leave_nothing_out() {
        for (runs, of) in [(10, 3), (2, 5), (7, 7), (0, 2)] {
            let shards = (1..=of).map(|number| Shard { number, of });
            let mut taken: Vec<u64> =
                shards.flat_map(|shard| (0..shard.share(runs)).map(move |nth| shard.index(nth))).collect();
            taken.sort_unstable();
            assert_eq!(taken, (0..runs).collect::<Vec<_>>(), "{runs} runs, {of} shards");
        }
    }
}
