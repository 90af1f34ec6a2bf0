# Where the hosts' packages come from: Debian through a proxy that keeps them, and a repository of the lab's own.

PROXY=http://$GATEWAY:3142 REPOSITORY=http://$GATEWAY:3143

start_apt() {
  mkdir -p "$CACHE/apt" "$HOSTS_LAB/proxy" "$HOSTS_LAB/repository"
  [ -e "$HOSTS_LAB/repository/Packages" ] || publish 1.0
  start proxy apt-cacher-ng -i -c "$HOSTS_LAB/proxy" ForeGround=1 Port=3142 BindAddress="$GATEWAY" \
    CacheDir="$CACHE/apt" LogDir="$LOG" SupportDir=/usr/lib/apt-cacher-ng ExThreshold=60
  start repository python3 -m http.server -b "$GATEWAY" -d "$HOSTS_LAB/repository" 3143
  wait_for 30 "the packages' proxy" listens "$GATEWAY" 3142
  wait_for 30 "the lab's repository" listens "$GATEWAY" 3143
}

publish() { # VERSION…: of gdcc-canary, which from 1.1 on asks for a reboot
  local build=$HOSTS_LAB/build version
  rm -f "$HOSTS_LAB"/repository/*
  for version in "$@"; do
    mkdir -p "$build/DEBIAN"
    sed "s/@VERSION@/$version/" "$HERE/canary/control" >"$build/DEBIAN/control"
    [ "$version" = 1.0 ] || install -m 755 "$HERE/canary/postinst" "$build/DEBIAN/postinst"
    dpkg-deb --root-owner-group -b "$build" "$HOSTS_LAB/repository/gdcc-canary_${version}_all.deb" >>"$LOG/canary.log"
    rm -r "$build"
  done
  (cd "$HOSTS_LAB/repository" && dpkg-scanpackages -m . >.new 2>>"$LOG/canary.log" && mv .new Packages)
}
