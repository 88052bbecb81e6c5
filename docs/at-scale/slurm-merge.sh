#!/bin/sh
# After the array: sbatch --dependency=afterok:ARRAY_JOB_ID slurm-merge.sh
#SBATCH --job-name=sweep-merge
set -eu
: "${RESULTS:=results}"
schedsim sweep merge --out "$RESULTS/merged" "$RESULTS"/shard-*
