//! The e-mails that a rehearsed write would have sent.

use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;

use crate::lock::lock;

/// An e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The recipient.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text, in HTML if it has one.
    pub text: String,
}

impl Message {
    /// About the bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        self.to.len() + self.subject.len() + self.text.len()
    }
}

/// Collects the e-mails of a request that is rehearsed: an extension of it.
#[derive(Clone, Debug, Default)]
pub struct Outbox(Arc<Mutex<Vec<Message>>>);

impl Outbox {
    /// Adds an e-mail that would have been sent.
    pub fn add(&self, message: Message) {
        lock(&self.0).push(message);
    }

    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut lock(&self.0))
    }
}

/// What a request names: its target and body, decoded.
pub(crate) fn names(target: &str, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    format!("{} {} {body}", decoded(target), decoded(&body))
}
