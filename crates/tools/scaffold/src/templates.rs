//! The texts that are filled in.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

macro_rules! embedded {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../templates/", $name, ".j2")))),*]
    };
}

const TEMPLATES: [(&str, &str); 51] = embedded!(
    "draft/Dockerfile" "draft/README.md" "draft/callers.rs" "draft/rows.rs" "draft/dependencies.rs"
    "draft/layers.rs" "draft/Cargo.toml" "draft/cases.yaml" "draft/clippy.toml" "draft/document.rs"
    "draft/lib.rs" "draft/main.rs" "draft/models.rs" "draft/plan.yaml" "draft/routes.rs"
    "resource/callers.rs" "resource/cases.yaml" "resource/domain.rs" "resource/fields.py"
    "resource/fields.rs" "resource/migration.py"
    "resource/migration.sql" "resource/model.py" "resource/named.rs" "resource/numeric.py" "resource/numeric.rs"
    "resource/postgres.rs" "resource/routes.py" "resource/routes.rs" "resource/schemas.py"
    "resource/secret.rs" "resource/sqlite.rs" "resource/stub.rs" "resource/suite.rs"
    "resource/test.py" "resource/unknown.rs"
    "service/CHANGELOG.md" "service/CONTRIBUTING.md" "service/Makefile" "service/README.md"
    "service/ci-run" "service/compose.yaml" "service/k8s.md" "service/ledger.yaml"
    "service/requirements.txt" "service/tool-contract.rs" "service/tool-k8s-check.rs"
    "service/tool-scaffold.rs" "service/tool-testbed.rs" "service/tools-test.rs" "service/tools.toml"
);

pub(crate) fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("wrapped", |all: Vec<String>, indent: usize| wrapped(&all, indent));
    environment.add_filter("rust_text", rust_text);
    environment.add_filter("yaml_text", |text: &str| yaml_text(text));
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// A text as a literal of Rust.
pub(crate) fn rust_text(text: &str) -> String {
    format!("{text:?}")
}

/// A text as YAML, in quotes if it could be taken for something else.
pub(crate) fn yaml_text(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// A list with commas, in lines of the usual width.
fn wrapped(all: &[String], indent: usize) -> String {
    let mut text = String::new();
    let mut width = indent;
    for (index, one) in all.iter().enumerate() {
        let comma = if index + 1 < all.len() { "," } else { "" };
        if width + one.len() + 2 > 100 && index > 0 {
            text += &format!("\n{}", " ".repeat(indent));
            width = indent;
        } else if index > 0 {
            text.push(' ');
        }
        text += &format!("{one}{comma}");
        width += one.len() + 2;
    }
    text
}
