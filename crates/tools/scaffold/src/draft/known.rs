//! What an application's own code says of a field or a parameter, and no document does.

use serde_json::Value;

use super::attributes::comment;
use crate::inspection::{Callable, DefaultValue, Inspection, Parameter, default_value};

/// The value of an absent field or parameter, where the document shows none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum KnownDefault {
    /// `x: T = None`
    None,
    /// A function that makes it, by its name in Python.
    Factory(String),
    /// An expression of Python.
    Python(String),
}

impl KnownDefault {
    /// What an absent value is, as a comment.
    pub(super) fn comment(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Factory(name) => {
                format!("    // If it is absent, in Python: `{}()`\n", comment(name))
            }
            Self::Python(text) => {
                format!("    // If it is absent, in Python: `{}`\n", comment(text))
            }
        }
    }
}

/// Of one field or parameter.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) default: Option<KnownDefault>,
    /// `strict`, `strip_whitespace`, `to_lower`, `to_upper`.
    flags: Vec<&'static str>,
    /// `max_digits = 8`, `decimal_places = 2`, `allow_inf_nan = false`.
    limits: Vec<String>,
    /// Other names by which it is read.
    pub(super) aliases: Vec<String>,
    /// `Header(convert_underscores=False)`
    pub(super) keeps_underscores: bool,
    /// Its validators, or a class with validation of its own.
    pub(super) validators: Vec<Callable>,
}

/// The flags of a field, and the settings of its model that mean the same.
const FLAGS: [(&str, &str); 4] = [
    ("strict", "strict"),
    ("strip_whitespace", "str_strip_whitespace"),
    ("to_lower", "str_to_lower"),
    ("to_upper", "str_to_upper"),
];

impl Known {
    pub(super) fn of_parameter(parameter: &Parameter, inspection: &Inspection) -> Self {
        let Parameter { options, constraints, annotation, .. } = parameter;
        let custom = annotation.as_deref().and_then(|ty| inspection.custom_type(ty));
        let mut validators = inspection.parameter_validators(parameter);
        validators.extend(custom);
        let mut known = Self {
            keeps_underscores: options["convert_underscores"] == false,
            validators,
            ..Self::of_constraints(constraints.iter())
        };
        known.set_default(parameter.none_is_default, parameter.default.as_ref());
        if options["strict"] == true && !known.flags.contains(&"strict") {
            known.flags.push("strict");
        }
        known
    }

    /// Of a field of a model; `name` is its name in the document.
    fn of_field(field: &Value, config: &Value, [python_name, name]: [&str; 2]) -> Self {
        let mut known = Self::of_constraints(field["constraints"].as_array().into_iter().flatten());
        let is_none = field["default"].get("json").is_some_and(Value::is_null);
        known.set_default(is_none && field["required"] == false, field.get("default"));
        for (flag, setting) in FLAGS {
            // A strict model is strict as a whole.
            let is_set = flag != "strict" && is_true(config, setting);
            if is_set && !known.flags.contains(&flag) {
                known.flags.push(flag);
            }
        }
        let by_name = ["populate_by_name", "validate_by_name", "allow_population_by_field_name"];
        if name != python_name && by_name.iter().any(|setting| is_true(config, setting)) {
            known.aliases.push(python_name.to_owned());
        }
        let choices = field["validation_alias"]["choices"].as_array().into_iter().flatten();
        for choice in choices.filter_map(Value::as_str).filter(|choice| *choice != name) {
            known.aliases.push(choice.to_owned());
        }
        known
    }

    fn of_constraints<'v>(constraints: impl Iterator<Item = &'v Value>) -> Self {
        let mut known = Self::default();
        for options in constraints.map(|one| &one["options"]) {
            for (flag, _) in FLAGS {
                if is_true(options, flag) && !known.flags.contains(&flag) {
                    known.flags.push(flag);
                }
            }
            for limit in ["max_digits", "decimal_places"] {
                if let Some(value) = options[limit]["json"].as_u64() {
                    known.limits.push(format!("{limit} = {value}"));
                }
            }
            if options["allow_inf_nan"]["json"] == false {
                known.limits.push("allow_inf_nan = false".to_owned());
            }
        }
        known
    }

    fn set_default(&mut self, is_none: bool, default: Option<&Value>) {
        self.default = match default.and_then(default_value) {
            _ if is_none => Some(KnownDefault::None),
            Some(DefaultValue::Factory(name)) => Some(KnownDefault::Factory(name.to_owned())),
            Some(DefaultValue::Json(value)) => Some(KnownDefault::Python(value.to_string())),
            Some(DefaultValue::Python(text)) => Some(KnownDefault::Python(text.to_owned())),
            None => None,
        };
    }

    /// The constraints that a type of Rust can have, and those that it cannot: a model's settings of
    /// texts do not concern what has no text.
    pub(super) fn constraints(&self, ty: &str) -> (Vec<String>, Vec<String>) {
        let bare = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
        let is_text = |flag: &&&str| **flag == "strict" || ty.contains("String");
        let flags = self.flags.iter().filter(is_text).map(|flag| (*flag).to_owned());
        flags.chain(self.limits.iter().cloned()).partition(|constraint| {
            match constraint.split(' ').next().unwrap_or_default() {
                "strict" => ["String", "bool", "f64", "i64", "Integer"].contains(&bare),
                "allow_inf_nan" => ["f64", "Decimal"].contains(&bare),
                "max_digits" | "decimal_places" => bare == "Decimal",
                _ => bare == "String",
            }
        })
    }
}

fn is_true(options: &Value, name: &str) -> bool {
    options[name]["json"] == true
}

/// A class of the application that a component or a parameter of the document stands for.
#[derive(Clone, Copy)]
pub(super) struct KnownModel<'a> {
    pub(super) inspection: &'a Inspection,
    pub(super) value: &'a Value,
}

impl<'a> KnownModel<'a> {
    /// That of a component.
    pub(super) fn of(inspection: Option<&'a Inspection>, component: &str) -> Option<Self> {
        let inspection = inspection?;
        Some(Self { inspection, value: inspection.model(component)? })
    }

    /// What is known of the field with this name in the document.
    pub(super) fn field(&self, name: &str) -> Option<Known> {
        let fields = self.value["fields"].as_object()?;
        let is_it = |(python_name, field): &(&String, &Value)| {
            let alias = &field["validation_alias"];
            let first = alias["choices"].get(0).unwrap_or(alias).as_str();
            let first = first.or_else(|| field["alias"].as_str());
            first.unwrap_or(python_name) == name
        };
        let (python_name, field) = fields.iter().find(is_it)?;
        let mut known = Known::of_field(field, &self.value["config"], [python_name, name]);
        let annotation = field["annotation"].as_str().unwrap_or_default();
        known.validators.extend(self.inspection.custom_type(annotation));
        Some(known)
    }

    /// `ConfigDict(strict=True)`
    pub(super) fn is_strict(&self) -> bool {
        is_true(&self.value["config"], "strict")
    }

    /// `forbid`, `allow` or `ignore`.
    pub(super) fn extra(&self) -> &'a str {
        self.value["config"]["extra"]["json"].as_str().unwrap_or("ignore")
    }
}
