//! A certificate of our own, for who has none to give: made once, kept, renewed before it ends. Browsers ask once
//! whether to trust it; the fingerprint in the log tells that it is ours.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{ErrorKind, Write},
    net::{IpAddr, Ipv6Addr},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{ServerName, UnixTime},
};

use super::{Files, files::Pair, provider};

/// How many days it lasts: systems of Apple take none that lasts longer than 825.
const LASTS: i64 = 820;
/// How long before its end it is renewed.
const EARLY: Duration = Duration::from_hours(30 * 24);
/// How many addresses of this machine it names: each container network is one.
const ADDRESSES: usize = 50;

/// What it is for.
#[derive(Debug, Clone)]
pub struct Own {
    /// Where it is kept.
    pub folder: PathBuf,
    /// The names that browsers were promised. Should there be more of them, it is made anew.
    pub names: Vec<String>,
    /// Where the console listens.
    pub listen: IpAddr,
}

impl Own {
    /// The one that is kept, or a new one.
    pub(super) fn load(&self) -> anyhow::Result<Pair> {
        let files = self.files();
        match files.read() {
            Ok(pair) if self.is_good(&pair) => return Ok(pair),
            Ok(_) => tracing::info!("the console's own certificate is made anew"),
            Err(error) if is_missing(&error) => {}
            Err(error) => tracing::warn!(why = format!("{error:#}"), "the console's own certificate is made anew"),
        }
        self.make().with_context(|| format!("cannot keep a certificate in {} (--data)", self.folder.display()))?;
        files.read()
    }

    fn files(&self) -> Files {
        Files { cert: self.folder.join("cert.pem"), key: self.folder.join("key.pem") }
    }

    /// Whether who trusts it would still take it for every name, some time from now. The addresses of this machine do
    /// not count: they come and go, and each new certificate is a new question to everybody.
    fn is_good(&self, pair: &Pair) -> bool {
        let Some(leaf) = pair.chain.first() else { return false };
        let mut roots = RootCertStore::empty();
        if roots.add(leaf.clone()).is_err() {
            return false;
        }
        let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build() else {
            return false;
        };
        let soon = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()) + EARLY);
        let good = |name: ServerName<'_>| verifier.verify_server_cert(leaf, &[], &name, &[], soon).is_ok();
        let promised = self.names.iter().map(String::as_str).chain(["localhost"]);
        promised.filter_map(|name| ServerName::try_from(name).ok()).all(good)
    }

    fn make(&self) -> anyhow::Result<()> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.all_names())?;
        params.distinguished_name.push(DnType::CommonName, format!("Wheelhouse on {}", host_name()));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let midnight =
            |day: Date| date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        // From yesterday on: clocks differ.
        params.not_before = midnight(today.checked_sub(1.day())?);
        params.not_after = midnight(today.checked_add(LASTS.days())?);
        let cert = params.self_signed(&key)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let files = self.files();
        write(&files.key, &key.serialize_pem())?;
        write(&files.cert, &cert.pem())?;
        Ok(())
    }

    /// Every name by which a browser may reach this console, as far as we know them.
    fn all_names(&self) -> Vec<String> {
        let fixed = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), host_name()];
        let listen = (!self.listen.is_unspecified()).then(|| self.listen.to_canonical().to_string());
        let addresses = addresses().into_iter().take(ADDRESSES).map(|address| address.to_string());
        let mut names: Vec<String> = Vec::new();
        for name in fixed.into_iter().chain(listen).chain(self.names.iter().cloned()).chain(addresses) {
            if ServerName::try_from(name.as_str()).is_ok() && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|why| why.kind() == ErrorKind::NotFound)
}

/// Puts a text in the place of a file, all of it or nothing, for nobody else to read.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(fs::rename(&new, path)?)
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase()
}

/// The addresses of this machine that others may reach, as Linux lists them. Where it does not: none, and `--hosts`
/// can name them.
fn addresses() -> Vec<IpAddr> {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let (trie, six) = (read("/proc/net/fib_trie"), read("/proc/net/if_inet6"));
    let four = trie.lines().zip(trie.lines().skip(1)).filter(|(_, kind)| kind.trim() == "/32 host LOCAL");
    let four = four.filter_map(|(address, _)| address.trim().strip_prefix("|-- ")?.parse().ok());
    let six = six.lines().filter_map(|line| u128::from_str_radix(line.split(' ').next()?, 16).ok());
    let six = six.map(Ipv6Addr::from).filter(|address| !address.is_unicast_link_local()).map(IpAddr::from);
    four.chain(six).filter(|address| !address.is_loopback()).collect()
}
