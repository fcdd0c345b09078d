# Installs the packages of tools/packages.txt that are missing.
# shellcheck shell=bash

# The packages of the groups named, as this distribution calls them: "PACKAGE" or "PACKAGE ?" (optional), one a line.
packages_of() {
  local distribution=""
  [ -r /etc/os-release ] && distribution=$(. /etc/os-release; echo "$ID$VERSION_ID")
  awk -v wanted=" $* " -v dist="$distribution" '
    /^[ \t]*(#|$)/ { next }
    {
      group = $1; optional = sub(/\?$/, "", group)
      if (index(wanted, " " group " ") == 0) next
      name = $2
      for (i = 3; i <= NF; i++) if (split($i, p, "=") == 2 && p[1] == dist) name = p[2]
      if (name != "-") print name (optional ? " ?" : "")
    }' tools/packages.txt
}

is_installed() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] || { have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

dev_setup() {
  local groups=("$@") missing=() optional=() package mark
  [ ${#groups[@]} -eq 0 ] && groups=(build run test tune)
  have dpkg-query || {
    echo "dev: not a Debian or Ubuntu system; cocopipe needs what these packages hold:" >&2
    packages_of "${groups[@]}" | sed 's/ ?$/ (optional)/; s/^/  /' >&2
    return 0
  }
  while read -r package mark; do
    is_installed "$package" && continue
    if [ "$mark" = "?" ]; then optional+=("$package"); else missing+=("$package"); fi
  done < <(packages_of "${groups[@]}")
  [ $((${#missing[@]} + ${#optional[@]})) -eq 0 ] && return 0
  install_packages
}

# Uses dev_setup's arrays `missing` and `optional`. A missing optional package never fails the command.
install_packages() {
  local apt=(apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3)
  if [ -n "${COCO_NO_INSTALL:-}" ] || ! can_be_root; then
    [ ${#missing[@]} -eq 0 ] && { echo "dev: optional packages not installed: ${optional[*]}"; return 0; }
    echo "dev: these packages are missing; as root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]} ${optional[*]}" >&2
    exit 1
  fi
  say "installing ${missing[*]} ${optional[*]}"
  if ! as_root "${apt[@]}" update >/dev/null && [ ${#missing[@]} -gt 0 ]; then
    echo "dev: apt-get update failed; trying with the package lists at hand" >&2
  fi
  local wanted=("${missing[@]}") package
  for package in "${optional[@]}"; do
    if apt-cache show "$package" >/dev/null 2>&1; then wanted+=("$package"); else
      echo "dev: $package is not in this distribution; going on without it"; fi
  done
  [ ${#wanted[@]} -eq 0 ] && return 0
  mkdir -p build
  if as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --no-install-recommends "${wanted[@]}" \
      >build/setup.log 2>&1 </dev/null; then return 0; fi
  if [ ${#missing[@]} -eq 0 ]; then
    echo "dev: optional packages could not be installed (build/setup.log); going on without them"
    return 0
  fi
  tail -n 20 build/setup.log >&2
  die "apt-get install failed (whole output: build/setup.log)"
}
