"""What the image is made of, and how its program runs."""

import re
import tomllib
from pathlib import Path

from lab.stack.workload import REPOSITORY
from tests.deploy.manifests import DEPLOY

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]


def test_what_builds_the_image_does_not_end_up_in_it() -> None:
    *builders, last = STAGES
    assert len(builders) == 1
    assert re.findall(r"^(?:COPY|ADD|RUN) .*", last, flags=re.MULTILINE) == [
        "COPY --from=build /opt/serinus /opt/serinus"
    ]


def test_it_runs_as_a_user_whose_number_says_that_it_is_not_root() -> None:
    """A name would not do: where a pod says runAsNonRoot, the kubelet must see that it is none."""
    (user,) = re.findall(r"^USER (\S+)$", STAGES[-1], flags=re.MULTILINE)
    assert all(int(number) >= 10000 for number in user.split(":"))


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    sent = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copies = re.findall(r"^COPY (?!--)(.*) \S+$", STAGES[0], flags=re.MULTILINE)
    copied = {path for line in copies for path in line.split()}
    assert copied == sent
    assert [path for path in copied if not Path(REPOSITORY / path).exists()] == []


def test_its_extras_exist() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r"'\.\[([^]]+)\]'", DOCKERFILE)
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    assert "serinus" in project["scripts"]
    assert 'ENTRYPOINT ["/opt/serinus/bin/serinus"]' in STAGES[-1]
