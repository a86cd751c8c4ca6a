//! Validation errors in pydantic's shape, and the 422 that carries them.

use std::borrow::Cow;

use serde::Serialize;

use crate::echo::{Echo, Floats, plain};
use crate::value::Value;

/// An answer has no more errors; FastAPI's has them all.
pub const MAX_ERRORS: usize = 10_000;

/// Locations, messages and contexts of an answer's errors take no more bytes; FastAPI's may.
pub const MAX_EXPLANATION: usize = 4 * 1024 * 1024;

/// No further error begins behind so many bytes of an answer; FastAPI's may.
pub const MAX_ANSWER: u64 = 32 * 1024 * 1024;

/// How many bytes are written at a time: what a thread of the runtime is kept busy with.
pub(crate) const CHUNK: usize = 8 * 1024;

/// How deep models may hold models of their own kind; from there on pydantic adds an error.
const MAX_RECURSION: usize = 255;

/// One step of the way to a value: a field's name or a position in a list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// Where a value stands in the request, from the inside out; it lives on the stack while decoding.
#[derive(Clone, Copy, Debug)]
pub struct Loc<'a> {
    parent: Option<&'a Loc<'a>>,
    step: Step<'a>,
}

impl<'a> Loc<'a> {
    /// The beginning: `body`, `path`, `query`, `header` or `cookie`.
    pub const fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    /// The location of a field of what is here.
    #[must_use]
    pub const fn field(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    /// The location of an item of what is here, counted from zero.
    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// The steps from the inside out.
    fn outwards(&self) -> impl Iterator<Item = Step<'a>> {
        std::iter::successors(Some(*self), |loc| loc.parent.copied()).map(|loc| loc.step)
    }

    fn steps(&self) -> Box<[OwnedStep]> {
        let mut steps: Vec<_> = self
            .outwards()
            .map(|step| match step {
                Step::Name(name) => OwnedStep::Name(name.into()),
                Step::Index(index) => OwnedStep::Index(index),
            })
            .collect();
        steps.reverse();
        steps.into()
    }

