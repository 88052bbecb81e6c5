#!/usr/bin/env bash
# Sees that there is Slurm with munge; installs Debian's packages when there is none and this may be
# done. Ends with status 0 when it is there, 3 when it cannot be had.
set -euo pipefail
have() {
    local program
    for program in slurmctld slurmd munged sbatch squeue scancel; do
        PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || return 1
    done
}

have && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "+ apt-get install slurm-wlm munge" >&2
    apt-get update -qq >&2 || true
    # Nothing is to be started by the packages themselves.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        slurm-wlm munge >/dev/null 2>&1 || true
fi
have || {
    echo "there is no Slurm, and it cannot be installed here" >&2
    exit 3
}
