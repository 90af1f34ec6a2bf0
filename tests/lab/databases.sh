# The control plane's databases as they are right after their creation, kept for the next lab.

kept_databases() { # what was made from the same recipe for the same address
  local key; key=$(cat "$HERE/openstack.sh" "$HERE/catalog.py" "$HERE/requirements.txt" "$HERE"/etc/*.conf - <<<"$LISTEN" | sha256sum)
  echo "${GDCC_CACHE:-$HOME/.cache/gdcc}/databases/${key:0:16}"
}

restore_databases() { # says whether there was anything to restore
  local kept; kept=$(kept_databases)
  [ -e "$kept/all.sql" ] || return 1
  sql <"$kept/all.sql"
  cp -a "$kept/keys/." "$ETC/keystone/"
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
