# Processes of the lab: each has a group of its own, a log, and its id in $RUN/NAME.pid.

running() { [ -e "$RUN/$1.pid" ] && kill -0 "$(cat "$RUN/$1.pid")" 2>/dev/null; }

start() { # NAME COMMAND…: in the background, unless it is running
  local name=$1; shift
  running "$name" && return
  setsid "$@" >>"$LOG/$name.log" 2>&1 9>&- </dev/null &
  echo $! >"$RUN/$name.pid"
}

stop() { # NAME…: asks, waits 10 s, and insists
  local name pid
  for name in "$@"; do running "$name" && kill -- "-$(cat "$RUN/$name.pid")" 2>/dev/null || true; done
  for name in "$@"; do
    [ -e "$RUN/$name.pid" ] || continue
    pid=$(cat "$RUN/$name.pid")
    for _ in $(seq 50); do kill -0 -- "-$pid" 2>/dev/null || break; sleep 0.2; done
    kill -9 -- "-$pid" 2>/dev/null || true
    rm -f "$RUN/$name.pid"
  done
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
