use hyper::header::HeaderName;
use hyper::{Body, HeaderMap, Request};
use percent_encoding::{percent_decode_str, utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

const FORWARDED: [&str; 2] = ["accept-language", "x-tenant"];
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The input of one inbound request and the forwarded headers.
pub struct Input {
    topic: String,
    pub count: usize,
    lang: Option<String>,
    max_length: Option<u32>,
    pub headers: HeaderMap,
}

impl Input {
    /// Returns `None` for invalid input.
    pub fn read(request: &Request<Body>) -> Option<Input> {
        let segment = request.uri().path().strip_prefix("/v1/facts/")?;
        let topic = percent_decode_str(segment).decode_utf8().ok()?.into_owned();
        let (mut count, mut lang, mut max_length) = (None, None, None);
        for (name, value) in form_urlencoded::parse(request.uri().query()?.as_bytes()) {
            match &*name {
                "n" => count = Some(value.parse::<usize>().ok()?),
                "lang" => lang = Some(value.into_owned()),
                "max_length" => max_length = Some(value.parse::<u32>().ok().filter(|limit| *limit >= 1)?),
                _ => {}
            }
        }
        let count = count.filter(|count| (1..=100).contains(count))?;
        let mut headers = HeaderMap::with_capacity(FORWARDED.len());
        for name in FORWARDED {
            if let Some(value) = request.headers().get(name) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        Some(Input { topic, count, lang, max_length, headers })
    }

    /// Returns the URL of one upstream call, without absent query parameters.
    pub fn url(&self, origin: &str, index: usize) -> String {
        let mut url = format!("{}/topics/{}/fact?", origin, utf8_percent_encode(&self.topic, SEGMENT));
        let start = url.len();
        let mut query = form_urlencoded::Serializer::for_suffix(&mut url, start);
        query.append_pair("index", &index.to_string());
        if let Some(lang) = &self.lang {
            query.append_pair("lang", lang);
        }
        if let Some(limit) = self.max_length {
            query.append_pair("max_length", &limit.to_string());
        }
        query.finish();
        url
    }
}
