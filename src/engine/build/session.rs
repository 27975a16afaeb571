//! What BuildKit asks back while it builds: how to sign in to a registry. It takes that by no header: a connection of its
//! own is turned around, so that the engine is the one who asks, in gRPC, and only when a registry wants to know (S045).
//! Without one it cannot fetch what needs a token at all, which on Docker Hub is everything: “no active sessions”.
//! Source: moby/buildkit, `session/grpc.go`, `session/auth/auth.proto`; `grpc/health/v1/health.proto`.

use std::{convert::Infallible, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Request, Response,
    body::{Frame, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::TokioExecutor;
use prost::Message;
use tokio::task::JoinHandle;

use crate::engine::{Engine, Error, exec::mark, registries::Registry, wire::deadline};

/// How one signs in.
const CREDENTIALS: &str = "/moby.filesync.v1.Auth/Credentials";
/// Whether we are still there: the engine asks every few seconds.
const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// The longest question.
const QUESTION: usize = 64 << 10;
/// How long a question may take to come in.
const ASKING: Duration = Duration::from_secs(10);
/// How long the engine may take to turn a connection around.
const OPENING: Duration = Duration::from_secs(10);

/// Who wants to know.
#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(string, tag = "1")]
    host: String,
}

/// How one signs in there; empty for as nobody.
#[derive(Clone, PartialEq, Message)]
struct Known {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    secret: String,
}

/// That we are there.
#[derive(Clone, PartialEq, Message)]
struct Health {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// A connection on which the engine asks; dropped, it is closed.
pub(super) struct Session {
    /// By what the build names it.
    pub(super) id: String,
    answering: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

impl Engine {
    /// Opens one.
    pub(super) async fn session(&self) -> Result<Session, Error> {
        let id = mark()?;
        let request = Request::post("/session")
            .header("x-docker-expose-session-uuid", &id)
            .header("x-docker-expose-session-name", "wheelhouse")
            .header("x-docker-expose-session-sharedkey", "")
            .header("x-docker-expose-session-grpc-method", CREDENTIALS)
            .header("x-docker-expose-session-grpc-method", HEALTH)
            .body(Full::<Bytes>::default())
            .map_err(|error| Error::Invalid(error.to_string()))?;
        let line = self.wire.turn(request, "h2c", OPENING).await?;
        let engine = self.clone();
        let answering = tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let engine = engine.clone();
                async move { Ok::<_, Infallible>(engine.answer_builder(request).await) }
            });
            let server =
                http2::Builder::new(TokioExecutor::new()).max_concurrent_streams(16).serve_connection(line, answer);
            if let Err(error) = server.await {
                tracing::debug!(%error, "the session of a build ended");
            }
        });
        Ok(Session { id, answering })
    }

    async fn answer_builder(&self, request: Request<Incoming>) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
        let path = request.uri().path().to_owned();
        match path.as_str() {
            HEALTH => told(&Health { status: 1 }),
            CREDENTIALS => match question(request).await {
                Some(asked) => told(&self.known_of(&asked.host)),
                None => refused(3),
            },
            // BuildKit does without what we do not know: it asks the registry for a token itself.
            _ => refused(12),
        }
    }

    /// What we know of a host, and of no other (S045). Docker Hub goes by the name of its machine.
    fn known_of(&self, host: &str) -> Known {
        let known = host.parse::<Registry>().ok().and_then(|registry| self.login(&registry));
        known.map(|known| Known { user: known.user, secret: known.secret }).unwrap_or_default()
    }
}

/// A message of gRPC: whether it is packed, how long it is, itself.
async fn question(request: Request<Incoming>) -> Option<Asked> {
    let body = Limited::new(request.into_body(), QUESTION).collect();
    let mut body = deadline("a question of the builder's", ASKING, body).await.ok()?.ok()?.to_bytes();
    if body.len() < 5 || body.get_u8() != 0 {
        return None;
    }
    let length = usize::try_from(body.get_u32()).ok()?;
    Asked::decode(body.get(..length)?).ok()
}

fn told(message: &impl Message) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut body = BytesMut::new();
    body.put_u8(0);
    body.put_u32(u32::try_from(message.encoded_len()).unwrap_or_default());
    body.put_slice(&message.encode_to_vec());
    let mut end = HeaderMap::new();
    end.insert("grpc-status", HeaderValue::from_static("0"));
    let frames = [Ok(Frame::data(body.freeze())), Ok(Frame::trailers(end))];
    answer(StreamBody::new(stream::iter(frames)).boxed_unsync())
}

/// 3: this is no message; 12: this is not known here.
fn refused(status: u16) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut response = answer(Full::default().boxed_unsync());
    response.headers_mut().insert("grpc-status", HeaderValue::from(status));
    response
}

fn answer(body: UnsyncBoxBody<Bytes, Infallible>) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