    /// About how many bytes the steps take.
    fn weight(&self) -> usize {
        let weight = |step| match step {
            Step::Name(name) => size_of::<OwnedStep>() + name.len(),
            Step::Index(_) => size_of::<OwnedStep>(),
        };
        self.outwards().map(weight).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum OwnedStep {
    Name(Box<str>),
    Index(usize),
}

/// The `ctx` of an error: the parameters of its message.
pub type Context = [(&'static str, Value)];

/// One error, as it stands in the list `detail`. Its input is shared with the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    kind: &'static str,
    loc: Box<[OwnedStep]>,
    msg: Cow<'static, str>,
    pub(crate) input: Value,
    ctx: Box<[(&'static str, Value)]>,
    /// The bytes of its JSON, once they have been counted.
    pub(crate) length: Option<u64>,
}

impl Detail {
    /// Writes what stands before the input.
    pub(crate) fn write_head(&self, out: &mut Vec<u8>) {
        out.extend(b"{\"type\":");
        plain(self.kind, out);
        out.extend(b",\"loc\":");
        plain(&self.loc, out);
        out.extend(b",\"msg\":");
        plain(&self.msg, out);
        out.extend(b",\"input\":");
    }

    /// Writes what stands behind the input.
    pub(crate) fn write_tail(&self, out: &mut Vec<u8>) {
        for (index, (key, value)) in self.ctx.iter().enumerate() {
            out.extend(if index == 0 { &b",\"ctx\":{"[..] } else { b"," });
            plain(key, out);
            out.push(b':');
            Echo::new(value.clone(), Floats::Python).write(out, usize::MAX);
        }
        out.extend(if self.ctx.is_empty() { &b"}"[..] } else { b"}}" });
    }

    /// The bytes of its JSON without its input; `scratch` is for counting.
    fn own_length(&self, scratch: &mut Vec<u8>) -> u64 {
        scratch.clear();
        self.write_head(scratch);
        self.write_tail(scratch);
        scratch.len() as u64
    }
}

/// The bytes of an input's JSON.
fn echo_length(input: &Value, scratch: &mut Vec<u8>) -> u64 {
    let mut echo = Echo::new(input.clone(), Floats::Python);
    let mut length = 0;
    loop {
        scratch.clear();
        let is_complete = echo.write(scratch, CHUNK);
        length += scratch.len() as u64;
        if is_complete {
            return length;
        }
    }
}

/// How well a value fits its type; the worst first. A union takes the choice that fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exactness {
    /// It was coerced.
    Lax,
    /// It is of a type that stands for another one, like an integer for a float.
    Strict,
    Exact,
}

/// The errors found so far, which an answer names all, and how well the valid values fit.
#[derive(Debug)]
pub struct Errors {
    pub(crate) details: Vec<Detail>,
    /// How many there are, with those that were too many to keep.
    count: usize,
    /// About how many bytes those take that are kept, without their inputs.
    weight: usize,
    /// The types that are being decoded, from the outside in.
    nested: Vec<Nested>,
    pub(crate) exactness: Exactness,
    /// How many fields of models were given, if there was a model.
    pub(crate) fields_set: Option<usize>,
    /// Whether the fields of a strict model are being decoded.
    pub(crate) is_strict: bool,
    /// Whether what is being decoded was JSON in a text.
    pub(crate) is_json: bool,
    /// Whether what is being decoded is the text of bytes that are no UTF-8.
    pub(crate) is_not_utf8: bool,
}

impl Default for Errors {
    fn default() -> Self {
        Self {
            details: Vec::new(),
            count: 0,
            weight: 0,
            nested: Vec::new(),
            exactness: Exactness::Exact,
            fields_set: None,
            is_strict: false,
            is_json: false,
            is_not_utf8: false,
        }
    }
}

/// A type whose value is being decoded, and may hold another one of its kind.
#[derive(Debug)]
struct Nested {
    name: &'static str,
    /// Not a model: a union or an annotated type. In Python it is one for itself only if it holds its
    /// kind without a model between.
    is_alias: bool,
    /// Whether it holds its own kind, as far as is known.
    is_recursive: bool,
}

/// Errors taken out of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Taken {
    details: Vec<Detail>,
    count: usize,
    weight: usize,
}

impl Taken {
    /// Adds more, as many as an answer has.
    pub(crate) fn extend(&mut self, more: Self) {
        self.count += more.count;
        // What is dropped here an answer would drop as well.
        if self.details.len() < MAX_ERRORS && self.weight < MAX_EXPLANATION {
            self.details.extend(more.details);
            self.weight += more.weight;
        }
    }
}

impl Errors {
    /// None yet, of what is decoded as a field of a strict model.
    #[cfg(feature = "url")]
    pub(crate) fn strict() -> Self {
        Self { is_strict: true, ..Self::default() }
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether further errors are not kept: there is no use in looking for them.
    pub(crate) fn is_full(&self) -> bool {
        self.count > self.details.len()
    }

    /// Forgets the errors from the `start`-th on.
    pub(crate) fn truncate(&mut self, start: usize) {
        drop(self.split_off(start));
    }

    /// Takes the errors from the `start`-th on.
    pub(crate) fn split_off(&mut self, start: usize) -> Taken {
        if start >= self.count {
            return Taken::default();
        }
        let details = self.details.split_off(start.min(self.details.len()));
        let weight = details.iter().map(Detail::weight).sum::<usize>();
        self.weight -= weight;
        let count = self.count - start;
        self.count = start;
        Taken { details, count, weight }
    }

    pub(crate) fn extend(&mut self, taken: Taken) {
        let dropped = taken.count.saturating_sub(taken.details.len());
        for detail in taken.details {
            self.keep(detail);
        }
        self.count += dropped;
    }

    /// Takes over all errors of another request's part.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.extend(other.split_off(0));
    }

    /// The value fits no better than this.
    pub(crate) fn fits(&mut self, exactness: Exactness) {
        self.exactness = self.exactness.min(exactness);
    }

    pub(crate) fn add_fields_set(&mut self, count: usize) {
        *self.fields_set.get_or_insert(0) += count;
    }

    /// Adds an error and gives `None`, the value that could not be decoded.
    ///
    /// Beyond [`MAX_ERRORS`] and [`MAX_EXPLANATION`] errors are only counted.
    pub fn add<T>(
        &mut self,
        kind: &'static str,
        at: &Loc<'_>,
        msg: impl Into<Cow<'static, str>>,
        input: &Value,
        ctx: &Context,
    ) -> Option<T> {
        let msg = msg.into();
        let weight = weight(at.weight(), &msg, ctx);
        if self.has_room(weight) {
            let (loc, input, ctx) = (at.steps(), input.clone(), ctx.into());
            self.details.push(Detail { kind, loc, msg, input, ctx, length: None });
            self.weight += weight;
        }
        self.count += 1;
        None
    }

    fn has_room(&self, weight: usize) -> bool {
        self.details.is_empty()
            || (!self.is_full()
                && self.details.len() < MAX_ERRORS
                && self.weight + weight <= MAX_EXPLANATION)
    }

    fn keep(&mut self, detail: Detail) {
        let weight = detail.weight();
        if self.has_room(weight) {
            self.weight += weight;
            self.details.push(detail);
        }
        self.count += 1;
    }

    /// For the text of bytes that are no UTF-8.
    pub(crate) fn of_bytes() -> Self {
        Self { is_not_utf8: true, ..Self::default() }
    }

    /// A text with lone surrogates where pydantic needs one that can be encoded.
    pub(crate) fn not_unicode<T>(&mut self, at: &Loc<'_>, input: &Value) -> Option<T> {
        let msg = "Input should be a valid string, unable to parse raw data as a unicode string";
        self.add("string_unicode", at, msg, input, &[])
    }

    /// A required field that is not there; `input` is the object that lacks it, or null.
    pub fn missing<T>(&mut self, at: &Loc<'_>, input: &Value) -> Option<T> {
        self.add("missing", at, "Field required", input, &[])
    }

    /// Decodes something that may hold its own kind, unless it is nested too deep in that. `name`
    /// is that of its type, and `is_alias` whether that is not a model.
    pub(crate) fn within<T>(
        &mut self,
        (name, is_alias): (&'static str, bool),
        at: &Loc<'_>,
        input: &Value,
        decode: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        // From the last of its kind on, all hold their own kind.
        let known = self.nested.iter().rposition(|nested| nested.name == name);
        let cycle = self.nested.get_mut(known.unwrap_or(usize::MAX)..).unwrap_or_default();
        let without_model = is_alias && cycle.iter().all(|nested| nested.is_alias);
        for nested in cycle {
            nested.is_recursive |= without_model || !nested.is_alias;
        }
        let is_recursive = known.is_some() && (without_model || !is_alias);
        if is_recursive && self.nested.len() + 1 >= MAX_RECURSION {
            let depth = 1 + self.nested.iter().filter(|nested| nested.is_recursive).count();
            if depth >= MAX_RECURSION {
                let msg = "Recursion error - maximum validation depth exceeded";
                return self.add("recursion_depth_exceeded", at, msg, input, &[]);
            }
        }
        self.nested.push(Nested { name, is_alias, is_recursive });
        let value = decode(self);
        self.nested.pop();
        value
    }

    /// Counts the bytes of the answer, which takes time if they are many; what is beyond
    /// [`MAX_ANSWER`] is dropped.
    pub(crate) fn measure(&mut self) {
        let (mut total, mut scratch, mut last) = (0, Vec::new(), None::<(Value, u64)>);
        let mut fits = self.details.len();
        for (index, detail) in self.details.iter_mut().enumerate() {
            if total > MAX_ANSWER {
                fits = index;
                break;
            }
            let length = detail.length.unwrap_or_else(|| {
                // Fields that one object lacks all echo that object.
                let input = match &last {
                    Some((input, length)) if detail.input.is_same(input) => *length,
                    _ => echo_length(&detail.input, &mut scratch),
                };
                last = Some((detail.input.clone(), input));
                detail.own_length(&mut scratch) + input
            });
            detail.length = Some(length);
            total += length + 1;
        }
        self.details.truncate(fits);
    }
}

/// About how many bytes an error takes besides its input.
fn weight(loc: usize, msg: &str, ctx: &Context) -> usize {
    let of_value = |value: &Value| match value {
        Value::Str(text) => text.len(),
        _ => 0,
    };
    let ctx: usize = ctx.iter().map(|entry| size_of_val(entry) + of_value(&entry.1)).sum();
    size_of::<Detail>() + loc + msg.len() + ctx
}

impl Detail {
    fn weight(&self) -> usize {
        let of_step = |step: &OwnedStep| match step {
            OwnedStep::Name(name) => size_of::<OwnedStep>() + name.len(),
            OwnedStep::Index(_) => size_of::<OwnedStep>(),
        };
        weight(self.loc.iter().map(of_step).sum(), &self.msg, &self.ctx)
    }
}
