//! What is asked: forms, headers, addresses.

use std::net::IpAddr;

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, REFERER},
};
use ipnet::IpNet;
use url::Url;

use crate::{
    command::{RunLine, Verb},
    team,
    web::{
        Client, Guards, accept, asker,
        client::Proxies,
        containers::{
            draft::{Checked, Draft},
            view::View,
        },
        cookie::{self, SameSite},
        extract::{self, Fields, is_local, see_other},
        fields, order,
        prefix::Prefix,
        security, theme,
    },
};

/// `name: value`, a line each; what can be no header is left out.
fn read<'a>(lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value.trim())) {
            headers.append(name, value);
        }
    }
    headers
}

fn text(headers: &HeaderMap, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn encoded(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The fields of a form, or the same in JSON: one reading of them. The form that makes a container: the command that is
/// shown for it asks for the same.
pub fn form(data: &[u8]) {
    let sent = Fields::parse(data);
    assert_eq!(Fields::parse(encoded(&sent.0).as_bytes()).0, sent.0);
    assert!((1..=1_000_000).contains(&sent.page()));
    let back = sent.back("/otherwise");
    assert!(back == "/otherwise" || is_local(back));
    let mut fields = sent;
    if let Ok(members) = fields::of_json(data) {
        let seen: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(data).unwrap_or_default();
        for (name, text) in &members {
            let is_text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let fits = seen.get(name).is_some_and(|value| match value {
                serde_json::Value::Array(list) => list.iter().any(|value| is_text(value) == *text),
                one => is_text(one) == *text,
            });
            assert!(fits, "{name}={text} is not what others read");
        }
        assert_eq!(Fields::parse(encoded(&members).as_bytes()).0, members);
        fields = Fields(members);
    }
    let Checked { line, spec, .. } = Draft::read(&fields).check();
    let shown = line.to_command(Verb::Run);
    match spec {
        Ok(spec) => assert_eq!(RunLine::check(&shown), Ok((Verb::Run, line, spec)), "{shown}"),
        Err(errors) => assert!(!errors.is_empty() && errors.values().all(|why| !why.is_empty())),
    }
}

/// The view of a list out of its address, and the address of a view. Limits as people type them. The order of names.
pub fn view(data: &[u8]) {
    let view = View::parse(&Fields::parse(data));
    let path = view.path();
    assert!(is_local(&path), "{path}");
    let query = path.split_once('?').map_or("", |(_, query)| query);
    assert_eq!(View::parse(&Fields::parse(query.as_bytes())).path(), path);
    let _ = view.command();
    let text = String::from_utf8_lossy(data);
    if let Ok(scope) = extract::scope(&text) {
        assert_eq!(team::fuzzing::kept(&scope), scope);
        assert_eq!(extract::scope(&scope.join("\n")), Ok(scope));
    }
    // Sorting panics where an order contradicts itself.
    let mut names: Vec<&str> = text.split(['\n', '&', '=']).take(50).collect();
    names.sort_by(|a, b| order::natural(a, b));
    for [a, b] in names.array_windows() {
        assert_eq!(order::natural(a, b), order::natural(b, a).reverse(), "{a:?} {b:?}");
    }
}

/// Where to go next: what is taken for a path here leads nowhere else, below a prefix or not.
pub fn back(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let prefix = Prefix::of(Url::parse("https://host:1/docker/").ok().as_ref());
    let (Some(prefix), true) = (prefix, is_local(&text)) else { return };
    for base in ["http://host:1/x", "https://host:1/docker/x?y"].map(Url::parse) {
        let there = base.as_ref().ok().and_then(|base| base.join(&text).ok());
        assert_eq!(there.map(|url| url.origin()), base.ok().map(|base| base.origin()), "{text}");
    }
    let mut answer = see_other(&text);
    assert_eq!(answer.headers().get(LOCATION).map(HeaderValue::as_bytes), Some(text.as_bytes()));
    prefix.put_on_header(answer.headers_mut(), &LOCATION);
    let outside = format!("/docker{text}");
    assert_eq!(answer.headers().get(LOCATION).map(HeaderValue::as_bytes), Some(outside.as_bytes()));
    // What goes out with the prefix comes back in without.
    if let (Ok(inside), Ok(mut uri)) = (text.parse::<Uri>(), outside.parse::<Uri>()) {
        prefix.strip(&mut uri);
        assert_eq!(uri.path_and_query(), inside.path_and_query());
    }
}

/// Scheme, host and port.
fn origin(text: &str) -> Option<(String, String, Option<u16>)> {
    let url = Url::parse(text).ok()?;
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()))
}

