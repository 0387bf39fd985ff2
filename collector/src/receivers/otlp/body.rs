//! Reading a body only as far as there is room for it, and answering with one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

use super::admission::{Admission, FIRST, Grant, NoRoom};
use super::status::Refusal;

/// A body that takes longer holds its room for too long.
const PATIENCE: Duration = Duration::from_secs(30);

/// When to come back after a refusal for lack of room.
pub(crate) const COME_BACK: Duration = Duration::from_secs(1);

/// Bytes that are read away after a refusal, so that an HTTP/1 client sees the answer and not a broken connection.
const DRAIN: usize = 64 << 20;

/// A body as received, and the room that it holds.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) body: Bytes,
    pub(crate) grant: Grant,
    /// Whether a gRPC message says that it is compressed.
    pub(crate) compressed: bool,
}

/// Reads an HTTP body of at most `max` bytes.
pub(crate) async fn read<B>(
    body: B,
    announced: Option<usize>,
    max: usize,
    room: &Admission,
) -> Result<Received, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    timely(async {
        if announced.is_some_and(|n| n > max) {
            return Err(Refusal::TooLarge(max));
        }
        let grant = room.enter(announced.unwrap_or(16 << 10)).await.ok_or(Refusal::Busy(COME_BACK))?;
        let mut reading =
            Reading { body, buffer: BytesMut::new(), seen: 0, announced: announced.unwrap_or(0), grant, max };
        let first = reading.next().await?.unwrap_or_default();
        let Some(second) = reading.next().await? else {
            // One piece, as most requests are: it is not copied.
            return Ok(Received { body: first, grant: reading.grant, compressed: false });
        };
        reading.push(&first);
        reading.push(&second);
        while let Some(piece) = reading.next().await? {
            reading.push(&piece);
        }
        Ok(Received { body: reading.buffer.freeze(), grant: reading.grant, compressed: false })
    })
    .await
}

/// Reads the one message of a unary gRPC call: a flag, a length of four bytes, the message.
pub(crate) async fn read_message<B>(mut body: B, max: usize, room: &Admission) -> Result<Received, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    timely(async {
        let mut head = BytesMut::new();
        while head.len() < 5 {
            let piece =
                data(&mut body).await?.ok_or_else(|| Refusal::Malformed("the call has no message".to_owned()))?;
            head.extend_from_slice(&piece);
        }
        let prefix = head.split_to(5);
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > max {
            return Err(Refusal::TooLarge(max));
        }
        let grant = room.enter(length).await.ok_or(Refusal::Busy(COME_BACK))?;
        let mut reading = Reading { seen: head.len(), body, buffer: head, announced: length, grant, max: length };
        let other_length = || Refusal::Malformed("the message has another length than it says".to_owned());
        loop {
            match reading.next().await {
                Ok(Some(piece)) => reading.push(&piece),
                Ok(None) => break,
                // Within `max`, so it is more than one message and not a large one.
                Err(Refusal::TooLarge(_)) if reading.seen > length => return Err(other_length()),
                Err(refusal) => return Err(refusal),
            }
        }
        if reading.buffer.len() != length {
            return Err(other_length());
        }
        Ok(Received { body: reading.buffer.freeze(), grant: reading.grant, compressed: prefix[0] != 0 })
    })
    .await
}

/// Reads a refused body away, so that its sender comes to read the answer.
pub(crate) async fn drain<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let all = async {
        let mut left = DRAIN;
        while let Ok(Some(piece)) = data(&mut body).await {
            let Some(rest) = left.checked_sub(piece.len()) else { break };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), all).await;
}

struct Reading<B> {
    body: B,
    buffer: BytesMut,
    seen: usize,
    announced: usize,
    grant: Grant,
    max: usize,
}

impl<B: Body<Data = Bytes> + Unpin> Reading<B> {
    /// Adds a piece. The buffer grows to what was announced, but never to more than four times what has come: doubling
    /// would hold up to twice what was admitted, and an announcement alone is worth little.
    fn push(&mut self, piece: &[u8]) {
        let needed = self.buffer.len() + piece.len();
        if needed > self.buffer.capacity() {
            let goal = self.announced.min(needed.saturating_mul(4).max(FIRST)).max(needed);
            self.buffer.reserve(goal - self.buffer.len());
        }
        self.buffer.extend_from_slice(piece);
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Some(piece) = data(&mut self.body).await? else { return Ok(None) };
        self.seen += piece.len();
        if self.seen > self.max {
            return Err(Refusal::TooLarge(self.max));
        }
        self.grant.grow_to(self.seen).map_err(|NoRoom| Refusal::Busy(COME_BACK))?;
        Ok(Some(piece))
    }
}

async fn data<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed("the body broke off".to_owned()))?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

async fn timely<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(Refusal::Slow))
}

/// An answer's body: a piece, then trailers, each optional.
#[derive(Debug, Default)]
pub(crate) struct ReplyBody {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl ReplyBody {
    pub(crate) fn new(data: Bytes) -> Self {
        Self { data: (!data.is_empty()).then_some(data), trailers: None }
    }

    pub(crate) fn with_trailers(data: Bytes, trailers: HeaderMap) -> Self {
        Self { data: Some(data), trailers: Some(trailers) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.data, &self.trailers) {
            (data, None) => SizeHint::with_exact(data.as_ref().map_or(0, |d| d.len() as u64)),
            _ => SizeHint::default(),
        }
    }
}
