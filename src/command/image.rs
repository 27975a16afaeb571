//! Image references, checked as the docker command checks them, with a sentence for what is wrong.
//!
//! The grammar is that of <https://github.com/distribution/reference>: `[host[:port]/]path[:tag][@digest]`.

/// Bytes that a name may have. Source: `NameTotalLengthMax` of the grammar.
const LONGEST_NAME: usize = 255;
/// Characters that a tag may have. Source: the grammar's `tag`.
const LONGEST_TAG: usize = 128;

/// Checks an image reference.
pub fn check(reference: &str) -> Result<(), String> {
    if reference.is_empty() {
        return Err("an image is needed, such as nginx or nginx:1.27".to_owned());
    }
    if is_id(reference) || reference.strip_prefix("sha256:").is_some_and(is_id) {
        return Ok(());
    }
    if let Some(strange) = reference.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-/:@+[]".contains(*c)) {
        return Err(stranger(strange));
    }
    let (named, digest) = reference.split_once('@').map_or((reference, None), |(named, digest)| (named, Some(digest)));
    let (name, tag) = match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (named, None),
    };
    check_name(name)?;
    tag.map_or(Ok(()), check_tag)?;
    digest.map_or(Ok(()), check_digest)
}

/// Whether a reference means the same image for ever: it is an id, or ends in a digest.
pub fn is_fixed(reference: &str) -> bool {
    is_id(reference.strip_prefix("sha256:").unwrap_or(reference)) || reference.contains('@')
}

/// Sixty-four hexadecimal digits are an image's id.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn stranger(c: char) -> String {
    let whole = "an image is written as nginx, nginx:1.27 or host/path/name:tag";
    match c {
        ' ' | '\t' | '\n' | '\r' => format!("a blank cannot be part of an image; {whole}"),
        '\u{2013}' | '\u{2014}' => format!("the dash {c} should be one or two hyphens: - or --"),
        c => format!("{c} cannot be part of an image; {whole}"),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) && (is_good_host(host) || !is_good_part(host)) => (Some(host), path),
        _ => (None, name),
    };
    if name.len() > LONGEST_NAME {
        return Err(format!("the name is longer than {LONGEST_NAME} characters"));
    }
    if let Some(host) = host.filter(|host| !is_good_host(host)) {
        return Err(format!("{host} is not the address of a registry, such as ghcr.io or localhost:5000"));
    }
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(format!("the image's name must be in lower case: {}", path.to_ascii_lowercase()));
    }
    match path.split('/').find(|part| !is_good_part(part)) {
        Some("") if path.is_empty() => Err("the image's name is missing".to_owned()),
        Some("") => Err("there is a / too many in the image's name".to_owned()),
        Some(part) => Err(format!("{part} is no name: lower-case letters and digits, with . _ or - only between them")),
        None => Ok(()),
    }
}

/// What comes before the first / is a registry's host if it cannot be a name.
fn is_host(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':']) || text.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_good_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port_is_good = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let address = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let name_is_good = match address {
        Some(inner) => !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => name.split('.').all(label),
    };
    port_is_good && name_is_good
}

/// Letters and digits, and between them one dot, one or two underscores or any number of hyphens.
fn is_good_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inside = part.trim_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let separators = inside.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    part.bytes().next().is_some_and(word)
        && part.bytes().next_back().is_some_and(word)
        && separators.into_iter().all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn check_tag(tag: &str) -> Result<(), String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if tag.is_empty() {
        Err("the tag is missing after the colon".to_owned())
    } else if tag.len() > LONGEST_TAG {
        Err(format!("the tag is longer than {LONGEST_TAG} characters"))
    } else if !tag.bytes().all(good) || tag.starts_with(['.', '-']) {
        Err(format!("{tag} is no tag: letters, digits, and _ . - but not as the first"))
    } else {
        Ok(())
    }
}

fn check_digest(digest: &str) -> Result<(), String> {
    let wrong = || Err(format!("{digest} is no digest: sha256: and 64 hexadecimal digits"));
    let Some((algorithm, digits)) = digest.split_once(':') else {
        return wrong();
    };
    let known_length = match algorithm {
        "sha256" => digits.len() == 64,
        "sha384" => digits.len() == 96,
        "sha512" => digits.len() == 128,
        _ => false,
    };
    if known_length && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) { Ok(()) } else { wrong() }
}

#[cfg(test)]
mod tests {
    use super::check;

    const ID: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn takes_what_the_docker_command_takes() {
        let good = [
            "nginx",
            "nginx:1.27",
            "a__b",
            "a--b",
            "a_b.c/d",
            "foo.Bar/nginx",
            "FOO/bar",
            "localhost/a",
            "localhost:5000/a:b",
            "[::1]:5000/a",
            "ghcr.io/owner/app",
            "a:latest_2.0-x",
            ID,
        ];
        for reference in good.map(str::to_owned).into_iter().chain([format!("sha256:{ID}"), format!("a:b@sha256:{ID}")])
        {
            assert_eq!(check(&reference), Ok(()), "{reference}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let bad = [
            ("", "an image is needed"),
            ("Nginx", "lower case: nginx"),
            ("foo/BAR", "lower case: foo/bar"),
            ("–name", "one or two hyphens"),
            ("a b", "a blank"),
            ("app:[version]", "is no tag"),
            ("<image>", "< cannot be part"),
            ("nginx:", "the tag is missing"),
            ("nginx:-a", "is no tag"),
            (":1", "the image's name is missing"),
            ("a//b", "a / too many"),
            ("nginx/", "a / too many"),
            ("a___b", "is no name"),
            ("a-", "is no name"),
            ("foo.com:x/a", "address of a registry"),
            ("-foo.com/a", "address of a registry"),
            ("nginx@sha256:aaaa", "is no digest"),
            ("nginx@latest", "is no digest"),
        ];
        for (reference, part) in bad {
            let message = check(reference).err().unwrap_or_default();
            assert!(message.contains(part), "{reference}: {message}");
        }
    }
}
