//! How often somebody may try to sign in (S008).
//!
//! What is limited is the pair of account and client: an attacker uses up his own tries, not those of whom he
//! attacks. Guesses at one account from many addresses are slowed down, never refused: nobody can lock anybody out.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use super::{Error, secret};

/// Tries that one client has for one account before it has to wait, and how soon each comes back.
const TRIES: u32 = 10;
const TRY_AGAIN: Duration = Duration::from_secs(6);
/// Tries that one client has for all accounts, for who sprays a password over names.
const SPRAYS: u32 = 60;
const SPRAY_AGAIN: Duration = Duration::from_secs(2);
/// Tries at one account from anywhere that are not slowed down.
const FREE: u32 = 40;
const FREE_AGAIN: Duration = Duration::from_secs(10);
/// How long a try waits where an account is under attack.
const DELAY: Duration = Duration::from_secs(3);
/// From how many keys on the forgettable ones are forgotten.
const KEYS: usize = 10_000;

type Limiter = DefaultKeyedRateLimiter<[u8; 32]>;

pub(super) struct Throttle {
    pairs: Limiter,
    clients: Limiter,
    accounts: Limiter,
}

fn limiter(burst: u32, again: Duration) -> Limiter {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(again).unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN));
    RateLimiter::keyed(quota.allow_burst(burst))
}

/// An address, as far as it tells clients apart: a client of IPv6 has a whole /64 to itself.
fn block(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

impl Throttle {
    pub fn new() -> Self {
        Self {
            pairs: limiter(TRIES, TRY_AGAIN),
            clients: limiter(SPRAYS, SPRAY_AGAIN),
            accounts: limiter(FREE, FREE_AGAIN),
        }
    }

    /// Counts a try at `account` from `address`: how long it has to wait before it is answered, or that it is not
    /// answered at all for now. Known and unknown accounts are counted alike.
    pub fn count(&self, account: &str, address: IpAddr) -> Result<Duration, Error> {
        self.tidy();
        let (account, client) = (account.to_lowercase(), block(address));
        // Keys are hashed: foreign text does not fill the memory.
        let pair = secret::hash(&format!("{client}\n{account}"));
        for (limiter, key) in [(&self.pairs, pair), (&self.clients, secret::hash(&client))] {
            if let Err(until) = limiter.check_key(&key) {
                return Err(Error::Throttled(until.wait_time_from(limiter.clock().now())));
            }
        }
        let calm = self.accounts.check_key(&secret::hash(&account)).is_ok();
        Ok(if calm { Duration::ZERO } else { DELAY })
    }

    fn tidy(&self) {
        for limiter in [&self.pairs, &self.clients, &self.accounts] {
            if limiter.len() > KEYS {
                limiter.retain_recent();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s008_an_attacker_uses_up_his_own_tries() {
        let throttle = Throttle::new();
        let (attacker, owner) = (IpAddr::from([127, 0, 0, 9]), IpAddr::from([127, 0, 0, 1]));
        let refused = (0..20).filter(|_| throttle.count("admin", attacker).is_err()).count();
        assert_eq!(refused, 20 - TRIES as usize);
        assert!(matches!(throttle.count("ADMIN", attacker), Err(Error::Throttled(wait)) if wait <= TRY_AGAIN));
        assert_eq!(throttle.count("admin", owner).ok(), Some(Duration::ZERO));
        // From everywhere: slower, never refused.
        for host in 0..200 {
            assert!(throttle.count("admin", IpAddr::from([10, 0, 0, host])).is_ok());
        }
        assert_eq!(throttle.count("admin", owner).ok(), Some(DELAY));
        // A client with a /64 is one client.
        let six = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        assert!((0..20).filter(|last| throttle.count("x", six(*last)).is_err()).count() >= 10);
    }
}
