//! CloudNativePG's `Cluster` and `ScheduledBackup` and its Barman Cloud plugin's `ObjectStore`: the
//! part of their API that the manifests use, in types written by hand, read strictly. No package of
//! current versions has them. A name that is wrong both here and in the manifests passes: only
//! `--crds`, with the published definitions (1.26 and later), shows that.

#![expect(dead_code, reason = "reading them is the check")]

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cluster {
    api_version: String,
    kind: String,
    metadata: serde_json::Value,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    instances: u32,
    image_catalog_ref: Option<ImageCatalogRef>,
    bootstrap: Option<Bootstrap>,
    storage: Storage,
    wal_storage: Option<Storage>,
    resources: Option<Resources>,
    postgresql: Option<Postgresql>,
    affinity: Option<Affinity>,
    monitoring: Option<Monitoring>,
    #[serde(default)]
    plugins: Vec<Plugin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImageCatalogRef {
    api_group: String,
    kind: CatalogKind,
    name: String,
    major: u32,
}

#[derive(Deserialize)]
enum CatalogKind {
    ImageCatalog,
    ClusterImageCatalog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bootstrap {
    initdb: InitDb,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InitDb {
    database: String,
    owner: String,
    encoding: Option<String>,
    locale_collate: Option<String>,
    #[serde(rename = "localeCType")]
    locale_c_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Storage {
    size: String,
    storage_class: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resources {
    requests: BTreeMap<String, String>,
    limits: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Postgresql {
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    synchronous: Option<Synchronous>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Synchronous {
    method: SynchronousMethod,
    number: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SynchronousMethod {
    Any,
    First,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Affinity {
    #[serde(rename = "enablePodAntiAffinity")]
    spread: bool,
    topology_key: Option<String>,
    #[serde(rename = "podAntiAffinityType")]
    strength: Option<Strength>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Strength {
    Preferred,
    Required,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Monitoring {
    enable_pod_monitor: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Plugin {
    name: String,
    #[serde(rename = "isWALArchiver", default)]
    is_wal_archiver: bool,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ObjectStore {
    api_version: String,
    kind: String,
    metadata: serde_json::Value,
    spec: ObjectStoreSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ObjectStoreSpec {
    retention_policy: Option<String>,
    instance_sidecar_configuration: Option<Sidecar>,
    configuration: BarmanObjectStore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    resources: Option<Resources>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BarmanObjectStore {
    destination_path: String,
    s3_credentials: S3Credentials,
    wal: Option<Wal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct S3Credentials {
    access_key_id: KeyOfSecret,
    secret_access_key: KeyOfSecret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyOfSecret {
    name: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wal {
    compression: Compression,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Compression {
    Bzip2,
    Gzip,
    Lz4,
    Snappy,
    Xz,
    Zstd,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScheduledBackup {
    api_version: String,
    kind: String,
    metadata: serde_json::Value,
    spec: ScheduledBackupSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScheduledBackupSpec {
    schedule: String,
    backup_owner_reference: Option<BackupOwner>,
    cluster: Named,
    immediate: Option<bool>,
    method: Option<BackupMethod>,
    plugin_configuration: Option<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum BackupOwner {
    None,
    #[serde(rename = "self")]
    Itself,
    Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum BackupMethod {
    BarmanObjectStore,
    VolumeSnapshot,
    Plugin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}
