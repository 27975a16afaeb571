//! One HTTP request to the engine: the only way out of this program to the daemon.
//!
//! It stands under bollard as its transport and beside it for what bollard 0.21.1 gets wrong: it prefixes the
//! negotiated version (bollard's is lost on the way), keeps the number of open sockets bounded, keeps the status
//! of the last answer (bollard makes 304 a success like any other), and puts a deadline over the whole call, body
//! included (bollard's ends with the headers).

use std::{
    cell::Cell,
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
    sync::{Arc, RwLock},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Body, Incoming},
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE},
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::Semaphore,
};

use super::{
    Address, Error, Outage, endpoints,
    meter::{Call, Meter},
};

/// How long a list or an inspect may take, body included (S069).
pub(super) const READ: Duration = Duration::from_secs(5);
/// How long an action may take that has no time of its own.
pub(super) const ACT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);
/// Sockets that we hold open to the engine at once, the event stream apart.
const SOCKETS: usize = 32;
/// The largest answer that is read into memory: a list of some 60,000 containers.
const ANSWER: usize = 64 << 20;

/// As it may stand in the path or the query of an address (S033).
pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

tokio::task_local! {
    /// The call that this task waits for to its end.
    static UNDERWAY: Underway;
}

#[derive(Default)]
struct Underway {
    /// The status of its answer: how a call through bollard learns of 304.
    status: Cell<u16>,
    call: Cell<Option<Call>>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The connection's settings, shared by every call.
pub(super) struct Wire {
    address: Address,
    /// What goes before each path, `/v1.51`; empty until negotiated.
    prefix: RwLock<String>,
    sockets: Arc<Semaphore>,
    meter: Arc<Meter>,
}

impl Wire {
    pub(super) fn new(address: Address) -> Self {
        let sockets = Arc::new(Semaphore::new(SOCKETS));
        Self { address, prefix: RwLock::default(), sockets, meter: Arc::default() }
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn set_version(&self, version: &str) {
        if let Ok(mut prefix) = self.prefix.write() {
            *prefix = if version.is_empty() { String::new() } else { format!("/v{version}") };
        }
    }

    /// Sends a request on a connection of its own; answers when the headers are there. Dropping the body, or this
    /// future, closes the connection. It is counted here, and ends with the headers where nobody waits for more.
    pub(super) async fn send<B>(&self, request: Request<B>) -> Result<Response<Incoming>, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (method, path) = (request.method().as_str(), request.uri().path());
        if endpoints::find(method, path).is_none() {
            tracing::error!(method, path, "this is no endpoint that this console calls");
            return Err(Error::Denied("this console does not call that endpoint".to_owned()));
        }
        let mut call = Some(self.meter.call(&request));
        let _ = UNDERWAY.try_with(|underway| underway.call.set(call.take()));
        let answer = Box::pin(self.dispatch(request)).await;
        let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
        let _ = UNDERWAY.try_with(|underway| underway.status.set(status));
        if let Some(call) = call {
            call.end(&answer, status);
        }
        answer
    }

