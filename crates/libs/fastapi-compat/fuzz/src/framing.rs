//! Where requests begin and end on a connection of the service.

// The service is no library for others: its parser is compiled here once more.
#[path = "../../../../api/src/serve/framing.rs"]
mod parser;

use self::parser::Framing;

/// However the bytes arrive, the same request is refused, at the end of a line.
pub fn however_it_arrives(bytes: &[u8]) {
    let whole = refused(bytes, bytes.len().max(1));
    if let Some((line_feed, _)) = whole {
        assert_eq!(bytes.get(line_feed), Some(&b'\n'));
    }
    for size in [1, 3] {
        assert_eq!(refused(bytes, size), whole, "in pieces of {size}");
    }
}

/// The position of what is refused, and whether it follows a request for another protocol.
fn refused(bytes: &[u8], size: usize) -> Option<(usize, bool)> {
    let mut framing = Framing::default();
    let mut before = 0;
    for piece in bytes.chunks(size) {
        if let Err(refused) = framing.read(piece) {
            return Some((before + refused.line_feed, refused.after_upgrade));
        }
        before += piece.len();
    }
    None
}
