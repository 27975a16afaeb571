//! How the docker command line writes values: sizes, times, numbers, lists of settings.
//!
//! An error is a sentence for whoever typed the value. The grammars are those of docker CLI 28.

use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A value, or a sentence that says what it should have been.
pub(in crate::command) type Parsed<T> = Result<T, String>;

/// A switch's value.
pub(in crate::command) fn switch(value: &str) -> Parsed<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("this is on or off: true or false, not {value}")),
    }
}

/// A whole number within a range.
pub(super) fn number<T>(value: &str, range: RangeInclusive<T>) -> Parsed<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    match value.parse::<T>() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) => Err(format!("{value} is out of range: {} to {}", range.start(), range.end())),
        Err(_) => Err(format!("a whole number is needed, not {}", shown(value))),
    }
}

/// A whole number as Go reads it in its programs: `1_000`, `0x10`, `0b11`, `0o17`, and `017` for that as well.
///
/// Source: <https://pkg.go.dev/strconv#ParseInt>, with the base 0, by which the docker command reads flags.
pub(super) fn integer(value: &str) -> Parsed<i64> {
    let lower = value.to_ascii_lowercase();
    let (sign, digits) = match lower.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", lower.strip_prefix('+').unwrap_or(&lower)),
    };
    let bases = [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)];
    let based = bases.iter().find_map(|(prefix, base)| Some((*base, digits.strip_prefix(prefix)?)));
    let (base, digits) = based.filter(|(_, digits)| !digits.is_empty()).unwrap_or((10, digits));
    // Between digits, or right behind the base.
    let mut parts = digits.split('_').skip(usize::from(based.is_some() && digits.starts_with('_')));
    let is_whole = parts.all(|part| !part.is_empty() && part.chars().all(|c| c.is_digit(base)));
    let number = i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), base).ok();
    number.filter(|_| is_whole).ok_or_else(|| format!("a whole number is needed, not {}", shown(value)))
}

/// Such a number within a range.
pub(super) fn integer_in(value: &str, range: RangeInclusive<i64>) -> Parsed<i64> {
    let number = integer(value)?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(format!("{value} is out of range: {} to {}", range.start(), range.end()))
    }
}

/// A number of bytes: `512m`, `1.5g`, `1GiB`; units are powers of 1024.
pub(super) fn bytes(value: &str) -> Parsed<i64> {
    const UNITS: [&str; 6] = ["", "k", "m", "g", "t", "p"];
    let wrong = || format!("a number with an optional unit b, k, m, g is needed, such as 512m, not {}", shown(value));
    let split = value.rfind(|c: char| c.is_ascii_digit() || c == '.').map_or(0, |last| last + 1);
    let (number, unit) = value.split_at(split);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    if unit == "ib" {
        return Err(wrong());
    }
    let unit = unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit);
    let power = UNITS.iter().position(|known| *known == unit);
    let scale = 1_u128 << (10 * power.ok_or_else(wrong)?);
    let whole = decimal(number, scale).ok_or_else(wrong)?;
    i64::try_from(whole).map_err(|_| format!("{value} is more than there can be"))
}

/// A decimal number multiplied by `scale`, fractions of one cut off; exact, unlike floating point.
fn decimal(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 18 {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let below = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(scale)?.checked_add(part.checked_mul(scale)? / below)
}

/// Processors in billionths of one: `1.5` is 1500000000.
pub(super) fn nano_cpus(value: &str) -> Parsed<i64> {
    let wrong = || format!("a number of processors is needed, such as 0.5 or 2, not {}", shown(value));
    if value.split_once('.').is_some_and(|(_, fraction)| fraction.trim_end_matches('0').len() > 9) {
        return Err("at most nine digits can follow the point".to_owned());
    }
    // A fraction as Go's rational numbers are written.
    let fraction =
        value.split_once('/').and_then(|(over, under)| Some((over.parse::<u64>().ok()?, under.parse::<u64>().ok()?)));
    let nanos = match fraction {
        Some((over, under)) => {
            let nanos = u128::from(over) * 1_000_000_000;
            let whole = nanos.checked_rem(u128::from(under)).ok_or_else(wrong)? == 0;
            if !whole {
                return Err("that is too precise: a billionth of a processor is the least".to_owned());
            }
            nanos / u128::from(under)
        }
        None => decimal(value, 1_000_000_000).ok_or_else(wrong)?,
    };
    i64::try_from(nanos).map_err(|_| wrong())
}

/// A time in nanoseconds: `500ms`, `1m30s`, `0`.
pub(super) fn nanoseconds(value: &str) -> Parsed<i64> {
    const UNITS: [(&str, u128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let wrong = || format!("a time with a unit ms, s, m, h is needed, such as 30s or 1m30s, not {}", shown(value));
    if value == "0" {
        return Ok(0);
    }
    let mut total: u128 = 0;
    let mut rest = value;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c)).ok_or_else(wrong)?);
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let (_, scale) = UNITS.iter().find(|(known, _)| *known == unit).ok_or_else(wrong)?;
        total = decimal(number, *scale).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = after;
    }
    if value.is_empty() { Err(wrong()) } else { i64::try_from(total).map_err(|_| wrong()) }
}

/// An address as text, known to be one.
pub(super) fn address(value: &str) -> Parsed<String> {
    let value = value.trim();
    match value.parse::<IpAddr>() {
        Ok(_) => Ok(value.to_owned()),
        Err(_) => Err(format!("an IP address is needed, such as 192.168.1.10, not {}", shown(value))),
    }
}

