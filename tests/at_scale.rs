//! The ready files for engines: their own command lines, run as local processes.
//!
//! The lines are taken from the files as they are and given to `sh` with the variables that each
//! engine sets. What a newcomer gets wrong: the engines themselves are not started here (`tests/engines/` does); what is
//! shown is that their lines are right and that shards merge to the bytes of a single run.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The lines of a file that run schedsim.
fn lines(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/at-scale").join(file);
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
