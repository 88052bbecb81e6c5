//! The ready files for engines: their own command lines, run as local processes.
//!
//! The lines are taken from the files as they are and given to `sh` with the variables that each
//! engine sets. What a newcomer gets wrong: the engines themselves are not started here (`tests/engines/` does); what is
//! shown is that their lines are right and that shards merge to the bytes of a single run.

use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of a file that run schedsim.
fn lines(file: &str) -> Vec<String> {
    let path = root().join("docs/at-scale").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::trim).filter(|line| line.starts_with("exec schedsim ")).map(str::to_owned).collect()
}

fn shell(dir: &Path, line: &str, variables: &[(&str, String)]) {
    let binary = Path::new(env!("CARGO_BIN_EXE_schedsim"));
    let path =
        format!("{}:{}", binary.parent().expect("a folder").display(), std::env::var("PATH").unwrap_or_default());
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    let done = Command::new("sh").arg("-euc").arg(line).current_dir(dir).env("PATH", path).envs(variables).output();
    let done = done.expect("sh runs");
    assert!(done.status.success(), "{line}\n{}", String::from_utf8_lossy(&done.stderr));
}

fn bytes(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("below").display().to_string();
                found.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_ready_files_give_the_bytes_of_a_single_run() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    let study = root.join("study");
    fs::create_dir(&study).expect("a folder");
    let story = "schema = 1\nhorizon = \"3m\"\ntuning.ticker_phase = \"seed\"\n\
        [workload.shop.worker]\nexit_after = \"2s\"\n\
        [[step]]\nat = \"0s\"\ndo.deploy = { app = \"shop\", config = \"[services.worker.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1\" }\n";
    let sweep = "schema = 1\nscenarios = [\"story.toml\"]\nseeds = \"0..9\"\n\
        [[parameter]]\npath = \"tuning.backoff.base\"\nvalues = [\"2s\", \"10s\"]\n\
        [[objective]]\nmetric = \"boots_attempted\"\n";
    fs::write(study.join("story.toml"), story).expect("a file");
    fs::write(study.join("sweep.toml"), sweep).expect("a file");
    shell(root, "schedsim sweep study/sweep.toml --seeds 0..5 --out whole", &[]);
    let whole = bytes(&root.join("whole"));

    let engines: [(&str, &str, u64); 3] = [
        ("kubernetes.yaml", "kubernetes-merge.yaml", 8),
        ("slurm.sh", "slurm-merge.sh", 3),
        ("github.yml", "github.yml", 4),
    ];
    for (shard_file, merge_file, shards) in engines {
        let results = format!("results-{shards}");
        let common =
            [("STUDY", "study/sweep.toml"), ("RESULTS", &results), ("SHARDS", &shards.to_string()), ("SEEDS", "0..5")]
                .map(|(name, value)| (name, value.to_owned()));
        let shard_lines = lines(shard_file);
        let merge_lines = lines(merge_file);
        let is_merge = |line: &&String| line.contains("sweep merge");
        let shard_line = shard_lines.iter().find(|line| !is_merge(line)).expect("a line for shards");
        let merge_line = merge_lines.iter().find(is_merge).expect("a line that merges");
        for index in 0..shards {
            let mut variables = common.to_vec();
            variables.push(("JOB_COMPLETION_INDEX", index.to_string()));
            variables.push(("SLURM_ARRAY_TASK_ID", (index + 1).to_string()));
            // A submission may run a part of the shards, and says so here: that is not how many there are.
            variables.push(("SLURM_ARRAY_TASK_COUNT", "1".to_owned()));
            variables.push(("SHARD", (index + 1).to_string()));
            shell(root, shard_line, &variables);
            // As after an eviction: the same line again changes nothing.
            shell(root, shard_line, &variables);
        }
        shell(root, merge_line, &common);
        assert!(bytes(&root.join(&results).join("merged")) == whole, "{shard_file}: other bytes than a single run");
    }
}

/// The Containerfile's lines, word by word.
fn container() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/at-scale/Containerfile")).expect("a file");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The files that the library was built of, as the compiler has written them down beside it.
fn sources() -> Vec<String> {
    let beside = Path::new(env!("CARGO_BIN_EXE_schedsim")).parent().expect("a folder").join("deps");
    let entries = fs::read_dir(beside).expect("a folder").map(|entry| entry.expect("an entry").path());
    let lists = entries.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("schedsim-") && name.ends_with(".d")
    });
    // Of the library itself, not of its tests; the newest is the one that is tested.
    let of_library = lists.filter_map(|path| {
        let text = fs::read_to_string(&path).ok().filter(|text| text.contains(".rlib: "))?;
        Some((fs::metadata(&path).and_then(|it| it.modified()).ok()?, text))
    });
    let (_, newest) = of_library.max().expect("the library was built");
    let rule = newest.lines().find_map(|line| line.split_once(".rlib: ")).expect("a rule").1;
    rule.split(' ').map(str::to_owned).collect()
}

/// No container is built here. What its build is given must be all that the program is made of, as the compiler has
/// written it down, and a package that cargo accepts.
#[test]
fn the_container_is_given_all_that_the_program_is_built_of() {
    let context = tempfile::tempdir().expect("a folder");
    let lines = container();
    let copied = lines.iter().filter(|words| words[0] == "COPY" && !words[1].starts_with("--from="));
    for words in copied {
        let (to, files) = words[1..].split_last().expect("a place");
        for file in files {
            let into = context.path().join(if to == "./" { file } else { to });
            fs::create_dir_all(into.parent().expect("a folder")).expect("a folder");
            let copy = Command::new("cp").arg("-R").arg(root().join(file)).arg(&into).status().expect("cp runs");
            assert!(copy.success(), "{words:?}");
        }
    }
    let made_of = sources();
    assert!(made_of.iter().any(|file| file == "src/lib.rs"), "{made_of:?}");
    let lacks: Vec<_> = made_of.iter().filter(|file| !context.path().join(file).exists()).collect();
    assert!(lacks.is_empty(), "the Containerfile does not copy {lacks:?}");
    let metadata = ["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"];
    let metadata = Command::new(env!("CARGO")).args(metadata).current_dir(context.path()).output().expect("cargo runs");
    let said = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "{said}");
    let package: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let least = package["packages"][0]["rust_version"].as_str().expect("a version");
    assert_eq!(lines[0][1], format!("rust:{least}-slim-trixie"), "the compiler that the package asks for");
}
