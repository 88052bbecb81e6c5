#!/usr/bin/env bash
# The whole study of the backoff, made again: sweeps everything from nothing, keeps what docs/tuning.md
# quotes and docs/sweep.md shows, and makes those pages' parts. Minutes on two cores. What moved stands
# in `git diff`; the prose of docs/tuning.md is written by hand, and its numbers are checked by the tests.
# Usage: studies/backoff/run.sh [STUDY...], by default all of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
results=studies/backoff/results
out=target/studies
cargo build --locked --quiet --release
mkdir -p "$results" "$out"
studies=("$@")
[ "${#studies[@]}" -gt 0 ] || studies=(sweep confirm ends fleet fleet-ends lease fine coverage)
for study in "${studies[@]}"; do
    # Rows of an older program are not gone on with: a plan does not know the scheduler's rules.
    rm -rf "${out:?}/$study"
    echo "== $study" >&2
    target/release/schedsim sweep "studies/backoff/$study.toml" --out "$out/$study"
    if [ "$study" = coverage ]; then continue; fi
    cp "$out/$study/recommendation.txt" "$results/$study.txt"
    grep -E '^setting,|,objective,' "$out/$study/summary.csv" >"$results/$study.csv"
done
plot() { if [ -e "$out/$1" ]; then cp "$out/$1" "docs/tuning/$2"; fi; }
plot sweep/plots/heat-backoff-base-backoff-cap-boots_attempted-mean.svg boots.svg
plot sweep/plots/pareto-recovery_s-mean-of--permanent-crash-boots_attempted-mean.svg pareto.svg
plot sweep/plots/cost-of-waiting.svg cost-of-waiting.svg
plot sweep/plots/metastability.svg metastability.svg
plot ends/plots/heat-backoff-base-backoff-cap-recovery_s-mean.svg ends.svg
if [ -e "$out/coverage/runs.csv" ]; then
    COVERAGE=$out/coverage UPDATE_DOCS=1 cargo test --locked --quiet --lib coverage
fi
UPDATE_DOCS=1 cargo test --locked --quiet --lib sweep::guide
UPDATE_DOCS=1 cargo test --locked --quiet --test studies backoff
