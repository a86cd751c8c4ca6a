//! All fuzz targets: those of the libraries, and those that stand here because what they call is in none.
//! The guided fuzzer and the short run of the tests (`crates/tools/trials/tests/fuzz.rs`) take them from here.

mod framing;
pub mod growth;
mod paths;
mod recordings;

/// What must hold for any input; it panics if it does not.
pub type Target = fn(&[u8]);

/// Those that are here and in libraries other than fastapi-compat, by their names.
const OTHERS: [(&str, Target); 8] = [
    ("celery", celery_compat::__fuzzing::messages),
    ("comparison", comparison::__fuzzing::answers),
    ("framing", framing::however_it_arrives),
    ("heads", strangler::__fuzzing::heads),
    ("paths", paths::answered),
    ("plans", strangler::__fuzzing::plans),
    ("recordings", recordings::read_or_refused),
    ("smtp", strangler::__fuzzing::smtp),
];

/// All targets, by their names.
pub fn targets() -> impl Iterator<Item = (&'static str, Target)> {
    fastapi_compat::__fuzzing::TARGETS.into_iter().chain(OTHERS)
}

/// Calls the target of this name, and for one input of so many measures how its time grows.
///
/// # Panics
/// When what must hold does not, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let found = targets().find(|(known, _)| *known == name);
    let (_, target) = found.expect("a target of this name");
    target(bytes);
    if growth::hash(bytes).is_multiple_of(16) {
        growth::check(target, bytes);
    }
}
