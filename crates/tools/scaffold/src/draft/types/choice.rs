//! Unions, enumerations and literals.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ORDER, Result, Typed, Types, Use, plain};
use crate::draft::attributes::{bounds, doc, extra, literal, number};
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
        // One that was edited by hand may have the type `null` for `"null"`.
        let is_null = |schema: &&Value| {
            schema["type"] == "null" || schema.get("type").is_some_and(Value::is_null)
        };
        for choice in choices.iter().filter(|choice| is_null(choice) && choice["type"].is_null()) {
            self.note(choice, format!("`{hint}` may be null"), false);
        }
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
                let mut constraints = bounds(number).0;
                constraints.extend(self.digits(text, &format!("{hint}Value"), usage));
                Typed { name: "Decimal".to_owned(), constraints }
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
        let mut members = Vec::new();
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
                members.push((variant.clone(), typed.name.clone()));
            }
        }
        let traits = self.traits(&name, usage, &code);
        let mut head = self.derive(traits);
        if let Some((tag, _)) = tagged {
            head += &format!("#[schema(discriminator = {tag:?})]\n");
        }
        head += &format!("#[serde(untagged)]\npub enum {name} {{\n");
        self.code.insert(name.clone(), head + &code + "}");
        self.unions.insert(name.clone(), members);
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
        let (mut seen, count) = (Vec::new(), values.len());
        values.retain(|value| {
            !seen.contains(value) && {
                seen.push(value.clone());
                true
            }
        });
        if values.len() < count {
            self.note(schema, format!("`{hint}` repeats some of its values"), false);
        }
        let is_open = is_literal && schema["type"].is_null();
        if let Some(typed) = self.loose_choice(schema, (&values, is_open), hint, usage)? {
            return Ok(typed);
        }
        let name = if is_literal { self.free(hint) } else { hint.to_owned() };
        let is_number = values.iter().all(Value::is_i64);
        let is_text = values.iter().all(Value::is_string);
        let traits = match usage {
            _ if is_text => self.traits("", usage, ""),
            Use::Read => "Decode",
            Use::Written => "Schema",
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
            if let Some(given) = value.as_number().filter(|_| is_number) {
                code += &format!("    {variant} = {},\n", number(given));
                continue;
            }
            if !is_text {
                code += &format!("    #[schema(value = {})]\n    {variant},\n", literal(value));
                continue;
            }
            if let Some(text) = value.as_str().filter(|text| *text != variant) {
                code += &format!("    #[serde(rename = {text:?})]\n");
            }
            code += &format!("    {variant},\n");
        }
        code += "}";
        if !is_text {
            self.mention("Serialize Serializer");
            let written = if is_number {
                "serializer.serialize_i64(*self as i64)".to_owned()
            } else {
                let arms = variants.iter().map(|(value, variant)| written(value, variant));
                format!("match self {{\n{}        }}", arms.collect::<String>())
            };
            code += &format!(
                "\n\nimpl Serialize for {name} {{\n    fn serialize<S: Serializer>(&self, \
                 serializer: S) -> Result<S::Ok, S::Error> {{\n        {written}\n    }}\n}}"
            );
        }
        self.code.insert(name.clone(), code);
        self.variants.insert(name.clone(), variants);
        Ok(plain(&name))
    }

    /// The type of values that no enumeration has, if these are such; those of an open one are of
    /// several types.
    fn loose_choice(
        &mut self,
        schema: &Value,
        (values, is_open): (&[Value], bool),
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
        match kinds.into_iter().collect::<Vec<_>>().as_slice() {
            ["text" | "integer" | "boolean"] => Ok(None),
            ["number"] | ["integer", "number"] => {
                let reason = format!("`{hint}` may be any f64: an enumeration has no fractions");
                self.loosen(schema, usage, reason);
                Ok(Some(plain("f64")))
            }
            kinds if is_open && !kinds.contains(&"number") && !kinds.contains(&"value") => Ok(None),
            _ => Err("its values are of several types".to_owned()),
        }
    }
}

/// The arm of a match that writes the value of a variant.
fn written(value: &Value, variant: &str) -> String {
    let kind = match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "i64",
        _ => "str",
    };
    format!("            Self::{variant} => serializer.serialize_{kind}({}),\n", literal(value))
}

fn fields(schema: &Value) -> impl Iterator<Item = &str> {
    schema.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
}
