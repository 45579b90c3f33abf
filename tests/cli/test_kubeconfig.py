"""The kubeconfig is read as kubectl reads it, and no secret of it comes out again (I10)."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from serinus.cli.cluster import ClusterError, context_names, find_access

PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


def config(**changes: Any) -> dict[str, Any]:
    """A kubeconfig with one context, changed as told."""
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://c.example.com:6443/"}}],
        "users": [{"name": "u", "user": {"token": "hush"}}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "ml"}}],
        "current-context": "main",
    } | changes


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes kubeconfigs and names them in KUBECONFIG, in order."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    def use(*configs: dict[str, Any]) -> Path:
        paths = [tmp_path / str(number) / "config" for number, _ in enumerate(configs)]
        for path, each in zip(paths, configs, strict=True):
            path.parent.mkdir()
            path.write_text(yaml.safe_dump(each))
        monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, paths)))
        return tmp_path

    return use


def user(**fields: Any) -> dict[str, Any]:
    return config(users=[{"name": "u", "user": fields}])


def cluster(**fields: Any) -> dict[str, Any]:
    return config(clusters=[{"name": "c", "cluster": {"server": "https://c.example.com"} | fields}])


def test_the_current_context_says_where_and_who(use: Any) -> None:
    use(config())
    access = find_access(None)
    assert (access.server.url, access.namespace) == ("https://c.example.com:6443", "ml")
    assert access.identify().headers() == [("Authorization", "Bearer hush")]


def test_a_context_without_a_namespace_means_default(use: Any) -> None:
    use(config(contexts=[{"name": "main", "context": {"cluster": "c", "user": "u"}}]))
    assert find_access("main").namespace == "default"


def test_of_several_files_the_first_that_names_something_counts(use: Any) -> None:
    other = config(
        clusters=[
            {"name": "c", "cluster": {"server": "https://other"}},
            {"name": "d", "cluster": {"server": "https://d"}},
        ],
        contexts=[{"name": "second", "context": {"cluster": "d", "user": "u"}}],
    )
    use(config(**{"current-context": ""}), other)
    assert context_names() == ["main", "second"]
    assert find_access(None).server.url == "https://c.example.com:6443"
    assert find_access("second").server.url == "https://d"


def test_paths_are_relative_to_their_file(use: Any) -> None:
    directory = use(user(tokenFile="token"))
    (directory / "0" / "token").write_text("hush\n")
    assert find_access(None).identify().headers() == [("Authorization", "Bearer hush")]


def test_a_token_file_is_read_again_each_time_for_tokens_expire(use: Any) -> None:
    token = use(user(tokenFile="token")) / "0" / "token"
    token.write_text("one")
    access = find_access(None)
    assert access.identify().token == "one"
    token.write_text("two")
    assert access.identify().token == "two"


def test_certificates_come_from_data_or_files(use: Any) -> None:
    data = base64.b64encode(PEM.encode()).decode()
    directory = use(user(**{"client-certificate-data": data, "client-key": "key.pem"}))
    (directory / "0" / "key.pem").write_text("key")
    assert find_access(None).identify().certificate == (PEM, "key")


def test_what_a_cluster_says_of_its_certificate_and_proxy(use: Any) -> None:
    use(cluster(**{"insecure-skip-tls-verify": True, "tls-server-name": "api", "proxy-url": "http://127.0.0.1:9"}))
    server = find_access(None).server
    assert (server.verify, server.name, server.proxy) == (False, "api", "http://127.0.0.1:9")


def test_a_password_is_basic_authentication(use: Any) -> None:
    use(user(username="jo", password="hush"))
    assert find_access(None).identify().headers() == [("Authorization", "Basic am86aHVzaA==")]


def test_impersonation_is_asked_for(use: Any) -> None:
    use(user(**{"token": "hush", "as": "jo", "as-groups": ["ops", "ml"], "as-user-extra": {"team": ["a"]}}))
    assert find_access(None).identify().headers()[1:] == [
        ("Impersonate-User", "jo"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Group", "ml"),
        ("Impersonate-Extra-team", "a"),
    ]


@pytest.mark.parametrize("secret", [{"token": "hush"}, {"username": "jo", "password": "hush"}])
def test_no_secret_is_in_what_is_printed_of_it_I10(use: Any, secret: dict[str, str]) -> None:
    use(user(**secret))
    assert find_access(None).identify().headers()
    assert "hush" not in repr(find_access(None)) + repr(find_access(None).identify())


NO_CURRENT = config(**{"current-context": ""})
NO_FILE = cluster(**{"certificate-authority": "/nowhere"})
NO_DATA = cluster(**{"certificate-authority-data": "%"})


@pytest.mark.parametrize(
    ("given", "context", "told"),
    [
        (config(), "mian", "the kubeconfig has no context 'mian'; did you mean main?"),
        (NO_CURRENT, None, "no cluster: the kubeconfig has no current-context; give --context, one of: main"),
        (config(clusters=[]), None, "the kubeconfig's context 'main' names the cluster 'c', which it does not have"),
        (config(users=None), None, "the kubeconfig's context 'main' names the user 'u', which it does not have"),
        (cluster(server=""), None, "the kubeconfig has no server for the context 'main'"),
        (NO_FILE, None, "the kubeconfig's certificate-authority /nowhere cannot be read"),
        (NO_DATA, None, "the kubeconfig's certificate-authority-data is not base64 of a PEM"),
    ],
)
def test_what_is_missing_is_named(use: Any, given: dict[str, Any], context: str | None, told: str) -> None:
    use(given)
    with pytest.raises(ClusterError) as error:
        find_access(context)
    assert str(error.value) == told


def test_what_is_no_kubeconfig_is_named(use: Any) -> None:
    use({"contexts": "main"})
    with pytest.raises(ClusterError, match="not a kubeconfig: contexts, clusters and users must be lists"):
        find_access(None)


def test_an_auth_provider_says_what_to_use_instead(use: Any) -> None:
    use(user(**{"auth-provider": {"name": "gcp"}}))
    with pytest.raises(ClusterError, match="use exec"):
        find_access(None).identify()


def test_in_a_pod_the_service_account_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    monkeypatch.setattr("serinus.cli.cluster.access._POD", tmp_path)
    for name, text in {"token": "hush\n", "ca.crt": PEM, "namespace": "ml\n"}.items():
        (tmp_path / name).write_text(text)
    access = find_access(None)
    assert (access.server.url, access.server.authority, access.namespace) == ("https://[fd00::1]:6443", PEM, "ml")
    assert access.identify().headers() == [("Authorization", "Bearer hush")]
