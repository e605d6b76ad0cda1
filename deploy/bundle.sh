#!/bin/sh
# Makes a folder from which Callwright can be installed where there is no network: every wheel, the models' manifest, and sums of all.
# usage: deploy/bundle.sh TO [EXTRAS]     (EXTRAS: models,sip,postgres)
# Run it on a machine of the same kind as the one it is for (processor, C library, Python), with a package index within reach.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
to=${1:?"usage: $0 TO [EXTRAS]"}
extras=${2:-models,sip,postgres}
python=${PYTHON:-python3}
[ -e "$to" ] && { echo "$to: expected a folder that is not there yet" >&2; exit 64; }
rm -rf "$here/build" # of an earlier wheel: what was deleted since would come along
mkdir -p "$to/wheels" "$to/models"
"$python" -m pip wheel --quiet --constraint "$here/constraints.txt" --wheel-dir "$to/wheels" "$here[$extras]"
rm -rf "$here/build"
cp "$here/models/manifest.toml" "$here/models/README.md" "$to/models/"
cp "$here/constraints.txt" "$here/deploy/install.sh" "$to/"
cp -r "$here/deploy/systemd" "$to/systemd"
echo "$extras" > "$to/EXTRAS"
cd "$to"
find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS
echo "$to: $(ls wheels | wc -l) wheels, $(du -sh . | cut -f1)"
