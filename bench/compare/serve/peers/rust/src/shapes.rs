use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    id: i64,
    name: String,
    breed: String,
    weight_kg: f64,
    indoor: bool,
    traits: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub struct Fact {
    fact: String,
    length: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Vec<Detail>>,
}

#[derive(Serialize)]
pub struct Facts {
    pub facts: Vec<Fact>,
}

/// The log line of one request.
#[derive(Serialize)]
pub struct Line<'a> {
    pub level: &'static str,
    pub time: u64,
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub ms: f64,
}
