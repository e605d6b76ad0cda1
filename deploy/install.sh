#!/bin/sh
# Installs Callwright from the folder that this lies in, made by deploy/bundle.sh. Nothing is fetched.
# usage: ./install.sh PREFIX     (such as /opt/callwright; its programs come to lie in PREFIX/bin, its models in PREFIX/models)
set -eu
prefix=${1:?"usage: $0 PREFIX"}
python=${PYTHON:-python3}
cd "$(dirname "$0")"
sha256sum --quiet --check SHA256SUMS
"$python" -m venv "$prefix"
"$prefix/bin/python" -m pip install --quiet --no-index --find-links wheels --constraint constraints.txt "callwright[$(cat EXTRAS)]"
mkdir -p "$prefix/models"
cp models/* "$prefix/models/"
case $(cat EXTRAS) in *models*) CALLWRIGHT_MODELS="$prefix/models" "$prefix/bin/callwright" models fetch whisper-base ;; esac
echo "$prefix: $("$prefix/bin/python" -c 'from importlib.metadata import version; print(version("callwright"))'); next: CALLWRIGHT_MODELS=$prefix/models $prefix/bin/callwright doctor"
