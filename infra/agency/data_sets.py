"""A system's shared data sets: a container each, read by the projects that its sharing agreement names."""

import functools
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_openstack import objectstorage

from infra import naming
from inventory.model import Classification, DataSet

PUBLIC_READ = ".r:*,.rlistings"


def read_acl(data_set: DataSet, project_ids: Sequence[str]) -> str:
    """Swift's read ACL. Projects stand in it by id: a name may come back as somebody else's project."""
    if data_set.public:
        if data_set.classification is not Classification.OPEN:
            raise ValueError(f"data set {data_set.name} is public, but not open")
        return PUBLIC_READ
    return ",".join(f"{project_id}:*" for project_id in sorted(project_ids))


class DataSets(pulumi.ComponentResource):
    """Containers in the project that `provider` logs in to. `readers` gives project ids by the data set's name."""

    def __init__(
        self,
        name: str,
        *,
        data_sets: Sequence[DataSet],
        readers: Mapping[str, Sequence[pulumi.Input[str]]],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:DataSets", name, None, opts)
        for data_set in data_sets:
            objectstorage.Container(
                data_set.name,
                name=naming.container(data_set.name),
                container_read=pulumi.Output.all(*readers[data_set.name]).apply(functools.partial(read_acl, data_set)),
                metadata={"classification": data_set.classification.name.lower(), "system": data_set.system},
                opts=pulumi.ResourceOptions(parent=self, provider=provider),
            )
        self.register_outputs({})
