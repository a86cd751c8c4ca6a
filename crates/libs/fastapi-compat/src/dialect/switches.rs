//! The table of switches: what differs between releases.

use super::release::{Package, Release};

/// Declares the table.
macro_rules! switches {
    ($($(#[doc = $doc:literal])* $name:ident = $package:ident $($since:literal)? .. $until:literal, $source:literal;)*) => {
        /// A difference between releases of FastAPI or pydantic: the name is that of what the older ones do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Switch {
            $($(#[doc = $doc])* $name,)*
        }

        impl Switch {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Whose difference it is.
            pub const fn package(self) -> Package {
                match self {
                    $(Self::$name => Package::$package,)*
                }
            }

            /// The first release that does so, if that is not the oldest which is supported.
            pub fn since(self) -> Option<Release> {
                match self {
                    $(Self::$name => {
                        const SINCE: &[&str] = &[$($since)?];
                        SINCE.first().map(|text| release(text))
                    })*
                }
            }

            /// The first release that does not do so any more.
            pub fn until(self) -> Release {
                match self {
                    $(Self::$name => release($until),)*
                }
            }

            /// What it was measured by or announced in.
            pub const fn source(self) -> &'static str {
                match self {
                    $(Self::$name => $source,)*
                }
            }

            /// What such a release does.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)*
                }
            }
        }
    };
}

/// A release of the table: a typing error is a mistake that a test finds.
fn release(text: &str) -> Release {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or_default());
    let mut next = || parts.next().unwrap_or_default();
    Release::new(next(), next(), next())
}

const _: () = assert!(Switch::ALL.len() <= 64, "a dialect has 64 bits");

