"""`python -m lab`: start the local stack, build its programs, or run the demonstration."""

import argparse
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from lab.errors import LabError
from lab.programs import provide
from lab.programs.parts import MESH_PARTS
from lab.progress import Progress
from lab.stack import Lab


def up() -> int:
    """Start the lab with two versions of the predictor; stay until Ctrl-C or SIGTERM."""
    progress = Progress()
    with Lab(progress=progress) as lab:
        service = lab.add_service("predictor")
        for version in ("v1", "v2"):
            lab.run_workload(service.name, version)
        print(
            f"\nThe lab is up: {service.name} v1 (all traffic) and v2 (none).\n\n"
            f"  export KUBECONFIG={lab.kubeconfig}\n"
            f"  kubectl     {lab.kubectl.program}\n"
            f"  gateway     {lab.gateway_url}\n"
            f"  Prometheus  {lab.prometheus_url}\n"
            f"  logs        {lab.logs}\n\n"
            "Try:\n"
            f"  curl -s {lab.gateway_url}/predict -H 'content-type: application/json' \\\n"
            """    -d '{"text": "what a great day"}'\n\n"""
            "Ctrl-C ends it and removes everything.",
            flush=True,
        )
        threading.Event().wait()
    return 0


def build() -> int:
    """Build what is nowhere to be found."""
    for part, path in provide(MESH_PARTS, Progress()).paths.items():
        print(f"{part.name:<16}{path}")
    return 0


def demo() -> int:
    """Run the demonstration."""
    from lab.demo.play import main  # noqa: PLC0415  (`build` must run before its packages are needed)

    return main()


def main() -> int:
    """Run one command; 0 when it ended well, 1 with a message when it could not, 130 after Ctrl-C."""
    commands = {"up": up, "build": build, "demo": demo}
    parser = argparse.ArgumentParser(
        prog="python -m lab", description="A real Istio mesh on this machine: no containers, no root."
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, function in commands.items():
        text = (function.__doc__ or "").partition("\n")[0]
        subparsers.add_parser(name, help=text.rstrip("."), description=text)
    command = commands[parser.parse_args().command]
    # A shell that starts this in the background may have it ignore Ctrl-C; the lab must end all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return command()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End as an exception does, so that everything that was started is stopped."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
