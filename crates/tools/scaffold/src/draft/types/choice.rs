//! Unions, enumerations and literals.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ORDER, Result, Typed, Types, Use, plain};
use crate::draft::attributes::{bounds, doc, extra, number};
use crate::draft::names::{type_name, variant, words};

impl Types<'_> {
    /// One of several choices, which may have constraints, but no other keyword.
    fn among(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        let has_format =
            |typed: &Typed| typed.constraints.iter().any(|one| one.starts_with("format"));
        if extra(schema, None, None).is_none() && doc(schema, "").is_empty() {
            let typed = self.of(schema, hint, usage);
            if !has_format(&typed) {
                return typed;
            }
        }
        plain(&self.alone(schema, hint, usage, None))
    }

    pub(super) fn any_of(&mut self, choices: &[Value], hint: &str, usage: Use) -> Typed {
        let is_null = |schema: &&Value| schema["type"] == "null";
        let others: Vec<&Value> = choices.iter().filter(|schema| !is_null(schema)).collect();
        let nullable = others.len() < choices.len();
        let mut typed = match others.as_slice() {
            [] => return plain("()"),
            [one] => self.among(one, &format!("{hint}Value"), usage),
            // What pydantic reads a decimal from.
            [number, text]
                if number["type"] == "number"
                    && text["type"] == "string"
                    && fields(text).all(|name| ["type", "pattern"].contains(&name))
                    && text["pattern"].as_str().is_none_or(|text| text.starts_with("^(?!")) =>
            {
                Typed { name: "Decimal".to_owned(), constraints: bounds(number).0 }
            }
            others => plain(&self.union(others, hint, usage, None)),
        };
        if nullable && !typed.name.starts_with("Option<") {
            typed.name = format!("Option<{}>", typed.name);
        }
        typed
    }

    pub(super) fn one_of(
        &mut self,
        schema: &Value,
        choices: &[Value],
        hint: &str,
        usage: Use,
    ) -> Typed {
        let all: Vec<&Value> = choices.iter().collect();
        if let Some((discriminator, tags)) = self.tags(schema, &all) {
            return plain(&self.union(&all, hint, usage, Some((discriminator, &tags))));
        }
        let reason =
            format!("`{hint}` is whichever choice fits: its discriminator has no tags of text");
        self.loosen(schema, usage, reason);
        self.any_of(choices, hint, usage)
    }

    /// The discriminator of a union, and the tags of each choice, if each is a model with tags of text.
    fn tags<'s>(
        &self,
        schema: &'s Value,
        choices: &[&Value],
    ) -> Option<(&'s str, Vec<Vec<&'s str>>)> {
        let discriminator = schema.pointer("/discriminator/propertyName")?.as_str()?;
        let mapping = schema.pointer("/discriminator/mapping")?.as_object()?;
        let tags_of = |choice: &&Value| {
            let (_, model) = self.component(choice["$ref"].as_str()?)?;
            let field = &model["properties"][discriminator];
            let field = match field["$ref"].as_str() {
                Some(reference) => self.component(reference)?.1,
                None => field,
            };
            let values = field["enum"].as_array().into_iter().flatten();
            let mut values = values.chain(field.get("const"));
            let mapping = mapping.iter().filter(|(_, model)| **model == choice["$ref"]);
            let tags: Vec<&str> = mapping.map(|(tag, _)| tag.as_str()).collect();
            (values.all(Value::is_string) && !tags.is_empty()).then_some(tags)
        };
        let tags = choices.iter().map(tags_of).collect::<Option<Vec<_>>>()?;
        (tags.iter().flatten().count() == mapping.len()).then_some((discriminator, tags))
    }

    fn union(
        &mut self,
        choices: &[&Value],
        hint: &str,
        usage: Use,
        tagged: Option<(&str, &[Vec<&str>])>,
    ) -> String {
        let name = self.free(hint);
        self.code.insert(name.clone(), String::new());
        let mut code = String::new();
        let mut variants = BTreeSet::new();
        for (index, choice) in choices.iter().enumerate() {
            let typed = self.among(choice, &format!("{name}Choice"), usage);
            self.mention(&typed.name);
            let mut variant = type_name(&words(&typed.name).collect::<Vec<_>>().join(" "));
            // One for each tag of a model.
            let tags: Vec<String> = match tagged {
                Some((_, tags)) => {
                    let tags = tags.get(index).into_iter().flatten();
                    tags.map(|tag| format!("    #[serde(rename = {tag:?})]\n")).collect()
                }
                None => vec![String::new()],
            };
            for tag in tags {
                while !variants.insert(variant.clone()) {
                    variant += "Too";
                }
                code += &tag;
                if !typed.constraints.is_empty() {
                    code += &format!("    #[schema({})]\n", typed.constraints.join(", "));
                }
                code += &format!("    {variant}({}),\n", typed.name);
            }
        }
        let traits = self.traits(&name, usage, &code);
        let mut head = self.derive(traits);
        if let Some((tag, _)) = tagged {
            head += &format!("#[schema(discriminator = {tag:?})]\n");
        }
        head += &format!("#[serde(untagged)]\npub enum {name} {{\n");
        self.code.insert(name.clone(), head + &code + "}");
        name
    }

    /// An enumeration, or a literal.
    pub(super) fn choice(
        &mut self,
        schema: &Value,
        hint: &str,
        usage: Use,
        component: Option<&str>,
    ) -> Result<Typed> {
        let is_literal = component.is_none();
        let mut values = match (schema.get("const"), schema["enum"].as_array()) {
            (Some(value), _) => vec![value.clone()],
            (None, values) => values.cloned().unwrap_or_default(),
        };
        let mut seen = Vec::new();
        values.retain(|value| {
            !seen.contains(value) && {
                seen.push(value.clone());
                true
            }
        });
        if let Some(typed) = self.loose_choice(schema, &values, hint, usage)? {
            return Ok(typed);
        }
        let name = if is_literal { self.free(hint) } else { hint.to_owned() };
        let is_number = values.iter().all(Value::is_i64);
        let traits = match usage {
            Use::Read if is_number => "Decode",
            Use::Written if is_number => "Schema",
            usage => self.traits("", usage, ""),
        };
        let mut code = self.derive(&format!("Copy, {ORDER}{traits}"));
        if is_literal {
            code += "#[schema(literal)]\n";
        } else {
            code = doc(schema, "") + &code + &self.named(schema, &name, component);
        }
        code += &format!("pub enum {name} {{\n");
        let mut variants: Vec<(Value, String)> = Vec::new();
        for value in &values {
            let mut variant = variant(value, hint)?;
            while variants.iter().any(|(_, taken)| *taken == variant) {
                variant += "Too";
            }
            variants.push((value.clone(), variant.clone()));
            if let Some(given) = value.as_number() {
                code += &format!("    {variant} = {},\n", number(given));
                continue;
            }
            if let Some(text) = value.as_str().filter(|text| *text != variant) {
                code += &format!("    #[serde(rename = {text:?})]\n");
            }
            code += &format!("    {variant},\n");
        }
        code += "}";
        if is_number {
            self.mention("Serialize Serializer");
            code += &format!(
                "\n\nimpl Serialize for {name} {{\n    fn serialize<S: Serializer>(&self, \
                 serializer: S) -> Result<S::Ok, S::Error> {{\n        \
                 serializer.serialize_i64(*self as i64)\n    }}\n}}"
            );
        }
        self.code.insert(name.clone(), code);
        self.variants.insert(name.clone(), variants);
        Ok(plain(&name))
    }

    /// The type of values that no enumeration of Rust has, if these are such.
    fn loose_choice(
        &mut self,
        schema: &Value,
        values: &[Value],
        hint: &str,
        usage: Use,
    ) -> Result<Option<Typed>> {
        if values.is_empty() {
            return Err("it has no values".to_owned());
        }
        let kinds: BTreeSet<&str> = values
            .iter()
            .map(|value| match value {
                Value::String(_) => "text",
                Value::Number(number) if number.is_i64() => "integer",
                Value::Number(_) => "number",
                Value::Bool(_) => "boolean",
                _ => "value",
            })
            .collect();
        let name = match kinds.into_iter().collect::<Vec<_>>().as_slice() {
            ["text" | "integer"] => return Ok(None),
            ["boolean"] => "bool",
            ["number"] | ["integer", "number"] => "f64",
            _ => return Err("its values are of several types".to_owned()),
        };
        let reason = format!("`{hint}` may be any {name}: an enumeration has texts or integers");
        self.loosen(schema, usage, reason);
        Ok(Some(plain(name)))
    }
}

fn fields(schema: &Value) -> impl Iterator<Item = &str> {
    schema.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
}
