//! Moments as people type them.

use jiff::{SignedDuration, Timestamp, civil, tz::Offset};

/// A moment in nanoseconds since the epoch: as RFC 3339, as a browser's form writes it, in seconds since the epoch, or
/// as an age like docker's: `10m`, `1h30m`.
pub fn moment(text: &str, now: Timestamp) -> Result<i64, String> {
    let seconds = |text: &str| {
        let is_number = !text.is_empty() && text.len() < 20 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part: i32 = format!("{part:0<9}").get(..9)?.parse().ok()?;
        is_number.then(|| Timestamp::new(whole.parse().ok()?, part).ok())?
    };
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<civil::DateTime>().ok().and_then(|at| Offset::UTC.to_timestamp(at).ok()))
        .or_else(|| seconds(text))
        .or_else(|| now.checked_sub(age(text)?).ok());
    let nanos = at.and_then(|at| i64::try_from(at.as_nanosecond()).ok()).filter(|at| *at >= 0);
    nanos.ok_or_else(|| "A moment is expected, as 2026-01-31T12:00:00Z, or an age, as 10m or 2h.".to_owned())
}

fn age(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let number: i64 = number.parse().ok()?;
        let unit = match after.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = after.get(1..)?;
    }
    (!text.is_empty()).then(|| SignedDuration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s063_moments_are_read_or_refused() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let read = |text: &str| moment(text, now).map(|at| at / 1_000_000_000);
        assert_eq!(read("1970-01-02T00:00:00Z"), Ok(86_400));
        assert_eq!(read("1970-01-02T00:00"), Ok(86_400));
        assert_eq!(read("1970-01-02T01:00:00.5+01:00"), Ok(86_400));
        assert_eq!(read("86400.5"), Ok(86_400));
        assert_eq!(moment("1.5", now), Ok(1_500_000_000));
        assert_eq!(read("1h30m"), Ok(1_000_000 - 5_400));
        for none in
            ["", "abc", "all", "-1", "1x", "m", "99999999999999999999", "99999999999999d", "1969-01-01T00:00:00Z", "é"]
        {
            assert!(moment(none, now).is_err(), "{none}");
        }
    }
}
