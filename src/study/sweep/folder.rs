//! The folder of a sweep's results: what is in it, and that nothing in it is ever lost or doubled.
//!
//! Rows are appended and handed to the system one by one; the manifest says whose rows they are. It
//! knows plans and lines, not what a run is. What a newcomer gets wrong: after a kill the last line
//! may be half written – resuming cuts it off and makes that run again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::Plan;
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

/// A folder that runs are written into.
#[derive(Debug)]
pub struct Folder {
    /// Where.
    pub dir: PathBuf,
    /// Which part of the sweep.
    pub shard: Shard,
    /// So many runs are there already.
    pub finished: u64,
}

impl Folder {
    /// Opens a folder for a part of a sweep: a new or empty one, or with `resume` one with a
    /// beginning of these very results.
    ///
    /// # Errors
    /// Why not, in words; nothing in the folder is changed then.
    pub fn open(dir: &Path, plan: &Plan, shard: Shard, resume: bool) -> Result<Self, String> {
        let shown = dir.display();
        let cannot = |what: &str, error: io::Error| format!("cannot {what} `{shown}`: {error}");
        let rows = shard.share(plan.runs());
        let manifest = match fs::read_to_string(dir.join(MANIFEST)) {
            Ok(text) => Some(serde_json::from_str::<Manifest>(&text).map_err(|error| {
                format!("`{shown}` holds a {MANIFEST} that cannot be read ({error}); choose another folder")
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(cannot("read", error)),
        };
        let Some(manifest) = manifest else {
            match fs::read_dir(dir) {
                Ok(mut entries) => {
                    if entries.next().is_some() {
                        return Err(format!("`{shown}` is not empty and holds no sweep; choose another folder"));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(dir).map_err(|error| cannot("make", error))?;
                }
                Err(error) => return Err(cannot("read", error)),
            }
            let folder = Self { dir: dir.to_owned(), shard, finished: 0 };
            folder.begin(plan, rows)?;
            return Ok(folder);
        };
        if manifest.sweep != plan.digest {
            return Err(format!(
                "`{shown}` holds the results of another sweep (or of other versions of its files); nothing was \
                 overwritten: choose another folder"
            ));
        }
        if manifest.shard != shard {
            let Shard { number, of } = manifest.shard;
            return Err(format!("`{shown}` holds shard {number}/{of} of this sweep; choose another folder"));
        }
        if manifest.rows != rows && manifest.runs.is_some() {
            return Err(format!(
                "`{shown}` holds this sweep, complete, with {} runs; choose another folder",
                manifest.rows
            ));
        }
        let mut folder = Self { dir: dir.to_owned(), shard, finished: 0 };
        let (finished, bytes) = folder.count(plan)?;
        if !resume {
            return Err(format!(
                "`{shown}` holds {finished} of {rows} runs of this very sweep; add --resume to go on with it"
            ));
        }
        folder.finished = finished;
        if finished == 0 {
            folder.begin(plan, rows)?;
        } else {
            let cut = OpenOptions::new().write(true).open(folder.runs()).and_then(|file| file.set_len(bytes));
            cut.map_err(|error| cannot("write to", error))?;
        }
        Ok(folder)
    }

    /// The file of the rows.
    pub fn runs(&self) -> PathBuf {
        self.dir.join(RUNS)
    }

    /// Writes plan, manifest and header.
    fn begin(&self, plan: &Plan, rows: u64) -> Result<(), String> {
        self.write(PLAN, &plan_text(plan))?;
        self.write(RUNS, &rows::header(plan))?;
        self.manifest(plan, rows, None)
    }

    fn manifest(&self, plan: &Plan, rows: u64, runs: Option<String>) -> Result<(), String> {
        let manifest =
            Manifest { schema: 1, tool: plan.tool.clone(), sweep: plan.digest.clone(), shard: self.shard, rows, runs };
        let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data");
        self.write(MANIFEST, &(text + "\n"))
    }

    /// Writes a small file at once: it is either the old one or the new one.
    pub fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.dir.join(name);
        let beside = self.dir.join(format!("{name}.new"));
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&beside, text))
            .and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            format!("cannot write `{}`: {error}", path.display())
        })
    }

    /// How many whole rows there are, each the one it must be, and where the last of them ends.
    fn count(&self, plan: &Plan) -> Result<(u64, u64), String> {
        let shown = self.runs();
        let shown = shown.display();
        let file = match File::open(self.runs()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
            Err(error) => return Err(format!("cannot read `{shown}`: {error}")),
        };
        let mut reader = BufReader::new(file);
        let (mut line, mut finished, mut bytes) = (Vec::new(), 0, 0);
        let mut next = |line: &mut Vec<u8>| {
            line.clear();
            let read = reader.read_until(b'\n', line).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
            Ok::<_, String>(if line.ends_with(b"\n") { Some(read as u64) } else { None })
        };
        let Some(length) = next(&mut line)? else { return Ok((0, 0)) };
        if line != rows::header(plan).as_bytes() {
            return Err(format!("`{shown}` has other columns than this sweep"));
        }
        bytes += length;
        let pairs = plan.pairs();
        let rows = self.shard.share(plan.runs());
        // A field with a line's end in it makes a row of several lines.
        let mut row = String::new();
        let mut pending = 0;
        while let Some(length) = next(&mut line)? {
            row.push_str(&String::from_utf8_lossy(&line));
            pending += length;
            if !row.matches('"').count().is_multiple_of(2) {
                continue;
            }
            let key = plan.key(&pairs, self.shard.index(finished));
            if finished >= rows || !rows::is_row_of(plan, key, row.trim_end_matches('\n')) {
                return Err(format!("`{shown}`: row {} is not that of its run; it was changed", finished + 1));
            }
            finished += 1;
            bytes += pending;
            pending = 0;
            row.clear();
        }
        Ok((finished, bytes))
    }

    /// The writer of further rows.
    pub fn append(&self) -> Result<Appender<File>, String> {
        let file = OpenOptions::new().append(true).open(self.runs());
        let file = file.map_err(|error| format!("cannot write `{}`: {error}", self.runs().display()))?;
        Ok(Appender { to: file, finished: self.finished, buffer: Vec::new() })
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

/// Appends whole rows; each is with the system before the next one begins.
#[derive(Debug)]
pub struct Appender<W> {
    to: W,
    finished: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Appender<W> {
    /// Appends one row.
    ///
    /// # Errors
    /// The system's words, and that what is finished is safe.
    pub fn row(&mut self, row: &str) -> Result<(), String> {
        self.buffer.clear();
        self.buffer.extend_from_slice(row.as_bytes());
        self.to.write_all(&self.buffer).map_err(|error| {
            format!(
                "cannot write the results: {error}; {} finished runs are kept: make room, then go on with --resume",
                self.finished
            )
        })?;
        self.finished += 1;
        Ok(())
    }
}

/// The parts of a sweep, ready to be joined.
struct Part {
    dir: PathBuf,
    manifest: Manifest,
}

/// Joins the shards of one sweep into `dir`, as if it had been run in one piece.
///
/// # Errors
/// What is missing, or does not belong together; nothing is written then.
pub fn merge(dir: &Path, shards: &[PathBuf]) -> Result<(Folder, Plan), String> {
    let mut parts: Vec<Part> = Vec::new();
    for shard in shards {
        let path = shard.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|error| format!("`{}` is no shard: {error}", shard.display()))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
        parts.push(Part { dir: shard.clone(), manifest });
    }
    let Some(first) = parts.first() else { return Err("there is no shard to merge".to_owned()) };
    let (of, sweep, tool) = (first.manifest.shard.of, first.manifest.sweep.clone(), first.manifest.tool.clone());
    for part in &parts {
        let shown = part.dir.display();
        if part.manifest.sweep != sweep || part.manifest.tool != tool {
            return Err(format!("`{shown}` is a shard of another sweep than `{}`", parts[0].dir.display()));
        }
        if part.manifest.shard.of != of {
            return Err(format!(
                "`{shown}` is one of {} shards, `{}` one of {of}",
                part.manifest.shard.of,
                parts[0].dir.display()
            ));
        }
        if part.manifest.runs.is_none() {
            return Err(format!("`{shown}` is not complete; finish it with --resume"));
        }
        if part.manifest.runs != Some(digest_of(&part.dir.join(RUNS))?) {
            return Err(format!("`{shown}`: its {RUNS} was changed or is damaged"));
        }
    }
    parts.sort_by_key(|part| part.manifest.shard);
    if let Some(pair) = parts.windows(2).find(|pair| pair[0].manifest.shard == pair[1].manifest.shard) {
        let (one, other) = (pair[0].dir.display(), pair[1].dir.display());
        return Err(format!("`{one}` and `{other}` are both shard {}/{of}", pair[0].manifest.shard.number));
    }
    let missing: Vec<String> = (1..=of)
        .filter(|number| !parts.iter().any(|part| part.manifest.shard.number == *number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if !missing.is_empty() {
        return Err(format!("shards are missing: {}", missing.join(", ")));
    }
    let text = fs::read_to_string(parts[0].dir.join(PLAN)).map_err(|error| format!("{PLAN}: {error}"))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| format!("{PLAN}: {error}"))?;
    let folder = Folder::open(dir, &plan, Shard::WHOLE, false)?;
    interleave(&folder, &plan, &parts)?;
    folder.complete(&plan)?;
    Ok((folder, plan))
}

fn interleave(folder: &Folder, plan: &Plan, parts: &[Part]) -> Result<(), String> {
    let mut readers = Vec::new();
    for part in parts {
        let path = part.dir.join(RUNS);
        let file = File::open(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        readers.push(BufReader::new(file));
    }
    for reader in &mut readers {
        record(reader)?;
    }
    let to = OpenOptions::new().append(true).open(folder.runs()).map_err(|error| error.to_string())?;
    let mut to = io::BufWriter::new(to);
    for index in 0..plan.runs() {
        let row = record(&mut readers[(index % parts.len() as u64) as usize])?;
        to.write_all(row.as_bytes()).map_err(|error| format!("cannot write the results: {error}"))?;
    }
    to.flush().map_err(|error| format!("cannot write the results: {error}"))
}

/// The next row, with its end; a quoted field may hold a line's end.
fn record(reader: &mut impl BufRead) -> Result<String, String> {
    let mut row = String::new();
    loop {
        let read = reader.read_line(&mut row).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err(format!("a shard's {RUNS} ends too early"));
        }
        if row.matches('"').count().is_multiple_of(2) {
            return Ok(row);
        }
    }
}

/// Joins the rows of several ranges of seeds, each in its own file, into one in the plan's order.
pub fn join(plan: &Plan, parts: &[(PathBuf, u64)], to: &mut impl Write) -> Result<(), String> {
    let mut readers = Vec::new();
    for (path, seeds) in parts {
        let file = File::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let mut reader = BufReader::new(file);
        record(&mut reader)?;
        readers.push((reader, *seeds));
    }
    let cannot = |error: io::Error| format!("cannot write the results: {error}");
    to.write_all(rows::header(plan).as_bytes()).map_err(cannot)?;
    for _ in 0..plan.settings.len() * plan.pairs().len() {
        for (reader, seeds) in &mut readers {
            for _ in 0..*seeds {
                to.write_all(record(reader)?.as_bytes()).map_err(cannot)?;
            }
        }
    }
    to.flush().map_err(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk(Vec<u8>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1 - self.0.len();
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let part = bytes.len().min(room);
            self.0.extend_from_slice(&bytes[..part]);
            Ok(part)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_with_what_is_kept_and_finished_rows_are_intact() {
        let mut appender = Appender { to: Disk(Vec::new(), 25), finished: 7, buffer: Vec::new() };
        appender.row("0,first,row\n").unwrap();
        appender.row("0,second,row\n").unwrap();
        let error = appender.row("0,third,row\n").unwrap_err();
        assert!(error.contains("9 finished runs are kept") && error.contains("--resume"), "{error}");
        assert!(appender.to.0.starts_with(b"0,first,row\n0,second,row\n"));
    }

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
