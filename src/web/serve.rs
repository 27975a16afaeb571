//! Listening: connections with limits of their own, and an end that does not hang.
//!
//! Own loop where axum has one: axum's gives no way to end a connection that sends nothing (S054).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

use super::{AppState, Guards, Streams, router};
use crate::{config::Config, engine::Engine};

/// How long a client may take to say what it wants: to its first byte, and to the end of the headers.
const HEADERS: Duration = Duration::from_secs(10);
/// How long open requests get to finish when we end (S086).
const GRACE: Duration = Duration::from_secs(8);
/// How many connections at most, however many files the system lets us open.
const CONNECTIONS: usize = 16_384;

/// Lets this process open as many files as it is allowed to: each browser is one, and each call to the engine.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(error = error.to_string(), "the limit on open files stays as it was");
    }
}

/// Serves until `end`, then lets requests finish and streams be told to come back.
pub async fn serve(
    config: &Config,
    engine: Engine,
    listener: TcpListener,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let streams = Arc::new(Streams::new(config.max_streams, config.max_streams_per_client));
    let guards = Arc::new(Guards::new(&config.hosts, config.public_url.as_ref()));
    let app = router(AppState { engine, streams: streams.clone(), guards });
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(128).clamp(64, CONNECTIONS);
    let (places, open) = (Arc::new(Semaphore::new(most)), GracefulShutdown::new());
    tokio::pin!(end);
    loop {
        let place = places.clone().acquire_owned().await?;
        let (stream, address) = tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = error.to_string(), "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (app, watcher) = (app.clone(), open.watcher());
        tokio::spawn(async move {
            connection(stream, address, app, watcher).await;
            drop(place);
        });
    }
    streams.end();
    if tokio::time::timeout(GRACE, open.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    app: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // hyper's clock for headers starts with their first byte, so a silent connection needs one of its own.
    if !matches!(tokio::time::timeout(HEADERS, stream.peek(&mut [0])).await, Ok(Ok(1))) {
        return;
    }
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        app.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%address, error = error.to_string(), "a connection ended early");
    }
}
