//! Listening: connections with limits of their own, and an end that does not hang.
//!
//! Own loop where axum has one: axum's gives no way to end a connection that sends nothing (S054).

use std::{
    convert::Infallible,
    future::pending,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::{
    body::Incoming,
    rt::{Read, Write},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tower::ServiceExt;

use super::{
    AppState, Guards, Metrics, Rules, Shells, Streams, client::Proxies, metrics, prefix::Prefix, router, wire::Wire,
};
use crate::{config::Config, engine::Engine, team::Team, tls::Tls};

/// How long a client may take to say what it wants: to its first byte, to the end of the handshake, and to the end of
/// the headers.
const HEADERS: Duration = Duration::from_secs(10);
/// How long open requests get to finish when we end (S086).
const GRACE: Duration = Duration::from_secs(8);
/// How many connections at most, however many files the system lets us open.
const CONNECTIONS: usize = 16_384;
/// How many connections at most where there are metrics only.
const SCRAPERS: usize = 64;
/// How many requests at once on one connection of HTTP/2.
const REQUESTS: u32 = 128;
/// How long a connection of HTTP/2 may be silent before it is asked whether it lives.
const SILENCE: Duration = Duration::from_secs(20);
/// The first byte of a TLS handshake, which no request of HTTP begins with (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// Lets this process open as many files as it is allowed to: each browser is one, and each call to the engine.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(error = error.to_string(), "the limit on open files stays as it was");
    }
}

/// Where people and others come in.
pub struct Listeners {
    /// For people.
    pub main: TcpListener,
    /// For who reads the metrics, without a token.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// At the addresses of the settings; fails with the one that cannot be had.
    pub async fn bind(config: &Config) -> Result<Self, (SocketAddr, io::Error)> {
        let bind = async |address| TcpListener::bind(address).await.map_err(|error| (address, error));
        let main = bind(config.listen).await?;
        let metrics = match config.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { main, metrics })
    }
}

/// Serves until `end`, then lets requests finish and streams be told to come back.
pub async fn serve(
    config: &Config,
    engine: Engine,
    team: Team,
    rules: Rules,
    listeners: Listeners,
    tls: Option<Tls>,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let streams =
        Arc::new(Streams::new(config.max_streams, config.max_streams_per_client, config.people.max_streams_per_person));
    let guards = Arc::new(Guards::new(&config.hosts, config.public_url.as_ref()));
    let wire = Wire {
        is_tls: tls.is_some(),
        is_trusted: tls.is_some() && config.tls_cert.is_some(),
        warns: config.may_be_overheard(),
    };
    let prefix = Prefix::of(config.public_url.as_ref());
    let metrics = Arc::new(Metrics::new(engine.clone(), streams.clone()));
    let scraped = metrics::alone(metrics.clone());
    let idle = config.people.terminal_idle.unsigned_abs();
    let shells = Arc::new(Shells::new(idle));
    let rules = Arc::new(rules);
    let state =
        AppState { engine, streams: streams.clone(), guards, wire, team, rules, metrics, shells: shells.clone() };
    let app = router(state, prefix.clone());
    let door = Arc::new(Door { app, prefix, tls, proxies: Proxies::new(&config.trusted_proxies) });
    let scraped = Arc::new(Door { app: scraped, prefix: None, tls: None, proxies: Proxies::default() });
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(128 + SCRAPERS).clamp(64, CONNECTIONS);
    let open = GracefulShutdown::new();
    tokio::select! {
        () = end => {}
        Err(error) = door.watch(&listeners.main, most, &open) => return Err(error),
        Err(error) = async {
            match &listeners.metrics {
                Some(listener) => scraped.watch(listener, SCRAPERS, &open).await,
                None => pending().await,
            }
        } => return Err(error),
    }
    streams.end();
    let ended = async {
        tokio::join!(open.shutdown(), shells.end());
        // Who looks at one is told of its end.
        let told = async {
            while streams.count() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(Duration::from_secs(1), told).await;
    };
    if timeout(GRACE, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

/// What every connection comes through.
struct Door {
    app: Router,
    prefix: Option<Prefix>,
    tls: Option<Tls>,
    proxies: Proxies,
}

impl Door {
    /// Lets in whoever comes, so many at a time.
    async fn watch(
        self: Arc<Self>,
        listener: &TcpListener,
        most: usize,
        open: &GracefulShutdown,
    ) -> anyhow::Result<Infallible> {
        let places = Arc::new(Semaphore::new(most));
        loop {
            let place = places.clone().acquire_owned().await?;
            let (stream, address) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = error.to_string(), "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (door, watcher) = (self.clone(), open.watcher());
            tokio::spawn(async move {
                door.enter(stream, address, watcher).await;
                drop(place);
            });
        }
    }

    async fn enter(&self, stream: TcpStream, address: SocketAddr, watcher: Watcher) {
        // hyper's clock for headers starts with their first byte, so a silent connection needs one of its own.
        let mut first = [0];
        if !matches!(timeout(HEADERS, stream.peek(&mut first)).await, Ok(Ok(1))) {
            return;
        }
        let _ = stream.set_nodelay(true);
        let peer = address.ip();
        let done = match &self.tls {
            Some(tls) if first == [HANDSHAKE] => {
                let Ok(Ok(stream)) = timeout(HEADERS, tls.acceptor().accept(stream)).await else { return };
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                self.talk(TokioIo::new(stream), peer, true, builder(is_http2), watcher).await
            }
            _ => self.talk(TokioIo::new(stream), peer, false, builder(false), watcher).await,
        };
        if let Err(error) = done {
            tracing::debug!(%address, error = error.to_string(), "a connection ended early");
        }
    }

    async fn talk<I>(
        &self,
        io: I,
        peer: IpAddr,
        is_tls: bool,
        builder: auto::Builder<TokioExecutor>,
        watcher: Watcher,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let asked = AtomicBool::new(false);
        let service = service_fn(|mut request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let client = self.proxies.client(peer, is_tls, request.headers());
            request.extensions_mut().insert(client);
            if let Some(prefix) = &self.prefix {
                prefix.strip(request.uri_mut());
            }
            self.app.clone().oneshot(request.map(Body::new))
        });
        let talk = watcher.watch(builder.serve_connection_with_upgrades(io, service));
        tokio::pin!(talk);
        // Nor has hyper a clock for the beginning of HTTP/2.
        match timeout(HEADERS, &mut talk).await {
            Ok(done) => done,
            Err(_) if asked.load(Ordering::Relaxed) => talk.await,
            Err(_) => Ok(()),
        }
    }
}

/// How to speak, with every limit; which of the two was agreed on in the handshake.
fn builder(is_http2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(REQUESTS)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .max_header_list_size(64 << 10)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(SILENCE)
        .keep_alive_timeout(HEADERS)
        // For sockets (RFC 8441).
        .enable_connect_protocol();
    if is_http2 { builder.http2_only() } else { builder.http1_only() }
}
