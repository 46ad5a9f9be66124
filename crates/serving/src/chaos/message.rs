//! HTTP/1.1 as bytes: a request as it comes from a client, and an answer as it is written to one.
//!
//! Only what a proxy on loopback needs: whole messages in memory, bodies with a length or in chunks.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A whole request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

const HEAD_BYTES: u64 = 64 << 10;
const BODY_BYTES: u64 = 64 << 20;

/// Headers that are of one connection, or that are written anew.
const OF_ONE_CONNECTION: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header goes on to the other side.
pub(super) fn is_passed_on(name: &str) -> bool {
    !OF_ONE_CONNECTION.contains(&name) && !name.starts_with("proxy-")
}

/// Reads the next request of a connection; `None` where the client is done.
pub(super) async fn read(
    stream: &mut (impl AsyncBufRead + AsyncWrite + Unpin),
) -> io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let read = (&mut *stream).take(HEAD_BYTES).read_line(&mut line).await?;
        match line.trim_end() {
            _ if read == 0 && lines.is_empty() => return Ok(None),
            _ if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            "" if lines.is_empty() => {}
            "" => break,
            line => lines.push(line.to_owned()),
        }
        if lines.iter().map(String::len).sum::<usize>() as u64 > HEAD_BYTES {
            return Err(io::Error::other("the head of the request is too long"));
        }
    }
    let mut request = head(&lines)?;
    let header =
        |name: &str| request.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
    let is_chunked = header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let length: u64 = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    if header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.flush().await?;
    }
    request.body = if is_chunked { chunks(stream).await? } else { exactly(stream, length).await? };
    Ok(Some(request))
}

fn head(lines: &[String]) -> io::Result<Request> {
    let invalid = || io::Error::other("this is no request of HTTP/1.1");
    let mut first = lines.first().ok_or_else(invalid)?.split(' ');
    let (method, target) = first.next().zip(first.next()).ok_or_else(invalid)?;
    // Clients that take this for a proxy of theirs name the host as well.
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let headers = lines[1..].iter().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    });
    Ok(Request { method: method.into(), path: path.into(), headers: headers.collect(), body: Vec::new() })
}

async fn exactly(stream: &mut (impl AsyncBufRead + Unpin), length: u64) -> io::Result<Vec<u8>> {
    if length > BODY_BYTES {
        return Err(io::Error::other("the body of the request is too long"));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn chunks(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        (&mut *stream).take(HEAD_BYTES).read_line(&mut line).await?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(|_| io::Error::other("this is no chunk"))?;
        if body.len() as u64 + size > BODY_BYTES {
            return Err(io::Error::other("the body of the request is too long"));
        }
        body.extend(exactly(stream, size).await?);
        // The end of a chunk, or the last empty line.
        line.clear();
        (&mut *stream).take(HEAD_BYTES).read_line(&mut line).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}

impl Answer {
    /// An answer of the proxy's own.
    pub(super) fn own(status: u16, reason: &str, content_type: &str, body: &str) -> Self {
        Self {
            status,
            reason: reason.into(),
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
        }
    }

    /// The head, which promises a body of so many bytes.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {length}\r\n\r\n");
        head.into_bytes()
    }

    /// Head and body.
    pub(super) fn whole(&self) -> Vec<u8> {
        let mut bytes = self.head(self.body.len());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufStream;
    use tokio::runtime::Builder;

    use super::*;

    /// What is read of these bytes, one request after the other.
    fn requests(bytes: &[u8]) -> Vec<io::Result<Option<Request>>> {
        Builder::new_current_thread().build().unwrap().block_on(async {
            let mut stream = BufStream::new(io::Cursor::new(bytes.to_vec()));
            let mut requests = Vec::new();
            loop {
                let next = read(&mut stream).await;
                let is_last = !matches!(next, Ok(Some(_)));
                requests.push(next);
                if is_last {
                    return requests;
                }
            }
        })
    }

    #[test]
    fn bodies_with_a_length_and_in_chunks_are_read_whole() {
        let bytes = b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET http://y:1/z HTTP/1.1\r\n\r\n\
            PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n";
        let found = requests(bytes);
        let of = |at: usize| found[at].as_ref().unwrap().as_ref();
        let shown = |at: usize| of(at).map(|of| (of.method.as_str(), of.path.as_str(), of.body.as_slice()));
        assert_eq!(shown(0), Some(("POST", "/a?b=1", b"abc".as_slice())));
        assert_eq!(shown(1), Some(("GET", "/z", b"".as_slice())));
        assert_eq!(shown(2), Some(("PUT", "/", b"abc0123456789".as_slice())));
        assert_eq!(of(3), None);
    }

    #[test]
    fn what_is_no_request_is_an_error_and_nothing_else() {
        let check = |bytes: &[u8]| assert!(requests(bytes).last().unwrap().is_err(), "{bytes:?}");
        check(b"hello\r\n\r\n");
        check(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc");
        check(b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\nabc");
        check(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
        check(b"POST / HTTP/1.1\r\nhost");
        check(&vec![b'a'; 200_000]);
    }
}
