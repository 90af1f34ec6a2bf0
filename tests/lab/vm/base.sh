# What the host begins as: a Debian with Debian's kernel on a disk, grub, and all that roles install, so that a test
# downloads nothing; and the memory of that host when it had booted.

SUITE=bookworm
INCLUDED=systemd,systemd-sysv,dbus,udev,openssh-server,python3,python3-apt,sudo,iproute2,iputils-ping
INCLUDED+=,ca-certificates,zstd
INSTALLED="linux-image-amd64 initramfs-tools grub2-common grub-pc-bin kdump-tools procps kmod lvm2 multipath-tools
  open-iscsi tgt nfs-common nfs-kernel-server xfsprogs"
SLEEPING="kdump-tools multipathd open-iscsi iscsid tgt nfs-server nfs-client.target rpcbind rpcbind.socket
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap fstrim.timer"

base() {
  local recipe; recipe=$( (cat "$HERE"/{base.sh,machine.sh,switch}; qemu-system-x86_64 --version) | sha256sum | cut -c1-12)
  echo "$CACHE/base-$ACCELERATOR-$recipe"
}

make_base() { # once for each state of this recipe; the cache keeps the latest alone
  local base part=$CACHE/base.part root=$CACHE/root.part; base=$(base)
  [ -d "$base" ] && return
  rm -rf "$CACHE"/base* "$root"
  mkdir -p "$part"
  ssh-keygen -q -t ed25519 -N '' -C lab -f "$part/key"
  echo "lab: making the host's disk and its first boot, which takes minutes: see $LOG/base.log" >&2
  { make_root "$root" "$part"; keep_boot "$part"; } >"$LOG/base.log" 2>&1
  rm -rf "$root"
  mv "$part" "$base"
}

make_root() { # ROOT PART
  debootstrap --variant=minbase --include="$INCLUDED" "$SUITE" "$1" http://deb.debian.org/debian
  printf 'deb http://deb.debian.org/debian %s main\n' "$SUITE" "$SUITE-updates" >"$1/etc/apt/sources.list"
  printf 'deb http://deb.debian.org/debian-security %s-security main\n' "$SUITE" >>"$1/etc/apt/sources.list"
  echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/lab"
  settle "$1"
  unshare -m bash -euc "mount -t proc proc $1/proc; $(declare -f install_in); install_in $1 '$INSTALLED'"
  systemctl --root="$1" disable $SLEEPING
  make_disk "$1" "$2"
}

settle() { # ROOT: what its installer would ask for
  echo vm1 >"$1/etc/hostname"
  echo '127.0.0.1 localhost vm1' >"$1/etc/hosts"
  echo 'LABEL=root / ext4 errors=remount-ro,noatime 0 1' >"$1/etc/fstab"
  printf '[Match]\nName=eth0\n[Network]\nAddress=%s/24\nGateway=%s\n' "$ADDRESS" "$GATEWAY" \
    >"$1/etc/systemd/network/10-installer.network"
  ln -sf /lib/systemd/system/systemd-networkd.service "$1/etc/systemd/system/multi-user.target.wants/"
  install -m 755 "$HERE/switch" "$1/usr/local/sbin/lab-switch"
  printf '%s\n' '[Unit]' Before=systemd-networkd.service After=systemd-udevd.service '[Service]' Type=oneshot \
    RemainAfterExit=yes ExecStart=/usr/local/sbin/lab-switch >"$1/etc/systemd/system/lab-switch.service"
  ln -sf ../lab-switch.service "$1/etc/systemd/system/multi-user.target.wants/"
  install -d -m 700 "$1/root/.ssh"
  install -m 600 "$CACHE/base.part/key.pub" "$1/root/.ssh/authorized_keys"
  echo "vm1 $(cut -d' ' -f1,2 "$1/etc/ssh/ssh_host_ed25519_key.pub")" >"$CACHE/base.part/known_hosts"
  mkdir -p "$1/etc/default" "$1/etc/initramfs-tools/conf.d" "$1/boot/grub"
  printf 'GRUB_TIMEOUT=0\nGRUB_TERMINAL=serial\nGRUB_CMDLINE_LINUX_DEFAULT=\nGRUB_CMDLINE_LINUX="%s"\n' "$WORDS" \
    >"$1/etc/default/grub"
  printf 'MODULES=list\nCOMPRESS=zstd\n' >"$1/etc/initramfs-tools/conf.d/lab"
}

install_in() { # ROOT PACKAGES
  printf 'virtio_pci\nvirtio_blk\next4\n' >"$1/etc/initramfs-tools/modules"
  export DEBIAN_FRONTEND=noninteractive
  chroot "$1" apt-get update -q
  chroot "$1" apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold $2
  chroot "$1" apt-get clean
  chroot "$1" apt-cache gencaches
  for kernel in $(ls "$1/lib/modules"); do chroot "$1" /etc/kernel/postinst.d/kdump-tools "$kernel"; done
  cp -r "$1/usr/lib/grub/i386-pc" "$1/boot/grub/"
  chroot "$1" grub-mkimage -O i386-pc -p '(hd0)/boot/grub' -o /boot/grub/core.img biosdisk ext2 normal configfile linux
}

make_disk() { # ROOT PART: grub is started as a kernel would be, and reads the host's own grub.cfg
  local kernel; kernel=$(ls "$1/lib/modules")
  printf 'linux /boot/vmlinuz-%s root=LABEL=root ro %s\ninitrd /boot/initrd.img-%s\nboot\n' "$kernel" "$WORDS" "$kernel" \
    >"$1/boot/grub/grub.cfg"
  cat "$1/usr/lib/grub/i386-pc/lnxboot.img" "$1/boot/grub/core.img" >"$2/grub.bin"
  truncate -s 6G "$2/root.raw"
  mke2fs -q -t ext4 -L root -d "$1" "$2/root.raw"
}

keep_boot() { # PART: the first boot, until its memory is in a file
  local disk
  qemu-img create -q -f qcow2 -b "$1/root.raw" -F raw "$1/vda.qcow2"
  for disk in vdb vdc paths; do qemu-img create -q -f qcow2 "$1/$disk.qcow2" 512M; done
  BASE=$1 DISKS=$1
  describe_machine
  ssh_to_machine "$1"
  until_booted | "${MACHINE[@]}" -monitor stdio
  ssh_to_machine "$VM_LAB"
  [ -s "$1/memory" ]
  qemu-img rebase -u -q -b root.raw -F raw "$1/vda.qcow2"
}

until_booted() { # says to qemu's monitor what to do then
  wait_for 600 "the first boot" answers
  { "${SSH[@]}" systemctl is-system-running --wait; "${SSH[@]}" 'sync; echo 3 >/proc/sys/vm/drop_caches'; } >&2
  printf 'migrate_set_parameter max-bandwidth 10G\nmigrate "exec:cat >%s/memory"\nquit\n' "$BASE"
}
