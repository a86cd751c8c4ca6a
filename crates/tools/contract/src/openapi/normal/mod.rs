//! Schemas in a normal form, in which equal schemas look alike: references followed, `allOf` merged,
//! `type` lists, `nullable`, `anyOf` and `oneOf` written as one union, defaults left out.

mod choice;
mod fingerprint;
mod keywords;
mod merge;
mod normaliser;
mod number;
mod overlap;
mod own;
mod subtypes;
mod syntax;
mod union;

pub(super) use self::choice::{Additional, Bound, Choice, Exclusion, Kind, Parts};
pub(super) use self::fingerprint::plain;
pub(super) use self::keywords::{ANNOTATIONS, is_annotation};
pub(super) use self::normaliser::Normaliser;
pub(super) use self::number::{canonical, float, order, whole};
pub(super) use self::syntax::address;
