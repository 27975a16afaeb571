//! Who asks: the address, and whether somebody on the way could listen. What headers say about it counts only from
//! proxies that were named; from anyone else they are ignored, so that nobody chooses his own address (S008).

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, request::Parts},
};
use ipnet::IpNet;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address of the person's machine, as far as anybody whom we trust has seen it.
    pub address: IpAddr,
    /// Whether the browser speaks TLS, to us or to a proxy that we trust.
    pub is_secure: bool,
}

impl Client {
    /// Of this request; nobody, where none was noted.
    pub fn of(extensions: &Extensions) -> Self {
        let nobody = Self { address: Ipv4Addr::UNSPECIFIED.into(), is_secure: false };
        extensions.get().copied().unwrap_or(nobody)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// From `--trusted-proxies`.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks by way of this connection.
    pub fn client(&self, peer: IpAddr, is_tls: bool, headers: &HeaderMap) -> Client {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Client { address: peer, is_secure: is_tls };
        }
        let said = from_the_right(headers, "x-forwarded-proto").next();
        Client {
            address: self.before(peer, headers),
            is_secure: said.map_or(is_tls, |scheme| scheme.eq_ignore_ascii_case("https")),
        }
    }

    /// Each proxy adds whom it saw at the right end: back through those we trust, to the first that we do not. What is
    /// left of that, anybody can have written.
    fn before(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer;
        for said in from_the_right(headers, "x-forwarded-for") {
            let Some(seen) = address_of(said) else { break };
            address = seen;
            if !self.trusts(address) {
                break;
            }
        }
        address
    }
}

/// The parts of a list that may stand in several lines.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.into_iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(str::trim)
}

/// `10.0.0.1`, and as some proxies write it: with a port, `[::1]`.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    bare.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let proxies = Proxies::new(&[PROXY, "fd00::1"].map(|ip| ip.parse::<IpAddr>().unwrap().into()));
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let client = proxies.client(peer.parse().unwrap(), false, &headers);
        (client.address.to_string(), client.is_secure)
    }

    fn forwarded(lines: &[&str]) -> String {
        client(PROXY, &lines.iter().map(|line| ("x-forwarded-for", *line)).collect::<Vec<_>>()).0
    }

    #[test]
    fn s008_strangers_do_not_choose_their_address() {
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")];
        assert_eq!(client("10.0.0.2", &lines), ("10.0.0.2".to_owned(), false));
        assert_eq!(client(PROXY, &lines), ("1.1.1.1".to_owned(), true));
        assert_eq!(client("::ffff:10.0.0.1", &lines), ("1.1.1.1".to_owned(), true));
        assert_eq!(client("::ffff:10.0.0.2", &[]), ("10.0.0.2".to_owned(), false));
    }

    #[test]
    fn s008_the_right_end_counts() {
        assert_eq!(forwarded(&[]), PROXY);
        assert_eq!(forwarded(&["6.6.6.6, 2.2.2.2"]), "2.2.2.2");
        assert_eq!(forwarded(&["6.6.6.6, 2.2.2.2, fd00::1"]), "2.2.2.2");
        assert_eq!(forwarded(&["6.6.6.6", "2.2.2.2,10.0.0.1"]), "2.2.2.2");
        assert_eq!(forwarded(&["6.6.6.6, rubbish"]), PROXY);
        assert_eq!(forwarded(&["6.6.6.6, rubbish, 10.0.0.1"]), PROXY);
        assert_eq!(forwarded(&["2.2.2.2:4711"]), "2.2.2.2");
        assert_eq!(forwarded(&["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(forwarded(&["::ffff:2.2.2.2"]), "2.2.2.2");
        assert_eq!(forwarded(&["10.0.0.1"]), PROXY);
    }

    #[test]
    fn the_scheme_is_what_the_nearest_proxy_says() {
        assert!(!client(PROXY, &[("x-forwarded-proto", "https, http")]).1);
        assert!(client(PROXY, &[("x-forwarded-proto", "http"), ("x-forwarded-proto", "HTTPS")]).1);
        assert!(!client(PROXY, &[]).1);
    }
}
