//! What is seen of an SMTP session that passes (RFC 5321): the e-mails that the server accepts.

use std::collections::VecDeque;
use std::mem::take;

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
    /// A session of its own begins with it: what was named before is void.
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
#[derive(Debug, Default)]
pub(super) struct Session {
    next: Next,
    waiting: VecDeque<Command>,
    /// The line that the client, and the one that the server has begun.
    line: Vec<u8>,
    reply: Vec<u8>,
    to: Vec<String>,
    text: Vec<u8>,
    is_too_long: bool,
}

impl Session {
    /// Whether the rest of the session cannot be read: it is encrypted, or in chunks.
    pub(super) fn is_unknown(&self) -> bool {
        self.next == Next::Unknown
    }

    /// Takes what the client sends.
    pub(super) fn client(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match self.next {
                Next::Unknown => return,
                _ if self.line.len() + part.len() > MAX_LINE => {
                    // A line of a text may be of any length, a command may not.
                    match self.next {
                        Next::Text => (self.is_too_long, self.line) = (true, Vec::new()),
                        _ => self.next = Next::Unknown,
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
        if self.text.len() + line.len() > MAX_TEXT {
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
            self.next = Next::Unknown;
            return;
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
            if self.is_unknown() || self.reply.len() + part.len() > MAX_LINE {
                self.next = Next::Unknown;
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
            Command::StartTls if is_accepted => self.next = Next::Unknown,
            Command::Text => {
                let (to, text) = (take(&mut self.to), take(&mut self.text));
                return (is_accepted && !self.is_too_long).then_some(Sent { to, text });
            }
            Command::Recipient(_) | Command::Data | Command::StartTls | Command::Other => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a session, each line in pieces of `size` bytes; `<` is the client's.
    fn play(lines: &[&str], size: usize) -> (Session, Vec<Sent>) {
        let (mut session, mut sent) = (Session::default(), Vec::new());
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
            let (session, sent) = play(&lines, size);
            assert!(!session.is_unknown());
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
            let (session, sent) = play(&lines, 7);
            assert!(sent.is_empty() && !session.is_unknown(), "{lines:?}");
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
        let (session, sent) = play(&["<STARTTLS", ">220 go on", "<\u{16}\u{3}DATA", ">250 ok"], 9);
        assert!(session.is_unknown() && sent.is_empty());
        assert!(!play(&["<STARTTLS", ">454 not now", "<NOOP", ">250 ok"], 9).0.is_unknown());
    }

    #[test]
    fn an_e_mail_that_is_too_long_is_left_out() {
        let long = format!("<{}", "x".repeat(MAX_TEXT + 1));
        let lines = [">250 ok", "<DATA", ">354 go on", &long, "<.", ">250 ok"];
        let lines: Vec<_> = BEGIN.into_iter().chain(lines).collect();
        let (session, sent) = play(&lines, 10_000);
        assert!(sent.is_empty() && !session.is_unknown());
    }
}