    async fn dispatch<B>(&self, mut request: Request<B>) -> Result<Response<Incoming>, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let prefix = self.prefix.read().map(|prefix| prefix.clone()).unwrap_or_default();
        let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() =
            format!("{prefix}{target}").parse::<Uri>().map_err(|error| Error::Invalid(error.to_string()))?;
        request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("engine"));
        match &self.address {
            Address::Unix(path) => {
                let stream = deadline("connect", CONNECT, UnixStream::connect(path)).await?;
                exchange(stream.map_err(|error| unix_outage(path, &error))?, request).await
            }
            Address::Tcp(host) => {
                let stream = deadline("connect", CONNECT, TcpStream::connect(host)).await?;
                exchange(stream.map_err(|error| tcp_outage(host, &error))?, request).await
            }
        }
    }

    /// A GET whose whole JSON answer is read within [`READ`].
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.get_within(path, READ).await
    }

    /// A GET whose whole JSON answer is read within `limit`.
    pub(super) async fn get_within<T: DeserializeOwned>(&self, path: &str, limit: Duration) -> Result<T, Error> {
        let bytes = self.bytes(path, limit).await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Engine {
            status: 502,
            message: format!("unexpected answer to GET {path}: {error}"),
        })
    }

    /// A GET whose whole answer is read within `limit`.
    pub(super) async fn bytes(&self, path: &str, limit: Duration) -> Result<Bytes, Error> {
        self.whole(&format!("GET {path}"), limit, async {
            let _socket = self.sockets.acquire().await.map_err(|_| Error::Unreachable(Outage::Broken))?;
            whole_answer(self.fetch(path).await?).await
        })
        .await
    }

    /// A request whose whole answer is read within `limit`.
    pub(super) async fn answer<B>(&self, request: Request<B>, limit: Duration) -> Result<Bytes, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.whole(&what(&request), limit, async {
            let _socket = self.sockets.acquire().await.map_err(|_| Error::Unreachable(Outage::Broken))?;
            whole_answer(self.send(request).await?).await
        })
        .await
    }

    /// A request whose answer is a stream: it is awaited until that begins, for `limit` at most. A refusal is an error.
    pub(super) async fn stream<B>(&self, request: Request<B>, limit: Duration) -> Result<Response<Incoming>, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.whole(&what(&request), limit, async {
            let response = self.send(request).await?;
            if response.status().is_success() {
                return Ok(response);
            }
            Err(whole_answer(response).await.err().unwrap_or(Error::Unreachable(Outage::Broken)))
        })
        .await
    }

    /// A GET whose body is a stream; only the headers are awaited here, for [`READ`] at most.
    pub(super) async fn open(&self, path: &str) -> Result<Response<Incoming>, Error> {
        self.whole(&format!("GET {path}"), READ, self.fetch(path)).await
    }

    /// A POST of JSON whose whole answer is read within `limit`.
    pub(super) async fn post(&self, path: &str, body: &impl Serialize, limit: Duration) -> Result<Bytes, Error> {
        self.whole(&format!("POST {path}"), limit, async {
            let _socket = self.sockets.acquire().await.map_err(|_| Error::Unreachable(Outage::Broken))?;
            whole_answer(self.send(post(path, body)?).await?).await
        })
        .await
    }

    /// A POST after which the connection is no HTTP any more, but the input and output of what it has started. Every
    /// engine that we know answers 101 to who asks for that; only its beginning is awaited here, for `limit` at most.
    pub(super) async fn hijack(&self, path: &str, body: &impl Serialize, limit: Duration) -> Result<Upgraded, Error> {
        self.turn(post(path, body)?, "tcp", limit).await
    }

    /// The same for a request of any kind, and what is to be spoken after it.
    pub(super) async fn turn(
        &self,
        mut request: Request<Full<Bytes>>,
        protocol: &'static str,
        limit: Duration,
    ) -> Result<Upgraded, Error> {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        request.headers_mut().insert(UPGRADE, HeaderValue::from_static(protocol));
        self.whole(&what(&request), limit, async {
            let response = self.send(request).await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                return hyper::upgrade::on(response).await.map_err(|_| Error::Unreachable(Outage::Broken));
            }
            whole_answer(response).await?;
            Err(Error::Unsupported("the engine, or a proxy before it, does not hand over the connection".to_owned()))
        })
        .await
    }

    /// The same where the headers may take longer.
    pub(super) async fn open_within(&self, path: &str, limit: Duration) -> Result<Response<Incoming>, Error> {
        self.whole(&format!("GET {path}"), limit, self.fetch(path)).await
    }

    async fn fetch(&self, path: &str) -> Result<Response<Incoming>, Error> {
        let request =
            Request::get(path).body(Empty::<Bytes>::new()).map_err(|error| Error::Invalid(error.to_string()))?;
        self.send(request).await
    }

    /// Runs a call of bollard's within `limit`; answers with the HTTP status beside what it made of it.
    pub(super) async fn typed<T>(
        &self,
        what: &str,
        limit: Duration,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<(u16, T), Error> {
        let call = async {
            let _socket = self.sockets.acquire().await.map_err(|_| Error::Unreachable(Outage::Broken))?;
            let value = call.await.map_err(Error::from)?;
            Ok((UNDERWAY.with(|underway| underway.status.get()), value))
        };
        self.whole(what, limit, call).await
    }

    /// Awaits one call for at most `limit`, and counts it as what it comes to in the end.
    async fn whole<T>(
        &self,
        what: &str,
        limit: Duration,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let work = async {
            let result = deadline(what, limit, call).await.flatten();
            UNDERWAY.with(|underway| {
                if let Some(call) = underway.call.take() {
                    call.end(&result, underway.status.get());
                }
            });
            result
        };
        UNDERWAY.scope(Underway::default(), work).await
    }
}

/// Method and path.
fn what<B>(request: &Request<B>) -> String {
    format!("{} {}", request.method(), request.uri().path())
}

/// All of an answer; an error where it tells of one.
async fn whole_answer(response: Response<Incoming>) -> Result<Bytes, Error> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    let bytes = body.map_err(|_| Error::Unreachable(Outage::Broken))?.to_bytes();
    if status.is_success() { Ok(bytes) } else { Err(Error::from_status(status.as_u16(), message(&bytes))) }
}

fn post(path: &str, body: &impl Serialize) -> Result<Request<Full<Bytes>>, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Invalid(error.to_string()))?;
    let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(Full::from(body));
    request.map_err(|error| Error::Invalid(error.to_string()))
}

async fn exchange<S, B>(stream: S, request: Request<B>) -> Result<Response<Incoming>, Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let broken = |_| Error::Unreachable(Outage::Broken);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends by itself when the answer has been read or dropped.
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await.map_err(broken)
}

/// Awaits `work` for at most `limit`.
pub(super) async fn deadline<T>(what: &str, limit: Duration, work: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(limit, work).await.map_err(|_| Error::TimedOut { what: what.to_owned(), deadline: limit })
}

/// The engine's own words out of `{"message": "..."}`, or the text itself.
pub(super) fn message(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    serde_json::from_slice::<Message>(bytes)
        .map_or_else(|_| String::from_utf8_lossy(bytes).trim().chars().take(2_000).collect(), |found| found.message)
}

fn unix_outage(path: &Path, error: &io::Error) -> Error {
    let file = fs::metadata(path).ok();
    Error::Unreachable(match (&file, error.kind()) {
        (Some(file), _) if file.is_dir() => Outage::Directory(path.to_owned()),
        (_, io::ErrorKind::NotFound) => Outage::NoSocket(path.to_owned()),
        (Some(file), io::ErrorKind::PermissionDenied) => {
            Outage::NoPermission { path: path.to_owned(), gid: file.gid(), uid: rustix::process::geteuid().as_raw() }
        }
        (Some(file), _) if !file.file_type().is_socket() => Outage::NotASocket(path.to_owned()),
        (_, io::ErrorKind::ConnectionRefused) => Outage::Refused(format!("unix://{}", path.display())),
        _ => Outage::Other(format!("{}: {error}", path.display())),
    })
}

fn tcp_outage(host: &str, error: &io::Error) -> Error {
    Error::Unreachable(match error.kind() {
        io::ErrorKind::ConnectionRefused => Outage::Refused(format!("tcp://{host}")),
        _ => Outage::Other(format!("tcp://{host}: {error}")),
    })
}
