"""Which of a host's devices repeat what another counts: regular expressions for their whole names."""

VIRTUAL_DEVICES = (
    "lo|tap.*|qbr.*|qvb.*|qvo.*|qr-.*|qg-.*|br.*|ovs.*|veth.*|virbr.*|vnet.*|vxlan.*|gre.*|gene.*|bond.*|team.*"
    "|docker.*|cali.*|cilium.*|dummy.*|tun.*|wg.*|[^.]+[.][0-9]+"
)
"""Network devices that repeat what a physical one already counted. A host that shows no physical device is read by its
bonds."""

REPEATED_DISKS = (
    "dm-.*|md.*|emcpower.*|drbd.*|bcache.*|loop.*|z?ram.*|fd.*|sr.*|zd.*|([hsv]|xv|das)d[a-z]*[0-9]+"
    "|nvme[0-9]+(n[0-9]+p|c[0-9]+n)[0-9]+|(mmcblk|rbd|nbd)[0-9]+(p|boot)[0-9]+"
)
"""Block devices that are no path to a storage, or repeat what one counted: mappings (LVM, multipath), arrays,
partitions, memory."""
