//! The server's side of what is said in plain text before a client's hello.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// What `protocol-flow` of PostgreSQL's manual calls SSLRequest and GSSENCRequest.
const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();
const GSSENC_REQUEST: [u8; 4] = 80_877_104_u32.to_be_bytes();
/// The lower half of the capabilities of a server of MySQL's protocol: everything, TLS (0x0800) included.
const CAPABILITIES: u16 = 0xffff;

/// Leads a client up to its hello; the bytes of it that came already.
pub(super) fn of(stream: &mut TcpStream, upgrade: Option<&str>) -> io::Result<Vec<u8>> {
    match upgrade {
        Some("postgres") => postgres(stream),
        Some("mysql") => mysql(stream),
        Some("smtp") => smtp(stream),
        _ => Ok(Vec::new()),
    }
}

fn postgres(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let mut request = [0; 8];
        stream.read_exact(&mut request)?;
        match request.get(4..) {
            Some(code) if *code == SSL_REQUEST => {
                stream.write_all(b"S")?;
                return Ok(Vec::new());
            }
            Some(code) if *code == GSSENC_REQUEST => stream.write_all(b"N")?,
            // A hello at once (`sslnegotiation=direct`), or a client that speaks no TLS.
            _ => return Ok(request.to_vec()),
        }
    }
}

/// The initial handshake packet of protocol 10, and the client's SSLRequest.
fn mysql(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = vec![10];
    packet.extend(b"5.5.5-10.11.19-MariaDB\0");
    packet.extend(7_u32.to_le_bytes());
    packet.extend(b"saltsalt\0");
    packet.extend(CAPABILITIES.to_le_bytes());
    packet.push(0x21);
    packet.extend(2_u16.to_le_bytes());
    packet.extend(0x81ff_u16.to_le_bytes());
    packet.push(21);
    packet.extend([0; 10]);
    packet.extend(b"saltsaltsalt\0mysql_native_password\0");
    let length = u32::try_from(packet.len()).unwrap_or_default().to_le_bytes();
    stream.write_all(&[length[0], length[1], length[2], 0])?;
    stream.write_all(&packet)?;
    // Without TLS a longer answer follows, which is no hello.
    stream.read_exact(&mut [0; 4 + 32])?;
    Ok(Vec::new())
}

fn smtp(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.write_all(b"220 lab.example.test ESMTP\r\n")?;
    let mut line = [0; 512];
    for answer in [&b"250-lab.example.test\r\n250 STARTTLS\r\n"[..], b"220 go on\r\n"] {
        let _read = stream.read(&mut line)?;
        stream.write_all(answer)?;
    }
    Ok(Vec::new())
}
