//! The name of the new service, in every form in which Molt's stands in the tree.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToTitleCase};

#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `parcel-service`: the program, the image, the database, the namespace.
    pub(super) kebab: String,
    /// `parcel_service`, within identifiers.
    snake: String,
    /// `PARCEL_SERVICE`, within environment variables.
    shouty: String,
    /// `Parcel Service`, for people.
    pub(super) title: String,
}

/// Crates of the tree, and words that its files use for other things.
const TAKEN: [&str; 15] = [
    "api",
    "contract",
    "core",
    "domain",
    "fastapi-compat",
    "legacy",
    "molt",
    "rust",
    "scaffold",
    "service",
    "std",
    "storage",
    "strangler",
    "testbed",
    "tools",
];

impl Names {
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || !name.split('-').all(is_part) || name.len() > 40 {
            return Err(format!(
                "`{name}`: a service is called with a-z, 0-9 and single hyphens, like `parcel-service`"
            ));
        }
        if TAKEN.contains(&name) {
            return Err(format!("`{name}` means something else in this tree"));
        }
        Ok(Self {
            kebab: name.to_owned(),
            snake: name.to_snake_case(),
            shouty: name.to_shouty_snake_case(),
            title: name.to_title_case(),
        })
    }

    /// A text or a path with this name instead of Molt's.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut renamed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.to_ascii_lowercase().find("molt") {
            let (before, from) = rest.split_at(at);
            let (found, after) = from.split_at(4);
            renamed.push_str(before);
            // A part of an identifier has no hyphens; `/_molt` is where the strangler has its page.
            let joins = before.ends_with('_') || after.starts_with('_');
            renamed.push_str(match found {
                _ if before.ends_with("/_") => found,
                "molt" if joins => &self.snake,
                "molt" => &self.kebab,
                "Molt" => &self.title,
                "MOLT" => &self.shouty,
                other => other,
            });
            rest = after;
        }
        renamed + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_name_has_its_form() {
        let names = Names::new("parcel-service").unwrap();
        for (text, expected) in [
            ("target/debug/molt", "target/debug/parcel-service"),
            ("\"molt_build\"", "\"parcel_service_build\""),
            ("MOLT_BIN and Molt", "PARCEL_SERVICE_BIN and Parcel Service"),
            ("http://localhost:9000/_molt", "http://localhost:9000/_molt"),
            ("k8s/components/molt/service.yaml", "k8s/components/parcel-service/service.yaml"),
        ] {
            assert_eq!(names.put_into(text), expected);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "Parcels", "-a", "a--b", "a_b", "1a", "api"] {
            assert!(Names::new(name).is_err(), "{name}");
        }
    }
}
