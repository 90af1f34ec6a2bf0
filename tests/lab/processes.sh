# Processes of the lab: each has a group of its own, a log, and its id in $RUN/NAME.pid.

running() { [ -e "$RUN/$1.pid" ] && kill -0 "$(cat "$RUN/$1.pid")" 2>/dev/null; }

start() { # NAME COMMAND…: in the background, unless it is running
  local name=$1; shift
  running "$name" && return
  setsid "$@" >>"$LOG/$name.log" 2>&1 9>&- </dev/null &
  echo $! >"$RUN/$name.pid"
}

stop() { # NAME…: asks all, waits 10 s for all together, and insists
  local name groups=()
  for name in "$@"; do [ ! -e "$RUN/$name.pid" ] || groups+=("$(cat "$RUN/$name.pid")"); done
  signal TERM "${groups[@]}" || true
  for _ in $(seq 50); do signal 0 "${groups[@]}" && sleep 0.2 || break; done
  signal KILL "${groups[@]}" || true
  for name in "$@"; do rm -f "$RUN/$name.pid"; done
}

signal() { # SIGNAL GROUP…: says whether any was there
  local group any=1 which=$1; shift
  for group in "$@"; do kill "-$which" -- "-$group" 2>/dev/null && any=0; done
  return $any
}

stop_all() {
  local names; names=$(cd "$RUN" 2>/dev/null && ls -- *.pid 2>/dev/null | sed 's/\.pid$//' || true)
  stop $(grep -vE '^(mariadb|rabbitmq|epmd|memcached)$' <<<"$names" || true)
  stop rabbitmq mariadb memcached epmd
}

wait_for() { # SECONDS WHAT COMMAND…
  local seconds=$1 what=$2; shift 2
  for _ in $(seq $((seconds * 4))); do "$@" >/dev/null 2>&1 && return; sleep 0.25; done
  echo "lab: $what did not come up within $seconds s: see $LOG" >&2
  return 1
}

listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; } # ADDRESS PORT
