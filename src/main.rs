//! Reads the settings, starts the log, connects, serves until a signal.

use std::{io::IsTerminal, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Parser;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;
use wheelhouse::{
    config::{Admin, Audit, Command, Config, LogFormat},
    engine::{Credentials, Engine, Keep, KeepEvents, Keyring, Registry},
    team::{Seal, Team, Verdict, oidc::Oidc},
    tls::Tls,
    web::{self, Guards, Listeners, Rules},
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
    match config.command {
        Some(Command::Healthcheck) => return healthcheck(config.listen).await,
        Some(Command::Admin(Admin::Reset)) => return reset(config).await,
        Some(Command::Audit(Audit::Verify)) => return verify(config).await,
        None => {}
    }
    config.check().map_err(anyhow::Error::msg)?;
    start_log(config)?;
    web::raise_file_limit();
    let team = Team::open(&config.data, config.people.limits())?;
    let oidc = config.oidc.settings().map_err(anyhow::Error::msg)?.map(Oidc::new).transpose()?;
    let listeners = Listeners::bind(config).await;
    let listeners = listeners
        .map_err(|(address, error)| anyhow::Error::new(error).context(format!("cannot listen on {address}")))?;
    let engine = Engine::connect(config.engine.clone())?;
    engine.use_keyring(Logins(team.clone()));
    if config.stats_history {
        engine.keep_history(config.data.join("stats"));
    }
    let files = config.data.join("files");
    engine
        .keep_uploads(&files, config.max_upload.saturating_mul(1 << 20))
        .with_context(|| format!("the folder {} cannot be used", files.display()))?;
    engine.keep_events(KeepEvents { folder: config.data.join("events"), time: config.keep_events });
    engine.keep_jobs(config.data.join("jobs"));
    if let Err(error) = engine.keep_replacements(config.data.join("replacing")) {
        tracing::error!(error = error.to_string(), "a crash while a container is made anew could not be mended");
    }
    let sweeping = engine.clone();
    if let Err(error) = engine.keep_removed(config.data.join("removed")) {
        tracing::error!(error = error.to_string(), "a restart will forget what was removed");
    }
    let terminals = config.data.join("terminals.json");
    tokio::spawn(async move { tokio::join!(sweeping.sweep_helpers(), sweeping.keep_terminals(terminals)) });
    let names = Guards::new(&config.hosts, config.public_url.as_ref()).hosts().map(str::to_owned).collect();
    let tls = config.certificate(names).map(Tls::start).transpose()?;
    let listens = listeners.main.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("Wheelhouse listens on {scheme}://{listens}/");
    if let Some(metrics) = &listeners.metrics {
        println!("Its metrics are at http://{}/metrics", metrics.local_addr()?);
    }
    if let Some(tls) = &tls {
        println!("Its certificate has the SHA-256 fingerprint {}", tls.fingerprint());
    }
    if let Err(error) = team.adopt_intents().await {
        tracing::error!(error = error.to_string(), "the audit could not be written");
    }
    if config.people.has_accounts() {
        welcome(config, &team, listens).await?;
    }
    let keep = Keep { folder: config.data.join("logs"), lines: config.keep_log_lines, time: config.keep_logs };
    if let Err(error) = engine.keep_logs(keep) {
        tracing::error!(error = error.to_string(), "logs of removed containers cannot be kept");
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
    let helped = engine.clone();
    let rules = Rules {
        has_accounts: config.people.has_accounts(),
        is_read_only: config.people.read_only,
        takes_passwords: config.oidc.takes_passwords(),
        public_url: config.public_url.clone(),
        registries: config.people.registries.clone(),
        oidc: oidc.map(Arc::new),
    };
    let served = tokio::select! {
        served = web::serve(config, engine, team, rules, listeners, tls, end) => served,
        () = stranded.stranded() => anyhow::bail!(
            "nobody listens at {} any more: it is the socket of an engine that has ended. Ending too, so that the \
             restart policy of this container mounts the new one; mount the directory /var/run to avoid this",
            config.engine
        ),
    };
    helped.end_helpers().await;
    served
}

/// Sees to it that there is a first administrator, or a way to become one; never a window, never a default (S001).
async fn welcome(config: &Config, team: &Team, listens: SocketAddr) -> anyhow::Result<()> {
    if let Some(password) = config.people.admin_password().map_err(anyhow::Error::msg)? {
        let name = &config.people.admin;
        let made = team.first_admin(name, &password).await.context("--admin-password-file")?;
        if made {
            tracing::info!(name, "the first administrator was made from the settings");
        }
    }
    if let Some(given) = team.first_link() {
        println!(
            "There is no administrator yet. Make the first one, once, at {}/setup?token={given}",
            config.address(listens)
        );
        if listens.ip().is_unspecified() && config.public_url.is_none() {
            println!("(from another machine, with the name or address of this one in place of localhost)");
        }
    } else if !team.has_admin() {
        tracing::warn!("nobody can administer this console; the way back in, on this host: wheelhouse admin reset");
    }
    // It may be long: nobody waits for it.
    let team = team.clone();
    tokio::spawn(async move {
        match team.verify_audit().await {
            Ok(Verdict::Whole(Seal { count, hash })) => {
                tracing::info!(entries = count, head = data_encoding::HEXLOWER.encode(&hash), "the audit is whole");
            }
            Ok(Verdict::Broken { seq, why }) => tracing::error!(entry = seq, why, "the audit was changed"),
            Err(error) => tracing::error!(error = error.to_string(), "the audit could not be read"),
        }
    });
    Ok(())
}

/// `wheelhouse admin reset`
async fn reset(config: &Config) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.data.join("wheelhouse.db").exists(),
        "no console keeps its data in {}: say --data",
        config.data.display()
    );
    let team = Team::open(&config.data, config.people.limits())?;
    let invite = team.reset(&config.people.admin).await?;
    println!("Choose a password for {}, once, within the hour, at", config.people.admin);
    println!("{}/setup?token={}", config.address(config.listen), invite.secret);
    Ok(())
}

/// `wheelhouse audit verify`
async fn verify(config: &Config) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.data.join("wheelhouse.db").exists(),
        "no console keeps its data in {}: say --data",
        config.data.display()
    );
    match Team::open(&config.data, config.people.limits())?.verify_audit().await? {
        Verdict::Whole(Seal { count, hash }) => {
            println!("The audit is whole: {count} entries. Its head is {}", data_encoding::HEXLOWER.encode(&hash));
            Ok(())
        }
        Verdict::Broken { seq, why } => anyhow::bail!("the audit is broken at entry {seq}: {why}"),
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

/// The logins that were saved here, for the engine: those that are not shared, for administrators alone.
struct Logins(Team);

impl Keyring for Logins {
    fn login(&self, registry: &Registry, is_admin: bool) -> Option<Credentials> {
        let login = self.0.login(registry.as_str()).filter(|login| login.shared || is_admin)?;
        let secret = self.0.login_secret(&login)?;
        Some(Credentials { registry: registry.clone(), user: login.user, secret })
    }

    fn registries(&self) -> Vec<Registry> {
        self.0.logins().iter().filter_map(|login| login.host.parse().ok()).collect()
    }
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
