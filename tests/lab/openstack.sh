# OpenStack itself: packages, databases, APIs and workers.

DB=mysql+pymysql://lab:lab@127.0.0.1
DATABASES="keystone placement nova_api nova nova_cell0 glance neutron cinder"

install_services() { # from Debian
  install_packages /usr/sbin/mariadbd:mariadb-server /usr/lib/rabbitmq/bin/rabbitmq-server:rabbitmq-server \
    /usr/bin/memcached:memcached /usr/bin/prometheus:prometheus /usr/sbin/snmpd:snmpd \
    /usr/bin/snmptrap:snmp /usr/bin/pg_createcluster:postgresql
}

install_openstack() {
  cmp -s "$HERE/requirements.txt" "$VENV/requirements.txt" && return
  local uv; uv=$(command -v uv || echo "$HOME/.local/bin/uv")
  "$uv" venv -q --clear --seed -p "$(ls /usr/bin/python3.11 2>/dev/null || echo 3.11)" "$VENV" # Debian's: hosts have it too
  "$uv" pip install -q -p "$VENV/bin/python" -r "$HERE/requirements.txt"
  cp "$HERE/requirements.txt" "$VENV/requirements.txt"
}

sql() { mariadb --no-defaults -S "$RUN/mariadb.sock" -u "$(id -un)" -N "$@"; }

start_backing_services() {
  local me; me=$(id -un)
  [ -d "$RUN/mariadb" ] || mariadb-install-db --no-defaults --datadir="$RUN/mariadb" --user="$me" \
    --auth-root-authentication-method=socket --auth-root-socket-user="$me" --skip-test-db >"$LOG/mariadb-install.log" 2>&1
  start mariadb mariadbd --no-defaults --user="$me" --datadir="$RUN/mariadb" --socket="$RUN/mariadb.sock" \
    --pid-file="$RUN/mariadb/pid" --bind-address=127.0.0.1 --port=3306 --max-connections=2000 \
    --innodb-flush-log-at-trx-commit=0 --skip-name-resolve
  start memcached memcached -u "$me" -l 127.0.0.1 -p 11211
  start_rabbitmq
  wait_for 60 MariaDB sql -e 'select 1'
  wait_for 60 RabbitMQ listens 127.0.0.1 5672
}

start_rabbitmq() { # with a home, a node and a port mapper of its own
  local home=$RUN/rabbit
  mkdir -p "$home"; printf 'listeners.tcp.1 = 127.0.0.1:5672\n' >"$home/rabbitmq.conf"
  [ -z "$LISTEN" ] || printf '%s\n' "listeners.tcp.2 = $LISTEN:5672" 'loopback_users = none' >>"$home/rabbitmq.conf"
  export ERL_EPMD_PORT=14369 ERL_EPMD_ADDRESS=127.0.0.1
  start epmd "$(ls /usr/lib/erlang/erts-*/bin/epmd | head -1)" -relaxed_command_check
  start rabbitmq env HOME="$home" RABBITMQ_NODENAME=gdcc-lab@localhost RABBITMQ_CONFIG_FILE="$home/rabbitmq" \
    RABBITMQ_MNESIA_BASE="$home/mnesia" RABBITMQ_LOG_BASE="$LOG" RABBITMQ_ENABLED_PLUGINS_FILE="$home/plugins" \
    RABBITMQ_DIST_PORT=15673 RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
    /usr/lib/rabbitmq/bin/rabbitmq-server
}

credentials() { # USER
  printf '%s\\n' 'auth_type = password' 'auth_url = http://127.0.0.1:5000/v3' "username = $1" 'password = lab' \
    'project_name = service' 'user_domain_name = Default' 'project_domain_name = Default' 'region_name = RegionOne'
}

render() { # SERVICE FILE: a template of etc/ to where the service looks for it
  mkdir -p "$ETC/$1"
  sed -e "s|@LAB@|$LAB|g; s|@VENV@|$VENV|g; s|@DB@|$DB|g" \
    -e "s|^@auth \(.*\)@\$|$(credentials '\1')|" "$HERE/etc/$2" >"$ETC/$1/$2"
}

