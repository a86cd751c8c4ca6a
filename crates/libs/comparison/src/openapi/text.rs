/// The text of a file: UTF-8, or UTF-16 if its first bytes say so, as PowerShell's `>` writes it;
/// without a byte order mark.
///
/// # Errors
/// Where the bytes are in neither encoding.
pub fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            return String::from_utf8(rest.to_vec()).map_err(|error| error.to_string());
        }
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8(bytes).map_err(|error| error.to_string()),
    };
    let (pairs, []) = bytes[2..].as_chunks() else {
        return Err("ends within a character of UTF-16".to_owned());
    };
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    String::from_utf16(&units).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_name_the_encoding() {
        let text = "{\"ä\": \"雪😀\"}";
        let marked = format!("\u{feff}{text}");
        let units = || marked.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [text.into(), marked.clone().into_bytes(), little.clone(), big] {
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
        assert!(decode(little[..little.len() - 1].to_vec()).is_err());
        assert!(decode(b"\xc3(".to_vec()).is_err());
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
    }
}
