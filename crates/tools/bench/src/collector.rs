//! A collector of traces that takes what it is sent and drops it.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;

/// The address of the process's collector, which is started at first.
pub(crate) fn address() -> crate::Result<&'static str> {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    if let Some(address) = ADDRESS.get() {
        return Ok(address);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                if let Err(error) = take(stream) {
                    eprintln!("bench: spans were lost: {error}");
                }
            });
        }
    });
    Ok(ADDRESS.get_or_init(|| address))
}

/// Takes batches of spans until the exporter closes the connection.
fn take(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        while let Some(length) = request_length(&buffer)? {
            if buffer.len() < length {
                break;
            }
            buffer.drain(..length);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer)?;
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            read => buffer.extend_from_slice(&chunk[..read]),
        }
    }
}

/// The length of the first request, head and body, once its head is complete.
fn request_length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let length = request.headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|it| std::str::from_utf8(it.value).ok()?.parse::<usize>().ok());
    length
        .map(|length| Some(head + length))
        .ok_or_else(|| io::Error::other("a batch without a length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_batch_is_answered() {
        let mut stream = TcpStream::connect(address().unwrap()).unwrap();
        for _ in 0..2 {
            stream.write_all(b"POST /v1/traces HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200");
            let mut rest = [0; 64];
            _ = stream.read(&mut rest).unwrap();
        }
    }
}
