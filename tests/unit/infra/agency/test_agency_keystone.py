"""Where a service user's provider logs in, and environments in which it would be somebody else."""

import pytest

from infra.agency import keystone
from infra.agency.keystone import Keystone, LoginError

CLOUDS = """
clouds:
  gdcc:
    region_name: bkk
    cacert: /etc/ssl/gdcc.pem
    verify: true
    interface: internal
    auth: {auth_url: "https://keystone.gdcc.example/v3", username: admin, password: hush}
  broken:
    auth: {username: admin}
"""


@pytest.fixture
def clouds(tmp_path) -> dict[str, str]:
    path = tmp_path / "clouds.yaml"
    path.write_text(CLOUDS)
    return {"OS_CLIENT_CONFIG_FILE": str(path)}


def test_the_environment_says_where_keystone_is():
    assert keystone.keystone({"OS_AUTH_URL": "https://k/v3"}, None) == Keystone(auth_url="https://k/v3")


def test_a_cloud_of_the_stacks_configuration_is_read_from_clouds_yaml_without_its_login(clouds):
    assert keystone.keystone(clouds, "gdcc") == Keystone(
        auth_url="https://keystone.gdcc.example/v3",
        region="bkk",
        cacert_file="/etc/ssl/gdcc.pem",
        insecure=False,
        endpoint_type="internal",
    )


def test_every_variable_that_wins_over_a_providers_own_login_is_told_at_once():
    environ = dict.fromkeys(keystone.OVERRIDING, "x") | {"OS_AUTH_URL": "https://k/v3"}
    with pytest.raises(LoginError) as caught:
        keystone.keystone(environ, "gdcc")
    assert [reason.split()[0] for reason in caught.value.reasons] == list(keystone.OVERRIDING)


def test_an_empty_variable_wins_over_nothing():
    assert keystone.keystone({"OS_CLOUD": "", "OS_AUTH_URL": "https://k/v3"}, None).auth_url == "https://k/v3"


@pytest.mark.parametrize(
    ("cloud", "said"), [("broken", "cloud broken has no auth.auth_url"), ("other", "cloud other has no auth.auth_url")]
)
def test_a_cloud_without_an_address_is_named_with_its_file(clouds, cloud, said):
    with pytest.raises(LoginError, match=said):
        keystone.keystone(clouds, cloud)


def test_a_missing_file_and_no_cloud_at_all_are_told(tmp_path):
    with pytest.raises(LoginError, match=r"there is no .*nothing.yaml"):
        keystone.keystone({"OS_CLIENT_CONFIG_FILE": str(tmp_path / "nothing.yaml")}, "gdcc")
    with pytest.raises(LoginError, match="no cloud is named"):
        keystone.keystone({}, None)


@pytest.mark.parametrize("text", [b"clouds:\n  x: [\n", b"clouds: \xff\n"])
def test_a_file_that_is_no_yaml_is_told(tmp_path, text):
    (tmp_path / "clouds.yaml").write_bytes(text)
    with pytest.raises(LoginError, match="openstack:cloud is gdcc, and its file cannot be read"):
        keystone.keystone({"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")}, "gdcc")


def test_a_file_that_may_not_be_looked_for_is_told():
    with pytest.raises(LoginError, match="cannot be read"):
        keystone.keystone({"OS_CLIENT_CONFIG_FILE": "/" + "x" * 300}, "gdcc")
