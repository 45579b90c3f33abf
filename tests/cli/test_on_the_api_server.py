"""The commands that ask a cluster, run as programs against a real API server, by people with different rights."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.stack import Lab
from lab.stack.workload import REPOSITORY
from lab.waiting import wait_until
from serinus.api import Phase
from tests.cli.objects import Manifest, ended, manifest, progressing, stalled
from tests.cli.program import TIMEOUT, Cluster, Done, without_clock

pytestmark = pytest.mark.api_server

NAMESPACE = "commands"
REASON = "--reason=the users call us"
GRANT = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: on-call, namespace: {NAMESPACE}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: serinus-override}}
subjects: [{{kind: User, name: jo, apiGroup: rbac.authorization.k8s.io}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: looks, namespace: {NAMESPACE}}}
rules: [{{apiGroups: [serinus.io], resources: [canarydeployments], verbs: [get, list, watch]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: looks, namespace: {NAMESPACE}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: looks}}
subjects: [{{kind: User, name: max, apiGroup: rbac.authorization.k8s.io}}]
"""


@pytest.fixture(scope="module")
def cluster(api_server: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three releases: one under way, one rolled back, one stalled. Jo may look and override, Max may look."""
    api_server.apply(REPOSITORY / "deploy" / "base")
    api_server.kubectl("create", "namespace", NAMESPACE)
    cluster = Cluster(api_server, NAMESPACE, tmp_path_factory.mktemp("commands"))
    api_server.apply(GRANT)
    cluster.create(progressing(manifest("checkout")))
    cluster.create(ended(manifest("predictor"), Phase.ROLLED_BACK))
    cluster.create(stalled(manifest("search")))
    yield cluster
    api_server.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def refused(done: Done) -> str:
    """The one line that a command was refused with, for wrong input."""
    assert (done.code, done.out) == (2, ""), done
    assert done.err.count("\n") == 1, done.err
    return done.err.strip()


# Looking


def test_list_shows_every_canary_in_a_line_R31(cluster: Cluster) -> None:
    done = cluster.run("list", user="max")
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["NAME", "PHASE", "STEP", "WEIGHT", "VERDICT", "NEXT", "AGE", "REASON"]
    assert [line[:5] for line in lines[1:]] == [
        ["checkout", "Progressing", "3/5", "25", "hold"],
        ["predictor", "RolledBack", "3/5", "0", "rollback"],
        ["search", "Stalled", "-", "0", "-"],
    ]


def test_list_shows_those_that_are_named(cluster: Cluster) -> None:
    done = cluster.run("list", "search", "checkout")
    assert [line.split()[0] for line in done.out.splitlines()] == ["NAME", "checkout", "search"]


def test_list_of_all_namespaces_names_them(cluster: Cluster) -> None:
    rows = [line.split()[:2] for line in cluster.run("list", "-A").out.splitlines()]
    assert ["commands", "checkout"] in rows


def test_list_as_json_is_an_object_a_line_and_as_yaml_a_document_each(cluster: Cluster) -> None:
    objects = [json.loads(line) for line in cluster.run("list", "-o", "json").out.splitlines()]
    assert [each["metadata"]["name"] for each in objects] == ["checkout", "predictor", "search"]
    assert "managedFields" not in objects[0]["metadata"]
    assert list(yaml.safe_load_all(cluster.run("list", "-o", "yaml").out)) == objects


def test_an_empty_namespace_is_said_to_be_empty(cluster: Cluster) -> None:
    done = cluster.run("list", "-n", "kube-public")
    assert (done.code, done.out, done.err) == (0, "", "No CanaryDeployments in the namespace kube-public.\n")


def test_status_on_a_terminal_of_80_columns_R21(cluster: Cluster) -> None:
    shown = cluster.show("status", "checkout", "--no-color")
    assert max(map(len, shown.splitlines())) <= 80
    assert without_clock(shown).startswith(
        """\
commands/checkout  version=v1 → version=v2
Progressing, begun 64 min ago, step 3 of 5, 25 % intended, 24.8 % observed of
18212 requests
1 ✓ ── 5 ✓ ── 25 ● ── 50 (gate) ── 100

METRIC       CANARY  STABLE  DIFFERENCE       VERDICT
latency p99  212 ms  180 ms  +32 ms  +17.8 %  undecided
"""
    )


def test_colours_are_for_terminals_that_want_them(cluster: Cluster) -> None:
    assert "\x1b[" in cluster.show("status", "checkout")
    assert "\x1b[" not in cluster.show("status", "checkout", "--no-color")
    assert "\x1b[" not in cluster.show("status", "checkout", NO_COLOR="1")
    assert "\x1b[" not in cluster.run("status", "checkout").out


def test_an_output_that_knows_only_ascii_ends_no_command(cluster: Cluster) -> None:
    process = cluster.start("status", "checkout", PYTHONIOENCODING="ascii")
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (0, "")
    assert "1 done, 5 done, 25 now, 50 (gate), 100" in out


def test_report_in_all_its_forms(cluster: Cluster) -> None:
    assert "\nANOTHER VERDICT\nlatency p99: 38 ms worse would have" in cluster.run("report", "checkout").out
    assert cluster.run("report", "checkout", "-o", "markdown").out.startswith("# commands/checkout: version=v1")
    report = json.loads(cluster.run("report", "checkout", "-o", "json").out)
    assert report["comparison"][0]["betterBy"] == 5
    assert report["plan"]["ladder"][2] == {"weight": 25, "window": "30m"}
    assert yaml.safe_load(cluster.run("report", "checkout", "-o", "yaml").out) == report


def test_status_goes_on_until_the_rollout_has_ended(cluster: Cluster) -> None:
    cluster.create(progressing(manifest("watched")))
    process = cluster.start("status", "watched", "--watch")
    assert process.stdout is not None
    first = process.stdout.readline()
    cluster.write_status("watched", ended(manifest("watched"), Phase.PROMOTED)["status"])
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (0, "")
    assert first == "commands/watched  version=v1 → version=v2\n"
    assert "promoted: version=v2 has all of the traffic" in out


def test_status_on_a_terminal_changes_in_place(cluster: Cluster) -> None:
    cluster.create(ended(manifest("live"), Phase.PROMOTED))
    shown = cluster.show("status", "live", "--watch")
    assert "promote (LadderCompleted): promoted: version=v2 has all of the traffic" in shown


# Bad input


@pytest.mark.parametrize("words", [("status",), ("report",), ("wait",), ("rollback", REASON), ("list",)])
def test_an_unknown_name_is_answered_with_the_nearest(cluster: Cluster, words: tuple[str, ...]) -> None:
    told = refused(cluster.run(*words, "chekout"))
    assert told == "Error: there is no CanaryDeployment 'chekout' in the namespace commands; did you mean checkout?"


LOOKS = [("list",), ("status", "checkout"), ("status", "checkout", "-w"), ("report", "checkout"), ("wait", "checkout")]
ORDERS = [(action, "checkout", REASON) for action in ("promote", "rollback", "hold", "resume", "approve")]


@pytest.mark.parametrize("words", [*LOOKS, *ORDERS], ids=" ".join)
def test_no_permission_says_who_lacks_which(cluster: Cluster, words: tuple[str, ...]) -> None:
    told = refused(cluster.run(*words, user="passer-by"))
    verb = "list" if words == ("list",) else "get"
    assert f'User "passer-by" cannot {verb} resource "canarydeployments"' in told


def test_doctor_without_permission_says_what_cannot_be_read(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "canary.yaml"
    file.write_text(yaml.safe_dump(manifest("checkout", cluster.namespace)))
    told = refused(cluster.run("doctor", "-f", str(file), user="passer-by"))
    assert 'User "passer-by" cannot' in told


def test_who_may_look_may_not_override_R27(cluster: Cluster) -> None:
    assert 'cannot create resource "canaryoverrides"' in refused(cluster.run("hold", "checkout", REASON, user="max"))


def test_a_cluster_that_is_not_there_is_one_line(cluster: Cluster) -> None:
    config = cluster.kubeconfig()
    broken = yaml.safe_load(config.read_text())
    broken["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    config.write_text(yaml.safe_dump(broken))
    told = refused(cluster.run("list", KUBECONFIG=str(config)))
    assert told == (
        "Error: the API server https://127.0.0.1:9 (context 'lab') is not there: Connection refused; "
        "is the cluster up, and the context right?"
    )


def test_a_context_that_is_not_there_is_answered_with_the_nearest(cluster: Cluster) -> None:
    assert refused(cluster.run("list", "--context=lob")).endswith("no context 'lob'; did you mean lab?")


def test_no_kubeconfig_is_one_line(cluster: Cluster) -> None:
    assert "there is no kubeconfig" in refused(cluster.run("list", KUBECONFIG="/nowhere/at/all"))


def test_a_kubeconfig_that_is_no_yaml_is_named_by_line_and_column_without_its_secrets_I10(
    cluster: Cluster, tmp_path: Path
) -> None:
    broken = tmp_path / "config"
    broken.write_text("apiVersion: v1\nusers: [{name: x, user: {token: hush\n")
    told = refused(cluster.run("list", KUBECONFIG=str(broken)))
    assert told == f"Error: {broken} line 3, column 1: not a YAML document"


def test_a_token_that_is_not_known_says_to_sign_in(cluster: Cluster) -> None:
    config = cluster.kubeconfig(token="hush")
    told = refused(cluster.run("list", KUBECONFIG=str(config)))
    assert told == "Error: the API server does not know you (context 'lab'): sign in again"


def test_a_certificate_of_another_authority_is_not_trusted(cluster: Cluster) -> None:
    config = cluster.kubeconfig()
    other = yaml.safe_load(config.read_text())
    del other["clusters"][0]["cluster"]["certificate-authority"]
    config.write_text(yaml.safe_dump(other))
    assert "cannot be trusted" in refused(cluster.run("list", KUBECONFIG=str(config)))


@pytest.mark.parametrize("words", [("promote", "checkout"), ("status",), ("promote", "checkout", REASON, "--to=50")])
def test_wrong_usage_is_exit_code_2(cluster: Cluster, words: tuple[str, ...]) -> None:
    done = cluster.run(*words)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_is_one_word_and_exit_code_130(cluster: Cluster) -> None:
    process = cluster.start("wait", "checkout")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (130, "Interrupted.\n")


def test_a_reader_that_has_seen_enough_is_no_error(cluster: Cluster) -> None:
    process = cluster.start("status", "checkout", "--watch")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    cluster.write_status("checkout", progressing(manifest("checkout"), observed_share=24.9)["status"])
    process.wait(TIMEOUT)
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://jo:hush@127.0.0.1:9"])
def test_a_proxy_that_does_not_serve_is_one_line_without_its_password_I10(cluster: Cluster, proxy: str) -> None:
    told = refused(cluster.run("list", HTTPS_PROXY=proxy, NO_PROXY=""))
    assert "proxy" in told
    assert "hush" not in told


# Who one is


def test_an_exec_plugin_is_asked_as_kubectl_asks_it(cluster: Cluster, tmp_path: Path) -> None:
    token = yaml.safe_load(cluster.lab.kubeconfig.read_text())["users"][0]["user"]["token"]
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/asked\n'
        'echo "{\\"apiVersion\\": \\"client.authentication.k8s.io/v1\\", \\"kind\\": \\"ExecCredential\\",'
        ' \\"status\\": {\\"token\\": \\"$TOKEN\\"}}"\n'
    )
    plugin.chmod(0o700)
    asks = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "provideClusterInfo": True}
    config = cluster.kubeconfig(exec={**asks, "command": str(plugin), "env": [{"name": "TOKEN", "value": token}]})
    assert cluster.run("list", KUBECONFIG=str(config)).code == 0
    asked = json.loads((tmp_path / "asked").read_text())
    assert asked["kind"] == "ExecCredential"
    assert asked["spec"]["cluster"]["server"] == cluster.lab.api_url


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        ({"command": "no-such-plugin", "installHint": "pip install it"}, "is not there: pip install it"),
        ({"command": "false"}, "failed with exit code 1"),
        ({"command": "echo", "args": ["hush"]}, "printed no ExecCredential"),
    ],
)
def test_an_exec_plugin_that_does_not_work_is_named_and_its_output_is_not_I10(
    cluster: Cluster, plugin: Manifest, told: str
) -> None:
    config = cluster.kubeconfig(exec={"apiVersion": "client.authentication.k8s.io/v1", **plugin})
    line = refused(cluster.run("list", KUBECONFIG=str(config)))
    assert told in line
    assert "hush" not in line


def test_a_token_that_has_expired_is_asked_for_anew(cluster: Cluster, tmp_path: Path) -> None:
    token = yaml.safe_load(cluster.lab.kubeconfig.read_text())["users"][0]["user"]["token"]
    plugin = tmp_path / "plugin"
    plugin.write_text(
        f"#!/bin/sh\necho >> {tmp_path}/asked\n[ $(wc -l < {tmp_path}/asked) = 1 ] && TOKEN=old\n"
        'echo "{\\"status\\": {\\"token\\": \\"$TOKEN\\"}}"\n'
    )
    plugin.chmod(0o700)
    config = cluster.kubeconfig(exec={"command": str(plugin), "env": [{"name": "TOKEN", "value": token}]})
    assert cluster.run("list", KUBECONFIG=str(config)).code == 0
    assert (tmp_path / "asked").read_text() == "\n\n"


# Overriding


@pytest.fixture
def operator(cluster: Cluster) -> Iterator[list[Manifest]]:
    """Somebody who answers the first override that there is, as an operator would; the overrides that were seen."""
    seen: list[Manifest] = []
    stop = threading.Event()
    known = {each["metadata"]["name"] for each in overrides(cluster)}

    def answer() -> None:
        while not stop.wait(0.05):
            for each in overrides(cluster):
                if each["metadata"]["name"] not in known:
                    known.add(each["metadata"]["name"])
                    seen.append(each)
                    is_refused = each["spec"]["action"] == "resume"
                    told: Manifest = {
                        "outcome": "Refused" if is_refused else "Applied",
                        "message": "nobody holds the rollout" if is_refused else "done: step 4 of 5 by order",
                        "time": "2026-11-21T14:10:00Z",
                    }
                    cluster.write_status(
                        each["metadata"]["name"],
                        told if is_refused else {**told, "record": "checkout-0a1b2c3d/4"},
                        "canaryoverride",
                    )

    thread = threading.Thread(target=answer)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def overrides(cluster: Cluster) -> list[Manifest]:
    listed = cluster.lab.kubectl("get", "canaryoverrides", f"--namespace={NAMESPACE}", "--output=json")
    found: list[Manifest] = json.loads(listed)["items"]
    return found


def test_an_override_is_signed_by_whom_the_api_server_knows_and_meant_for_this_rollout_R27(
    cluster: Cluster, operator: list[Manifest]
) -> None:
    done = cluster.run("promote", "checkout", "--to", "100", REASON, user="jo")
    assert (done.code, done.err) == (0, "")
    assert done.out == "commands/checkout: Applied: done: step 4 of 5 by order (record checkout-0a1b2c3d/4)\n"
    assert operator[0]["spec"] == {
        "target": "checkout",
        "rollout": "checkout-0a1b2c3d",
        "action": "promote",
        "to": 100,
        "reason": "the users call us",
        "requestedBy": "jo",
    }


@pytest.mark.parametrize("action", ["promote", "rollback", "hold", "approve"])
def test_each_override_is_a_command_R27(cluster: Cluster, operator: list[Manifest], action: str) -> None:
    assert cluster.run(action, "checkout", REASON).code == 0
    assert operator[0]["spec"]["action"] == action


def test_a_refused_override_is_exit_code_1_with_the_operators_words(cluster: Cluster, operator: list[Manifest]) -> None:
    done = cluster.run("resume", "checkout", REASON)
    assert (done.code, done.out) == (1, "commands/checkout: Refused: nobody holds the rollout\n")


def test_an_override_that_nobody_answers_is_exit_code_1(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serinus.cli.override._PATIENCE", 0.0)
    done = cluster.run("hold", "checkout", REASON)
    assert done.code == 1
    assert done.out.startswith("no answer yet from the operator: is it running? What comes of it: kubectl get")


def test_a_placeholder_is_no_reason_R27(cluster: Cluster) -> None:
    wait_until(
        lambda: "spec.reason: must say why" in cluster.run("hold", "checkout", "--reason=todo").err,
        "the admission policy to rule",
    )
    assert "spec.reason: must say why" in refused(cluster.run("hold", "checkout", "--reason=because I said so"))


def test_what_has_had_no_rollout_cannot_be_overridden(cluster: Cluster) -> None:
    told = refused(cluster.run("rollback", "search", REASON))
    assert told == "Error: commands/search has had no rollout yet: there is nothing to rollback"


# Waiting, in a pipeline (R30)


def test_wait_ends_with_0_when_it_is_promoted_R30(cluster: Cluster) -> None:
    cluster.create(progressing(manifest("good")))
    process = cluster.start("wait", "good")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("commands/good: Progressing, step 3/5, 25 % (Undecided): latency p99")
    cluster.write_status("good", ended(manifest("good"), Phase.PROMOTED)["status"])
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("commands/good: Promoted, step 3/5, 100 % (LadderCompleted): promoted")


@pytest.mark.parametrize("phase", [Phase.ROLLED_BACK, Phase.FAILED])
def test_wait_ends_with_1_when_it_is_not_R30(cluster: Cluster, phase: Phase) -> None:
    name = f"bad-{phase.value.lower()}"
    cluster.create(progressing(manifest(name)))
    process = cluster.start("wait", name)
    assert process.stdout is not None
    process.stdout.readline()
    cluster.write_status(name, ended(manifest(name), phase)["status"])
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (1, "")
    assert out.startswith(f"commands/{name}: {phase.value}")


def test_wait_does_not_take_the_end_of_the_release_before_for_this_ones_R30(cluster: Cluster) -> None:
    """A pipeline applies and waits: the status still says Promoted, of what was there before."""
    cluster.create(ended(manifest("again"), Phase.PROMOTED))
    changed = manifest("again", canary={"subset": "canary", "labels": {"version": "v3"}})
    cluster.create(changed)
    process = cluster.start("wait", "again")
    assert process.stdout is not None
    process.stdout.readline()
    after = ended(changed, Phase.ROLLED_BACK, observed_generation=2)
    cluster.write_status("again", after["status"])
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1


def test_wait_gives_up_when_the_time_is_up(cluster: Cluster) -> None:
    cluster.create(progressing(manifest("slow")))
    done = cluster.run("wait", "slow", "--timeout=1s")
    assert done.code == 1
    assert done.out.splitlines()[-1] == "commands/slow is not promoted: the time is up; the rollout goes on"


def test_wait_ends_when_the_canary_is_deleted(cluster: Cluster) -> None:
    cluster.create(progressing(manifest("leaving")))
    process = cluster.start("wait", "leaving")
    assert process.stdout is not None
    process.stdout.readline()
    cluster.lab.kubectl("delete", "canarydeployment", "leaving", f"--namespace={NAMESPACE}")
    out, _ = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (1, "commands/leaving is not promoted: it was deleted\n")


def test_wait_needs_a_duration_that_is_one(cluster: Cluster) -> None:
    done = cluster.run("wait", "checkout", "--timeout=soon")
    assert done.code == 2
    assert "'soon' is not a duration such as 15s, 15m, 1h30m or 50ms" in done.err


# Completing


def test_kubectl_completes_commands_and_names(cluster: Cluster) -> None:
    assert complete(cluster, "rep") == ["replay", "report"]
    assert complete(cluster, "status", "che") == ["checkout"]
    assert complete(cluster, "status", "--context", "") == ["lab"]


def complete(cluster: Cluster, *words: str) -> list[str]:
    code = f"import sys; sys.argv = ['x', *{words!r}]; from serinus.cli.completion import kubectl; kubectl()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=cluster.environment(), capture_output=True, text=True, check=False
    )
    *found, directive = done.stdout.splitlines()
    assert directive == ":4"
    return sorted(line.split("\t")[0] for line in found)
