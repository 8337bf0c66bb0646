#!/bin/sh
# Puts ONNX Runtime's CUDA provider beside the binary of the installed onnxruntime-node, then says what else CUDA needs here:
#   infra/gpu/fetch-cuda-provider.sh [--wheel FILE] [--into DIR]
# --wheel  the onnxruntime-gpu wheel, where it has been fetched already; otherwise pip downloads it (250 MB)
# --into   the package onnxruntime-node; otherwise the one in this repository's node_modules
# Exit code 0: provider and CUDA libraries are there. 1: something is missing, and the last lines say what to do.
set -eu

# The wheel of this version for x86-64 (CPython 3.12, manylinux_2_28) and the npm package are one build of ONNX Runtime, commit f2c39fe2f.
version=1.30.0
provider_sha256=35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc
shared_sha256=086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d

fail() {
  echo "fetch-cuda-provider.sh: $*" >&2
  exit 1
}

into="$(cd "$(dirname "$0")/../.." && pwd)/node_modules/onnxruntime-node"
wheel=""
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value, or is no option; see the head of this file."
  case "$1" in
    --wheel) wheel=$2 ;;
    --into) into=$2 ;;
    *) fail "$1 is no option; see the head of this file." ;;
  esac
  shift 2
done

[ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] ||
  fail "ONNX Runtime for Node has CUDA on Linux x86-64 alone; this is $(uname -s) $(uname -m)."
[ -f "$into/package.json" ] || fail "$into is no package: install the npm packages first (npm ci)."
installed=$(sed -n 's/^  "version": "\(.*\)",*$/\1/p' "$into/package.json")
[ "$installed" = "$version" ] ||
  fail "onnxruntime-node is $installed and this script knows the provider of $version: a provider of another version cannot be loaded. Pin the new one's sha256 here."
for bin in "$into"/bin/napi-v*/linux/x64; do :; done
[ -d "$bin" ] || fail "$into has no bin/napi-v*/linux/x64: the package is not whole; install it again."

is() { # sha256 file
  [ -f "$2" ] && [ "$(sha256sum "$2" | cut -d ' ' -f 1)" = "$1" ]
}
in_place() {
  is "$provider_sha256" "$bin/libonnxruntime_providers_cuda.so" &&
    is "$shared_sha256" "$bin/libonnxruntime_providers_shared.so"
}

if ! in_place; then
  command -v python3 >/dev/null 2>&1 ||
    fail "this needs Python to download and unpack: apt-get install python3-pip."
  temporary=$(mktemp -d)
  trap 'rm -rf "$temporary"' EXIT
  trap 'exit 1' HUP INT TERM
  if [ -z "$wheel" ]; then
    python3 -m pip --version >/dev/null 2>&1 || fail "this needs pip: apt-get install python3-pip."
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir --only-binary=:all: \
      --python-version 3.12 --implementation cp --platform manylinux_2_28_x86_64 \
      --dest "$temporary" "onnxruntime-gpu==$version" ||
      fail "pip could not download onnxruntime-gpu $version. Fetch the wheel elsewhere and give it with --wheel FILE."
    wheel=$(echo "$temporary"/onnxruntime_gpu-*.whl)
  fi
  [ -f "$wheel" ] || fail "$wheel is not there."
  python3 -m zipfile -e "$wheel" "$temporary/wheel" >/dev/null 2>&1 || fail "$wheel is no wheel, or it is cut short."
  capi="$temporary/wheel/onnxruntime/capi"
  is "$provider_sha256" "$capi/libonnxruntime_providers_cuda.so" &&
    is "$shared_sha256" "$capi/libonnxruntime_providers_shared.so" ||
    fail "$wheel does not hold the provider of ONNX Runtime $version for Linux x86-64: the sha256 of its libraries is another. Nothing was installed."
  for library in shared cuda; do
    install -m 644 "$capi/libonnxruntime_providers_$library.so" "$bin/.provider.tmp"
    mv "$bin/.provider.tmp" "$bin/libonnxruntime_providers_$library.so"
  done
  in_place || fail "the provider could not be written to $bin."
fi
echo "The CUDA provider of ONNX Runtime $version is in $bin."

missing=$(ldd "$bin/libonnxruntime_providers_cuda.so" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p')
# ONNX Runtime opens cuDNN by its name when it is first used, so ldd does not know of it.
is_found() {
  for folder in $(echo "${LD_LIBRARY_PATH:-}" | tr : ' '); do
    [ ! -e "$folder/$1" ] || return 0
  done
  PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q "$1 "
}
is_found libcudnn.so.9 || missing="$missing libcudnn.so.9"

case " $(echo $missing) " in
  *" libcuda.so.1 "*)
    echo "libcuda.so.1 is not found. It comes with NVIDIA's driver, 580 or later for CUDA 13; a container is given the host's (docker run --gpus all)."
    ;;
esac
missing=$(for library in $missing; do [ "$library" = libcuda.so.1 ] || echo "$library"; done)
if [ -z "$missing" ]; then
  echo "The libraries of CUDA and cuDNN that it needs are found."
  exit 0
fi
cat >&2 <<END
fetch-cuda-provider.sh: libraries that it needs are not found: $(echo $missing).
It is built for CUDA 13 and cuDNN 9. Install them in one of two ways. From NVIDIA's package repository for this system:

  apt-get install cuda-cudart-13-0 cuda-nvrtc-13-0 libcublas-13-0 libcurand-13-0 libcudnn9-cuda-13

Or from PyPI into a folder of their own, which the loader is then told of:

  python3 -m pip install --no-deps --target /opt/tresline-cuda nvidia-cuda-runtime==13.0.96 \\
    nvidia-cuda-nvrtc==13.0.88 nvidia-cublas==13.0.2.14 nvidia-curand==10.4.0.35 nvidia-cudnn-cu13==9.19.1.2
  printf '/opt/tresline-cuda/nvidia/%s/lib\n' cu13 cudnn > /etc/ld.so.conf.d/tresline-cuda.conf
  ldconfig

Then run this again.
END
exit 1
