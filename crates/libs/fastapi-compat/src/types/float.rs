//! `float`.

use std::borrow::Cow;

use crate::constraints::{Accepts, BrokenBound, Constraints};
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

const TYPE: &str = "Input should be a valid number";
const PARSING: &str = "Input should be a valid number, unable to parse string as a number";

/// Reads a number by pydantic's lax rules, without looking at the constraints.
fn read(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<f64> {
    let exactness = match input {
        Value::Float(_) => Exactness::Exact,
        Value::Int(_) | Value::BigInt(_) => Exactness::Strict,
        _ => Exactness::Lax,
    };
    errors.fits(exactness);
    match input {
        Value::Float(value) => Some(*value),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        #[expect(clippy::cast_precision_loss, reason = "to the nearest, as in Python")]
        Value::Int(value) => Some(*value as f64),
        Value::BigInt(digits) => match digits.parse() {
            Ok(value) if f64::is_finite(value) => Some(value),
            _ => errors.add("float_type", at, TYPE, input, &[]),
        },
        Value::Str(text) => match parse(text) {
            Some(value) => Some(value),
            None => errors.add("float_parsing", at, PARSING, input, &[]),
        },
        Value::Surrogates(_) => errors.not_unicode(at, input),
        _ => errors.add("float_type", at, TYPE, input, &[]),
    }
}

/// pydantic leaves it to Rust, and then tries again without single underscores.
fn parse(text: &str) -> Option<f64> {
    if let Ok(value) = text.trim().parse() {
        return Some(value);
    }
    let grouped = text.contains('_')
        && !text.starts_with('_')
        && !text.ends_with('_')
        && !text.contains("__");
    grouped.then(|| text.replace('_', "").parse().ok())?
}

/// The first constraint that is not met, in pydantic's order.
fn broken(value: f64, constraints: &Constraints) -> Option<BrokenBound<f64>> {
    const TOLERANCE: f64 = 1e-9;
    let is_multiple = |divisor: &f64| {
        if has(Switch::MultiplesByRemainder) {
            let (rest, tolerance) = ((value % divisor).abs(), value.abs() * TOLERANCE);
            return rest <= tolerance || (rest - divisor).abs() <= tolerance;
        }
        (value - (value / divisor).round() * divisor).abs() <= TOLERANCE
    };
    let divisor = constraints.multiple_of.map(|divisor| divisor.float);
    // What is not a number is a multiple of everything, as in pydantic.
    if let Some(divisor) = divisor.filter(|divisor| value.is_finite() && !is_multiple(divisor)) {
        return Some(BrokenBound::multiple_of(divisor));
    }
    constraints.broken_bound(|bound| Some(bound.float), |bound| value.partial_cmp(bound))
}

fn is_allowed(value: f64, constraints: &Constraints) -> bool {
    value.is_finite() || constraints.allow_inf_nan != Some(false)
}

impl Decode for f64 {
    const ACCEPTS: Accepts = Accepts::BOUNDS
        .and(Accepts::MULTIPLE)
        .and(Accepts::INFINITY)
        .and(Accepts::STRICT)
        .and(Accepts::IN_STRICT);

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        if constraints.bounds_a_number() { "constrained-float" } else { "float" }.into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let is_number = matches!(input, Value::Float(_) | Value::Int(_) | Value::BigInt(_));
        if !is_number && (constraints.strict || errors.is_strict) {
            return errors.add("float_type", at, TYPE, input, &[]);
        }
        let value = read(input, at, errors)?;
        if !is_allowed(value, constraints) {
            let msg = "Input should be a finite number";
            return errors.add("finite_number", at, msg, input, &[]);
        }
        match broken(value, constraints) {
            None => Some(value),
            Some(broken) => broken.add(|&bound| bound.into(), input, at, errors),
        }
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        is_allowed(*self, constraints) && broken(*self, constraints).is_none()
    }
}
