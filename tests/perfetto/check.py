"""Loads `run --trace x.json` into Perfetto's trace processor and asks it questions.

Usage: check.py SCHEDSIM [--standin]. What must come out is worked out from the same run's `.jsonl`
trace. With `--standin` the questions go to `standin.py` instead, for machines without the trace
processor's binary. What a newcomer gets wrong: the package `perfetto` holds no such binary; it
fetches one when it is first used, unless TRACE_PROCESSOR names it.
"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STORY = "scenarios/mir-788/lease-carousel.toml"

STATES = """
SELECT thread.name AS thing, slice.name AS state, slice.ts AS at
FROM slice JOIN thread_track ON slice.track_id = thread_track.id JOIN thread USING (utid)
WHERE slice.category = 'state' AND thread.name LIKE 'sandbox/%'
ORDER BY slice.ts, thread.name"""
LASTING = "SELECT COUNT(*) AS n FROM slice WHERE category = 'state' AND name = 'running' AND dur > 600 * 1000000000"
BROKEN = "SELECT name, ts FROM slice WHERE category = 'violation' ORDER BY ts, name"
DESIRED = """
SELECT counter.value AS value FROM counter JOIN process_counter_track ON counter.track_id = process_counter_track.id
WHERE process_counter_track.name = 'pool/pds-database desired' ORDER BY counter.ts"""
HOLDERS = "SELECT name FROM slice WHERE category = 'holder' AND name LIKE 'held by %' ORDER BY ts"
ROOT_CAUSE = """
WITH RECURSIVE up(id) AS (
  SELECT id FROM slice WHERE name = 'BROKEN disk-has-owner'
  UNION SELECT flow.slice_out FROM flow JOIN up ON flow.slice_in = up.id)
SELECT slice.name AS name FROM slice JOIN up USING (id) ORDER BY ts, slice.id"""
NESTED = "SELECT COUNT(*) AS n FROM slice WHERE category = 'state' AND depth > 0"
ERRORS = "SELECT name, value FROM stats WHERE severity = 'error' AND value > 0"
TRACKS = "SELECT COUNT(*) AS n FROM thread WHERE name LIKE '%/%'"


def real(path):
    """The trace processor's answers, as tuples."""
    from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig

    config = TraceProcessorConfig(bin_path=os.environ.get("TRACE_PROCESSOR") or None)
    processor = TraceProcessor(trace=path, config=config)
    return lambda sql: [tuple(row.__dict__.values()) for row in processor.query(sql)]


def standin(path):
    sys.path.insert(0, HERE)
    from standin import Standin

    return Standin(path).query


def said(records, kind):
    """Records of one kind: (record, what is said of it)."""
    for record in records:
        what = record["what"]
        if isinstance(what, dict) and kind in what:
            yield record, what[kind]


def main():
    schedsim = os.path.abspath(sys.argv[1])
    ask_with = standin if "--standin" in sys.argv else real
    with tempfile.TemporaryDirectory() as folder:
        for form in ("jsonl", "json"):
            words = [schedsim, "run", "-q", STORY, "--variant", "before", "--trace", f"{folder}/t.{form}"]
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        with open(f"{folder}/t.jsonl", encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        ask = ask_with(f"{folder}/t.json")

    def same(what, found, expected):
        assert found == expected, f"{what}:\n  found    {found}\n  expected {expected}"
        print(f"  {what}: {len(found) if isinstance(found, list) else found}")

    micro = lambda record: record["t"] // 1000 * 1000
    states = [(record["about"], said["to"], micro(record)) for record, said in said(records, "set")
              if said["field"] == "status" and record["about"].startswith("sandbox/")]
    same("states of sandboxes", ask(STATES), sorted(states, key=lambda row: (row[2], row[0])))
    broken = [(f"BROKEN {said['invariant']}", micro(record)) for record, said in said(records, "broken")]
    same("violations", ask(BROKEN), sorted(broken, key=lambda row: (row[1], row[0])))
    desired = [float(said["to"] or 0) for record, said in said(records, "set")
               if said["field"] == "desired_instances" and record["about"] == "pool/pds-database"]
    same("steps of desired", [value for (value,) in ask(DESIRED)], desired)
    same("long runs", ask(LASTING)[0][0], 1)
    same("holders", ask(HOLDERS), [("held by sandbox/pds-database~2-0",)])
    chain = [name for (name,) in ask(ROOT_CAUSE)]
    for link in ("step-began", "no-pool-matches", "too-few", "boot-started", "disk-made"):
        assert link in chain, f"no {link} on the way to the violation: {chain}"
    print(f"  arrows from the violation back to the deploy: {len(chain) - 1}")
    tracks = len({record["about"] for record in records if "/" in record["about"]})
    same("a track an entity", ask(TRACKS)[0][0], tracks)
    same("states within states", ask(NESTED)[0][0], 0)
    same("errors of the importer", ask(ERRORS), [])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
