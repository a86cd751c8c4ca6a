//! A JSON body as it was sent, with an index of its values.
//!
//! No tree is built: a value of the body is eight bytes of the index, and what it is gets read from
//! the text when a decoder reads it. An error that echoes its input refers to the body. So a body
//! takes at most five times its size (one value takes at least two bytes: `0,`), whatever is in it
//! and however often it is echoed; and nothing here recurses.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A decoded body.
pub(crate) struct Document {
    pub(super) text: String,
    pub(super) entries: Vec<Entry>,
    /// Where in the text [`LONE`] stands for a lone surrogate; ascending.
    pub(super) lone: Vec<u32>,
    /// For keys that were given several times: the entry of the key, and that of its value or
    /// [`NOWHERE`]; ascending. Python keeps the position of the first and the value of the last.
    pub(super) redirects: Vec<(u32, u32)>,
    /// How deep lists and objects are nested.
    pub(super) depth: usize,
}

/// The target of a key that an equal one before it stands for.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A value or a key. Entries stand in the order of the text.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Where it begins in the text; the first character gives its kind.
    pub(super) start: u32,
    /// For a string the bytes between its quotes, for a list or an object the entry behind its last
    /// one, and a [`FLAG`]; else nothing.
    pub(super) extent: u32,
}

/// What stands for a lone surrogate, which no Rust string can hold: U+FFFD for each of its three bytes, as
/// pydantic writes one in a key of an answer.
pub(super) const LONE: &str = "\u{FFFD}\u{FFFD}\u{FFFD}";

/// Of a string: it has escapes. Of an object: keys of it were given several times.
pub(super) const FLAG: u32 = 1 << 31;

impl Document {
    /// The part of the text between two borders of characters.
    pub(crate) fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Whether [`LONE`] stands somewhere in this part of the text.
    pub(super) fn has_lone(&self, start: u32, end: u32) -> bool {
        let first = self.lone.partition_point(|&at| at < start);
        self.lone.get(first).is_some_and(|&at| at < end)
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn entry(&self, index: u32) -> Entry {
        self.entries.get(index as usize).copied().unwrap_or(Entry { start: 0, extent: 0 })
    }

    pub(super) fn first_byte(&self, entry: Entry) -> u8 {
        self.text.as_bytes().get(entry.start as usize).copied().unwrap_or_default()
    }

    /// The entry behind a value and everything in it.
    fn behind(&self, index: u32) -> u32 {
        let entry = self.entry(index);
        match self.first_byte(entry) {
            b'[' | b'{' => entry.extent & !FLAG,
            _ => index + 1,
        }
    }

    /// The text of a key, with [`LONE`] for lone surrogates.
    fn key(&self, index: u32) -> Cow<'_, str> {
        let entry = self.entry(index);
        let text = self.slice(entry.start + 1, entry.start + 1 + (entry.extent & !FLAG));
        if entry.extent & FLAG == 0 { text.into() } else { unescape(text).0.into() }
    }

    /// The entry of a key's value; `None` if the key does not count.
    fn target(&self, key: u32, redirected: bool) -> Option<u32> {
        if redirected && let Ok(at) = self.redirects.binary_search_by_key(&key, |entry| entry.0) {
            let (_, target) = self.redirects[at];
            return (target != NOWHERE).then_some(target);
        }
        Some(key + 1)
    }

    /// Finds keys that an object has several times, once it has been read: the first gets the value
    /// of the last.
    pub(super) fn merge_keys(&mut self, object: u32) {
        let end = self.entry(object).extent;
        let count = {
            let (mut count, mut key) = (0_usize, object + 1);
            while key < end {
                count += 1;
                key = self.behind(key + 1);
            }
            count
        };
        if count < 2 {
            return;
        }
        let known = self.redirects.len();
        // Few keys are compared with each other, many are hashed.
        if count <= 8 {
            let mut keys = [0_u32; 8];
            let mut next = object + 1;
            for key in &mut keys[..count] {
                *key = next;
                next = self.behind(next + 1);
            }
            for (position, &key) in keys[..count].iter().enumerate() {
                let name = self.key(key);
                if let Some(&first) =
                    keys[..position].iter().find(|&&first| self.key(first) == name)
                {
                    self.redirects.extend([(first, key + 1), (key, NOWHERE)]);
                }
            }
        } else {
            let hasher = std::hash::RandomState::new();
            let mut seen = hashbrown::HashTable::<u32>::with_capacity(count);
            let mut key = object + 1;
            while key < end {
                use std::hash::BuildHasher;
                let name = self.key(key);
                let hash = |name: &str| hasher.hash_one(name);
                match seen.entry(
                    hash(&name),
                    |&other| self.key(other) == name,
                    |&other| hash(&self.key(other)),
                ) {
                    hashbrown::hash_table::Entry::Occupied(first) => {
                        let first = *first.get();
                        self.redirects.extend([(first, key + 1), (key, NOWHERE)]);
                    }
                    hashbrown::hash_table::Entry::Vacant(vacant) => {
                        vacant.insert(key);
                    }
                }
                key = self.behind(key + 1);
            }
        }
        if self.redirects.len() > known {
            self.entries[object as usize].extent |= FLAG;
        }
    }

