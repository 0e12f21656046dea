//! The two ways to call the upstream: hyper, which has no pipelining, and connections written by hand, which have it.
use hyper::client::HttpConnector;
use hyper::{body, Body, Client, Request};

use crate::input::Input;
use crate::pipeline::{Answer, Pipeline};
use crate::Failure;

pub enum Upstream {
    Hyper { client: Client<HttpConnector>, origin: String },
    Pipelined { pipeline: Pipeline, authority: String },
}

impl Upstream {
    /// With `depth`, as many connections as carry all slots with `depth` calls each.
    pub fn new(origin: String, slots: usize, depth: Option<usize>) -> Upstream {
        if let Some(depth) = depth {
            let authority = origin.trim_start_matches("http://").to_owned();
            return Upstream::Pipelined { pipeline: Pipeline::new(&authority, (slots + depth - 1) / depth), authority };
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Upstream::Hyper { client: Client::builder().pool_max_idle_per_host(slots).build(connector), origin }
    }

    /// Makes one call of a fan-out.
    pub async fn get(&self, input: &Input, index: usize) -> Result<Answer, Failure> {
        match self {
            Upstream::Hyper { client, origin } => {
                let mut request = Request::get(input.url(origin, index)).body(Body::empty())?;
                request.headers_mut().extend(input.headers.clone());
                let response = client.request(request).await?;
                let status = response.status().as_u16();
                Ok((status, body::to_bytes(response.into_body()).await?))
            }
            Upstream::Pipelined { pipeline, authority } => pipeline.send(request_bytes(input, index, authority)).await,
        }
    }
}

fn request_bytes(input: &Input, index: usize, authority: &str) -> Vec<u8> {
    let mut bytes = format!("GET {} HTTP/1.1\r\nhost: {}\r\n", input.url("", index), authority).into_bytes();
    for (name, value) in &input.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}
