//! Reads the settings, starts the log, connects, serves until a signal.

use std::{io::IsTerminal, net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;
use wheelhouse::{
    config::{Command, Config, LogFormat},
    engine::Engine,
    tls::Tls,
    web::{self, Guards},
};

fn main() -> ExitCode {
    let config = Config::parse();
    match run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wheelhouse: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: &Config) -> anyhow::Result<()> {
    if let Some(Command::Healthcheck) = config.command {
        return healthcheck(config.listen).await;
    }
    config.check().map_err(anyhow::Error::msg)?;
    start_log(config)?;
    web::raise_file_limit();
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let engine = Engine::connect(config.engine.clone())?;
    let names = Guards::new(&config.hosts, config.public_url.as_ref()).hosts().map(str::to_owned).collect();
    let tls = config.certificate(names).map(Tls::start).transpose()?;
    match &tls {
        None => println!("Wheelhouse listens on http://{}/", listener.local_addr()?),
        Some(tls) => {
            println!("Wheelhouse listens on https://{}/", listener.local_addr()?);
            println!("Its certificate has the SHA-256 fingerprint {}", tls.fingerprint());
        }
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let closing = engine.clone();
    let end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("ending");
        closing.close();
    };
    let stranded = engine.clone();
    tokio::select! {
        served = web::serve(config, engine, listener, tls, end) => served,
        () = stranded.stranded() => anyhow::bail!(
            "nobody listens at {} any more: it is the socket of an engine that has ended. Ending too, so that the \
             restart policy of this container mounts the new one; mount the directory /var/run to avoid this",
            config.engine
        ),
    }
}

/// Foreign text is logged as a value, never as `%`: values are quoted, so that no line can be forged (S032).
/// bollard writes whole requests, secrets included, at debug: it stays at warn whatever is asked for (S045).
fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{},bollard=warn,hyper=warn,h2=warn,reqwest=warn", config.log))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Asks the console on this machine over plain HTTP: no client library for one line. Where it speaks TLS and listens
/// on one address of a LAN, the answer is the way to HTTPS: it lives all the same.
async fn healthcheck(mut listen: SocketAddr) -> anyhow::Result<()> {
    if listen.ip().is_unspecified() {
        listen.set_ip(if listen.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let ask = async {
        let mut stream = TcpStream::connect(listen).await?;
        stream
            .write_all(format!("GET /healthz HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer).await?;
        let is_well = ["HTTP/1.1 200", "HTTP/1.1 308"].iter().any(|well| answer.starts_with(well));
        anyhow::ensure!(is_well, "{}", answer.lines().next().unwrap_or("no answer"));
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(3), ask).await.context("no answer within 3 s")?
}
