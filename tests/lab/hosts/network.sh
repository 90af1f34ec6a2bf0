# The hosts' bridge, and the network namespace on it that the joined lab's control plane runs in.

BRIDGE=gdcc-hosts NAMESPACE=gdcc-joined NET=10.214.0
GATEWAY=$NET.1 CONTROL=$NET.2

make_bridge() {
  ip link show "$BRIDGE" >/dev/null 2>&1 && return
  ip link add "$BRIDGE" type bridge
  ip addr add "$GATEWAY/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

make_namespace() { # with a loopback of its own, so that two control planes do not meet
  ip netns list | grep -qw "$NAMESPACE" && return
  ip netns add "$NAMESPACE"
  ip link add vb-gdcc-joined type veth peer name host0 netns "$NAMESPACE"
  ip link set vb-gdcc-joined master "$BRIDGE" up
  ip -n "$NAMESPACE" addr add "$CONTROL/24" dev host0
  ip -n "$NAMESPACE" link set host0 up
  ip -n "$NAMESPACE" link set lo up
}

delete_network() {
  ! ip netns list | grep -qw "$NAMESPACE" || ip netns del "$NAMESPACE"
  ! ip link show "$BRIDGE" >/dev/null 2>&1 || ip link del "$BRIDGE"
}

address_of() { echo "$NET.$((10 + $1))"; } # NUMBER
