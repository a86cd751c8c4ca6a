//! Bytes as hexadecimal text, as case files have them.

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> Vec<String> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of pairs of digits with white space between them.
///
/// # Errors
/// Names what is no byte.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, String> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).map_err(|_| format!("'{byte}' is not a byte")))
        .collect()
}
