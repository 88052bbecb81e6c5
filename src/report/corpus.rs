//! The corpus: which files are scenarios, and where their snapshots are.
//!
//! A scenario is a TOML file with a top-level `schema`; app configs that scenarios name and sweeps
//! are TOML too and are passed over. It knows paths only: it loads and runs nothing. What a newcomer
//! gets wrong: `snapshots/` mirrors the nearest folder called `scenarios`; a scenario that is in none
//! has its `snapshots/` right beside it, and shares it with a folder `scenarios` that is there too.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A folder of snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotFolder {
    /// The snapshots, absolute.
    pub snapshots: PathBuf,
}

/// One scenario file and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Story {
    /// The file, as the user wrote its path.
    pub file: PathBuf,
    /// Its folder of snapshots.
    pub folder: SnapshotFolder,
    /// Its path in the folder that the snapshots mirror, without an ending: `mir-788/lease-carousel`.
    pub name: String,
}

/// What was found below some paths.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The scenarios, sorted by place, each once.
    pub stories: Vec<Story>,
    /// TOML files that are no scenarios.
    pub skipped: Vec<PathBuf>,
    /// Sweeps, which are none either.
    pub sweeps: Vec<PathBuf>,
    /// The paths that were searched, absolute.
    scope: Vec<PathBuf>,
}

/// Whose a snapshot or fingerprint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A scenario and variant of this run.
    Ours,
    /// A scenario that exists and was not run, or one outside of the searched paths.
    Others,
    /// Nobody: its scenario or variant is gone.
    Gone,
}

/// Keys that only a sweep has, and those that it never has.
const SWEEP_KEYS: &[&str] = &["scenarios", "parameter", "objective", "point", "sampling"];
const STORY_KEYS: &[&str] = &["horizon", "step", "variant", "expect"];

/// Keys that only a scenario has, should it have forgotten its `schema`.
const TELLING_KEYS: &[&str] = &["schema", "horizon", "step", "variant", "expect"];

/// Larger files are handed to the scenario loader, which refuses them with its own words.
const LOOK_LIMIT: u64 = 4 << 20;

/// Whether that is a folder whose structure snapshots mirror.
fn is_mirrored(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "scenarios")
}

/// The nearest such folder upwards.
fn mirrored(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| is_mirrored(folder))
}

impl SnapshotFolder {
    /// The files whose snapshots would be there under that name; at most one of them may exist.
    fn files(&self, name: &str) -> Vec<PathBuf> {
        let home = self.snapshots.parent().expect("snapshots lie in a folder");
        let file = format!("{name}.toml");
        let mut files = vec![home.join("scenarios").join(&file)];
        // What lies below another `scenarios` has its place there, and what lies deeper its own.
        if !name.contains('/') && mirrored(home).is_none() {
            files.push(home.join(file));
        }
        files
    }
}

impl Story {
    /// The place of that file.
    ///
    /// # Errors
    /// When its folder does not exist.
    pub fn at(file: &Path) -> io::Result<Self> {
        let parent = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(parent)?;
        let mirrored = mirrored(&folder).unwrap_or(&folder);
        let snapshots =
            if is_mirrored(mirrored) { mirrored.with_file_name("snapshots") } else { mirrored.join("snapshots") };
        let absolute = folder.join(file.file_stem().unwrap_or_default());
        let name = slashed(absolute.strip_prefix(mirrored).unwrap_or(&absolute));
        let folder = SnapshotFolder { snapshots };
        Ok(Self { file: file.to_owned(), folder, name })
    }

    /// Its file as seen from the folder that the snapshots lie in.
    pub fn source(&self) -> String {
        let home = self.folder.snapshots.parent().unwrap_or(Path::new(""));
        let file = fs::canonicalize(&self.file);
        let below = file.ok().and_then(|file| file.strip_prefix(home).ok().map(slashed));
        below.unwrap_or_else(|| format!("{}.toml", self.name))
    }

    /// `mir-788/lease-carousel@before`: how this scenario under that variant is called.
    pub fn title(&self, variant: &str) -> String {
        // As insta does with names: a separator in a variant's name makes no folder.
        format!("{}@{}", self.name, variant.replace(['/', '\\'], "__"))
    }

    /// Its snapshot under that variant.
    pub fn snapshot(&self, variant: &str) -> PathBuf {
        self.folder.snapshots.join(self.title(variant) + ".snap")
    }
}

