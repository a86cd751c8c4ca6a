//! Unions, enumerations and literals.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ORDER, Result, Typed, Types, Use, plain};
use crate::draft::attributes::{bounds, doc, extra, number};
use crate::draft::names::{type_name, variant, words};

impl Types<'_> {
    /// One of several choices, which may have constraints, but no other keyword.
    fn among(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<Typed> {
        let has_format =
            |typed: &Typed| typed.constraints.iter().any(|one| one.starts_with("format"));
        if extra(schema, None).is_none() && doc(schema, "").is_empty() {
            let typed = self.of(schema, hint, usage)?;
            if !has_format(&typed) {
                return Ok(typed);
            }
        }
        Ok(plain(&self.alone(schema, hint, usage, None)?))
    }

    pub(super) fn any_of(&mut self, choices: &[Value], hint: &str, usage: Use) -> Result<Typed> {
        let is_null = |schema: &&Value| schema["type"] == "null";
        let others: Vec<&Value> = choices.iter().filter(|schema| !is_null(schema)).collect();
        let nullable = others.len() < choices.len();
        let mut typed = match others.as_slice() {
            [one] => self.among(one, &format!("{hint}Value"), usage)?,
            // What pydantic reads a decimal from.
            [number, text]
                if number["type"] == "number"
                    && text["type"] == "string"
                    && fields(text).all(|name| ["type", "pattern"].contains(&name))
                    && text["pattern"].as_str().is_none_or(|text| text.starts_with("^(?!")) =>
            {
                Typed { name: "Decimal".to_owned(), constraints: bounds(number) }
            }
            others => plain(&self.union(others, hint, usage, None)?),
        };
        if nullable {
            typed.name = format!("Option<{}>", typed.name);
        }
        Ok(typed)
    }

    pub(super) fn one_of(
        &mut self,
        schema: &Value,
        choices: &[Value],
        hint: &str,
        usage: Use,
    ) -> Result<Typed> {
        let choices: Vec<&Value> = choices.iter().collect();
        let tag = schema.pointer("/discriminator/propertyName").and_then(Value::as_str);
        let mapping = schema.pointer("/discriminator/mapping").and_then(Value::as_object);
        let (Some(tag), Some(mapping)) = (tag, mapping) else {
            return Err(format!("`{hint}` is a union without a discriminator"));
        };
        Ok(plain(&self.union(&choices, hint, usage, Some((tag, mapping)))?))
    }

    fn union(
        &mut self,
        choices: &[&Value],
        hint: &str,
        usage: Use,
        tagged: Option<(&str, &Map<String, Value>)>,
    ) -> Result<String> {
        let name = self.free(hint);
        self.code.insert(name.clone(), String::new());
        let mut code = self.derive(usage.derives(""));
        if let Some((tag, _)) = tagged {
            code += &format!("#[schema(discriminator = {tag:?})]\n");
        }
        code += "#[serde(untagged)]\n";
        code += &format!("pub enum {name} {{\n");
        let mut variants = BTreeSet::new();
        for choice in choices {
            let typed = self.among(choice, &format!("{name}Choice"), usage)?;
            self.mention(&typed.name);
            let mut variant = type_name(&words(&typed.name).collect::<Vec<_>>().join(" "));
            // One for each tag of a model.
            let tags: Vec<String> = match tagged {
                Some((_, mapping)) => {
                    let mapping = mapping.iter().filter(|(_, model)| **model == choice["$ref"]);
                    mapping.map(|(tag, _)| format!("    #[serde(rename = {tag:?})]\n")).collect()
                }
                None => vec![String::new()],
            };
            if tags.is_empty() {
                return Err(format!("`{hint}` has a choice without a tag"));
            }
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
        self.code.insert(name.clone(), code + "}");
        Ok(name)
    }

    /// An enumeration, or a literal.
    pub(super) fn choice(
        &mut self,
        schema: &Value,
        hint: &str,
        usage: Use,
        is_literal: bool,
    ) -> Result<Typed> {
        let values = match schema["enum"].as_array() {
            Some(values) => values.clone(),
            None => vec![schema["const"].clone()],
        };
        let name = if is_literal { self.free(hint) } else { hint.to_owned() };
        let is_number = values.iter().all(|value| value.as_i64().is_some());
        let traits = match usage {
            Use::Read if is_number => "Decode",
            Use::Written if is_number => "Schema",
            usage => usage.derives(""),
        };
        let mut code = self.derive(&format!("Copy, {ORDER}{traits}"));
        if is_literal {
            code += "#[schema(literal)]\n";
        } else {
            code = doc(schema, "") + &code + &self.named(schema, &name);
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
}

fn fields(schema: &Value) -> impl Iterator<Item = &str> {
    schema.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
}
