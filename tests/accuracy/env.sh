# Sourced by the commands here: a Python environment of their own in the cache folder that `tests/run` uses.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
UV=0.13.8

cache=${MARQUETRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/marquetry}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export PATH=$PATH:$HOME/.cargo/bin:/usr/local/go/bin
python=$cache/accuracy/bin/python

install_accuracy() {
  local wanted stamp=$cache/.installed-accuracy
  wanted="$UV $(sha256sum "$root/tests/accuracy/requirements.txt" | cut -c1-16)"
  if [ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ]; then return; fi
  echo "    installing the makers of the corpora into $cache" >&2
  if [ ! -x "$cache/bootstrap/bin/uv" ]; then
    python3 -m venv "$cache/bootstrap"
    "$cache/bootstrap/bin/pip" install -q "uv==$UV"
  fi
  rm -rf "$cache/accuracy"
  "$cache/bootstrap/bin/uv" venv -q --python "$cache/bootstrap/bin/python" "$cache/accuracy"
  VIRTUAL_ENV=$cache/accuracy "$cache/bootstrap/bin/uv" pip sync -q "$root/tests/accuracy/requirements.txt"
  echo "$wanted" > "$stamp"
}
