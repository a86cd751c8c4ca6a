//! The header `Range` as Starlette reads it.

use crate::characters::strip;

/// More ranges are not heeded.
const MAX_RANGES: usize = 100;

/// Why a file is not sent.
pub(crate) enum Refused {
    Malformed(&'static str),
    NotSatisfiable,
}

/// The ranges of a header, without their ends, sorted and merged; none if there are too many.
pub(crate) fn parse_ranges(header: &str, size: u64) -> Result<Vec<(u64, u64)>, Refused> {
    let (units, list) =
        header.split_once('=').ok_or(Refused::Malformed("Malformed range header."))?;
    if strip(units).to_lowercase() != "bytes" {
        return Err(Refused::Malformed("Only support bytes range"));
    }
    if list.split(',').count() > MAX_RANGES {
        return Ok(Vec::new());
    }
    let size = i128::from(size);
    let ranges: Vec<_> =
        list.split(',').filter_map(|part| parse_range(strip(part), size)).collect();
    if ranges.is_empty() {
        return Err(Refused::Malformed("Range header: range must be requested"));
    }
    if ranges.iter().any(|(start, _)| !(0..size).contains(start)) {
        return Err(Refused::NotSatisfiable);
    }
    if ranges.iter().any(|(start, end)| start >= end) {
        return Err(Refused::Malformed("Range header: start must be less than end"));
    }
    let position = |at: i128| u64::try_from(at).unwrap_or(u64::MAX);
    let mut ranges: Vec<_> =
        ranges.into_iter().map(|(start, end)| (position(start), position(end))).collect();
    if ranges.len() > 1 {
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let joins = next.0 <= last.1;
            if joins {
                last.1 = last.1.max(next.1);
            }
            joins
        });
    }
    Ok(ranges)
}

/// One range, which is not heeded if it is none.
fn parse_range(part: &str, size: i128) -> Option<(i128, i128)> {
    let (start, end) = part.split_once('-')?;
    let (start, end) = (strip(start), strip(end));
    let from = if start.is_empty() { (size - python_int(end)?).max(0) } else { python_int(start)? };
    let to = if start.is_empty() || end.is_empty() { None } else { Some(python_int(end)?) };
    Some((from, to.filter(|&to| to < size).map_or(size, |to| to + 1)))
}

/// Python's `int` of a text from a header; what is too great for any file is as great as can be.
fn python_int(text: &str) -> Option<i128> {
    let text = strip(text);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let is_number = digits
        .split('_')
        .all(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
    let digits: String = digits.chars().filter(|&c| c != '_').collect();
    if !is_number || digits.len() > 4_300 {
        return None;
    }
    Some(sign * digits.parse::<i128>().unwrap_or(i128::MAX / 4).min(i128::MAX / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_starlette() {
        let parse = |header| parse_ranges(header, 100).ok();
        assert_eq!(parse("bytes=0-9"), Some(vec![(0, 10)]));
        assert_eq!(parse(" Bytes =-5"), Some(vec![(95, 100)]));
        assert_eq!(parse("bytes=50-,10-20,15-30,x"), Some(vec![(10, 31), (50, 100)]));
        assert_eq!(parse("bytes=1_0-1000"), Some(vec![(10, 100)]));
        assert_eq!(parse("bytes=-"), None);
        assert_eq!(parse("bytes=100-"), None);
        assert_eq!(parse("bytes=9-3"), None);
        assert_eq!(parse("items=0-1"), None);
        assert_eq!(parse(&format!("bytes={}", "0-1,".repeat(100))), Some(Vec::new()));
    }
}
