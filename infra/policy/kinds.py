"""Pulumi's type tokens of the kinds that rules speak of."""

AGGREGATE = "openstack:compute/aggregateV2:AggregateV2"
FLAVOR = "openstack:compute/flavor:Flavor"
FLAVOR_ACCESS = "openstack:compute/flavorAccess:FlavorAccess"
INSTANCE = "openstack:compute/instance:Instance"
KEYPAIR = "openstack:compute/keypair:Keypair"
QUOTA_SET = "openstack:compute/quotaSetV2:QuotaSetV2"
SERVER_GROUP = "openstack:compute/serverGroup:ServerGroup"

VOLUME_ATTACHMENT = "openstack:compute/volumeAttach:VolumeAttach"

VOLUME = "openstack:blockstorage/volume:Volume"
VOLUME_QOS = "openstack:blockstorage/qosV3:QosV3"
VOLUME_QOS_ASSOCIATION = "openstack:blockstorage/qosAssociationV3:QosAssociationV3"
VOLUME_QUOTA = "openstack:blockstorage/quoteSetV3:QuoteSetV3"
VOLUME_TYPE = "openstack:blockstorage/volumeTypeV3:VolumeTypeV3"
VOLUME_TYPE_ACCESS = "openstack:blockstorage/volumeTypeAccessV3:VolumeTypeAccessV3"

ADDRESS_GROUP = "openstack:networking/addressGroupV2:AddressGroupV2"
ADDRESS_SCOPE = "openstack:networking/addressScope:AddressScope"
FLOATING_IP = "openstack:networking/floatingIp:FloatingIp"
LOAD_BALANCER = "openstack:loadbalancer/loadBalancer:LoadBalancer"
NETWORK = "openstack:networking/network:Network"
NETWORK_QUOTA = "openstack:networking/quotaV2:QuotaV2"
PORT = "openstack:networking/port:Port"
QOS_BANDWIDTH = "openstack:networking/qosBandwidthLimitRule:QosBandwidthLimitRule"
QOS_MARKING = "openstack:networking/qosDscpMarkingRule:QosDscpMarkingRule"
QOS_POLICY = "openstack:networking/qosPolicy:QosPolicy"
RBAC_POLICY = "openstack:networking/rbacPolicyV2:RbacPolicyV2"
ROUTER = "openstack:networking/router:Router"
ROUTER_INTERFACE = "openstack:networking/routerInterface:RouterInterface"
SECURITY_GROUP = "openstack:networking/secGroup:SecGroup"
SECURITY_RULE = "openstack:networking/secGroupRule:SecGroupRule"
SUBNET = "openstack:networking/subnet:Subnet"
SUBNET_POOL = "openstack:networking/subnetPool:SubnetPool"

APPLICATION_CREDENTIAL = "openstack:identity/applicationCredential:ApplicationCredential"
GROUP = "openstack:identity/groupV3:GroupV3"
INHERITED_ROLE = "openstack:identity/inheritRoleAssignment:InheritRoleAssignment"
PROJECT = "openstack:identity/project:Project"
ROLE = "openstack:identity/role:Role"
ROLE_ASSIGNMENT = "openstack:identity/roleAssignment:RoleAssignment"
USER = "openstack:identity/user:User"

IMAGE = "openstack:images/image:Image"
IMAGE_ACCESS = "openstack:images/imageAccess:ImageAccess"
CONTAINER = "openstack:objectstorage/container:Container"
CONTAINER_OBJECT = "openstack:objectstorage/containerObject:ContainerObject"
KEY_CONTAINER = "openstack:keymanager/containerV1:ContainerV1"
KEY_SECRET = "openstack:keymanager/secretV1:SecretV1"  # noqa: S105 - a type token

KNOWN = frozenset(value for value in list(vars().values()) if isinstance(value, str) and value.startswith("openstack:"))
"""All of these: kinds that the rules judge, or that give nobody anything. Any other is refused."""

MEANINGS = "gdcc:policy:Meanings"
PROVIDER = "pulumi:providers:openstack"

PROTECTED = frozenset(
    {
        *(AGGREGATE, FLAVOR, INSTANCE, SERVER_GROUP),
        *(VOLUME, VOLUME_TYPE),
        *(ADDRESS_SCOPE, FLOATING_IP, LOAD_BALANCER, NETWORK, PORT),
        *(ROUTER, ROUTER_INTERFACE, SECURITY_GROUP, SUBNET, SUBNET_POOL),
        *(GROUP, PROJECT, ROLE, USER),
        *(CONTAINER, IMAGE, KEY_CONTAINER, KEY_SECRET),
    }
)
"""Kinds whose deletion or replacement harms a healthy VM or an agency: never without a named exception.

Data goes with a container, an image, a volume or the key it is encrypted by; whoever works in it with a project, and
members, roles or credentials with a group, role or user. A server loses its wires with a network, subnet, pool, port,
router or its interface; its place with an aggregate (Nova moves it within its availability zone) or a server group
(which nobody can enter later), and with a flavor or volume type what is replaced after it. What the next `up` gives
back as it was is not among them: quotas, accesses, assignments, rules and RBAC policies; nor are application
credentials, which are made to be replaced.
"""
