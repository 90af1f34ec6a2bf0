"""Pulumi's type tokens of the kinds that rules speak of."""

AGGREGATE = "openstack:compute/aggregateV2:AggregateV2"
FLAVOR = "openstack:compute/flavor:Flavor"
FLAVOR_ACCESS = "openstack:compute/flavorAccess:FlavorAccess"
INSTANCE = "openstack:compute/instance:Instance"
KEYPAIR = "openstack:compute/keypair:Keypair"
QUOTA_SET = "openstack:compute/quotaSetV2:QuotaSetV2"
SERVER_GROUP = "openstack:compute/serverGroup:ServerGroup"

VOLUME = "openstack:blockstorage/volume:Volume"
VOLUME_QUOTA = "openstack:blockstorage/quoteSetV3:QuoteSetV3"
VOLUME_TYPE = "openstack:blockstorage/volumeTypeV3:VolumeTypeV3"
VOLUME_TYPE_ACCESS = "openstack:blockstorage/volumeTypeAccessV3:VolumeTypeAccessV3"

ADDRESS_GROUP = "openstack:networking/addressGroupV2:AddressGroupV2"
FLOATING_IP = "openstack:networking/floatingIp:FloatingIp"
LOAD_BALANCER = "openstack:loadbalancer/loadBalancer:LoadBalancer"
NETWORK = "openstack:networking/network:Network"
NETWORK_QUOTA = "openstack:networking/quotaV2:QuotaV2"
PORT = "openstack:networking/port:Port"
RBAC_POLICY = "openstack:networking/rbacPolicyV2:RbacPolicyV2"
ROUTER = "openstack:networking/router:Router"
SECURITY_GROUP = "openstack:networking/secGroup:SecGroup"
SECURITY_RULE = "openstack:networking/secGroupRule:SecGroupRule"
SUBNET = "openstack:networking/subnet:Subnet"

APPLICATION_CREDENTIAL = "openstack:identity/applicationCredential:ApplicationCredential"
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

MEANINGS = "gdcc:policy:Meanings"
PROVIDER = "pulumi:providers:openstack"

PROTECTED = frozenset({PROJECT, NETWORK, SUBNET, SECURITY_GROUP, VOLUME_TYPE, VOLUME, INSTANCE, CONTAINER})
"""Kinds whose deletion or replacement loses data or cuts tenants off: never without a named exception."""
