//! Cookies as Starlette sets them.

use std::fmt::Write;

use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use http::{HeaderValue, header};

use crate::characters::to_latin1;
use crate::response::internal_server_error;

/// `response.set_cookie(…)`: a header of the answer that it stands before.
///
/// ```
/// use fastapi_compat::{Json, SetCookie, post};
///
/// #[post("/session")]
/// async fn sign_in() -> (SetCookie, Json<bool>) {
///     (SetCookie::new("session", "abc").httponly().max_age(3600), Json(true))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie {
    key: String,
    value: String,
    max_age: Option<i64>,
    expires: Option<Expires>,
    path: Option<String>,
    domain: Option<String>,
    is_secure: bool,
    is_httponly: bool,
    samesite: Option<SameSite>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expires {
    /// Seconds from when it is sent.
    In(i64),
    At(String),
}

/// Whether a cookie is sent with requests from other sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Only if the user follows a link.
    Lax,
    /// Never.
    Strict,
    /// Always.
    None,
}

impl SetCookie {
    /// A cookie with Starlette's defaults: for all paths, `SameSite=lax`, until the browser is closed.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            max_age: None,
            expires: None,
            path: Some("/".to_owned()),
            domain: None,
            is_secure: false,
            is_httponly: false,
            samesite: Some(SameSite::Lax),
        }
    }

    /// `response.delete_cookie(…)`: a cookie that has expired.
    pub fn delete(key: impl Into<String>) -> Self {
        Self::new(key, "").max_age(0).expires_in(0)
    }

    /// How many seconds it is kept.
    #[must_use]
    pub fn max_age(self, seconds: i64) -> Self {
        Self { max_age: Some(seconds), ..self }
    }

    /// `expires=3600`: so many seconds from when it is sent.
    #[must_use]
    pub fn expires_in(self, seconds: i64) -> Self {
        Self { expires: Some(Expires::In(seconds)), ..self }
    }

    /// `expires="…"`: a date, as it is given.
    #[must_use]
    pub fn expires(self, date: impl Into<String>) -> Self {
        Self { expires: Some(Expires::At(date.into())), ..self }
    }

    /// The path for which it is sent; `None` for the one of the request.
    #[must_use]
    pub fn path(self, path: Option<&str>) -> Self {
        Self { path: path.map(str::to_owned), ..self }
    }

    /// The domain for which it is sent.
    #[must_use]
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// Only over HTTPS.
    #[must_use]
    pub fn secure(self) -> Self {
        Self { is_secure: true, ..self }
    }

    /// Not for scripts.
    #[must_use]
    pub fn httponly(self) -> Self {
        Self { is_httponly: true, ..self }
    }

    /// `samesite=…`; `None` leaves it to the browser.
    #[must_use]
    pub fn samesite(self, samesite: Option<SameSite>) -> Self {
        Self { samesite, ..self }
    }

    /// As Python's `http.cookies` writes it, with the attributes in the order of their names; `None`
    /// if that refuses the key, or a header cannot hold it.
    fn header(&self) -> Option<HeaderValue> {
        if !is_plain(&self.key) || RESERVED.contains(&self.key.to_lowercase().as_str()) {
            return None;
        }
        let mut out = format!("{}={}", self.key, quoted(&self.value));
        let mut attribute = |name: &str, value: &str| {
            if !value.is_empty() {
                _ = write!(out, "; {name}={value}");
            }
        };
        attribute("Domain", self.domain.as_deref().unwrap_or_default());
        match &self.expires {
            Some(Expires::In(seconds)) => attribute("expires", &date(*seconds)),
            Some(Expires::At(date)) => attribute("expires", date),
            None => {}
        }
        if self.is_httponly {
            out.push_str("; HttpOnly");
        }
        let mut attribute = |name: &str, value: &str| {
            if !value.is_empty() {
                _ = write!(out, "; {name}={value}");
            }
        };
        attribute("Max-Age", &self.max_age.map(|age| age.to_string()).unwrap_or_default());
        attribute("Path", self.path.as_deref().unwrap_or_default());
        attribute(
            "SameSite",
            match self.samesite {
                Some(SameSite::Lax) => "lax",
                Some(SameSite::Strict) => "strict",
                Some(SameSite::None) => "none",
                None => "",
            },
        );
        if self.is_secure {
            out.push_str("; Secure");
        }
        HeaderValue::from_bytes(&to_latin1(out.trim())?).ok()
    }
}

/// Names of attributes, which no cookie may have.
const RESERVED: [&str; 9] = [
    "expires", "path", "comment", "domain", "max-age", "secure", "httponly", "version", "samesite",
];

fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:".contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

/// Python's `http.cookies._quote`.
fn quoted(value: &str) -> String {
    if is_plain(value) {
        return value.to_owned();
    }
    let mut out = String::from('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_plain(c.encode_utf8(&mut [0; 4])) || " ()/<=>?@[]{}".contains(c) => out.push(c),
            c if u32::from(c) < 256 => _ = write!(out, "\\{:03o}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `http.cookies._getdate`: the moment in so many seconds.
fn date(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    http_date(now.saturating_add(seconds))
}

/// `Thu, 01 Jan 1970 00:00:00 GMT` for seconds since then.
pub(crate) fn http_date(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        [usize::try_from(days.rem_euclid(7)).unwrap_or_default()];
    // Years begin in March, so that leap days are at their ends.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 2, 0) } else { (month - 10, 1) };
    let year = era * 400 + year_of_era + next;
    let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [usize::try_from(month).unwrap_or_default() % 12];
    let (hours, minutes, seconds) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{weekday}, {day:02} {name} {year:04} {hours:02}:{minutes:02}:{seconds:02} GMT")
}

/// A cookie that Python would not write: its `CookieError` is a 500.
#[derive(Debug)]
pub struct InvalidCookie;

impl IntoResponse for InvalidCookie {
    fn into_response(self) -> Response {
        tracing::error!("a cookie has a name or a value that no header can hold");
        internal_server_error()
    }
}

impl IntoResponseParts for SetCookie {
    type Error = InvalidCookie;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, InvalidCookie> {
        let cookie = self.header().ok_or(InvalidCookie)?;
        parts.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(parts)
    }
}

/// Several cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetCookies(pub Vec<SetCookie>);

impl IntoResponseParts for SetCookies {
    type Error = InvalidCookie;

    fn into_response_parts(self, parts: ResponseParts) -> Result<ResponseParts, InvalidCookie> {
        self.0.into_iter().try_fold(parts, |parts, cookie| cookie.into_response_parts(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(4_102_444_799), "Thu, 31 Dec 2099 23:59:59 GMT");
        assert_eq!(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
    }

    #[test]
    fn keys_that_python_refuses_are_refused() {
        assert_eq!(SetCookie::new("a b", "").header(), None);
        assert_eq!(SetCookie::new("Path", "").header(), None);
        assert_eq!(SetCookie::new("a", "雪").header(), None);
    }
}
