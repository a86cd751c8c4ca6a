//! The inputs that fuzzing found worth keeping (`fuzz/corpus`), through the same functions.

use std::path::Path;
use std::time::{Duration, Instant};

use fastapi_compat::__fuzzing::TARGETS;

/// What is done sooner is not measured again: the square of [`LENGTH`] would take longer on any
/// machine.
const FAST: Duration = Duration::from_millis(250);
const LENGTH: usize = 32 * 1024;

#[test]
fn what_fuzzing_found_is_still_right() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let folder = corpus.join(name);
        let files = std::fs::read_dir(&folder);
        let files = files.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for file in files {
            target(&std::fs::read(file.expect("an entry").path()).expect("a file"));
            count += 1;
        }
        assert!(count > 0, "{name} has no inputs");
    }
}

/// Long inputs of one kind, which fuzzing does not reach: each parser takes time in proportion.
/// Times are compared with each other, so that neither a slow machine nor a busy one fails.
#[test]
fn no_parser_takes_the_square_of_its_input() {
    let pieces: [&str; 34] = [
        "0",
        "9",
        "1,",
        "[",
        "]",
        "{",
        "{}",
        "[],",
        "\"\",",
        "\"a\":0,",
        "\\",
        "\\u00e9",
        "\"",
        " ",
        "_",
        ".",
        "-",
        "+",
        "e",
        "é",
        "٣",
        "\u{300}",
        "a@",
        "a.",
        "xn--",
        "&",
        "%41",
        "=",
        ";",
        "a=\"\\101\";",
        "--x\r\n",
        "\r\n--",
        ":",
        "\u{200d}",
    ];
    let starts = ["", "multipart/form-data; boundary=x\n--x\r\n"];
    for (name, target) in TARGETS {
        for start in starts.into_iter().take(if name == "multipart" { 2 } else { 1 }) {
            for piece in pieces {
                let time = |length: usize, repetitions: usize| {
                    let input = format!("{start}{}", piece.repeat(length / piece.len()));
                    (0..repetitions).map(|_| elapsed(target, input.as_bytes())).min()
                };
                if time(LENGTH, 1) < Some(FAST) {
                    continue;
                }
                // In proportion it is 8 times as long, with the square 64 times.
                let (short, long) = (time(LENGTH / 8, 3), time(LENGTH, 3));
                let limit = short.map(|short| short * 24);
                assert!(long < limit, "{name}: {start:?} and {piece:?}: {short:?}, then {long:?}");
            }
        }
    }
}

fn elapsed(target: fn(&[u8]), input: &[u8]) -> Duration {
    let start = Instant::now();
    target(input);
    start.elapsed()
}
