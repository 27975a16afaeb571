//! The order of names as people count.

use std::cmp::Ordering;

/// `web-2` before `web-10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let number = |text: &mut &[u8]| {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = text.split_at(digits);
        *text = rest;
        let zeros = number.iter().take_while(|byte| **byte == b'0').count();
        number.get(zeros..).unwrap_or_default().to_vec()
    };
    loop {
        match (a.split_first(), b.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some((x, _)), Some((y, _))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (number(&mut a), number(&mut b));
                let order = x.len().cmp(&y.len()).then(x.cmp(&y));
                if order != Ordering::Equal {
                    return order;
                }
            }
            (Some((x, rest_a)), Some((y, rest_b))) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_sort_as_numbers() {
        let mut names = ["web-10", "web-2", "Web-1", "a", "web-02b"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "Web-1", "web-2", "web-02b", "web-10"]);
    }
}