/// Headers that say where a request goes and comes from.
pub fn guards(data: &[u8]) {
    const HERE: &str = "http://10.1.2.3:9000";
    const PUBLIC: &str = "https://docker.example/x/";
    let text_of_all = String::from_utf8_lossy(data);
    let headers = read(text_of_all.lines());
    let said = |name: HeaderName| text(&headers, name);
    for public in [None, Url::parse(PUBLIC).ok()] {
        let guards = Guards::new(&["box.lan:9000".to_owned(), "Other".to_owned()], public.as_ref());
        let host = security::host(&Uri::default(), &headers).unwrap_or_default();
        if let Some(url) = Url::parse(&format!("http://{host}/")).ok().filter(|_| guards.knows(&host)) {
            let is_ours = match url.host() {
                Some(url::Host::Domain(name)) => name == "localhost" || guards.hosts().any(|ours| ours == name),
                Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
                None => false,
            };
            assert!(is_ours && url.username().is_empty() && url.path() == "/", "{host} is {url}");
        }
        for has_cookie in [false, true] {
            if guards.is_own(&headers, HERE.to_owned(), has_cookie).is_err() {
                continue;
            }
            let ours = [origin(HERE), public.as_ref().and_then(|url| origin(url.as_str()))];
            let is_ours = |text: &str| origin(text).is_some_and(|origin| ours.contains(&Some(origin)));
            let site = said(HeaderName::from_static("sec-fetch-site"));
            let fine = match (site, said(ORIGIN), said(REFERER)) {
                (Some("same-origin"), ..) => true,
                (Some(_), origin, _) => public.is_some() && origin.is_some_and(is_ours),
                (None, Some(origin), _) => is_ours(origin),
                (None, None, Some(page)) => is_ours(page),
                (None, None, None) => !has_cookie,
            };
            assert!(fine, "{headers:?}");
        }
    }
    assert!(said(HOST).is_none_or(|host| host.starts_with(security::without_port(host))));
}

/// Who asks, as proxies tell it: the first line is the address of the connection, the others are headers.
pub fn forwarded(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let Some(peer) = lines.next().and_then(|peer| peer.parse::<IpAddr>().ok()) else { return };
    let peer = peer.to_canonical();
    let networks: Vec<IpNet> = ["10.0.0.1/32", "fd00::/8"].iter().filter_map(|net| net.parse().ok()).collect();
    let trusts = |address: IpAddr| networks.iter().any(|net| net.contains(&address));
    let proxies = Proxies::new(&networks);
    let headers = read(lines);
    let client = proxies.client(peer, false, &headers);
    if !trusts(peer) {
        assert_eq!(client, Client { address: peer, is_secure: false });
        return;
    }
    assert_eq!(client.address, client.address.to_canonical());
    // Whoever asks can write anything to the left of what the proxies add.
    let mut more = HeaderMap::new();
    more.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 10.0.0.1"));
    more.append("x-forwarded-proto", HeaderValue::from_static("https"));
    let has_scheme = headers.contains_key("x-forwarded-proto");
    for (name, value) in &headers {
        more.append(name, value.clone());
    }
    let again = proxies.client(peer, false, &more);
    assert!(trusts(client.address) || again.address == client.address, "{client:?} became {again:?}");
    assert!(!has_scheme || again.is_secure == client.is_secure, "{client:?} became {again:?}");
    let is_there = |line: &HeaderValue| line.to_str().unwrap_or_default().contains(&client.address.to_string());
    let is_v4 = client.address.is_ipv4();
    assert!(client.address == peer || !is_v4 || headers.get_all("x-forwarded-for").iter().any(is_there), "{client:?}");
}

/// Cookies, tokens and what form of an answer is wanted.
pub fn headers(data: &[u8]) {
    let text_of_all = String::from_utf8_lossy(data);
    let headers = read(text_of_all.lines());
    let client = Client::of(&axum::http::Extensions::new());
    for name in [cookie::session(client), cookie::journey(client), "theme"] {
        if let Some(value) = cookie::read(&headers, name) {
            let mut lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
            assert!(lines.any(|line| line.contains(&value)) && !value.contains(';'), "{value}");
            // Written down, it comes back as it was, whatever else there is.
            let written = cookie::write(client, name, &value, None, SameSite::Strict);
            let pair = written.as_ref().and_then(|line| line.to_str().ok()?.split(';').next());
            let sent = pair.and_then(|pair| HeaderValue::from_str(&format!("a=b; {pair}; {name}=other")).ok());
            let again: HeaderMap = sent.map(|sent| (COOKIE, sent)).into_iter().collect();
            assert_eq!(cookie::read(&again, name), Some(value));
        }
    }
    assert!(matches!(theme::of(&headers), "" | "light" | "dark"));
    if let Some(token) = asker::bearer(&headers) {
        let line = text(&headers, AUTHORIZATION).unwrap_or_default();
        assert!(line.trim_end().ends_with(token) && token.trim() == token, "{line}");
    }
    let said: Vec<&str> = headers.get_all("accept").iter().filter_map(|line| line.to_str().ok()).collect();
    let said = said.concat().to_ascii_lowercase();
    assert!(!accept::wants_json(&headers) || said.contains("/json") || said.contains("/*"), "{said}");
}
