#!/usr/bin/env bash
# Sees that there is a Chromium with its driver; installs Debian's packages when there is none
# and this may be done. Ends with status 0 when both are there, 3 when they cannot be had.
set -euo pipefail
have() { command -v chromedriver >/dev/null && { command -v chromium || command -v google-chrome || command -v chrome; } >/dev/null; }

have && exit 0
if command -v apt-get >/dev/null; then
    root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo -n)
    echo "+ apt-get install chromium chromium-driver" >&2
    "${root[@]}" apt-get update -qq >&2 || true
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends \
        chromium chromium-driver fonts-dejavu-core >/dev/null 2>&1 || true
fi
have || {
    echo "there is no chromium with its chromedriver, and it cannot be installed here" >&2
    exit 3
}
