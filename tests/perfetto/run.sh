#!/usr/bin/env bash
# Asks Perfetto's trace processor about a trace, with the binary that is named, found or fetched;
# where there is none, asks the stand-in and says so. Usage: run.sh SCHEDSIM
#   TRACE_PROCESSOR=PATH      this binary (else: on the PATH, or fetched earlier by the package)
#   PERFETTO_FETCH=1          lets the package fetch it from Google's storage
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
schedsim=$1

binary=${TRACE_PROCESSOR:-$(command -v trace_processor_shell || command -v trace_processor || true)}
if [ -z "$binary" ]; then
    for one in "$HOME"/.local/share/perfetto/prebuilts/trace_processor_shell-*; do
        if [ -x "$one" ]; then binary=$one; fi
    done
fi

if [ -n "$binary" ] || [ "${PERFETTO_FETCH:-0}" = 1 ]; then
    venv=$here/../../target/perfetto-venv
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
    echo "the trace processor ${binary:-(fetched)} answers:"
    TRACE_PROCESSOR=$binary "$venv/bin/python" "$here/check.py" "$schedsim"
else
    echo "SKIPPED: no trace processor here (the package perfetto fetches its binary from the network; set" >&2
    echo "SKIPPED: TRACE_PROCESSOR or PERFETTO_FETCH=1); the stand-in of tests/perfetto/standin.py is asked instead" >&2
    python3 "$here/check.py" "$schedsim" --standin
fi
