//! Rust without a module: its declaration and what names it go, found by their syntax and not by their
//! text, so that neither their order nor their format matters.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, ItemMod, ItemTrait, ItemUse, TypeParamBound, UseTree};

/// The source of the module's parent without `mod name;`, what it imports from the module, and the calls
/// of methods that get something of it: `.merge(name::router())`.
///
/// # Errors
/// When it cannot be parsed.
pub(super) fn undeclare(source: &str, name: &str) -> Result<String, String> {
    if !source.contains(name) {
        return Ok(source.to_owned());
    }
    without(source, &Module { name, is_parent: true })
}

/// The source of a file of the same crate without imports from a module at its root (`use crate::name::…`),
/// and without what they import as a bound of a trait.
///
/// # Errors
/// When it cannot be parsed.
pub(super) fn unimport(source: &str, name: &str) -> Result<String, String> {
    if !source.contains(&format!("crate::{name}")) {
        return Ok(source.to_owned());
    }
    without(source, &Module { name, is_parent: false })
}

struct Module<'a> {
    name: &'a str,
    /// Whether the file is the one that declares it.
    is_parent: bool,
}

fn without(source: &str, module: &Module<'_>) -> Result<String, String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut finder = Finder { source, module, imported: Vec::new(), edits: Vec::new() };
    // Imports may stand after what uses them.
    Imports(&mut finder).visit_file(&file);
    finder.visit_file(&file);
    let mut edits = finder.edits;
    edits.sort_by_key(|range| range.start);
    let mut text = source.to_owned();
    for range in edits.into_iter().rev() {
        text.replace_range(range, "");
    }
    Ok(text)
}

struct Finder<'a> {
    source: &'a str,
    module: &'a Module<'a>,
    /// The names that are imported from it.
    imported: Vec<String>,
    edits: Vec<Range<usize>>,
}

impl Finder<'_> {
    /// Notes the lines of an item.
    fn remove_lines(&mut self, range: Range<usize>) {
        let start = self.source[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &self.source[range.end..];
        let end = range.end + rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        self.edits.push(start..end);
    }

    /// What a `use` takes from the module, if it is of it.
    fn of_module<'t>(&self, tree: &'t UseTree) -> Option<&'t UseTree> {
        let UseTree::Path(path) = tree else { return None };
        let is_before = |name: &str| {
            if self.module.is_parent { name == "self" } else { name == "crate" }
        };
        match &*path.tree {
            UseTree::Path(inner)
                if is_before(&path.ident.to_string()) && inner.ident == self.module.name =>
            {
                Some(&inner.tree)
            }
            tree if self.module.is_parent && path.ident == self.module.name => Some(tree),
            _ => None,
        }
    }

    /// Whether an expression is a call of a function of the module.
    fn is_call(&self, expression: &Expr) -> bool {
        let Expr::Call(call) = expression else { return false };
        let Expr::Path(path) = &*call.func else { return false };
        let segments = &path.path.segments;
        segments.len() > 1 && segments.first().is_some_and(|first| first.ident == self.module.name)
    }
}

fn names(tree: &UseTree, all: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => names(&path.tree, all),
        UseTree::Name(name) => all.push(name.ident.to_string()),
        UseTree::Rename(rename) => all.push(rename.rename.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|one| names(one, all)),
        UseTree::Glob(_) => {}
    }
}

/// Finds the imports.
struct Imports<'f, 'a>(&'f mut Finder<'a>);

impl<'ast> Visit<'ast> for Imports<'_, '_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none()
            && let Some(tree) = self.0.of_module(&item.tree)
        {
            names(tree, &mut self.0.imported);
            self.0.remove_lines(item.span().byte_range());
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if self.module.is_parent && item.content.is_none() && item.ident == self.module.name {
            self.remove_lines(item.span().byte_range());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        let is_imported = |bound: &TypeParamBound| {
            let TypeParamBound::Trait(bound) = bound else { return false };
            bound.path.get_ident().is_some_and(|name| self.imported.contains(&name.to_string()))
        };
        let bounds: Vec<_> = item.supertraits.iter().collect();
        let mut removed = Vec::new();
        for (index, bound) in bounds.iter().enumerate().filter(|(_, bound)| is_imported(bound)) {
            let range = bound.span().byte_range();
            // With the `+` before it, or after it if it is the first.
            let before = index.checked_sub(1).and_then(|before| bounds.get(before));
            let next = bounds.get(index + 1).map(|next| next.span().byte_range().start);
            removed.push(if let Some(before) = before {
                before.span().byte_range().end..range.end
            } else {
                range.start..next.unwrap_or(range.end)
            });
        }
        self.edits.append(&mut removed);
        visit::visit_item_trait(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if self.module.is_parent && call.args.len() == 1 && self.is_call(&call.args[0]) {
            self.edits.push(call.receiver.span().byte_range().end..call.span().byte_range().end);
            visit::visit_expr(self, &call.receiver);
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_goes_with_what_names_the_module() {
        let source = "mod a;\n/// Docs.\n#[cfg(unix)]\npub(crate) mod b;\nmod bb;\n\npub use self::b::A;\n\
            pub use a::Z;\npub use b::{\n    B, C,\n};\nuse c::b;\n\nfn f() -> R {\n    R::new()\n        \
            .merge(a::router())\n        .merge(\n            b::router(),\n        )\n        \
            .merge(bb::router())\n}\n";
        let rest = "mod a;\nmod bb;\n\npub use a::Z;\nuse c::b;\n\nfn f() -> R {\n    R::new()\n        \
            .merge(a::router())\n        .merge(bb::router())\n}\n";
        assert_eq!(undeclare(source, "b").unwrap(), rest);
        assert_eq!(undeclare(rest, "other").unwrap(), rest);
        assert!(undeclare("mod b; fn", "b").is_err());
    }

    #[test]
    fn an_import_goes_with_the_bounds_that_it_is_for() {
        for (bounds, rest) in
            [("A + B", "A"), ("B + A", "A"), ("A + B + C", "A + C"), ("A\n    + B", "A")]
        {
            let source =
                format!("use crate::b::B;\nuse crate::c::C;\n\npub trait T: {bounds} {{}}\n");
            let expected = format!("use crate::c::C;\n\npub trait T: {rest} {{}}\n");
            assert_eq!(unimport(&source, "b").unwrap(), expected, "{bounds}");
        }
        let other = "use b::B;\ntrait T: B {}\n";
        assert_eq!(unimport(other, "b").unwrap(), other);
    }
}
