//! The inputs that fuzzing found worth keeping (`fuzz/corpus`), through the same functions.

#[expect(dead_code, unreachable_pub, reason = "a module of the crate of the fuzz targets")]
#[path = "../fuzz/src/growth.rs"]
mod growth;

use std::path::Path;

use fastapi_compat::__fuzzing::TARGETS;

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
                growth::in_proportion(target, start.as_bytes(), piece.as_bytes(), b"");
            }
        }
    }
}
