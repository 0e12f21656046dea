//! Connections to one upstream that send several requests before the first answer (HTTP/1.1 pipelining, RFC 9112, section 9.3.2).
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use crate::Failure;

const MAX_HEADERS: usize = 32;

/// Status and body of an answer.
pub type Answer = (u16, Bytes);
type Waiter = oneshot::Sender<Result<Answer, Failure>>;

struct Call {
    request: Vec<u8>,
    waiter: Waiter,
}

struct Connection {
    calls: UnboundedSender<Call>,
    /// Number of calls that have no answer yet.
    pending: Arc<AtomicUsize>,
}

pub struct Pipeline {
    connections: Vec<Connection>,
}

impl Pipeline {
    pub fn new(address: &str, connections: usize) -> Pipeline {
        let connect = |_| {
            let (calls, receiver) = unbounded_channel();
            tokio::spawn(run(address.to_owned(), receiver));
            Connection { calls, pending: Arc::new(AtomicUsize::new(0)) }
        };
        Pipeline { connections: (0..connections).map(connect).collect() }
    }

    /// Sends a request over the connection with the fewest pending calls.
    pub async fn send(&self, request: Vec<u8>) -> Result<Answer, Failure> {
        let connection = self
            .connections
            .iter()
            .min_by_key(|connection| connection.pending.load(Ordering::Relaxed))
            .ok_or("no connections")?;
        let (waiter, answer) = oneshot::channel();
        let _pending = Pending::of(&connection.pending);
        connection.calls.send(Call { request, waiter }).map_err(|_| "the connection has ended")?;
        answer.await?
    }
}

/// Counts one call until it is dropped.
struct Pending(Arc<AtomicUsize>);

impl Pending {
    fn of(count: &Arc<AtomicUsize>) -> Pending {
        count.fetch_add(1, Ordering::Relaxed);
        Pending(count.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens a connection for the first call, and a new one for the first call after its end.
async fn run(address: String, mut calls: UnboundedReceiver<Call>) {
    while let Some(first) = calls.recv().await {
        let mut waiters = VecDeque::new();
        if let Err(error) = exchange(&address, first, &mut calls, &mut waiters).await {
            for waiter in waiters.drain(..) {
                let _: Result<_, _> = Waiter::send(waiter, Err(error.to_string().into()));
            }
        }
    }
}

/// Writes the calls that are ready in one write, and reads the answers in their order.
async fn exchange(
    address: &str,
    first: Call,
    calls: &mut UnboundedReceiver<Call>,
    waiters: &mut VecDeque<Waiter>,
) -> Result<(), Failure> {
    waiters.push_back(first.waiter);
    let mut output = first.request;
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.split();
    writer.write_all(&output).await?;
    let mut input = BytesMut::with_capacity(64 * 1024);
    loop {
        tokio::select! {
            Some(call) = calls.recv() => {
                output.clear();
                let mut next = Some(call);
                while let Some(Call { request, waiter }) = next {
                    output.extend_from_slice(&request);
                    waiters.push_back(waiter);
                    next = calls.try_recv().ok();
                }
                writer.write_all(&output).await?;
            }
            read = reader.read_buf(&mut input) => {
                if read? == 0 {
                    return if waiters.is_empty() { Ok(()) } else { Err("the upstream closed the connection".into()) };
                }
                while let Some(answer) = take_answer(&mut input)? {
                    let waiter = waiters.pop_front().ok_or("an answer without a request")?;
                    let _: Result<_, _> = waiter.send(Ok(answer));
                }
            }
        }
    }
}

/// Removes one answer from the input. Returns `None` if it is not complete.
fn take_answer(input: &mut BytesMut) -> Result<Option<Answer>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(input)? {
        httparse::Status::Complete(bytes) => bytes,
        httparse::Status::Partial => return Ok(None),
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .ok_or("an answer without Content-Length")?;
    let length: usize = std::str::from_utf8(length.value)?.parse()?;
    let status = response.code.unwrap_or(0);
    if input.len() < head + length {
        input.reserve(head + length - input.len());
        return Ok(None);
    }
    let _ = input.split_to(head);
    Ok(Some((status, input.split_to(length).freeze())))
}
