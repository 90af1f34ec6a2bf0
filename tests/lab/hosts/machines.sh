# The hosts themselves.

SSH=(ssh -q -i "$HOSTS_LAB/key" -o UserKnownHostsFile="$HOSTS_LAB/known_hosts" -o IdentitiesOnly=yes -o BatchMode=yes
  -o ConnectTimeout=10)

make_keys() { # the one that opens every host, and the CA of their certificates
  [ -e "$HOSTS_LAB/key" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$HOSTS_LAB/key"
  [ -e "$HOSTS_LAB/authorized.pub" ] || cp "$HOSTS_LAB/key.pub" "$HOSTS_LAB/authorized.pub" # what the estate declares
  [ -e "$HOSTS_LAB/ca.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj '/CN=the CA of the lab' -keyout "$HOSTS_LAB/ca.key" -out "$HOSTS_LAB/ca.crt" 2>>"$LOG/ca.log"
}

make_machine() { # NUMBER
  local root=$HOSTS_LAB/machines/host$1
  mkdir -p "$HOSTS_LAB/state/host$1"
  rm -rf "$root.part"
  cp -a "$(base)" "$root.part"
  echo "host$1" >"$root.part/etc/hostname"
  printf '127.0.0.1 localhost\n%s host%d\n' "$(address_of "$1")" "$1" >"$root.part/etc/hosts"
  printf '[Match]\nName=host0\n[Network]\nAddress=%s/24\n' "$(address_of "$1")" >"$root.part/etc/systemd/network/10-host0.network"
  install -d -m 700 "$root.part/root/.ssh"
  install -m 600 "$HOSTS_LAB/key.pub" "$root.part/root/.ssh/authorized_keys"
  ssh-keygen -q -t ed25519 -N '' -C "host$1" -f "$root.part/etc/ssh/ssh_host_ed25519_key"
  know_machine "$1" "$root.part/etc/ssh/ssh_host_ed25519_key.pub"
  mv "$root.part" "$root"
}

know_machine() { # NUMBER PUBLIC_KEY
  local known=$HOSTS_LAB/known_hosts address; address=$(address_of "$1")
  touch "$known"
  { grep -v "^$address " "$known" || true; echo "$address $(cut -d' ' -f1,2 "$2")"; } >"$known.part"
  mv "$known.part" "$known"
}

boot_machine() { # NUMBER; the joined lab's environment and the state of its nova-compute lie outside of the root
  start "host$1" "$HERE/boot" "$HOSTS_LAB/machines/host$1" "host$1" --network-bridge="$BRIDGE" \
    --bind-ro="$HOSTS_LAB/joined:/opt/lab" --bind="$HOSTS_LAB/state/host$1:/var/lib/nova"
}

end_machine() { # NUMBER: at once, as nothing of it is kept; killing nspawn would leave the host running
  local name=host$1 nspawn
  ! running "$name" || for nspawn in $(pgrep -P "$(cat "$RUN/$name.pid")"); do pkill -KILL -P "$nspawn" || true; done
  wait_for 30 "the end of $name" gone "$name"
  stop "$name"
  rm -rf "$HOSTS_LAB/machines/$name"
}

gone() { ! ip link show "vb-gdcc-$1"; } # NAME: its network is the last to go

answers() { "${SSH[@]}" "root@$(address_of "$1")" true; } # NUMBER
