//! serde's `rename_all`.

use crate::attributes::{Item, Namespace, part};
use crate::error::error;

/// How serde's `rename_all` writes the names of fields and variants.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    AsItStands,
    Lower,
    Upper,
    /// Whether the first word is capitalised.
    Joined(bool),
    Separated(char, bool),
}

impl Case {
    pub(crate) fn read(items: &[Item]) -> syn::Result<Self> {
        Self::read_part(items, "deserialize")
    }

    /// The case of `rename_all = "…"`, or of a part of it, `rename_all(serialize = "…")`.
    pub(crate) fn read_part(items: &[Item], name: &str) -> syn::Result<Self> {
        let found = items
            .iter()
            .find(|item| item.namespace == Namespace::Serde && item.key == "rename_all");
        let Some(item) = found else { return Ok(Self::AsItStands) };
        Ok(match part(items, "rename_all", name).as_deref() {
            None if item.group.is_some() => Self::AsItStands,
            Some("lowercase") => Self::Lower,
            Some("UPPERCASE") => Self::Upper,
            Some("PascalCase") => Self::Joined(true),
            Some("camelCase") => Self::Joined(false),
            Some("snake_case") => Self::Separated('_', false),
            Some("SCREAMING_SNAKE_CASE") => Self::Separated('_', true),
            Some("kebab-case") => Self::Separated('-', false),
            Some("SCREAMING-KEBAB-CASE") => Self::Separated('-', true),
            _ => return Err(error(&item.key, "no case that serde knows")),
        })
    }

    /// Writes `dark_blue` or `DarkBlue` in this case.
    pub(crate) fn apply(self, name: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for part in name.split('_') {
            for (index, c) in part.chars().enumerate() {
                match words.last_mut() {
                    Some(word) if index > 0 && !c.is_uppercase() => word.push(c),
                    _ => words.push(c.to_string()),
                }
            }
        }
        let capitalised = |word: &str| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        };
        match self {
            Self::AsItStands => name.to_owned(),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::Joined(first) => words
                .iter()
                .enumerate()
                .map(|(index, word)| {
                    let word = word.to_lowercase();
                    if first || index > 0 { capitalised(&word) } else { word }
                })
                .collect(),
            Self::Separated(separator, upper) => {
                let name = words.join(&separator.to_string());
                if upper { name.to_uppercase() } else { name.to_lowercase() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn names_are_written_as_serde_writes_them() {
        for (case, field, variant) in [
            (Case::AsItStands, "dark_blue", "DarkBlue"),
            (Case::Joined(false), "darkBlue", "darkBlue"),
            (Case::Joined(true), "DarkBlue", "DarkBlue"),
            (Case::Separated('_', false), "dark_blue", "dark_blue"),
            (Case::Separated('-', true), "DARK-BLUE", "DARK-BLUE"),
        ] {
            assert_eq!(case.apply("dark_blue"), field);
            assert_eq!(case.apply("DarkBlue"), variant);
        }
    }
}
