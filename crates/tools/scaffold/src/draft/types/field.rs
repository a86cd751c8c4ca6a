//! Fields, and their defaults.

use serde_json::Value;

use super::model::{Field, Kind};
use super::{Owner, Result, Typed, Types, Use};
use crate::draft::attributes::{doc, number};
use crate::draft::known::{Known, KnownDefault};
use crate::draft::names::{title, type_name};
use crate::draft::python;

impl Types<'_> {
    pub(super) fn field(
        &mut self,
        model: &str,
        field: &Field<'_>,
        ident: &str,
        kind: Kind,
        usage: Use,
    ) -> String {
        let Field { name, schema, is_required, is_alias, known } = field;
        let hint = format!("{model}{}", type_name(name));
        let Typed { name: mut ty, mut constraints } = self.of(schema, &hint, usage);
        let mut remark = self.constrain(known, &hint, &ty, usage, &mut constraints);
        let is_option = ty.starts_with("Option<");
        let default = schema.get("default");
        let given = default.filter(|default| !default.is_null());
        let is_none = default.is_some_and(Value::is_null)
            || (default.is_none() && known.default == Some(KnownDefault::None));
        let (mut omittable, mut shown) = (false, None);
        if *is_required {
            if is_option {
                constraints.push("required = true".into());
            }
            shown = given;
        } else if let Some(given) = given {
            match self.default(given, &ty, is_option, &hint) {
                Ok(default) => constraints.push(default),
                Err(reason) => {
                    self.loosen(schema, usage, reason);
                    (omittable, shown) = (true, Some(given));
                }
            }
        } else if is_none && !is_option && ty != "Value" && ty != "()" {
            // `x: int = None`
            ty = format!("Option<{ty}>");
            constraints.push("nullable = false".to_owned());
        } else if let Some(default) = known.default.as_ref().filter(|_| !is_none) {
            match factory(default, &ty) {
                Some(default) => constraints.push(default),
                None if is_option => {}
                None => omittable = true,
            }
            if omittable || is_option {
                remark += &default.comment();
            }
        } else if !is_option {
            omittable = true;
            if kind == Kind::Model && !is_none {
                let reason =
                    format!("`{hint}` is absent if it is left out: its default is not known");
                self.loosen(schema, usage, reason);
            }
        }
        let is_patch = matches!(&self.owner, Owner::Component(base) if self.patches.contains(base));
        let is_absent_none = !*is_required && given.is_none() && !omittable && is_option;
        if let Some(inner) = ty.strip_prefix("Option<").filter(|_| is_patch && is_absent_none) {
            ty = format!("Patch<{inner}");
        }
        if omittable && ty == "()" {
            self.loosen(schema, usage, format!("`{hint}` may be any JSON, not only null"));
            "Value".clone_into(&mut ty);
        }
        if omittable {
            ty = format!("Omittable<{ty}>");
            constraints.push("default_factory = Omittable(None)".to_owned());
        }
        self.mention(&ty);
        constraints.extend(self.extra(schema, Some(&title(name)), shown));
        let mut code = doc(schema, "    ") + &remark;
        if !constraints.is_empty() {
            code += &format!("    #[schema({})]\n", constraints.join(", "));
        }
        let mut serde = Vec::new();
        if ident != *name || *is_alias || !known.aliases.is_empty() {
            serde.push(format!("rename = {name:?}"));
        }
        if usage == Use::Read {
            serde.extend(known.aliases.iter().map(|alias| format!("alias = {alias:?}")));
        }
        if omittable && !ty.contains("UploadFile") {
            serde.push("skip_serializing_if = \"Omittable::is_omitted\"".to_owned());
        }
        if !serde.is_empty() {
            code += &format!("    #[serde({})]\n", serde.join(", "));
        }
        code + &format!("    pub {ident}: {ty},\n")
    }

    /// Adds the constraints that only the application's code shows; gives its validators as comments.
    fn constrain(
        &mut self,
        known: &Known,
        hint: &str,
        ty: &str,
        usage: Use,
        constraints: &mut Vec<String>,
    ) -> String {
        if usage == Use::Written {
            return String::new();
        }
        if known.keeps_underscores {
            constraints.push("convert_underscores = false".to_owned());
        }
        let (possible, others) = known.constraints(ty);
        constraints.extend(possible);
        if !others.is_empty() {
            let others = others.join("`, `");
            self.remark(format!("`{hint}` is not validated by Python's `{others}`"));
        }
        let mut comments = String::new();
        for validator in &known.validators {
            self.remark(format!("`{hint}` is validated in Python too: `{}`", validator.name));
            let comment = python::comment(validator);
            comments.extend(comment.lines().map(|line| format!("    {line}\n")));
        }
        comments
    }

    fn default(&self, default: &Value, ty: &str, is_option: bool, hint: &str) -> Result<String> {
        let bare = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
        let value = match default {
            Value::String(text) if bare == "String" && !is_option => format!("{text:?}"),
            default => self.value(default, bare, hint)?,
        };
        Ok(format!("default = {}", if is_option { format!("Some({value})") } else { value }))
    }

    /// A value of a type.
    fn value(&self, value: &Value, ty: &str, hint: &str) -> Result<String> {
        let of = |outer: &str| ty.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>');
        let outer = ty.split('<').next().unwrap_or(ty);
        let is_empty = match value {
            Value::Array(items) => items.is_empty() && ["Vec", "BTreeSet"].contains(&outer),
            Value::Object(fields) => fields.is_empty() && outer == "IndexMap",
            _ => false,
        };
        if is_empty {
            return Ok(format!("<{ty}>::new()"));
        }
        Ok(match (ty, value) {
            ("Integer", Value::Number(given)) if given.is_i64() => {
                format!("Integer::from({})", number(given))
            }
            ("f64", Value::Number(given)) if given.is_i64() => format!("{}.0", number(given)),
            ("f64", Value::Number(given)) if given.is_f64() => float(given.as_f64()),
            ("i64", Value::Number(given)) if given.is_i64() => number(given),
            ("Decimal", given) => decimal(given)
                .ok_or_else(|| format!("`{hint}` has the default {given}, which is no decimal"))?,
            ("bool", Value::Bool(is_so)) => is_so.to_string(),
            ("String", Value::String(text)) => format!("{text:?}.to_owned()"),
            (_, Value::Array(items)) if of("Vec").or(of("BTreeSet")).is_some() => {
                let inner = of("Vec").or(of("BTreeSet")).unwrap_or_default();
                let items = items.iter().map(|item| self.value(item, inner, hint));
                let items = items.collect::<Result<Vec<_>>>()?.join(", ");
                match of("Vec") {
                    Some(_) => format!("vec![{items}]"),
                    None => format!("BTreeSet::from([{items}])"),
                }
            }
            (name, value) if self.variants.contains_key(name) => {
                let variants = self.variants.get(name).into_iter().flatten();
                let variant = variants.into_iter().find(|(known, _)| known == value);
                let (_, variant) = variant.ok_or_else(|| {
                    format!("`{hint}` has a default that is none of its values: {value}")
                })?;
                format!("{name}::{variant}")
            }
            (name, value) if self.newtypes.contains_key(name) => {
                let inner = self.newtypes.get(name).map_or("", String::as_str);
                match (inner, value) {
                    (inner, Value::Null) if inner.starts_with("Option<") => format!("{name}(None)"),
                    (inner, value) => format!("{name}({})", self.value(value, inner, hint)?),
                }
            }
            _ => {
                let value: String = value.to_string().chars().take(80).collect();
                return Err(format!(
                    "`{hint}` is absent if it is left out, its default is {value}"
                ));
            }
        })
    }
}

/// `Decimal::new(990, 2)` for `"9.90"`.
fn decimal(given: &Value) -> Option<String> {
    let text = match given {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_sign = whole.strip_prefix('-').unwrap_or(whole).bytes().all(|b| b.is_ascii_digit());
    let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
    let is_plain = is_sign && fraction.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| format!("Decimal::new({}, {})", number(&digits.into()), fraction.len()))
}

/// A float as Rust has it.
fn float(value: Option<f64>) -> String {
    format!("{:?}", value.unwrap_or_default())
}

/// The attribute for a default of Python that Rust has too.
fn factory(default: &KnownDefault, ty: &str) -> Option<String> {
    let KnownDefault::Factory(name) = default else { return None };
    let outer = ty.split('<').next().unwrap_or(ty);
    let is_empty = match name.as_str() {
        "list" => outer == "Vec",
        "set" => ["Vec", "BTreeSet"].contains(&outer),
        "dict" => outer == "IndexMap",
        _ => false,
    };
    is_empty.then(|| format!("default_factory = <{ty}>::new()"))
}
