//! The inputs that fuzzing found worth keeping (`fuzz/corpus`), through the same functions.

use std::path::Path;
use std::time::{Duration, Instant};

use fastapi_compat::__fuzzing::TARGETS;

/// Many times what any of them takes without optimisation; what is quadratic takes longer.
const TIMEOUT: Duration = Duration::from_secs(2);

#[test]
fn what_fuzzing_found_is_still_right() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let folder = corpus.join(name);
        let files = std::fs::read_dir(&folder);
        let files = files.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for file in files {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
            let start = Instant::now();
            target(&bytes);
            assert!(start.elapsed() < TIMEOUT, "{name}: {} bytes", bytes.len());
            count += 1;
        }
        assert!(count > 0, "{name} has no inputs");
    }
}

/// Long inputs of one kind, which fuzzing does not reach: each parser takes time in proportion.
#[test]
fn no_parser_takes_the_square_of_its_input() {
    const LENGTH: usize = 32 * 1024;
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
                let input = format!("{start}{}", piece.repeat(LENGTH / piece.len()));
                let begin = Instant::now();
                target(input.as_bytes());
                let elapsed = begin.elapsed();
                assert!(elapsed < TIMEOUT, "{name}: {start:?} and {piece:?} took {elapsed:?}");
            }
        }
    }
}
