//! A short run of every fuzz target: the inputs that were kept, and mutations of them. `make fuzz` is guided
//! by what the code does with an input, and takes as long as one likes; here SEED=7 FUZZ_SECONDS=60.

#![expect(clippy::expect_used, clippy::panic, reason = "a target fails so")]

#[expect(unreachable_pub, reason = "the crate of the fuzz targets")]
#[path = "../../../libs/fastapi-compat/fuzz/src/lib.rs"]
mod parsers;

use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use testbed::root;

/// For each target, unless `FUZZ_SECONDS` is more.
const SECONDS: u64 = 1;

/// The longest input.
const LONGEST: usize = 4096;

fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder);
    let files = files.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files.map(|file| std::fs::read(file.expect("an entry").path()).expect("a file")).collect()
}

/// One of the inputs, with some bytes of it or of another one in other places.
fn mutated(inputs: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = inputs[random.usize(..inputs.len())].clone();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=bytes.len());
        match random.u8(..5) {
            0 if at < bytes.len() => bytes[at] = random.u8(..),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            2 => drop(bytes.drain(at..(at + random.usize(..8)).min(bytes.len()))),
            3 => bytes.truncate(at),
            _ => {
                let other = &inputs[random.usize(..inputs.len())];
                let from = random.usize(..=other.len());
                let piece = &other[from..(from + random.usize(..64)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

#[test]
fn no_parser_fails_whatever_it_reads() {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seconds = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(SECONDS));
    // Always the same ones, so that what fails is what was changed.
    let seed = number("SEED").unwrap_or(1);
    let corpus = root().join("crates/libs/fastapi-compat/fuzz/corpus");
    for (name, _) in parsers::targets() {
        let inputs = inputs(&corpus.join(name));
        assert!(!inputs.is_empty(), "{name} has no inputs");
        let mut random = fastrand::Rng::with_seed(seed);
        let (start, mut count) = (Instant::now(), 0);
        while count < inputs.len() || start.elapsed() < seconds {
            let input = match inputs.get(count) {
                Some(kept) => kept.clone(),
                None => mutated(&inputs, &mut random),
            };
            let failed = catch_unwind(|| parsers::run(name, &input)).is_err();
            let shown = String::from_utf8_lossy(&input);
            assert!(!failed, "{name}, SEED={seed}, input {count}: {shown:?}");
            count += 1;
        }
        println!("{name}: {count} inputs");
    }
}
