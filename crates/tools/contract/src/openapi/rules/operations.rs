//! Rules for operations, parameters, bodies, responses and security.

use super::{Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule(
        "operation-removed",
        "breaking",
        "A method of a path was removed. Clients that call it get 404 or 405.",
        "api-path-removed-without-deprecation, api-removed-without-deprecation",
    ),
    rule("operation-added", "non-breaking", "A method of a path is new.", "endpoint-added"),
    rule(
        "parameter-removed",
        "breaking",
        "A parameter was removed. What clients send in it has no effect any more, or is refused.",
        "request-parameter-removed",
    ),
    rule(
        "parameter-added",
        "non-breaking",
        "A new parameter that may be left out.",
        "new-optional-request-parameter",
    ),
    rule(
        "required-parameter-added",
        "breaking",
        "A new parameter that must be sent.",
        "new-required-request-parameter",
    ),
    rule(
        "parameter-became-required",
        "breaking",
        "A parameter that could be left out must be sent.",
        "request-parameter-became-required",
    ),
    rule(
        "parameter-became-optional",
        "non-breaking",
        "A parameter that had to be sent may be left out.",
        "request-parameter-became-optional",
    ),
    rule(
        "parameter-style-changed",
        "breaking",
        "A parameter is written in another way: `style`, `explode`, `allowReserved`, `content`, `allowEmptyValue`. Defaults that are written out are no change.",
        "",
    ),
    rule(
        "request-body-removed",
        "breaking",
        "The operation takes no body any more.",
        "request-body-removed",
    ),
    rule(
        "request-body-added",
        "non-breaking",
        "A new body that may be left out.",
        "request-body-added-optional",
    ),
    rule(
        "required-request-body-added",
        "breaking",
        "A new body that must be sent.",
        "request-body-added-required",
    ),
    rule(
        "request-body-became-required",
        "breaking",
        "A body that could be left out must be sent.",
        "request-body-became-required",
    ),
    rule(
        "request-body-became-optional",
        "non-breaking",
        "A body that had to be sent may be left out.",
        "request-body-became-optional",
    ),
    rule(
        "media-type-removed",
        "breaking",
        "A body or a response does not come in this media type any more. In requests a range (`image/*`) stands for what it covers.",
        "request-body-media-type-removed, response-media-type-removed",
    ),
    rule(
        "media-type-added",
        "non-breaking",
        "A body or a response comes in another media type as well.",
        "request-body-media-type-added, response-media-type-added",
    ),
    rule(
        "encoding-changed",
        "breaking; fewer media types not in responses, more not in requests",
        "The parts of a form are encoded in another way. Defaults that are written out are no change, and a range (`image/*`) holds what it covers.",
        "",
    ),
    rule(
        "response-removed",
        "breaking (2xx, default), else non-breaking",
        "A response with this status was removed, and no range of statuses stands for it.",
        "response-success-status-removed, response-non-success-status-removed",
    ),
    rule(
        "response-added",
        "non-breaking",
        "A response with a new status.",
        "response-success-status-added, response-non-success-status-added",
    ),
    rule(
        "response-header-removed",
        "breaking",
        "A header of a response was removed. The case of names says nothing.",
        "required-response-header-removed, optional-response-header-removed",
    ),
    rule(
        "response-header-added",
        "non-breaking",
        "A response has a new header.",
        "response-header-added",
    ),
    rule(
        "response-header-became-optional",
        "breaking",
        "A header that was always there may be absent.",
        "response-header-became-optional",
    ),
    rule(
        "security-tightened",
        "breaking",
        "Callers with credentials that sufficed are refused. Schemes are compared by what has to be sent (a bearer token, a key in a header …) and by scopes, not by their names.",
        "api-security-removed, api-security-scope-added, api-global-security-removed",
    ),
    rule(
        "security-loosened",
        "non-breaking",
        "Callers are let in that were not.",
        "api-security-added, api-security-scope-removed",
    ),
    rule(
        "security-flow-changed",
        "non-breaking",
        "Tokens are to be had in another way: flows, URLs, scopes on offer.",
        "api-security-component-oauth-token-url-changed",
    ),
    rule(
        "server-removed",
        "non-breaking",
        "A base URL was removed from the document. Clients that use it may not reach the service.",
        "",
    ),
    rule("server-added", "documentation", "A base URL is new in the document.", ""),
];
