//! Addresses and the ranges that they are in.

use std::{fmt, net::IpAddr, str::FromStr};

/// A range of addresses, `10.1.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subnet {
    address: IpAddr,
    /// Bits that all addresses in it share.
    prefix: u8,
}

/// Why a text is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no range of addresses: expected one as 10.1.0.0/16 or fd00:1::/64")]
pub struct InvalidSubnet(String);

/// The bits of an address, with how many there are.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl Subnet {
    /// Whether its addresses are of IPv6.
    pub fn is_v6(self) -> bool {
        self.address.is_ipv6()
    }

    /// Whether this address is in it.
    pub fn has(self, address: IpAddr) -> bool {
        let ((own, width), (other, of)) = (bits(self.address), bits(address));
        let free = u32::from(width.saturating_sub(self.prefix));
        width == of && own.checked_shr(free).unwrap_or(0) == other.checked_shr(free).unwrap_or(0)
    }

    /// Whether all of the other is in it.
    pub fn holds(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.has(other.address)
    }

    /// Whether some address is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.holds(other) || other.holds(self)
    }

    /// Whether it is of those that nobody has on the internet. Source: RFC 1918 and RFC 4193.
    pub fn is_private(self) -> bool {
        let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
        private.iter().filter_map(|text| text.parse::<Self>().ok()).any(|private| private.holds(self))
    }
}

impl FromStr for Subnet {
    type Err = InvalidSubnet;

    fn from_str(text: &str) -> Result<Self, InvalidSubnet> {
        let wrong = || InvalidSubnet(text.to_owned());
        let (address, prefix) = text.trim().split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        if prefix > bits(address).1 { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_overlap_where_they_share_an_address() {
        for (a, b, overlap) in [
            ("10.1.0.0/16", "10.1.2.0/24", true),
            ("10.1.2.0/24", "10.1.0.0/16", true),
            ("10.1.0.0/16", "10.2.0.0/16", false),
            ("0.0.0.0/0", "192.168.0.0/24", true),
            ("10.1.0.0/16", "fd00::/8", false),
            ("fd00:1::/64", "fd00:1::1/128", true),
            ("fd00:1::/64", "fd00:2::/64", false),
        ] {
            assert_eq!(subnet(a).overlaps(subnet(b)), overlap, "{a} {b}");
        }
        assert!(subnet("10.1.0.0/16").has("10.1.255.255".parse().unwrap()));
        assert!(!subnet("10.1.0.0/16").has("::1".parse().unwrap()));
        assert!(subnet("172.20.0.0/16").is_private() && !subnet("172.0.0.0/8").is_private());
        for bad in ["", "10.1.0.0", "10.1.0.0/33", "x/8", "10.1.0.0/-1", "fd00::/129"] {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
    }
}
