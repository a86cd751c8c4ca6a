//! The files that each service has of its own, filled in: the README, the Makefile, the programs of the
//! tools.

use minijinja::context;

use super::files::Files;
use super::names::Names;
use super::parts::Part;
use crate::libraries::Source;
use crate::templates;

/// Where each goes, and the template that it is made from.
const PAGES: [(&str, &str); 15] = [
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("CONTRIBUTING.md", "CONTRIBUTING.md"),
    ("Makefile", "Makefile"),
    ("compose.yaml", "compose.yaml"),
    (".ci/run", "ci-run"),
    ("k8s/README.md", "k8s.md"),
    ("openapi/ledger.yaml", "ledger.yaml"),
    ("crates/tools/Cargo.toml", "tools.toml"),
    ("crates/tools/requirements.txt", "requirements.txt"),
    ("crates/tools/tests/programs.rs", "tools-test.rs"),
    ("crates/tools/src/bin/contract.rs", "tool-contract.rs"),
    ("crates/tools/src/bin/k8s-check.rs", "tool-k8s-check.rs"),
    ("crates/tools/src/bin/scaffold.rs", "tool-scaffold.rs"),
    ("crates/tools/src/bin/testbed.rs", "tool-testbed.rs"),
];

pub(super) fn write(
    files: &mut Files,
    names: &Names,
    without: &[Part],
    source: &Source,
) -> Result<(), minijinja::Error> {
    let templates = templates()?;
    let has = |part| !without.contains(&part);
    let (items, python) = (has(Part::Items), has(Part::PythonLegacy));
    let values = context! {
        name => names.kebab.as_str(),
        title => names.title.as_str(),
        items,
        python,
        strangler => has(Part::Strangler),
        sqlite => has(Part::Sqlite),
        source => source.to_string(),
    };
    for (path, template) in PAGES {
        let is_wanted = match path {
            "crates/tools/requirements.txt" => !python,
            // The sample resource has entries in it.
            "openapi/ledger.yaml" => python && !items,
            _ => true,
        };
        if is_wanted {
            let template = templates.get_template(&format!("service/{template}"))?;
            files.set(path, template.render(&values)?);
        }
    }
    Ok(())
}
