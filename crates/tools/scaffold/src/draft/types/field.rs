//! Fields, as the code has them.

use serde_json::Value;

use super::default::Member;
use super::model::{Field, Kind};
use super::{Owner, Typed, Types, Use};
use crate::draft::attributes::doc;
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
    ) -> (String, Member) {
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
        // The document describes no field that is there and null.
        if (omittable || *is_required) && ty == "()" {
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
        code += &format!("    pub {ident}: {ty},\n");
        let member = Member { name: (*name).to_owned(), ident: ident.to_owned(), ty };
        (code, member)
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
