//! Defaults, as values of their types.

use serde_json::Value;

use super::{Result, Types};
use crate::draft::attributes::number;

/// A field of a struct.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its name in the document.
    pub(super) name: String,
    pub(super) ident: String,
    pub(super) ty: String,
}

impl Types<'_> {
    /// The attribute of a default.
    ///
    /// # Errors
    /// Why its type has no such value.
    pub(super) fn default(
        &mut self,
        default: &Value,
        ty: &str,
        is_option: bool,
        hint: &str,
    ) -> Result<String> {
        let bare = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
        let value = match default {
            Value::String(text) if bare == "String" && !is_option => format!("{text:?}"),
            default => self.value(default, bare, hint)?,
        };
        if value.contains("IndexMap::") {
            self.mention("IndexMap");
        }
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
            ("()", Value::Null) => "()".to_owned(),
            ("String", Value::String(text)) => format!("{text:?}.to_owned()"),
            ("Value", value) => any(value).ok_or_else(|| unknown(value, hint))?,
            (_, Value::Null) if of("Option").is_some() => "None".to_owned(),
            (_, value) if of("Option").is_some() => {
                format!("Some({})", self.value(value, of("Option").unwrap_or_default(), hint)?)
            }
            (_, Value::Array(items)) if of("Vec").or(of("BTreeSet")).is_some() => {
                let inner = of("Vec").or(of("BTreeSet")).unwrap_or_default();
                let items = items.iter().map(|item| self.value(item, inner, hint));
                let items = items.collect::<Result<Vec<_>>>()?.join(", ");
                match of("Vec") {
                    Some(_) => format!("vec![{items}]"),
                    None => format!("BTreeSet::from([{items}])"),
                }
            }
            (_, Value::Array(items)) if ty.starts_with('(') => {
                let inner = ty.strip_prefix('(').and_then(|ty| ty.strip_suffix(')'));
                let types = parts(inner.unwrap_or_default());
                if types.len() != items.len() {
                    return Err(unknown(value, hint));
                }
                let items = items.iter().zip(types).map(|(item, ty)| self.value(item, ty, hint));
                format!("({},)", items.collect::<Result<Vec<_>>>()?.join(", "))
            }
            (_, Value::Object(fields)) if of("IndexMap").is_some() => {
                let inner = parts(of("IndexMap").unwrap_or_default());
                let [keys, values] = inner.as_slice() else { return Err(unknown(value, hint)) };
                let pairs = fields.iter().map(|(key, value)| {
                    let key = self.value(&key.as_str().into(), keys, hint)?;
                    Ok(format!("({key}, {})", self.value(value, values, hint)?))
                });
                format!("IndexMap::from([{}])", pairs.collect::<Result<Vec<_>>>()?.join(", "))
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
                format!("{name}({})", self.value(value, inner, hint)?)
            }
            (name, value) if self.unions.contains_key(name) => {
                let choices = self.unions.get(name).into_iter().flatten();
                let mut fitting = choices.filter_map(|(variant, ty)| {
                    Some(format!("{name}::{variant}({})", self.value(value, ty, hint).ok()?))
                });
                fitting.next().ok_or_else(|| unknown(value, hint))?
            }
            (name, Value::Object(given)) if self.structs.contains_key(name) => {
                let members = self.structs.get(name).map(Vec::as_slice).unwrap_or_default();
                if given.keys().any(|key| members.iter().all(|member| member.name != *key)) {
                    return Err(unknown(value, hint));
                }
                let fields = members.iter().map(|Member { name, ident, ty }| {
                    let value = match given.get(name) {
                        Some(given) => self.value(given, ty, hint)?,
                        None if ty.starts_with("Omittable<") => "Omittable(None)".to_owned(),
                        None => return Err(unknown(value, hint)),
                    };
                    Ok(format!("{ident}: {value}"))
                });
                format!("{name} {{ {} }}", fields.collect::<Result<Vec<_>>>()?.join(", "))
            }
            (_, value) if of("Omittable").is_some() => {
                let inner = self.value(value, of("Omittable").unwrap_or_default(), hint)?;
                format!("Omittable(Some({inner}))")
            }
            _ => return Err(unknown(value, hint)),
        })
    }
}

fn unknown(value: &Value, hint: &str) -> String {
    let value: String = value.to_string().chars().take(80).collect();
    format!("`{hint}` is absent if it is left out, its default is {value}")
}

/// Any JSON.
fn any(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "Value::Null".to_owned(),
        Value::Bool(is_so) => format!("Value::from({is_so})"),
        Value::Number(given) if given.is_i64() => format!("Value::from({}_i64)", number(given)),
        Value::Number(given) if given.is_f64() => format!("Value::from({})", float(given.as_f64())),
        Value::Number(_) => return None,
        Value::String(text) => format!("Value::from({text:?})"),
        Value::Array(items) if items.is_empty() => "Value::from(Vec::<Value>::new())".to_owned(),
        Value::Array(items) => {
            let items = items.iter().map(any).collect::<Option<Vec<_>>>()?;
            format!("Value::from(vec![{}])", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => {
            "Value::from(IndexMap::<String, Value>::new())".to_owned()
        }
        Value::Object(fields) => {
            let pair = |(key, value)| Some(format!("({key:?}, {})", any(value)?));
            let pairs = fields.iter().map(pair).collect::<Option<Vec<_>>>()?;
            format!("Value::from([{}])", pairs.join(", "))
        }
    })
}

/// The types of a list with commas.
fn parts(types: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (index, c) in types.char_indices() {
        match c {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(types[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(types[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
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