    /// Brings the redirects into their order; of several of one key the last counts.
    pub(super) fn sort_redirects(&mut self) {
        self.redirects.sort_by_key(|&(key, _)| key);
        self.redirects.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                *earlier = *later;
            }
            same
        });
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("text", &self.text).finish_non_exhaustive()
    }
}

/// A list or an object of a body.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    document: Arc<Document>,
    index: u32,
}

impl Node {
    /// The list or object at an entry.
    pub(crate) fn new(document: &Arc<Document>, index: u32) -> Self {
        Self { document: Arc::clone(document), index }
    }

    pub(crate) fn document(&self) -> &Arc<Document> {
        &self.document
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.index == other.index && Arc::ptr_eq(&self.document, &other.document)
    }

    /// The items, if it is a list.
    pub(crate) fn items(&self) -> Items {
        let end = self.document.behind(self.index);
        Items { document: Arc::clone(&self.document), next: self.index + 1, end }
    }

    /// The keys, if it is an object, each once.
    pub(crate) fn keys(&self) -> Keys {
        let entry = self.document.entry(self.index);
        Keys {
            document: Arc::clone(&self.document),
            next: self.index + 1,
            end: entry.extent & !FLAG,
            redirected: entry.extent & FLAG != 0,
        }
    }

    /// The entry of a key's value.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        let mut keys = self.keys();
        while let Some((key, value)) = keys.advance() {
            if self.document.key(key) == name {
                return Some(value);
            }
        }
        None
    }
}

/// The items of a list, as entries.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    document: Arc<Document>,
    next: u32,
    end: u32,
}

impl Items {
    pub(crate) fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// The entry of the next item.
    pub(crate) fn advance(&mut self) -> Option<u32> {
        let entry = self.next;
        (entry < self.end).then(|| {
            self.next = self.document.behind(entry);
            entry
        })
    }

    /// How many are left.
    pub(crate) fn count_left(&self) -> usize {
        let (mut count, mut next) = (0, self.next);
        while next < self.end {
            count += 1;
            next = self.document.behind(next);
        }
        count
    }
}

/// The keys and values of an object, as entries.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    document: Arc<Document>,
    next: u32,
    end: u32,
    redirected: bool,
}

impl Keys {
    pub(crate) fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// The entries of the next key and of its value.
    pub(crate) fn advance(&mut self) -> Option<(u32, u32)> {
        while self.next < self.end {
            let key = self.next;
            self.next = self.document.behind(key + 1);
            if let Some(target) = self.document.target(key, self.redirected) {
                return Some((key, target));
            }
        }
        None
    }

    /// How many are left.
    pub(crate) fn count_left(&self) -> usize {
        let mut rest = self.clone();
        std::iter::from_fn(|| rest.advance()).count()
    }
}

/// Replaces the escapes of a string that the parser has accepted. The second value is whether there was
/// half of a surrogate pair without the other, for which [`LONE`] stands.
pub(super) fn unescape(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut lone = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut letters = after.chars();
        let plain = match letters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let high = hex4(after.get(1..5));
                rest = after.get(5..).unwrap_or_default();
                let low = rest.strip_prefix("\\u").map(|low| hex4(low.get(..4)));
                let low = low.filter(|low| (0xDC00..0xE000).contains(low));
                let code = match low {
                    Some(low) if (0xD800..0xDC00).contains(&high) => {
                        rest = rest.get(6..).unwrap_or_default();
                        0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                    }
                    _ => high,
                };
                if let Some(c) = char::from_u32(code) {
                    out.push(c);
                } else {
                    lone = true;
                    out.push_str(LONE);
                }
                continue;
            }
            Some(c) => c,
            None => break,
        };
        out.push(plain);
        rest = letters.as_str();
    }
    out.push_str(rest);
    (out, lone)
}

fn hex4(digits: Option<&str>) -> u32 {
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

/// A position in a body; the parser refuses those that 31 bits cannot hold.
pub(super) fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
