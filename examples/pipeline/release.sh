#!/bin/sh
# The last step of a pipeline, for whoever releases from one: ask what would stand in the way, apply, and wait.
# Usage: TAG=v2 SERVING=v1 release.sh. Ends with 0: promoted; 1: rolled back, stalled or not in time; 2: wrong input.
# Its account needs what docs/commands.md lists for doctor and wait, and to create and patch CanaryDeployments.
set -eu
manifest=$(mktemp)
trap 'rm -f "$manifest"' EXIT
sed -e "s/TAG/$TAG/" -e "s/SERVING/$SERVING/" "$(dirname "$0")/release.yaml" >"$manifest"

kubectl canary doctor -f "$manifest"            # an error here costs a minute, after the start it would cost a rollout
kubectl apply -f "$manifest"
kubectl canary wait predictor -n demo --timeout 5h   # four steps of an hour at most, and an hour to become ready
