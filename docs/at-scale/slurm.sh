#!/bin/sh
# A job array, one task a shard:         sbatch slurm.sh
# What failed, again:                    sbatch --array=2-3 slurm.sh
# Another study, other results, seeds:   STUDY=mine.toml RESULTS=mine SEEDS=0..256 sbatch slurm.sh
# More shards – both numbers the same:   SHARDS=64 sbatch --array=1-64 slurm.sh
#SBATCH --job-name=sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=1
#SBATCH --mem=256M
#SBATCH --requeue
#SBATCH --output=sweep-%a.log
#SBATCH --open-mode=append
set -eu
: "${STUDY:=study/sweep.toml}" "${RESULTS:=results}" "${SHARDS:=8}" "${SEEDS:=}"
exec schedsim sweep "$STUDY" ${SEEDS:+--seeds "$SEEDS"} --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" --out "$RESULTS/shard-$SLURM_ARRAY_TASK_ID" --jobs 1 --resume
