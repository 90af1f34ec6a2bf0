# The host itself: two CPUs, six cards and three disks. eth0 and eth1 stand on one wire with this machine; eth2 and eth3
# are wired to eth4 and eth5, which are the switch's (see `switch`). The third disk is reached on two paths.

PORT=2214 NET=10.215.0
GATEWAY=$NET.1 ADDRESS=$NET.11
WORDS="console=ttyS0 net.ifnames=0 mitigations=off quiet"
ACCELERATOR=tcg
if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then ACCELERATOR=kvm; fi

ssh_to_machine() { # KEY_FOLDER
  SSH=(ssh -q -i "$1/key" -p "$PORT" -o UserKnownHostsFile="$1/known_hosts" -o HostKeyAlias=vm1 -o IdentitiesOnly=yes
    -o BatchMode=yes -o ConnectTimeout=10 root@127.0.0.1)
}
ssh_to_machine "$VM_LAB"

answers() { "${SSH[@]}" true; }

make_disks() { # what the host writes goes into these, and its base stays as it is
  local base disk; base=$(base)
  for disk in vda vdb vdc paths; do
    rm -f "$VM_LAB/$disk.qcow2"
    qemu-img create -q -f qcow2 -b "$base/$disk.qcow2" -F qcow2 "$VM_LAB/$disk.qcow2"
  done
  cp "$base"/{key,key.pub,known_hosts} "$VM_LAB/"
}

resume_machine() {
  BASE=$(base) DISKS=$VM_LAB
  describe_machine
  start vm "${MACHINE[@]}" -monitor none -incoming "exec:cat $BASE/memory"
}

describe_machine() { # as MACHINE, with the disks in $DISKS
  local card disk path wire=user,id=wire,net=$NET.0/24,host=$GATEWAY,ipv6=off,restrict=on
  local hub=(-netdev "$wire,hostfwd=tcp:127.0.0.1:$PORT-$ADDRESS:22" -netdev hubport,id=hub,hubid=0,netdev=wire)
  local cards=() disks=() order=0 # LACP wants cards that tell their speed, the firmware a first disk
  for card in 0:0 1:0 2:1 3:2 4:1 5:2; do # eth2 … eth5 by pairs
    cards+=(-netdev "hubport,id=eth${card%:*},hubid=${card#*:}"
      -device "virtio-net-pci,netdev=eth${card%:*},mac=52:54:00:14:00:0${card%:*},speed=10000,duplex=full")
  done
  for disk in vda vdb vdc; do
    disks+=(-drive "file=$DISKS/$disk.qcow2,if=none,id=$disk"
      -device "virtio-blk-pci,drive=$disk,serial=$disk,bootindex=$((++order))")
  done
  disks+=(-blockdev "driver=qcow2,node-name=paths,file.driver=file,file.filename=$DISKS/paths.qcow2")
  for path in a b; do
    disks+=(-device "virtio-scsi-pci,id=path-$path"
      -device "scsi-hd,bus=path-$path.0,drive=paths,share-rw=on,serial=paths,wwn=0x5000c50015ea71aa")
  done
  MACHINE=(qemu-system-x86_64 -accel "$ACCELERATOR" -cpu "$(cpu)" -smp 2 -m 2048 -nodefaults -display none
    -serial "file:$LOG/console" -kernel "$BASE/grub.bin" "${disks[@]}" "${hub[@]}" "${cards[@]}")
}

cpu() { if [ "$ACCELERATOR" = kvm ]; then echo host; else echo Nehalem; fi; }
