# What the labs take from Debian.

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_packages() { # PROGRAM:PACKAGE…: what is missing, without starting the services that come with it
  local missing=() pair
  for pair in "$@"; do [ -x "${pair%%:*}" ] || missing+=("${pair#*:}"); done
  [ ${#missing[@]} = 0 ] && return
  (
    exec 8>/tmp/gdcc-apt.lock; flock 8 # two labs that come up at once
    as_root mkdir -p /usr/sbin
    [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
      as_root chmod +x /usr/sbin/policy-rc.d; trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT; }
    as_root apt-get update -q >"$LOG/apt.log" 2>&1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >>"$LOG/apt.log" 2>&1
  )
}