impl Corpus {
    /// Searches those files and folders. A file is taken for a scenario whatever it holds.
    ///
    /// # Errors
    /// When something cannot be read, with its path.
    pub fn find(paths: &[impl AsRef<Path>]) -> Result<Self, String> {
        let mut corpus = Self::default();
        let mut files = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let say = |error: io::Error| format!("cannot read `{}`: {error}", path.display());
            corpus.scope.push(fs::canonicalize(path).map_err(say)?);
            if path.is_dir() {
                walk(path, &mut |file| {
                    if file.extension().is_some_and(|ending| ending == "toml") {
                        let list = match kind(file)? {
                            Kind::Scenario => &mut files,
                            Kind::Sweep => &mut corpus.sweeps,
                            Kind::Neither => &mut corpus.skipped,
                        };
                        list.push(file.to_owned());
                    }
                    Ok(())
                })?;
            } else {
                files.push(path.to_owned());
            }
        }
        for file in files {
            let story = Story::at(&file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
            corpus.stories.push(story);
        }
        corpus.stories.sort_by(|a, b| (&a.folder, &a.name, &a.file).cmp(&(&b.folder, &b.name, &b.file)));
        corpus.stories.dedup_by(|a, b| (&a.folder, &a.name) == (&b.folder, &b.name));
        corpus.check_places()?;
        Ok(corpus)
    }

    /// Two stories in one place would take turns to overwrite each other's snapshots.
    fn check_places(&self) -> Result<(), String> {
        for story in &self.stories {
            let files = story.folder.files(&story.name);
            let mut taken =
                files.iter().filter(|file| file.is_file() && kind(file).is_ok_and(|kind| kind == Kind::Scenario));
            if let (Some(first), Some(second)) = (taken.next(), taken.next()) {
                return Err(format!(
                    "`{}` and `{}` have one place for their snapshots, {}; rename one of them",
                    shown(first),
                    shown(second),
                    shown(&story.folder.snapshots.join(&story.name))
                ));
            }
        }
        Ok(())
    }

    /// Whose the snapshot or fingerprint of that title is; `variants` are those of each name that was run.
    pub fn owner(&self, folder: &SnapshotFolder, title: &str, variants: &BTreeMap<&str, Vec<String>>) -> Owner {
        let mut gone = false;
        for (at, _) in title.match_indices('@') {
            let name = &title[..at];
            if let Some(run) = variants.get(name) {
                if run.iter().any(|known| known == title) {
                    return Owner::Ours;
                }
                gone = true;
                continue;
            }
            let files = folder.files(name);
            if files.iter().any(|file| file.exists()) {
                return Owner::Others;
            }
            gone |= self.scope.iter().any(|path| files.iter().any(|file| file.starts_with(path)));
        }
        if gone { Owner::Gone } else { Owner::Others }
    }

    /// The snapshots of that folder whose scenario or variant is gone, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn orphans(
        &self,
        folder: &SnapshotFolder,
        variants: &BTreeMap<&str, Vec<String>>,
    ) -> Result<Vec<PathBuf>, String> {
        let mut orphans = Vec::new();
        if folder.snapshots.is_dir() {
            walk(&folder.snapshots, &mut |file| {
                let title = file.strip_prefix(&folder.snapshots).ok().map(slashed);
                let title = title.as_deref().and_then(|t| t.strip_suffix(".snap"));
                if title.is_some_and(|title| self.owner(folder, title, variants) == Owner::Gone) {
                    orphans.push(file.to_owned());
                }
                Ok(())
            })?;
        }
        Ok(orphans)
    }
}

/// The path as messages show it: from the working directory when it is below.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let short = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    short.as_deref().unwrap_or(path).display().to_string()
}

/// With `/` between its parts on every machine.
fn slashed(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Every file below a folder, in the order of names; hidden ones and linked folders are left out,
/// so that a walk always ends.
fn walk(folder: &Path, each: &mut impl FnMut(&Path) -> Result<(), String>) -> Result<(), String> {
    let say = |error: io::Error| format!("cannot read `{}`: {error}", folder.display());
    let mut entries = fs::read_dir(folder).map_err(say)?.collect::<Result<Vec<_>, _>>().map_err(say)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(say)?.is_dir() {
            walk(&path, each)?;
        } else if path.is_file() {
            each(&path)?;
        }
    }
    Ok(())
}

/// What a TOML file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scenario,
    Sweep,
    Neither,
}

