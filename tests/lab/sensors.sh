# What watches the lab's hosts: exporters, Prometheus, and an snmpd for each BMC, PDU and UPS.

AGENTS="cmp1:127.21.1.1 cmp2:127.21.1.3 cmp3:127.21.2.1 cmp4:127.21.2.3 cmp5:127.21.3.1 cmp6:127.21.3.3
  rack-1-a:127.21.1.201 rack-1-b:127.21.1.202 ups-a:127.21.0.1 ups-b:127.21.0.2"

start_sensors() {
  local agent
  start_exporter
  start_prometheus
  for agent in $AGENTS; do start_agent "${agent%%:*}"; done
  wait_for 30 "the exporters" listens 127.21.3.3 29177
  wait_for 30 Prometheus curl -sf -o /dev/null http://127.0.0.1:9090/-/ready
}

start_exporter() { start exporter "$VENV/bin/python" "$HERE/exporter.py" "$LAB"; }

start_prometheus() {
  local targets; targets=$(sed -n "s/.*exporters: \[\(.*\)\].*/\1/p" "$HERE/estate/hosts.yaml" | tr '\n' ',')
  cat >"$ETC/prometheus.yml" <<C
global: {scrape_interval: 2s, scrape_timeout: 2s}
scrape_configs:
- {job_name: hosts, static_configs: [{targets: [${targets%,}]}]}
C
  start prometheus prometheus --config.file="$ETC/prometheus.yml" --storage.tsdb.path="$RUN/prometheus" \
    --web.listen-address=127.0.0.1:9090 --log.level=warn
}

start_agent() { # DEVICE: v3 authPriv for BMCs, v2c for the rest
  local device=$1 address root state=$RUN/snmp/$1
  address=$(tr -s ' \n' '\n' <<<"$AGENTS" | sed -n "s/^$device://p")
  case $device in cmp*) root=.1.3.6.1.4.1.674.10892.5 ;; rack*) root=.1.3.6.1.4.1.318.1.1.26 ;; *) root=.1.3.6.1.2.1.33.1 ;; esac
  mkdir -p "$state"
  {
    echo "engineIDType 0"
    echo "exactEngineID 0x8000$(printf '1f880442%s' "$(printf %s "lab-$device" | od -An -tx1 | tr -d ' \n')")"
    echo "pass_persist $root $VENV/bin/python -u $HERE/agent.py $LAB $device"
    echo "sysName $device"
    case $device in
      cmp*) echo "createUser gdcc SHA-256 lab-auth-secret AES lab-priv-secret"; echo "rouser gdcc authpriv" ;;
      *) echo "rocommunity lab-community 127.0.0.0/8" ;;
    esac
  } >"$state/snmpd.conf"
  start "snmp-$device" env SNMP_PERSISTENT_DIR="$state" snmpd -f -Lo -C -c "$state/snmpd.conf" "udp:$address:26161"
}
