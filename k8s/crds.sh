#!/bin/sh
# Downloads the published CustomResourceDefinitions of what the manifests use into a folder, for
# `make k8s-check CRDS=folder`.
set -eu
folder=$1
mkdir -p "$folder"
fetch() { # repository, tag, path
    curl --fail --silent --show-error --location --output "$folder/${3##*/}" \
        "https://raw.githubusercontent.com/$1/$2/$3"
}
fetch cloudnative-pg/cloudnative-pg v1.30.0 config/crd/bases/postgresql.cnpg.io_clusters.yaml
fetch cloudnative-pg/cloudnative-pg v1.30.0 config/crd/bases/postgresql.cnpg.io_scheduledbackups.yaml
fetch cloudnative-pg/plugin-barman-cloud v0.14.0 config/crd/bases/barmancloud.cnpg.io_objectstores.yaml
crds=example/prometheus-operator-crd
fetch prometheus-operator/prometheus-operator v0.93.0 $crds/monitoring.coreos.com_servicemonitors.yaml
fetch prometheus-operator/prometheus-operator v0.93.0 $crds/monitoring.coreos.com_prometheusrules.yaml
fetch kubernetes-sigs/gateway-api v1.6.1 config/crd/standard/gateway.networking.k8s.io_httproutes.yaml
