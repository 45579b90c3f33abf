"""What the schema has and this version cannot do yet: refused by name, never ignored."""

from collections.abc import Iterator

from serinus.api.canarydeployment import CanaryDeploymentSpec
from serinus.api.policy import CanaryPolicySpec


def unsupported(spec: CanaryDeploymentSpec, policy: CanaryPolicySpec) -> tuple[str, ...]:
    """What a spec, and the policy that it is judged by, ask for and only a later version will honour.

    A line for each field: its path, which begins with the name of the policy where that is an object of its own, and
    what this version does instead.
    """
    policy_path = f"CanaryPolicy/{spec.policy_ref.name}: spec" if spec.policy_ref else "spec.policy"
    lacking = (*_of_spec(spec), *_of_policy(policy, policy_path))
    return tuple(f"{field}: not available in this version, where {instead}" for field, instead in lacking)


def _of_spec(spec: CanaryDeploymentSpec) -> Iterator[tuple[str, str]]:
    asked = {
        "spec.workloads": (spec.workloads, "workloads are not watched"),
        "spec.author": (spec.author, "nobody is notified"),
        "spec.traffic.cohort": (spec.traffic.cohort, "every request is split anew"),
        "spec.traffic.audience": (spec.traffic.audience, "every request may reach the canary"),
        "spec.traffic.virtualServices": (
            len(spec.traffic.virtual_services) > 1,
            "only one VirtualService can be moved",
        ),
        "spec.warmUp.requests": (spec.warm_up and spec.warm_up.requests, "no requests are sent to warm up"),
        "spec.prometheus.secretRef": (
            spec.prometheus and spec.prometheus.secret_ref,
            "Prometheus is read without credentials",
        ),
        "spec.deadline": (spec.deadline, "steps have no deadline"),
        "spec.whenUndecided": (spec.when_undecided != "hold", "an undecided step is held"),
        "spec.hooks": (spec.hooks, "hooks are not called"),
        "spec.notify": (spec.notify, "nobody is notified"),
    }
    for field, (is_asked, instead) in asked.items():
        if is_asked:
            yield field, instead
    for index, step in enumerate(spec.ladder):
        if step.gate:
            yield f"spec.ladder[{index}].gate", "steps do not wait for an approval"


def _of_policy(policy: CanaryPolicySpec, path: str) -> Iterator[tuple[str, str]]:
    if policy.promote_on != "proven":
        yield f"{path}.promoteOn", "a canary is promoted only when it is proven"
    for index, metric in enumerate(policy.metrics):
        if metric.effective_kind != "proportion":
            yield f"{path}.metrics[{index}]", f"a {metric.effective_kind} cannot be judged, only a proportion"
        elif metric.query:
            yield f"{path}.metrics[{index}].query", "only templates can be measured"
