//! What can go wrong between a person, their organisation's provider and us, in words for people: what happened, why,
//! what next. No secret, code or token is ever part of it.

use openidconnect::{
    ClaimsVerificationError, DiscoveryError, RequestTokenError, StandardErrorResponse, UserInfoError,
    core::CoreErrorResponseType,
};

use super::{claims::clean, http::Fault};

/// How much of a provider's own words is repeated, in characters.
const WORDS: usize = 300;

/// Why somebody is not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", self.what(), self.why())]
pub enum Error {
    /// The settings cannot work. Our words.
    Settings(String),
    /// There is no answer from the provider's address.
    Unreachable(String),
    /// The provider's certificate is not one that we trust.
    Certificate(String),
    /// The provider answers with something that is not what the standard asks for.
    Provider(String),
    /// What came back does not belong to a sign-in that was begun here.
    Foreign(&'static str),
    /// The provider says no, or the person did.
    Denied {
        /// The standard's word for it, as `access_denied`.
        code: String,
        /// The provider's own words; may be empty.
        words: String,
    },
    /// The provider does not take its own code (any more).
    Code(String),
    /// The provider does not take our id or secret.
    Client(String),
    /// The token has expired before it arrived.
    Clock(String),
    /// The token is not one for us, now, from this provider.
    Token(String),
    /// The person is who they say, and in no group that has a role here.
    NoRole {
        /// The person's name.
        name: String,
        /// The groups that the provider named.
        groups: Vec<String>,
    },
}

impl Error {
    /// What happened, as a sentence.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Settings(_) => "The settings for signing in with your organisation cannot work.",
            Self::Unreachable(_) => "Your organisation's sign-in cannot be reached.",
            Self::Certificate(_) => "Your organisation's sign-in has a certificate that this console does not trust.",
            Self::Provider(_) => "Your organisation's sign-in gave an answer that makes no sense.",
            Self::Foreign(_) => "This sign-in does not belong to one that was begun here.",
            Self::Denied { .. } => "Your organisation's sign-in said no.",
            Self::Code(_) => "This sign-in has been used or has taken too long.",
            Self::Client(_) => "Your organisation's sign-in does not know this console.",
            Self::Clock(_) => "The proof from your organisation's sign-in came too late.",
            Self::Token(_) => "The proof from your organisation's sign-in does not hold.",
            Self::NoRole { .. } => "You are signed in with your organisation, but have no role here.",
        }
    }

    /// Why, as a sentence.
    pub fn why(&self) -> String {
        match self {
            Self::Settings(why)
            | Self::Unreachable(why)
            | Self::Certificate(why)
            | Self::Provider(why)
            | Self::Code(why)
            | Self::Client(why)
            | Self::Clock(why)
            | Self::Token(why) => sentence(why),
            Self::Foreign(why) => sentence(why),
            Self::Denied { code, words } if words.is_empty() => format!("Its answer was “{code}”."),
            Self::Denied { code, words } => format!("Its answer was “{code}”: {}", sentence(words)),
            Self::NoRole { name, groups } if groups.is_empty() => {
                format!("No group of {name} was named to this console.")
            }
            Self::NoRole { name, groups } => {
                format!("{name} is in {}, and none of these has a role.", clean(&groups.join(", "), WORDS))
            }
        }
    }

    /// What to do next, as a sentence.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Settings(_) => "Whoever runs this console has to change its --oidc- settings.",
            Self::Unreachable(_) => {
                "Try again in a moment. If it stays so: does the machine of this console reach --oidc-issuer?"
            }
            Self::Certificate(_) => {
                "If it is signed by an authority of your own, give its certificate with --oidc-ca FILE."
            }
            Self::Provider(_) => "Compare --oidc-issuer with the issuer that the provider names in its own settings.",
            Self::Foreign(_) => "Begin again from the sign-in page, in one tab.",
            Self::Denied { code, .. } => match code.as_str() {
                "access_denied" => "Begin again, or ask whoever runs the provider for access to this console.",
                "invalid_scope" => "Whoever runs this console has to change --oidc-scopes to what the provider offers.",
                "unauthorized_client" | "unsupported_response_type" => {
                    "At the provider, this client has to be allowed the authorization code flow."
                }
                "temporarily_unavailable" | "server_error" => "Try again in a moment.",
                _ => "Begin again from the sign-in page.",
            },
            Self::Code(_) => {
                "Begin again from the sign-in page. If it never works: the redirect URI has to be registered at the \
                 provider exactly as this console sends it; see --public-url."
            }
            Self::Client(_) => {
                "Whoever runs this console has to compare --oidc-client-id and the client's secret with the provider's."
            }
            Self::Clock(_) => "Compare the clocks of the provider and of this console's machine.",
            Self::Token(_) => {
                "Begin again. If it stays so, compare --oidc-issuer and --oidc-client-id with the provider's settings."
            }
            Self::NoRole { .. } => {
                "Ask to be put into a group that --oidc-roles names. Whoever runs this console can see there, and in \
                 --oidc-groups-claim and --oidc-scopes, how groups are read."
            }
        }
    }
}

