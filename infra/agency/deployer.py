"""The service user of a system's deployment tool, and its application credential.

Keystone gives an application credential to whoever asks for it, with the asker's roles. So it is asked for by a
provider that is logged in as the service user; what Nova and Swift put into the asker's project is made so too.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, datetime

import pulumi
import pulumi_openstack
from pulumi_openstack import identity

from infra import naming
from infra.agency.keystone import Keystone
from inventory.model import System

ROLE = "member"


def password(seed: str, system: str, generation: int) -> str:
    """A service user's password, of 256 bits: the same at each run, another one with each generation.

    `seed` is hexadecimal and the one secret behind all of an agency's passwords.
    """
    digest = hmac.digest(bytes.fromhex(seed), f"{system}:{generation}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a service user logs in with, and for how long its application credential holds."""

    keystone: Keystone
    domain: str
    password: str
    credential_from: date
    credential_expires_at: datetime

    def __repr__(self) -> str:
        """Without the password."""
        return f"Login({self.keystone.auth_url}, {self.domain})"


class Deployer(pulumi.ComponentResource):
    """The user with its one role in its one project, its credential, and the provider that acts as it.

    A renamed system's tool goes on with the login that it has: what it logs in with bears the system's first name.
    """

    provider: pulumi.ProviderResource
    credential: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        system: System,
        login: Login,
        project_id: pulumi.Output[str],
        domain_id: pulumi.Input[str],
        role_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Deployer", name, None, opts)
        secret = pulumi.Output.secret(login.password)
        user = identity.User(
            name,
            name=naming.service_user(system.first_name),
            description=f"deployment tool of {system.name}",
            domain_id=domain_id,
            default_project_id=project_id,
            enabled=True,
            password=secret,
            opts=pulumi.ResourceOptions(parent=self),
        )
        assignment = identity.RoleAssignment(
            name,
            user_id=user.id,
            project_id=project_id,
            role_id=role_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.provider = pulumi_openstack.Provider(
            name,
            auth_url=login.keystone.auth_url,
            region=login.keystone.region,
            cacert_file=login.keystone.cacert_file,
            insecure=login.keystone.insecure,
            endpoint_type=login.keystone.endpoint_type,
            user_name=user.name,
            user_domain_name=login.domain,
            password=secret,
            tenant_id=project_id,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[assignment]),
        )
        credential = identity.ApplicationCredential(
            name,
            name=naming.credential(system.first_name, login.credential_from),
            description=f"deployment tool of {system.first_name}",
            roles=[ROLE],
            unrestricted=False,
            expires_at=f"{login.credential_expires_at:%Y-%m-%dT%H:%M:%SZ}",
            # Keystone answers with the roles that this one implies, too; a credential cannot change in any case.
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider, ignore_changes=["roles"]),
        )
        self.credential = pulumi.Output.secret(
            pulumi.Output.all(credential.id, credential.secret, credential.project_id, project_id).apply(_checked)
        )
        self.register_outputs({"credential": self.credential})


def _checked(values: list[str]) -> dict[str, str]:
    """The credential as its user needs it; never one of another project than the system's."""
    credential_id, secret, of_project, project_id = values
    if of_project != project_id:
        raise pulumi.RunError(f"application credential {credential_id} is for project {of_project}, not {project_id}")
    return {"id": credential_id, "secret": secret}
