//! From what was sent to protobuf bytes: decompression with a cap, and JSON.

use std::io::Read;

use bytes::Bytes;
use otlp::Signal;

use super::admission::{Grant, NoRoom};
use super::body::{COME_BACK, Received};
use super::status::Refusal;

/// Work above this size leaves the threads that serve connections.
const INLINE: usize = 32 << 10;

/// What is done to grow by: room is asked for piece by piece, so a bomb is refused while it is small.
const STEP: usize = 256 << 10;

/// The window that RFC 8878 asks every decoder to support, 8 MiB; a larger one would be memory nobody admitted.
const WINDOW_LOG: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// By the name in `content-encoding` or `grpc-encoding`.
    pub(crate) fn named(name: Option<&[u8]>) -> Result<Self, Refusal> {
        match name.map(<[u8]>::trim_ascii) {
            None | Some(b"" | b"identity") => Ok(Self::None),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip),
            Some(b"zstd") => Ok(Self::Zstd),
            Some(other) => Err(Refusal::Compression(String::from_utf8_lossy(other).into_owned())),
        }
    }
}

/// What has to be done to a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packing {
    pub(crate) compression: Compression,
    pub(crate) json: bool,
    pub(crate) signal: Signal,
    pub(crate) max: usize,
}

/// Protobuf bytes and the room they hold.
pub(crate) async fn unpack(received: Received, packing: Packing) -> Result<(Bytes, Grant), Refusal> {
    if packing.compression == Compression::None && !packing.json {
        return Ok((received.body, received.grant));
    }
    if received.body.len() <= INLINE {
        return unpack_now(received, packing);
    }
    tokio::task::spawn_blocking(move || unpack_now(received, packing))
        .await
        .unwrap_or_else(|_| Err(Refusal::Malformed("the body could not be unpacked".to_owned())))
}

fn unpack_now(received: Received, packing: Packing) -> Result<(Bytes, Grant), Refusal> {
    let mut grant = received.grant;
    let mut body = match packing.compression {
        Compression::None => received.body,
        Compression::Gzip => {
            inflate(flate2::bufread::MultiGzDecoder::new(&*received.body), &received.body, &mut grant, packing.max)?
        }
        Compression::Zstd => {
            let not_zstd = |_| Refusal::Malformed("the body is not zstd".to_owned());
            let mut reader = zstd::stream::read::Decoder::with_buffer(&*received.body).map_err(not_zstd)?;
            reader.window_log_max(WINDOW_LOG).map_err(not_zstd)?;
            inflate(reader, &received.body, &mut grant, packing.max)?
        }
    };
    if packing.json {
        let converted = otlp::json_to_protobuf(packing.signal, &body).map_err(|e| Refusal::Malformed(e.to_string()))?;
        grant.grow_to(body.len() + converted.len()).map_err(|NoRoom| Refusal::Busy(COME_BACK))?;
        body = converted.into();
    }
    grant.shrink_to(body.len());
    Ok((body, grant))
}

fn inflate(mut reader: impl Read, packed: &Bytes, grant: &mut Grant, max: usize) -> Result<Bytes, Refusal> {
    let mut out: Vec<u8> = Vec::with_capacity(packed.len().saturating_mul(4).min(STEP).min(max));
    loop {
        // One byte above the limit tells "exactly full" from "too large".
        let step = STEP.min(max + 1 - out.len());
        grant.grow_to(packed.len() + out.len() + step).map_err(|NoRoom| Refusal::Busy(COME_BACK))?;
        let read = (&mut reader)
            .take(step as u64)
            .read_to_end(&mut out)
            .map_err(|_| Refusal::Malformed("the body is not compressed as it says".to_owned()))?;
        if out.len() > max {
            return Err(Refusal::TooLarge(max));
        }
        if read < step {
            return Ok(out.into());
        }
    }
}
