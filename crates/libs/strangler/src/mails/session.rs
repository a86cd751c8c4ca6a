//! What is seen of an SMTP session that passes (RFC 5321): the e-mails that the server accepts.

use std::collections::VecDeque;
use std::mem::take;

use crate::memory::{Budget, Held};

/// The longest command, and the longest e-mail that is kept, in bytes.
const MAX_LINE: usize = 64 * 1024;
const MAX_TEXT: usize = 1024 * 1024;

/// An e-mail as it was sent, with the recipients that were accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) to: Vec<String>,
    pub(super) text: Vec<u8>,
}

/// A command whose reply has not come.
#[derive(Debug)]
enum Command {
    /// It begins a mail transaction, or ends one: recipients that were named before do not count.
    Reset,
    Recipient(String),
    Data,
    /// The end of an e-mail's text.
    Text,
    StartTls,
    Other,
}

/// What the client's next bytes are.
#[derive(Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Commands,
    Text,
    /// Nothing that can be read.
    Unknown,
}

/// An SMTP session, followed from both sides' bytes.
#[derive(Debug)]
pub(super) struct Session {
    next: Next,
    waiting: VecDeque<Command>,
    /// The line that the client, and the one that the server has begun.
    line: Vec<u8>,
    reply: Vec<u8>,
    to: Vec<String>,
    text: Vec<u8>,
    /// The memory for the text.
    held: Held,
    is_too_long: bool,
    /// Whether an e-mail has passed, or may have, that was not seen.
    has_unseen: bool,
}

impl Session {
    /// A session whose texts take their memory from `held`.
    pub(super) fn new(held: Held) -> Self {
        Self {
            next: Next::default(),
            waiting: VecDeque::new(),
            line: Vec::new(),
            reply: Vec::new(),
            to: Vec::new(),
            text: Vec::new(),
            held,
            is_too_long: false,
            has_unseen: false,
        }
    }

    /// Whether an e-mail has passed since the last call, or may have, that was not seen: it was
    /// encrypted, in chunks, or too long.
    pub(super) fn take_unseen(&mut self) -> bool {
        take(&mut self.has_unseen)
    }

    /// The rest of the session cannot be read.
    fn lose(&mut self) {
        (self.next, self.has_unseen) = (Next::Unknown, true);
    }

    /// Takes what the client sends.
    pub(super) fn client(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match self.next {
                Next::Unknown => return self.lose(),
                _ if self.line.len() + part.len() > MAX_LINE => {
                    // A line of a text may be of any length, a command may not.
                    match self.next {
                        Next::Text => (self.is_too_long, self.line) = (true, Vec::new()),
                        _ => self.lose(),
                    }
                    continue;
                }
                _ => self.line.extend_from_slice(part),
            }
            if !part.ends_with(b"\n") {
                continue;
            }
            let line = take(&mut self.line);
            if self.next == Next::Text { self.text_line(&line) } else { self.command(&line) }
        }
    }

    fn text_line(&mut self, line: &[u8]) {
        if matches!(line, b".\r\n" | b".\n") {
            self.next = Next::Commands;
            self.waiting.push_back(Command::Text);
            return;
        }
        // A leading dot is doubled on the way.
        let line = line.strip_prefix(b".").unwrap_or(line);
        let length = self.text.len() + line.len();
        if length > MAX_TEXT || !self.held.grow_to(length) {
            self.is_too_long = true;
        } else {
            self.text.extend_from_slice(line);
        }
    }

    fn command(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let upper = line.trim().to_ascii_uppercase();
        let command = if upper.starts_with("RCPT TO:") {
            let rest = line.trim().get("RCPT TO:".len()..).unwrap_or_default();
            let address = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            Command::Recipient(address.map_or(rest.trim(), |(address, _)| address).to_owned())
        } else if upper == "DATA" {
            Command::Data
        } else if upper == "STARTTLS" {
            Command::StartTls
        } else if upper.starts_with("BDAT") {
            return self.lose();
        } else if ["MAIL FROM:", "RSET", "EHLO", "HELO"].iter().any(|it| upper.starts_with(it)) {
            Command::Reset
        } else {
            Command::Other
        };
        self.waiting.push_back(command);
    }

    /// Takes what the server sends. Gives the e-mails that it has accepted by that.
    pub(super) fn server(&mut self, bytes: &[u8]) -> Vec<Sent> {
        let mut sent = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.next == Next::Unknown || self.reply.len() + part.len() > MAX_LINE {
                self.lose();
                return sent;
            }
            self.reply.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let reply = take(&mut self.reply);
                // The last line of a reply has no dash after its code.
                if reply.get(3) != Some(&b'-') {
                    sent.extend(self.replied(reply.first().copied().unwrap_or_default(), &reply));
                }
            }
        }
        sent
    }

    fn replied(&mut self, class: u8, reply: &[u8]) -> Option<Sent> {
        let is_accepted = class == b'2';
        match self.waiting.pop_front()? {
            Command::Reset => self.to.clear(),
            Command::Recipient(address) if is_accepted => self.to.push(address),
            Command::Data if reply.starts_with(b"354") => {
                (self.next, self.is_too_long) = (Next::Text, false);
                self.text.clear();
            }
            Command::StartTls if is_accepted => self.lose(),
            Command::Text => {
                let (to, text) = (take(&mut self.to), take(&mut self.text));
                self.has_unseen |= is_accepted && self.is_too_long;
                return (is_accepted && !self.is_too_long).then_some(Sent { to, text });
            }
            Command::Recipient(_) | Command::Data | Command::StartTls | Command::Other => {}
        }
        None
    }
}

