#!/usr/bin/env bash
# The ready files for Kubernetes, held against its own schemas by a strict validator, for the oldest
# version that they are meant for and the newest that it knows; and that it would find what it is to find.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
files=$here/../../docs/at-scale
venv=$here/../../target/kubernetes-venv
if ! "$venv/bin/kubernetes-validate" --version >/dev/null 2>&1; then
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check \
        -r "$here/requirements.txt" || {
        echo "SKIPPED: the validator cannot be had here, so the files for Kubernetes were NOT checked" >&2
        exit 0
    }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As the file's first lines say.
sed s/NUMBER_OF_SHARDS/8/ "$files/kubernetes.yaml" >"$work/kubernetes.yaml"
if grep -q NUMBER_OF_SHARDS "$work/kubernetes.yaml"; then
    echo "FAILED: a line says the number of shards twice" >&2
    exit 1
fi
cp "$files/kubernetes-merge.yaml" "$work"
for version in 1.30 1.37; do
    "$venv/bin/kubernetes-validate" --strict --quiet --kubernetes-version "$version" "$work"/*.yaml
    echo "kubernetes.yaml and kubernetes-merge.yaml are valid for $version"
done
for broken in 's/, status: "True"//' 's/completions: /completion: /' 's/value: "8"/value: 8/'; do
    sed "$broken" "$work/kubernetes.yaml" >"$work/broken"
    if cmp -s "$work/kubernetes.yaml" "$work/broken" ||
        "$venv/bin/kubernetes-validate" --strict --quiet --kubernetes-version 1.30 "$work/broken" >/dev/null 2>&1; then
        echo "FAILED: the validator does not see $broken" >&2
        exit 1
    fi
done
