//! Errors as a text for the log.

use std::error::Error;

/// An error with all of its causes in one text, `outer: inner: innermost`. The log's formats show only the
/// outermost of an error that is given as one.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        // Some show their cause themselves.
        if !text.ends_with(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        source: Inner,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct Inner(#[source] io::Error);

    #[test]
    fn every_cause_is_in_the_text_once() {
        for text in ["legacy cannot be reached", "legacy cannot be reached: no connection"] {
            let error = Outer { text, source: Inner(io::Error::other("refused")) };
            assert_eq!(causes(&error), "legacy cannot be reached: no connection: refused");
        }
    }
}
