#!/bin/sh
# A job array: sbatch slurm.sh; a task that is requeued goes on where it was.
#SBATCH --job-name=sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=1
#SBATCH --mem=256M
#SBATCH --requeue
set -eu
: "${STUDY:=study/sweep.toml}" "${RESULTS:=results}"
schedsim sweep "$STUDY" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out "$RESULTS/shard-$SLURM_ARRAY_TASK_ID" --jobs 1 --resume
