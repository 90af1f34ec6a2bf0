# The object store: Swift, brought up only for the tests that need it.

SWIFT_SERVERS="account:6202 container:6201 object:6200"

object_store() {
  local server
  install_swift
  configure_swift
  for server in $SWIFT_SERVERS proxy:8080; do
    start "swift-${server%:*}" "$VENV/bin/swift-${server%:*}-server" "$ETC/swift/${server%:*}.conf" -v
  done
  [ -e "$LAB/catalogued-swift" ] || { "$VENV/bin/python" "$HERE/catalog.py" swift && touch "$LAB/catalogued-swift"; }
  for server in $SWIFT_SERVERS proxy:8080; do wait_for 60 "swift-${server%:*}" listens 127.0.0.1 "${server#*:}"; done
}

install_swift() { # into the environment of the rest
  cmp -s "$HERE/swift-requirements.txt" "$VENV/swift-requirements.txt" && return
  local uv; uv=$(command -v uv || echo "$HOME/.local/bin/uv")
  "$uv" pip install -q -p "$VENV/bin/python" -c "$HERE/requirements.txt" -r "$HERE/swift-requirements.txt"
  cp "$HERE/swift-requirements.txt" "$VENV/swift-requirements.txt"
}

configure_swift() { # its objects lie on a file system with user attributes
  local disk=$RUN/swift/d1 server kind
  [ -e "$ETC/swift/proxy.conf" ] && return
  mkdir -p "$disk"
  "$VENV/bin/python" -c "import os; os.setxattr('$disk', 'user.lab', b'1')" 2>/dev/null ||
    { echo "lab: the file system of $LAB takes no user attributes; Swift needs them: LAB=… elsewhere" >&2; return 1; }
  mkdir -p "$ETC/swift"; printf '[swift-hash]\nswift_hash_path_suffix = lab\n' >"$ETC/swift/swift.conf"
  "$VENV/bin/python" "$HERE/rings.py" "$ETC/swift" $SWIFT_SERVERS
  for server in $SWIFT_SERVERS; do
    kind=${server%:*}
    render swift swift-server.conf
    sed "s|@KIND@|$kind|g; s|@PORT@|${server#*:}|; s|@USER@|$(id -un)|" "$ETC/swift/swift-server.conf" >"$ETC/swift/$kind.conf"
  done
  render swift swift-proxy.conf
  sed "s|@USER@|$(id -un)|" "$ETC/swift/swift-proxy.conf" >"$ETC/swift/proxy.conf"
}
