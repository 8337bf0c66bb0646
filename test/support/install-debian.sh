#!/bin/sh
# Installs what the tests need from Debian's packages, when it is missing, without starting any service:
#   test/support/install-debian.sh redis          the queue
#   test/support/install-debian.sh redis ceph     and the S3 server of the s3 tests
#   test/support/install-debian.sh curl           what the line that npm start prints is pasted with
#   test/support/install-debian.sh chromium       the browser that the console is tried in
#   test/support/install-debian.sh fonts          what its pictures in the README are written in
set -eu

fail() {
  echo "install-debian.sh: $*" >&2
  exit 1
}

packages=""
need() { # program package
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/bin/$1" ] || packages="$packages $2"
}

[ $# -gt 0 ] || fail "say what to install: redis, ceph, curl, chromium, fonts."
for part in "$@"; do
  case "$part" in
    redis)
      need redis-server redis-server
      ;;
    ceph)
      need ceph-mon ceph-mon
      need ceph-osd ceph-osd
      need radosgw radosgw
      need ceph ceph-common
      need setpriv util-linux
      ;;
    curl) need curl curl ;;
    chromium) need chromium chromium ;;
    fonts) [ -e /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf ] || packages="$packages fonts-noto-core" ;;
    *) fail "\"$part\" is none of redis, ceph, curl, chromium and fonts." ;;
  esac
done
if [ -z "$packages" ]; then
  echo "install-debian.sh: everything is present ($*)."
  exit 0
fi

command -v apt-get >/dev/null 2>&1 ||
  fail "this is not Debian or a relative of it: install$packages with your system's own tools (redis-server, ceph-mon, ceph-osd, radosgw, ceph and chromium must be in the PATH)."
if [ "$(id -u)" -eq 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  fail "this needs root and there is no sudo: as root, type  apt-get update && apt-get install --no-install-recommends$packages"
fi

# Redis's package starts a server of its own: the mask stops systemd from that, RUNLEVEL the older scripts.
if [ -d /run/systemd/system ]; then
  $as_root systemctl mask --runtime --quiet redis-server.service
  trap '$as_root systemctl unmask --runtime --quiet redis-server.service' EXIT
fi
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
echo "install-debian.sh: installed$packages."
