# The control plane's databases as they are right after their creation, kept for the next lab.

kept_databases() { # what was made from the same recipe for the same address
  local key; key=$(cat "$HERE/openstack.sh" "$HERE/catalog.py" "$HERE/requirements.txt" "$HERE"/etc/*.conf - <<<"$LISTEN" | sha256sum)
  echo "$CACHE/databases/${key:0:16}"
}

restore_databases() { # FOLDER: not as a condition, where bash would go on after a flaw
  sql <"$1/all.sql"
  cp -a "$1/keys/." "$ETC/keystone/"
  touch "$LAB/catalogued"
}

keep_databases() { # once, before anything but this recipe has written to them
  local kept; kept=$(kept_databases)
  [ -e "$LAB/untouched" ] || return 0
  rm -rf "$kept" "$kept.part"; mkdir -p "$kept.part"; mkdir -m 700 "$kept.part/keys"
  mariadb-dump --no-defaults -S "$RUN/mariadb.sock" -u "$(id -un)" --single-transaction --databases $DATABASES >"$kept.part/all.sql"
  cp -a "$ETC"/keystone/{fernet,credential} "$kept.part/keys/"
  mv "$kept.part" "$kept"
  rm "$LAB/untouched"
}
