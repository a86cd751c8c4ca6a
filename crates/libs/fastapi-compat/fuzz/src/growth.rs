//! Whether a target takes time in proportion to its input, or more.

use std::time::{Duration, Instant};

/// Inputs are made as long as this, in bytes.
const LENGTH: usize = 32 * 1024;

/// What takes less is not measured again: the square of [`LENGTH`] takes longer on any machine.
const FAST: Duration = Duration::from_millis(250);

/// A repeated piece of an input is at most as long as this, in bytes.
const LONGEST_PIECE: usize = 64;

/// The same number for the same input: what depends on it can be repeated.
pub fn hash(bytes: &[u8]) -> usize {
    // FNV-1a
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 16 & 0xffff_ffff).unwrap_or_default()
}

/// Repeats one piece of the input, which the input decides, and measures how the time grows.
///
/// # Panics
/// When it grows faster than the input.
pub fn check(target: fn(&[u8]), bytes: &[u8]) {
    let hash = hash(bytes);
    let start = hash % (bytes.len() + 1);
    let (start, rest) = bytes.split_at(start);
    let (piece, end) = rest.split_at((hash / 7 % LONGEST_PIECE + 1).min(rest.len()));
    in_proportion(target, start, piece, end);
}

/// Repeats a piece between others that stay as they are. Times are compared with each other, so that neither
/// a slow machine nor a busy one fails.
///
/// # Panics
/// When the time grows faster than the input.
pub fn in_proportion(target: fn(&[u8]), start: &[u8], piece: &[u8], end: &[u8]) {
    if piece.is_empty() {
        return;
    }
    let time = |length: usize, repetitions: usize| {
        let input = [start, &piece.repeat(length / piece.len()), end].concat();
        (0..repetitions).map(|_| elapsed(target, &input)).min()
    };
    if time(LENGTH, 1) < Some(FAST) {
        return;
    }
    // In proportion it is 8 times as long, with the square 64 times.
    let (short, long) = (time(LENGTH / 8, 3), time(LENGTH, 3));
    let limit = short.map(|short| short * 24);
    let shown = [start, piece, end].map(String::from_utf8_lossy);
    assert!(long < limit || long < Some(FAST), "{shown:?}: {short:?}, then {long:?}");
}

/// The time for which the thread had a processor, where the system counts it: others may have it meanwhile.
fn elapsed(target: fn(&[u8]), input: &[u8]) -> Duration {
    let (start, before) = (Instant::now(), on_processor());
    target(input);
    let on_processor = on_processor().zip(before).map(|(now, before)| now.saturating_sub(before));
    on_processor.unwrap_or_else(|| start.elapsed())
}

/// Linux's count for this thread.
fn on_processor() -> Option<Duration> {
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counts.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
