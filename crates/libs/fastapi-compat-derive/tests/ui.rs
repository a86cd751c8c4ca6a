//! Mistakes fail at compile time, with a message that says what to write instead.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
