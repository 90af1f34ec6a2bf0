# What every host begins as: Debian as debootstrap leaves it, reached over SSH.

SUITE=bookworm
INCLUDED=systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,sudo,iproute2,ca-certificates

base() { echo "$CACHE/base-$(cat "$HERE/base.sh" "$HERE/network.sh" | sha256sum | cut -c1-12)"; }

make_base() { # once for each state of this recipe; the cache keeps the latest alone
  local base part=$CACHE/base.part; base=$(base)
  [ -d "$base" ] && return
  rm -rf "$CACHE"/base*
  http_proxy=$PROXY debootstrap --variant=minbase --include="$INCLUDED" "$SUITE" "$part" http://deb.debian.org/debian \
    >"$LOG/debootstrap.log" || { echo "lab: see $LOG/debootstrap.log" >&2; exit 1; }
  find_packages "$part"
  rm -f "$part"/etc/ssh/ssh_host_*
  : >"$part/etc/machine-id"
  ln -sf /lib/systemd/system/systemd-networkd.service "$part/etc/systemd/system/multi-user.target.wants/"
  mv "$part" "$base"
}

find_packages() { # ROOT: where apt on a host looks; nothing is synced to a disk that a test will throw away
  printf 'deb http://deb.debian.org/debian %s main\n' "$SUITE" "$SUITE-updates" >"$1/etc/apt/sources.list"
  printf 'deb http://deb.debian.org/debian-security %s-security main\n' "$SUITE" >>"$1/etc/apt/sources.list"
  printf 'deb [trusted=yes] %s ./\n' "$REPOSITORY" >"$1/etc/apt/sources.list.d/lab.list"
  printf 'Acquire::http::Proxy "%s";\nAcquire::http::Proxy::%s "DIRECT";\n' "$PROXY" "$GATEWAY" >"$1/etc/apt/apt.conf.d/01proxy"
  echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/lab"
  chroot "$1" apt-get update -q >"$LOG/base-update.log"
}