/// A hardware address as text: six, eight or twenty bytes between colons or hyphens, or words between dots.
pub(super) fn mac(value: &str) -> Parsed<String> {
    let value = value.trim();
    let pairs = |sign| value.split(sign).all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()));
    let words = value.split('.').all(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit()));
    let bytes = value.bytes().filter(u8::is_ascii_hexdigit).count() / 2;
    if (pairs(':') || pairs('-') || words) && matches!(bytes, 6 | 8 | 20) {
        Ok(value.to_owned())
    } else {
        Err(format!("a MAC address is needed, such as 92:d0:c6:0a:29:33, not {}", shown(value)))
    }
}

/// A port or a range of ports.
pub(super) fn ports(value: &str) -> Parsed<RangeInclusive<u16>> {
    let port = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit()).then_some(text);
        let number = digits.and_then(|digits| digits.parse::<u16>().ok());
        number.ok_or_else(|| format!("a port is a number from 0 to 65535, not {}", shown(text)))
    };
    let (first, last) = value.split_once('-').unwrap_or((value, value));
    let (first, last) = (port(first)?, port(last)?);
    if first <= last { Ok(first..=last) } else { Err(format!("the range {value} runs backwards")) }
}

/// A port or range and its protocol: `80`, `80-90/udp`.
pub(super) fn ports_and_protocol(value: &str) -> Parsed<(RangeInclusive<u16>, String)> {
    let (range, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_ascii_lowercase() };
    if matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        Ok((ports(range)?, protocol))
    } else {
        Err(format!("the protocol is tcp, udp or sctp, not {protocol}"))
    }
}

/// `name=value`; a name alone has an empty value.
pub(super) fn setting(value: &str) -> Parsed<(String, String)> {
    let (name, value) = value.split_once('=').unwrap_or((value, ""));
    if name.is_empty() {
        Err("a name is needed before the =".to_owned())
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}

/// The fields of a comma-separated record, `type=bind,"src=/a,b"`; a quoted field may hold commas.
pub(super) fn fields(value: &str) -> Parsed<Vec<String>> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(field) = found.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '"' => return Err("a quotation mark must open or close a whole field".to_owned()),
            ',' if !quoted => found.push(String::new()),
            _ => field.push(c),
        }
    }
    if quoted { Err("a quotation mark has no partner".to_owned()) } else { Ok(found) }
}

/// A value as an error shows it.
pub(super) fn shown(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        let good = [
            ("5", 5),
            ("-5", -5),
            ("+5", 5),
            ("0", 0),
            ("00", 0),
            ("017", 15),
            ("0x1F", 31),
            ("-0b11", -3),
            ("0o17", 15),
            ("1_000", 1_000),
            ("0x_1f", 31),
            ("0_7", 7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ];
        for (text, number) in good {
            assert_eq!(integer(text), Ok(number), "{text}");
        }
        for text in
            ["", "-", "x", "1_", "_1", "1__0", "0x", "08", "1.0", "1e3", "--1", "+-1", "0b2", "9223372036854775808"]
        {
            assert!(integer(text).is_err(), "{text}");
        }
        assert!(integer_in("0x10", 0..=16).is_ok() && integer_in("0x11", 0..=16).is_err());
    }

    #[test]
    fn sizes() {
        let good = [("5", 5), ("5b", 5), ("5kb", 5120), ("1 g", 1 << 30), ("1.5GiB", 3 << 29), (".5k", 512), ("0", 0)];
        for (text, expected) in good {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "lots", "5x", "5ib", "-5", "1.2.3", "5mbb", "99999999999g"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!(
            bytes("lots").err().as_deref(),
            Some("a number with an optional unit b, k, m, g is needed, such as 512m, not lots")
        );
    }

    #[test]
    fn times() {
        let good =
            [("0", 0), ("500ms", 500_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000), ("5µs", 5_000)];
        for (text, expected) in good {
            assert_eq!(nanoseconds(text), Ok(expected), "{text}");
        }
        let endless = "90000000000000000000000000h".repeat(2);
        for text in ["", "5", "5d", "-5s", "s", ".", &endless] {
            assert!(nanoseconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn processors() {
        assert_eq!(nano_cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(nano_cpus(".000000001"), Ok(1));
        assert!(nano_cpus("0.0000000001").is_err());
    }

    #[test]
    fn records() {
        assert_eq!(fields("a=1,\"b=2,3\",c"), Ok(["a=1", "b=2,3", "c"].map(str::to_owned).to_vec()));
        assert_eq!(fields("\"say \"\"hi\"\"\""), Ok(vec!["say \"hi\"".to_owned()]));
        assert!(fields("\"open").is_err());
        assert!(fields("a\"b\"").is_err());
    }

    #[test]
    fn ranges() {
        assert_eq!(ports("80"), Ok(80..=80));
        assert_eq!(ports_and_protocol("1-3/UDP"), Ok((1..=3, "udp".to_owned())));
        for text in ["", "+5", "80-", "9-8", "65536"] {
            assert!(ports(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hardware_addresses() {
        for text in ["92:d0:c6:0a:29:33", "92-D0-C6-0A-29-33", "92d0.c60a.2933"] {
            assert!(mac(text).is_ok(), "{text}");
        }
        for text in ["", "92:d0", "92:d0:c6:0a:29:3g", "92d0c60a2933"] {
            assert!(mac(text).is_err(), "{text}");
        }
    }
}