/// The recipients and the text of each e-mail in a session, whose lines arrive in pieces of `size` bytes;
/// those of the server begin with `>`.
pub(crate) fn replayed(lines: &[u8], size: usize) -> Vec<(Vec<String>, Vec<u8>)> {
    let (mut session, mut sent) = (Session::new(Budget::new(2 * MAX_TEXT).part()), Vec::new());
    for line in lines.split(|byte| *byte == b'\n') {
        let (is_server, text) = line.strip_prefix(b">").map_or((false, line), |text| (true, text));
        for piece in [text, b"\r\n"].concat().chunks(size) {
            if is_server {
                sent.extend(session.server(piece));
            } else {
                session.client(piece);
            }
        }
    }
    sent.into_iter().map(|Sent { to, text }| (to, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a session, each line in pieces of `size` bytes; `<` is the client's.
    fn play(lines: &[&str], size: usize) -> (Session, Vec<Sent>) {
        let held = Budget::new(2 * MAX_TEXT).part();
        let (mut session, mut sent) = (Session::new(held), Vec::new());
        for line in lines {
            let (side, text) = line.split_at(1);
            let text = format!("{text}\r\n");
            for piece in text.as_bytes().chunks(size) {
                if side == "<" {
                    session.client(piece);
                } else {
                    sent.extend(session.server(piece));
                }
            }
        }
        (session, sent)
    }

    const BEGIN: [&str; 7] = [
        ">220 ready",
        "<EHLO a",
        ">250-a",
        ">250 8BITMIME",
        "<mail FROM:<me@b.co> SIZE=10",
        ">250 ok",
        "<RCPT TO:<one@b.co> NOTIFY=NEVER",
    ];

    #[test]
    fn what_the_server_accepts_was_sent() {
        let lines = ">250 ok\n<RCPT TO: two@b.co\n>550 no\n<DATA\n>354 go on\n<Subject: Hi\n<\n<..dot\n<.\n>250 ok\n<QUIT\n>221 bye";
        let lines: Vec<_> = BEGIN.into_iter().chain(lines.lines()).collect();
        for size in [1, 3, 1000] {
            let (mut session, sent) = play(&lines, size);
            assert!(!session.take_unseen());
            let text = b"Subject: Hi\r\n\r\n.dot\r\n".to_vec();
            assert_eq!(sent, [Sent { to: vec!["one@b.co".into()], text }], "{size}");
        }
    }

    #[test]
    fn what_the_server_refuses_was_not() {
        for lines in [
            ">250 ok\n<DATA\n>354 go on\n<a\n<.\n>554 no",
            ">250 ok\n<DATA\n>451 later\n<RSET\n>250 ok",
        ] {
            let lines: Vec<_> = BEGIN.into_iter().chain(lines.lines()).collect();
            let (mut session, sent) = play(&lines, 7);
            assert!(sent.is_empty() && !session.take_unseen(), "{lines:?}");
        }
    }

    #[test]
    fn a_recipient_of_an_earlier_e_mail_is_none_of_the_next() {
        let rest = ">250 ok\n<RSET\n>250 ok\n<MAIL FROM:<me@b.co>\n>250 ok\n<RCPT TO:<two@b.co>\n\
                    >250 ok\n<DATA\n>354 go on\n<a\n<.\n>250 ok";
        let lines: Vec<_> = BEGIN.into_iter().chain(rest.lines()).collect();
        assert_eq!(play(&lines, 100).1[0].to, ["two@b.co"]);
    }

    #[test]
    fn what_is_encrypted_is_not_seen() {
        let begin = ["<STARTTLS", ">220 go on", "<\u{16}\u{3}DATA", ">250 ok"];
        let (mut session, sent) = play(&begin, 9);
        assert!(session.take_unseen() && sent.is_empty());
        assert!(!session.take_unseen());
        session.client(b"\x17\x03more");
        assert!(session.take_unseen(), "each may be an e-mail");
        let refused = ["<STARTTLS", ">454 not now", "<NOOP", ">250 ok"];
        assert!(!play(&refused, 9).0.take_unseen());
    }

    #[test]
    fn an_e_mail_that_is_too_long_is_left_out() {
        let long = format!("<{}", "x".repeat(MAX_TEXT + 1));
        let lines = [">250 ok", "<DATA", ">354 go on", &long, "<.", ">250 ok"];
        let lines: Vec<_> = BEGIN.into_iter().chain(lines).collect();
        let (mut session, sent) = play(&lines, 10_000);
        assert!(sent.is_empty() && session.take_unseen());
        let rest = ["<RCPT TO:<one@b.co>", ">250 ok", "<DATA", ">354 go on", "<a", "<.", ">250 ok"];
        assert_eq!(play(&rest, 100).1.len(), 1);
    }
}
