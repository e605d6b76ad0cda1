#!/bin/sh
# Installs what Python packages can't bring: the espeak-ng voices, and for the tests Chromium, PostgreSQL and the SIP phones sipp and baresip.
# Where we may not (no root, no apt), it says what is missing; tests that need it then say so and skip.
set -u
missing=""
command -v espeak-ng >/dev/null 2>&1 || missing="$missing espeak-ng libespeak1"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v sipp >/dev/null 2>&1 || missing="$missing sip-tester"
command -v baresip >/dev/null 2>&1 || missing="$missing baresip"
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "not installed, and not allowed to install:$missing" >&2