// The order is that of the releases. A source that begins with `#` is a pull request in the release notes;
// `measured` is what these say nothing about.
switches! {
    /// A required list in a query or header that is absent is `null` and of the wrong type, not missing.
    AbsentListsAreNull = FastApi .. "0.112.4", "measured";
    /// `{id:uuid}` in a path matches a UUID with hyphens and in lower case only.
    UuidPathsWithHyphens = FastApi .. "0.115.7", "measured";
    /// `HTTPDigest` answers 403 to another scheme, even with `auto_error=False`.
    DigestSchemeIsDemanded = FastApi .. "0.115.9", "#2939";
    /// What errors echo of an uploaded file has no `_max_mem_size`.
    UploadsWithoutMemorySize = FastApi .. "0.116.2", "Starlette 0.48";
    /// What errors echo of an uploaded file is its attributes, even if it has lines of two bytes.
    UploadsAreAttributes = FastApi .. "0.120.1", "Starlette 0.49";
    /// Without credentials `HTTPBearer`, `HTTPDigest`, `OpenIdConnect` and API keys answer 403, without
    /// `WWW-Authenticate`; another scheme and a header of `HTTPBasic` that cannot be read are `Invalid
    /// authentication credentials`.
    ForbiddenWithoutCredentials = FastApi .. "0.122", "#13786";
    /// Empty fields of a form that have no default but `None` are empty texts, not absent.
    EmptyFormFieldsAreGiven = FastApi "0.114" .. "0.123.2", "#13537";
    /// Of a parameter in a form, query or header that a model does not know only the last value counts.
    ExtraParametersAreSingle = FastApi .. "0.123.2", "#14303";
    /// A model of a query, of headers or of cookies is given its fields by their names in Python, not by their
    /// aliases.
    ParameterModelsByName = FastApi .. "0.123.3", "#14360";
    /// Scopes that several dependencies demand stand several times in the document.
    RepeatedScopes = FastApi .. "0.123.8", "#14455";
    /// The token behind the scheme keeps its blanks.
    UnstrippedCredentials = FastApi .. "0.128.1", "#14786";
    /// `ValidationError` has no `input` and no `ctx` in the document.
    ValidationErrorWithoutInput = FastApi .. "0.128.1", "#14791";
    /// `Json[list[int]]` as a parameter is a list of texts, which is no JSON.
    JsonOfListsIsAList = FastApi .. "0.128.2", "#14616";
    /// Files and bytes have `format: binary` in the document, not `contentMediaType`.
    BinaryFormat = FastApi .. "0.129.1", "measured";
    /// Floats in answers are as Python writes them, `1e-05`, and an extra field that is called like a field is not
    /// written beside it.
    FloatsOfPython = FastApi .. "0.130", "#14962";
    /// A body without `Content-Type` is JSON.
    JsonWithoutContentType = FastApi .. "0.132", "#14978";
    /// A redirect to a path with another slash at its end has `#` and `?` in it as they are.
    RedirectsKeepHashes = FastApi .. "0.133", "Starlette 1";
    /// Several body parameters are all missing, even those with a default, if the body is no JSON.
    EmbeddedFieldsOfBytes = FastApi .. "0.135", "measured";
    /// A header whose name has an underscore is an extra one, though a field has that name.
    UnconvertedHeadersAreExtra = FastApi .. "0.136.3", "measured";
    /// Data and comments of server-sent events are split where Python splits lines, and an empty text has
    /// no line.
    EventsInLinesOfPython = FastApi .. "0.140.12", "measured";
    /// A model of parameters is given the defaults of its fields, which errors echo.
    ParameterDefaultsAreInput = FastApi .. "0.148", "measured";
    /// The same as [`Self::AliasChoicesAreNames`] in a form.
    FormAliasChoicesAreNames = FastApi .. "0.149", "measured";
    /// Empty fields of a form that is a model are empty texts, not absent.
    EmptyFieldsOfFormModelsAreGiven = FastApi .. "0.149", "measured";
    /// A body `null`, and `null` in one of several body parameters, is no body.
    NullIsMissing = FastApi .. "0.151", "measured";
    /// Errors of a model of headers name its fields, not the headers.
    HeaderModelsShowFields = FastApi .. "0.152", "measured";
    /// A parameter with `AliasChoices` has its name in Python.
    AliasChoicesAreNames = FastApi .. "0.156", "measured";
    /// A required `bool` of a form that is absent is false.
    AbsentFormBooleansAreFalse = FastApi "0.147" .. "0.162", "measured";
    /// A `timedelta` in a text has at most 23 hours, and is days if it has no colon behind two digits.
    DurationsWithinADay = Pydantic .. "2.8", "measured";
    /// A `date` in a text of milliseconds may have thousandths of a second.
    DatesOfMilliseconds = Pydantic .. "2.8", "measured";
    /// A fraction in a text is of a second, though the number is of milliseconds, and none if it is negative.
    TimestampFractionsOfTexts = Pydantic .. "2.8", "measured";
    /// A union takes the first of several models that fit, not the one with most fields.
    UnionsIgnoreFields = Pydantic .. "2.8", "measured";
    /// An integer in a text has no zeros behind a minus sign.
    MinusBeforeZeros = Pydantic .. "2.9", "measured";
    /// In the document a reference with other keywords is in `allOf`.
    ReferencesInAllOf = Pydantic .. "2.9", "#10029";
    /// Base 64 is written in lines that end with a line feed.
    Base64InLines = Pydantic .. "2.10", "#10486";
    /// `Base64Str` is read from bytes, and errors say so.
    Base64TextsAreBytes = Pydantic .. "2.10", "#10584";
    /// `1.0` and `true` are not `1` for a literal and for a tag.
    LiteralIntegersAreStrict = Pydantic .. "2.10", "measured";
    /// Seconds and milliseconds are times from the year 1600 on.
    TimestampsFrom1600 = Pydantic .. "2.10", "speedate 0.15";
    /// A constant in the document is an `enum` as well, and an enumeration of one a `const`.
    ConstantsAreEnumerations = Pydantic .. "2.10", "#10692";
    /// The document has no `propertyNames`.
    NoPropertyNames = Pydantic .. "2.10", "#10478";
    /// The schema of a parameter in the document is not `deprecated`, only the parameter is.
    ParameterSchemasAreCurrent = Pydantic .. "2.10", "measured";
    /// A forbidden character in the domain of a URL is an `invalid domain character`.
    DomainCharacters = Pydantic .. "2.11", "measured";
    /// A float is a multiple if its remainder is small beside itself.
    MultiplesByRemainder = Pydantic .. "2.11", "measured";
    /// Timestamps in texts have no exponent and begin with a digit.
    TimestampsArePlain = Pydantic .. "2.12", "speedate 0.16";
    /// `Decimal` has a `pattern` in the document.
    DecimalPattern = Pydantic "2.12" .. "2.14", "#11987";
    /// `invalid character` of a UUID names the prefix that it may have.
    UuidPrefixIsNamed = Pydantic .. "2.13", "measured";
    /// Positions in a UUID are counted from 1, and lengths are reported with what was expected.
    UuidGroupsFromOne = Pydantic .. "2.14", "measured";
    /// Line breaks around an e-mail address are dropped.
    EmailsAreStrippedOfLines = Pydantic .. "2.14", "measured";
    /// The length of a dictionary is checked behind its items, and the error names it.
    DictionariesAreCountedLast = Pydantic .. "2.14", "measured";
    /// Digits of a `Decimal` are counted after it is rounded to 28.
    DecimalsAreRounded = Pydantic .. "2.14", "measured";
    /// Seconds of a `timedelta` beyond 32 bits of days begin anew.
    DurationsOverflow = Pydantic .. "2.14", "measured";
    /// The fraction of a negative timestamp counts towards zero.
    TimestampFractionsWithoutSign = Pydantic .. "2.14", "speedate 0.18";
}
