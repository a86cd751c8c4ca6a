#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fastapi_compat_fuzz::run("comparison", bytes));
