#!/bin/sh
# After the array, however it ended: sbatch --dependency=afterany:ARRAY_JOB_ID slurm-merge.sh
# Where shards are missing it names them and writes nothing: redo those, then submit it again.
#SBATCH --job-name=sweep-merge
#SBATCH --output=sweep-merge.log
#SBATCH --open-mode=append
set -eu
: "${RESULTS:=results}"
exec schedsim sweep merge --out "$RESULTS/merged" "$RESULTS"/shard-*
