//! A fan-out written by hand in Rust: hyper on both sides, slots, width and a deadline, serde for the JSON, and one log line per request.
mod input;
mod pipeline;
mod shapes;
mod upstream;

use std::convert::Infallible;
use std::env::var;
use std::error::Error;
use std::io::{stdout, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use hyper::header::CONTENT_TYPE;
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Request, Response, Server, StatusCode};
use input::Input;
use shapes::{Fact, Facts, Line};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use upstream::Upstream;

pub type Failure = Box<dyn Error + Send + Sync>;

struct Service {
    upstream: Upstream,
    slots: Semaphore,
    width: usize,
    deadline: Duration,
}

impl Service {
    /// Sends one request to the upstream. Holds a slot until the answer is complete.
    async fn call(&self, input: &Input, index: usize) -> Result<Fact, Failure> {
        let _slot = self.slots.acquire().await?;
        let (status, bytes) = self.upstream.get(input, index).await?;
        if status != 200 {
            return Err(format!("the upstream answered {}", status).into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Makes all calls of a request, at most `width` of them concurrently. The first failure cancels the other calls.
    async fn fan_out(&self, input: &Input) -> Result<Vec<u8>, Failure> {
        let calls = stream::iter(0..input.count).map(|index| self.call(input, index));
        let facts = timeout(self.deadline, calls.buffered(self.width).try_collect()).await??;
        Ok(serde_json::to_vec(&Facts { facts })?)
    }

    async fn answer(&self, request: &Request<Body>) -> (StatusCode, Vec<u8>) {
        let input = match Input::read(request) {
            Some(input) => input,
            None => return (StatusCode::BAD_REQUEST, br#"{"error":"the input is not valid"}"#.to_vec()),
        };
        match self.fan_out(&input).await {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => {
                eprintln!("{}", error);
                (StatusCode::BAD_GATEWAY, br#"{"error":"the upstream failed"}"#.to_vec())
            }
        }
    }

    async fn serve(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, Failure> {
        let started = Instant::now();
        let (status, body) = self.answer(&request).await;
        let mut line = serde_json::to_vec(&Line {
            level: "info",
            time: SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64,
            method: request.method().as_str(),
            path: request.uri().path(),
            status: status.as_u16(),
            ms: started.elapsed().as_micros() as f64 / 1000.0,
        })?;
        line.push(b'\n');
        stdout().write_all(&line)?;
        Ok(Response::builder().status(status).header(CONTENT_TYPE, "application/json").body(Body::from(body))?)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let slots = var("SLOTS")?.parse()?;
    let depth = match var("PIPELINING") {
        Ok(depth) => Some(depth.parse()?),
        Err(_) => None,
    };
    let service = Arc::new(Service {
        upstream: Upstream::new(var("UPSTREAM")?, slots, depth),
        slots: Semaphore::new(slots),
        width: var("WIDTH")?.parse()?,
        deadline: Duration::from_millis(var("DEADLINE_MS")?.parse()?),
    });
    let address = SocketAddr::from(([127, 0, 0, 1], var("PORT")?.parse()?));
    let make = make_service_fn(move |_| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service_fn(move |request| service.clone().serve(request))) }
    });
    Server::bind(&address).tcp_nodelay(true).serve(make).await?;
    Ok(())
}
