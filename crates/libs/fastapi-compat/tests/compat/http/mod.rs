//! Routes, answers, security and documents.

mod port;
mod requests;

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

pub(crate) use self::port::port;
pub(crate) use self::requests::requests;

/// The folder that both sides serve, with files of a fixed time.
pub(crate) fn files() -> PathBuf {
    let folder = testbed::root().join("target/compat/files");
    std::fs::create_dir_all(folder.join("below")).expect("the folder can be made");
    let large: Vec<u8> = (0..150_000_u32).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
    let text = b"A text of some length, that is served.\n".repeat(3);
    for (name, content) in [
        ("text.txt", text.as_slice()),
        ("large.bin", &large),
        ("empty.css", b""),
        ("page.html", b"<p>page</p>"),
        ("index.html", b"<p>index</p>"),
        ("404.html", b"<p>nothing</p>"),
        ("below/index.html", b"<p>below</p>"),
        ("below/a b.json", b"{}"),
    ] {
        let path = folder.join(name);
        // Another test may write it, too.
        let temporary = path.with_extension(format!("{:?}", std::thread::current().id()));
        std::fs::write(&temporary, content).expect("a file can be written");
        let file = std::fs::File::options().append(true).open(&temporary).expect("it is there");
        let modified = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        file.set_modified(modified).expect("its time can be set");
        std::fs::rename(&temporary, &path).expect("a file can be moved");
    }
    folder
}

/// Operations of which no request is accepted.
pub(crate) fn only_fails(operation: &str) -> bool {
    [
        "answer/redirect",
        "answer/error",
        "answer/status",
        "answer/file-missing",
        "layer/https",
        "answer/unmodified",
        // A path of three steps, which no parameter has.
        "query/model-paths",
        "form/model-paths",
    ]
    .iter()
    .any(|name| operation.starts_with(name))
}

fn files_path(name: &str) -> PathBuf {
    testbed::root().join("target/compat/files").join(name)
}