configure_openstack() {
  local service
  for service in keystone placement nova neutron cinder; do render $service $service.conf; done
  render glance glance-api.conf
  mkdir -p "$RUN"/{lock,nova,images,stage,tasks,cinder}
  [ -e "$LAB/configured" ] && return
  cp -rn "$VENV"/etc/nova/* "$ETC/nova/"; cp -rn "$VENV/etc/glance/metadefs" "$ETC/glance/"
  cp -rn "$VENV"/etc/cinder/* "$ETC/cinder/"
  for service in $DATABASES; do
    sql -e "create database if not exists $service character set utf8; grant all on $service.* to 'lab'@'127.0.0.1' identified by 'lab'"
  done
  local kept; kept=$(kept_databases)
  if [ -d "$kept" ]; then restore_databases "$kept"; else make_databases; fi
  touch "$LAB/configured"
}

make_databases() {
  sync_identity >"$LOG/sync-identity.log" 2>&1 & local first=$!
  sync_compute >"$LOG/sync-compute.log" 2>&1 || { echo "lab: see $LOG/sync-compute.log" >&2; exit 1; }
  wait $first || { echo "lab: see $LOG/sync-identity.log" >&2; exit 1; }
  touch "$LAB/untouched"
}

sync_identity() {
  local keystone="$VENV/bin/keystone-manage --config-file $ETC/keystone/keystone.conf" url=http://${LISTEN:-127.0.0.1}:5000/v3
  local me="--keystone-user $(id -un) --keystone-group $(id -gn)"
  install -d -m 700 "$ETC/keystone/fernet" "$ETC/keystone/credential"
  $keystone db_sync && $keystone fernet_setup $me && $keystone credential_setup $me &&
    $keystone bootstrap --bootstrap-password lab --bootstrap-region-id RegionOne --bootstrap-public-url $url \
      --bootstrap-internal-url $url --bootstrap-admin-url $url &&
    "$VENV/bin/neutron-db-manage" --config-file "$ETC/neutron/neutron.conf" upgrade heads &&
    "$VENV/bin/glance-manage" --config-file "$ETC/glance/glance-api.conf" db_sync
}

sync_compute() {
  local nova="$VENV/bin/nova-manage --config-file $ETC/nova/nova.conf"
  "$VENV/bin/placement-manage" --config-file "$ETC/placement/placement.conf" db sync &&
    $nova api_db sync && $nova cell_v2 map_cell0 --database_connection "$DB/nova_cell0" && $nova db sync &&
    $nova cell_v2 create_cell --name=cell1 &&
    "$VENV/bin/cinder-manage" --config-file "$ETC/cinder/cinder.conf" db sync
}

wsgi() { # NAME PORT MODULE [ENV=VALUE…]: uwsgi needs 'Connection: close', or keep-alive clients see resets
  local name=$1 port=$2 module=$3; shift 3
  start "$name" env "$@" "$VENV/bin/uwsgi" --http-socket "127.0.0.1:$port" \
    ${LISTEN:+--http-socket "$LISTEN:$port"} --add-header 'Connection: close' \
    --module "$module" --master --processes "${PROCESSES:-1}" --threads "${THREADS:-4}" --enable-threads --lazy-apps \
    --buffer-size 65535 --http-chunked-input --die-on-term --venv "$VENV" ${ARGUMENTS:+--pyargv "$ARGUMENTS"}
}

start_apis() {
  wsgi keystone 5000 keystone.wsgi.api:application OS_KEYSTONE_CONFIG_FILES="$ETC/keystone/keystone.conf"
  wsgi placement 8778 placement.wsgi.api:application OS_PLACEMENT_CONFIG_DIR="$ETC/placement"
  wsgi nova-api 8774 nova.wsgi.osapi_compute:application OS_NOVA_CONFIG_DIR="$ETC/nova"
  wsgi glance 9292 glance.wsgi.api:application OS_GLANCE_CONFIG_DIR="$ETC/glance"
  # Neutron loads its policies at a process's first call, unguarded: two threads at once get a false 403.
  PROCESSES=3 THREADS=1 wsgi neutron 9696 neutron.wsgi.api:application \
    OS_NEUTRON_CONFIG_DIR="$ETC/neutron" OS_NEUTRON_CONFIG_FILES=neutron.conf
  ARGUMENTS="--config-file $ETC/cinder/cinder.conf" wsgi cinder 8776 cinder.wsgi.api:application
  local port
  for port in 5000 8778 8774 9292 9696 8776; do wait_for 90 "the API on port $port" curl -s -o /dev/null "http://127.0.0.1:$port/"; done
}

fill_catalog() {
  [ -e "$LAB/catalogued" ] && return
  "$VENV/bin/python" "$HERE/catalog.py" && touch "$LAB/catalogued"
}

start_workers() {
  local number host
  cp "$HERE/labdriver.py" "$VENV"/lib/python3*/site-packages/nova/virt/
  start nova-conductor "$VENV/bin/nova-conductor" --config-dir "$ETC/nova"
  start nova-scheduler "$VENV/bin/nova-scheduler" --config-dir "$ETC/nova"
  for host in $REMOTE; do bind_ports_on "$host"; done
  [ -z "$COMPUTES" ] || write_traits
  for number in $COMPUTES; do
    bind_ports_on "cmp$number"
    start_compute "$number"
  done
}

start_compute() { # NUMBER
  local state=$RUN/cmp$1
  printf '[DEFAULT]\nhost = cmp%s\nstate_path = %s\n[compute]\nprovider_config_location = %s/provider\n' "$1" "$state" "$state" >"$state/host.conf"
  start "nova-compute-$1" "$VENV/bin/nova-compute" --config-dir "$ETC/nova" --config-file "$state/host.conf"
}

write_traits() { # what the estate clears each host for, in the words of the project's own code
  (cd "$HERE/../.." && "${PYTHON:-.venv/bin/python}" -m tests.lab.provider_yaml "$RUN")
}

bind_ports_on() { # HOST: a row that never goes stale, for an Open vSwitch agent that does not run
  sql neutron -e "insert into agents (id,agent_type,\`binary\`,topic,host,admin_state_up,created_at,started_at,heartbeat_timestamp,
    configurations,\`load\`,resources_synced) select uuid(),'Open vSwitch agent','neutron-openvswitch-agent','N/A','$1',1,now(),now(),
    '2037-01-01','{\"bridge_mappings\":{\"physnet1\":\"br-ex\"},\"tunnel_types\":[\"vxlan\"],\"tunneling_ip\":\"127.0.0.1\",\"datapath_type\":\"system\"}',0,1
    from dual where not exists (select 1 from agents where host='$1')"
}

computes_are_up() {
  [ "$(sql -e "select count(*) from nova.services join nova_api.host_mappings using (host) where \`binary\` = 'nova-compute'
    and timestampdiff(second, coalesce(services.updated_at, services.created_at), utc_timestamp()) < 15")" = "$(wc -w <<<"$COMPUTES")" ]
}

wait_for_computes() { wait_for 120 "every nova-compute" computes_are_up; }
