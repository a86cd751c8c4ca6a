//! Rules for what only people read.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule("title-changed", "documentation", "A title.", ""),
    rule("summary-changed", "documentation", "A summary.", ""),
    rule(
        "description-changed",
        "documentation",
        "A description.",
        "request-property-all-of-added-annotation-only",
    ),
    rule("example-changed", "documentation", "An example.", ""),
    rule("external-docs-changed", "documentation", "A link to other documentation.", ""),
    rule(
        "tags-changed",
        "documentation",
        "The tags of an operation.",
        "api-tag-added, api-tag-removed",
    ),
    rule(
        "operation-id-changed",
        "documentation",
        "The name of an operation. Generated clients call it otherwise.",
        "api-operation-id-removed",
    ),
    rule("links-changed", "documentation", "How operations follow from responses.", ""),
    rule("deprecated", "documentation", "Something is deprecated now.", "endpoint-deprecated"),
    rule(
        "no-longer-deprecated",
        "documentation",
        "Something is not deprecated any more.",
        "endpoint-reactivated",
    ),
    rule(
        "visibility-changed",
        "documentation",
        "`readOnly` or `writeOnly`; where that changes what travels, other rules tell it.",
        "request-optional-property-became-write-only, response-optional-property-became-read-only",
    ),
    rule(
        "version-changed",
        "documentation",
        "The version of the document.",
        "api-version-decreased",
    ),
    rule(
        "extension-changed",
        "documentation",
        "A key that no specification gives a meaning.",
        "sunset-deleted, api-stability-decreased, request-property-x-extensible-enum-value-removed",
    ),
];