fn kind(file: &Path) -> Result<Kind, String> {
    let say = |error: io::Error| format!("cannot read `{}`: {error}", file.display());
    if fs::metadata(file).map_err(say)?.len() > LOOK_LIMIT {
        return Ok(Kind::Scenario);
    }
    let text = String::from_utf8_lossy(&fs::read(file).map_err(say)?).into_owned();
    // A scenario with a mistake in it is a scenario still: what could be read decides.
    let (table, _) = toml::de::DeTable::parse_recoverable(&text);
    let has = |keys: &[&str]| keys.iter().any(|key| table.get_ref().contains_key(*key));
    Ok(match (has(SWEEP_KEYS) && !has(STORY_KEYS), has(TELLING_KEYS)) {
        (true, true) => Kind::Sweep,
        (false, true) => Kind::Scenario,
        (_, false) => Kind::Neither,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn titles(corpus: &Corpus) -> Vec<&str> {
        corpus.stories.iter().map(|story| story.name.as_str()).collect()
    }

    #[test]
    fn scenarios_are_told_from_other_toml_and_come_in_order() {
        let dir = folder(&[
            ("scenarios/b/two.toml", "schema = 1"),
            ("scenarios/b/app.toml", "name = 'x'\n[services.web]\nport = 1"),
            ("scenarios/a.toml", "schema = 1\nbroken = ["),
            ("scenarios/forgot.toml", "horizon = '1h'"),
            ("scenarios/empty.toml", ""),
            ("scenarios/.hidden/x.toml", "schema = 1"),
            ("scenarios/notes.md", "schema = 1"),
            ("scenarios/sweep.toml", "schema = 1\nscenarios = ['a.toml']\n[[parameter]]\npath = 'x'"),
        ]);
        let corpus = Corpus::find(&[dir.path().join("scenarios"), dir.path().join("scenarios/b/two.toml")]).unwrap();
        assert_eq!(titles(&corpus), ["a", "b/two", "forgot"]);
        assert_eq!(corpus.skipped.len(), 2, "{:?}", corpus.skipped);
        assert_eq!(corpus.sweeps, [dir.path().join("scenarios/sweep.toml")]);
    }

    #[test]
    fn snapshots_mirror_the_nearest_scenarios_folder_or_sit_beside() {
        let dir = folder(&[("scenarios/x/scenarios/m/a.toml", ""), ("mine/a.toml", "")]);
        let root = fs::canonicalize(dir.path()).unwrap();
        for (file, variant, snapshot) in [
            ("scenarios/x/scenarios/m/a.toml", "before", "scenarios/x/snapshots/m/a@before.snap"),
            ("mine/a.toml", "main", "mine/snapshots/a@main.snap"),
            ("mine/a.toml", "../up", "mine/snapshots/a@..__up.snap"),
            ("mine/../mine/a.b.toml", "main", "mine/snapshots/a.b@main.snap"),
        ] {
            let story = Story::at(&dir.path().join(file)).unwrap();
            assert_eq!(story.snapshot(variant), root.join(snapshot), "{file}");
        }
    }

    #[test]
    fn a_snapshot_is_orphaned_when_its_scenario_or_variant_is_gone() {
        let dir = folder(&[
            ("scenarios/m/a.toml", "schema = 1"),
            ("scenarios/n/b.toml", "schema = 1"),
            ("snapshots/m/a@x.snap", ""),
            ("snapshots/m/a@old.snap", ""),
            ("snapshots/m/lost@x.snap", ""),
            ("snapshots/n/b@any.snap", ""),
            ("snapshots/n/lost@x.snap", ""),
            ("snapshots/fingerprints.snap", ""),
        ]);
        let corpus = Corpus::find(&[dir.path().join("scenarios/m")]).unwrap();
        let run = BTreeMap::from([("m/a", vec!["m/a@x".to_owned()])]);
        let orphans = corpus.orphans(&corpus.stories[0].folder, &run).unwrap();
        let names: Vec<_> = orphans.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a@old.snap", "lost@x.snap"], "n/ was not searched: {orphans:?}");
    }

    #[test]
    fn a_folder_and_its_scenarios_share_their_snapshots_and_no_name() {
        let dir = folder(&[
            ("top.toml", "schema = 1"),
            ("scenarios/x/a.toml", "schema = 1"),
            ("snapshots/top@main.snap", ""),
            ("snapshots/x/a@main.snap", ""),
        ]);
        let all = Corpus::find(&[dir.path()]).unwrap();
        assert_eq!(titles(&all), ["top", "x/a"]);
        assert_eq!(all.stories[0].folder, all.stories[1].folder);
        for path in ["top.toml", "scenarios", "scenarios/x/a.toml", "."] {
            let corpus = Corpus::find(&[dir.path().join(path)]).unwrap();
            let titles = corpus.stories.iter().map(|story| (story.name.as_str(), vec![story.title("main")])).collect();
            let orphans = corpus.orphans(&corpus.stories[0].folder, &titles).unwrap();
            assert!(orphans.is_empty(), "{path}: {orphans:?}");
        }
        // An app config of the same name is in nobody's way; another story is.
        fs::write(dir.path().join("scenarios/top.toml"), "name = 'top'").unwrap();
        assert!(Corpus::find(&[dir.path()]).is_ok());
        fs::write(dir.path().join("scenarios/top.toml"), "schema = 1").unwrap();
        for path in [".", "top.toml", "scenarios"] {
            let error = Corpus::find(&[dir.path().join(path)]).unwrap_err();
            assert!(error.contains("scenarios/top.toml") && error.contains("rename"), "{error}");
        }
    }

    #[test]
    fn what_does_not_exist_is_an_error_that_names_it() {
        let error = Corpus::find(&["no/such/folder"]).unwrap_err();
        assert!(error.contains("no/such/folder"), "{error}");
    }
}
