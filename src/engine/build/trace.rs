//! What BuildKit tells of a build, taken out of the stream of `POST /build?version=2`. Source: moby/buildkit,
//! `api/services/control/control.proto`; each message is a `StatusResponse` in base64.

use data_encoding::BASE64;
use prost::Message;

/// A moment.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Moment {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Moment {
    /// In milliseconds since the epoch.
    pub(super) fn ms(self) -> i64 {
        self.seconds.saturating_mul(1_000).saturating_add(i64::from(self.nanos) / 1_000_000)
    }
}

/// A step of the build.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Vertex {
    #[prost(string, tag = "1")]
    pub digest: String,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(bool, tag = "4")]
    pub cached: bool,
    #[prost(message, optional, tag = "5")]
    pub started: Option<Moment>,
    #[prost(message, optional, tag = "6")]
    pub completed: Option<Moment>,
    #[prost(string, tag = "7")]
    pub error: String,
}

/// What a step has written.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Written {
    #[prost(string, tag = "1")]
    pub vertex: String,
    #[prost(bytes = "vec", tag = "4")]
    pub text: Vec<u8>,
}

/// What is new.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(message, repeated, tag = "1")]
    pub vertexes: Vec<Vertex>,
    #[prost(message, repeated, tag = "3")]
    pub logs: Vec<Written>,
}

/// Reads one; none where it is none.
pub(super) fn read(aux: &str) -> Option<Status> {
    Status::decode(BASE64.decode(aux.as_bytes()).ok()?.as_slice()).ok()
}
