#!/usr/bin/env bash
# The ready files for Slurm, given to a Slurm of one node on loopback: a small sweep as an array, one
# task killed and redone, the merge, and the bytes of a sweep in one piece. Usage: slurm.sh SCHEDSIM (a release build: the days of one run are many)
# Everything that it starts has its files below one temporary folder and is ended by its process id.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
schedsim=$(realpath "$1")
files=$here/../../docs/at-scale
"$here/setup.sh" || {
    echo "SKIPPED: no Slurm can be had here, so its ready files were NOT given to it" >&2
    exit 0
}
if [ "$(id -u)" -ne 0 ]; then
    echo "SKIPPED: slurmd wants to be root, so the ready files were NOT given to Slurm" >&2
    exit 0
fi
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
chmod 755 "$work"
declare -a started=()
finish() {
    local status=$?
    if [ "$status" -ne 0 ]; then
        squeue >&2 2>/dev/null || true
        tail -n 20 "$work"/*.log "$work"/study/*.log >&2 2>/dev/null || true
    fi
    # Tasks have processes of their own, which live on without the daemons.
    squeue --noheader --format=%A 2>/dev/null | sort -u | xargs -r scancel --signal=KILL --full 2>/dev/null || true
    for _ in $(seq 50); do
        [ -n "$(squeue --noheader 2>/dev/null)" ] || break
        sleep 0.2
    done
    local index
    for ((index = ${#started[@]} - 1; index >= 0; index--)); do
        kill "${started[index]}" 2>/dev/null || true
        for _ in $(seq 50); do
            kill -0 "${started[index]}" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "${started[index]}" 2>/dev/null || true
    done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

# Waits up to a minute for a command to succeed.
soon() {
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
    done
    echo "this did not come to pass: $*" >&2
    return 1
}
fails() {
    echo "FAILED: $*" >&2
    exit 1
}

mkdir "$work/state" "$work/spool" "$work/munge" "$work/study"
head -c 1024 /dev/urandom >"$work/munge/key"
chmod 700 "$work/munge"
chmod 400 "$work/munge/key"
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
    --seed-file="$work/munge/seed" --log-file="$work/munged.log" >"$work/munged.out.log" 2>&1 &
started+=($!)
soon test -S "$work/munge/socket"

node=$(hostname -s)
port=$((20000 + $$ % 20000))
cat >"$work/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1024 State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
slurmctld -D -f "$SLURM_CONF" >"$work/slurmctld.out.log" 2>&1 &
started+=($!)
slurmd -D -f "$SLURM_CONF" -N "$node" >"$work/slurmd.out.log" 2>&1 &
started+=($!)
soon sh -c "sinfo --noheader --format=%T | grep -q idle"
echo "$(slurmd -V) is up"

# A sweep of which the second of three shards is long enough to be met by a kill.
cat >"$work/study/story.toml" <<'STORY'
schema = 1
horizon = "3m"
tuning.ticker_phase = "seed"
[workload.shop.worker]
exit_after = "2s"
[[step]]
at = "0s"
do.deploy = { app = "shop", config = "[services.worker.concurrency]\nmode = \"fixed\"\nnum_instances = 1" }
STORY
cat >"$work/study/mine.toml" <<'SWEEP'
schema = 1
scenarios = ["story.toml"]
seeds = "0..2"
baseline = ["horizon=10d"]
[[point]]
set = ["horizon=3m"]
[[point]]
set = ["horizon=4m"]
[[objective]]
metric = "boots_attempted"
SWEEP
cd "$work/study"
PATH=$(dirname "$schedsim"):$PATH
export PATH STUDY=mine.toml RESULTS=kept SHARDS=3 SEEDS=0..3
ended() { [ -z "$(squeue --noheader --jobs="$1" 2>/dev/null)" ]; }
state() { scontrol show job "$1" | tr ' ' '\n' | sed -n 's/^JobState=//p' | sort | uniq -c | tr -s ' \n' ' '; }

array=$(sbatch --parsable --array=1-3 "$files/slurm.sh")
soon test -e kept/shard-2/manifest.json
# As the kernel does it when memory ends: the task's process, and no other.
victim=$(pgrep -f "schedsim sweep mine.toml --seeds 0..3 --shard 2/3 " | head -n 1)
[ -n "$victim" ] || fails "the second task does not run"
kill -9 "$victim"
soon ended "$array"
echo "the array ended:$(state "$array")"
if grep -q '"runs": "b3' kept/shard-2/manifest.json; then fails "the second shard was complete before its kill"; fi

merge=$(sbatch --parsable --dependency=afterany:"$array" "$files/slurm-merge.sh")
soon ended "$merge"
grep -q "kept/shard-2. is not complete" sweep-merge.log || fails "the merge does not name the shard that is missing"
[ ! -e kept/merged ] || fails "a merge without all shards wrote something"

again=$(sbatch --parsable --array=2 "$files/slurm.sh")
merge=$(sbatch --parsable --dependency=afterany:"$again" "$files/slurm-merge.sh")
soon ended "$again"
soon ended "$merge"
echo "redone:$(state "$again"), merged:$(state "$merge")"
[ "$(grep -c "shard 2/3" sweep-2.log)" -ge 1 ] || fails "the log of the second task does not tell its end"
schedsim sweep mine.toml --seeds 0..3 --out whole >/dev/null
diff -r kept/merged whole || fails "other bytes than a sweep in one piece"
echo "$(find whole -type f | wc -l) files: the same bytes as in one piece"
