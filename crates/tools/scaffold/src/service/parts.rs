//! What a new service may be without, and the files that belong to it alone.
//!
//! Passages of files that stay are between two comments, see [`super::passages`]; passages of Rust are
//! behind a feature of cargo, see [`super::features`].

use clap::ValueEnum;

/// A part of the template that a service can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The sample resource
    Items,
    /// The FastAPI counterpart, and all that compares with it
    PythonLegacy,
    /// Standing before an old service, operation by operation
    Strangler,
    /// The second database
    Sqlite,
}

/// Molt's own: its benchmarks and trials, its guides, and its libraries and tools, on which a service
/// depends.
pub(super) const OWN: [&str; 16] = [
    ".ci/containers.sh",
    ".ci/imports.py",
    ".ci/libraries.sh",
    ".ci/words.sh",
    "crates/bridge",
    "crates/libs",
    "crates/tools",
    "crates/api/tests/it/memory.rs",
    "crates/api/tests/it/parity/generated",
    "docs/bridge.md",
    "docs/guide.md",
    "docs/include.py",
    "python-legacy/app/imports.py",
    "python-legacy/tests/test_imports.py",
    ".github/ISSUE_TEMPLATE/difference.yml",
    ".github/workflows/contract.yml",
];

impl Part {
    pub(super) const ALL: [Self; 4] =
        [Self::Items, Self::PythonLegacy, Self::Strangler, Self::Sqlite];

    /// The name on the command line and in the comments around passages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::PythonLegacy => "python-legacy",
            Self::Strangler => "strangler",
            Self::Sqlite => "sqlite",
        }
    }

    /// The feature of cargo behind which its Rust is.
    pub(super) const fn feature(self) -> Option<&'static str> {
        match self {
            Self::Strangler => Some("strangler"),
            Self::Sqlite => Some("sqlite"),
            Self::Items | Self::PythonLegacy => None,
        }
    }

    /// Files, and folders with all that is in them.
    pub(super) const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Items => &[
                "crates/domain/src/items.rs",
                "crates/storage-postgres/src/items.rs",
                "crates/storage-sqlite/src/items.rs",
                "crates/storage-sqlite/src/callers.rs",
                "crates/storage/tests/suite/items.rs",
                "crates/storage/tests/suite/limits.rs",
                "crates/storage/tests/suite/schema_change.rs",
                "crates/storage/tests/suite/transactions.rs",
                "crates/api/src/routes/items.rs",
                "crates/api/src/tasks/items.rs",
                "crates/api/tests/it/disconnects.rs",
                "migrations/postgres/0002_item_lists.sql",
                "migrations/sqlite/0002_item_lists.sql",
                "openapi/cases/items.yaml",
                "openapi/cases/json.yaml",
                "openapi/cases/routing.yaml",
                "python-legacy/app/routes/items.py",
                "python-legacy/app/tasks/items.py",
                "python-legacy/app/migrations/versions/0002_item_lists.py",
                "python-legacy/tests/test_item_tasks.py",
                "python-legacy/tests/test_items.py",
            ],
            Self::PythonLegacy => &[
                "python-legacy",
                "openapi/ledger.yaml",
                "openapi/ledger.schema.json",
                "crates/api/tests/templates.rs",
                "crates/api/tests/it/disconnects.rs",
                "crates/api/tests/it/parity",
                "k8s/components/legacy",
                "k8s/components/strangler",
                "k8s/overlays/legacy",
                "k8s/overlays/shadow-prepare",
                "k8s/overlays/shadow",
                "k8s/overlays/canary-prepare",
                "k8s/overlays/canary",
                "k8s/overlays/standby",
            ],
            Self::Strangler => &[
                "crates/api/src/config/legacy.rs",
                "crates/api/src/strangler.rs",
                "crates/api/tests/it/parity/rehearsals.rs",
                "crates/api/tests/it/strangler.rs",
                "k8s/components/strangler",
                "k8s/overlays/shadow-prepare",
                "k8s/overlays/shadow",
            ],
            Self::Sqlite => {
                &["crates/storage-sqlite", "crates/api/image-check.sh", "migrations/sqlite"]
            }
        }
    }
}