/// Words as a sentence.
fn sentence(words: &str) -> String {
    let text = clean(words, WORDS);
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default() + "."
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let why = fault.to_string();
        match fault {
            Fault::Transport(_) | Fault::TimedOut => Self::Unreachable(why),
            Fault::Certificate(_) => Self::Certificate(why),
            Fault::Redirected(_) | Fault::TooLarge | Fault::Plain(_) => Self::Provider(why),
        }
    }
}

impl From<DiscoveryError<Fault>> for Error {
    fn from(error: DiscoveryError<Fault>) -> Self {
        match error {
            DiscoveryError::Request(fault) => fault.into(),
            // The library's own text would hold what was read.
            DiscoveryError::Parse(error) => {
                Self::Provider(format!("its description of itself cannot be read at “{}”", error.path()))
            }
            DiscoveryError::Response(status, _, why) if status.is_success() => Self::Provider(why),
            DiscoveryError::Response(status, ..) if status.is_server_error() => {
                Self::Unreachable(format!("it answered with {status}"))
            }
            DiscoveryError::Response(status, ..) => Self::Provider(format!(
                "it answered with {status} where its description of itself (.well-known/openid-configuration) should be"
            )),
            DiscoveryError::Validation(why) => Self::Provider(why),
            _ => Self::Provider("its description of itself cannot be asked for".to_owned()),
        }
    }
}

impl From<RequestTokenError<Fault, StandardErrorResponse<CoreErrorResponseType>>> for Error {
    fn from(error: RequestTokenError<Fault, StandardErrorResponse<CoreErrorResponseType>>) -> Self {
        match error {
            RequestTokenError::Request(fault) => fault.into(),
            RequestTokenError::ServerResponse(said) => {
                let words = said.error_description().map_or("", String::as_str);
                let words = format!("its answer was “{}” {words}", said.error().as_ref());
                match said.error() {
                    CoreErrorResponseType::InvalidGrant => Self::Code(words),
                    CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                        Self::Client(words)
                    }
                    _ => Self::Provider(words),
                }
            }
            // The library's own text would hold what was read, tokens included.
            RequestTokenError::Parse(error, _) => {
                Self::Provider(format!("its answer to the code cannot be read at “{}”", error.path()))
            }
            RequestTokenError::Other(why) => Self::Provider(why),
        }
    }
}

impl From<UserInfoError<Fault>> for Error {
    fn from(error: UserInfoError<Fault>) -> Self {
        match error {
            UserInfoError::Request(fault) => fault.into(),
            UserInfoError::Response(status, ..) => {
                Self::Provider(format!("it answered with {status} where it should say who the person is (userinfo)"))
            }
            UserInfoError::ClaimsVerification(error) => error.into(),
            _ => Self::Provider("what it says of the person (userinfo) cannot be read".to_owned()),
        }
    }
}

impl From<ClaimsVerificationError> for Error {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::Expired(why) => Self::Clock(why),
            other => Self::Token(other.to_string()),
        }
    }
}
