//! What makes an ID token one: from this provider, for this console, now, in answer to this question.

use std::collections::HashSet;

use data_encoding::BASE64URL_NOPAD;
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, IdTokenVerifier, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenClaims, CoreJsonWebKey},
};
use serde_json::Value;

use super::{Error, Settings, provider::Known};

/// The token's claims, if they are the provider's, for us, now and in answer to this question.
pub(super) fn verify<'token>(
    known: &Known,
    settings: &Settings,
    token: &'token CoreIdToken,
    access: &AccessToken,
    nonce: &Nonce,
) -> Result<&'token CoreIdTokenClaims, ClaimsVerificationError> {
    use ClaimsVerificationError as Wrong;
    let client = known.client(settings);
    let verifier: IdTokenVerifier<'_, CoreJsonWebKey> =
        client.id_token_verifier().set_allowed_algs(known.algorithms().collect::<HashSet<_>>());
    let claims = token.claims(&verifier, nonce)?;
    if claims.authorized_party().is_some_and(|party| **party != settings.client_id) {
        return Err(Wrong::InvalidAudience("it was given to another client (azp)".to_owned()));
    }
    // OpenID Connect Core 1.0, 2: at most 255 ASCII characters.
    if claims.subject().is_empty() || claims.subject().len() > 255 {
        return Err(Wrong::InvalidSubject("it names nobody".to_owned()));
    }
    if let Some(hash) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(Wrong::SignatureVerification)?;
        let key = token.signing_key(&verifier).map_err(Wrong::SignatureVerification)?;
        let ours = AccessTokenHash::from_token(access, algorithm, key);
        if ours.is_ok_and(|ours| ours == *hash) {
            return Ok(claims);
        }
        return Err(Wrong::Other("its at_hash is not that of the access token beside it".to_owned()));
    }
    Ok(claims)
}

/// Whether this is how a token looks whose key is younger than what we know.
pub(super) fn may_be_a_new_key(error: &ClaimsVerificationError) -> bool {
    use SignatureVerificationError as Wrong;
    matches!(
        error,
        ClaimsVerificationError::SignatureVerification(
            Wrong::NoMatchingKey | Wrong::AmbiguousKeyId(_) | Wrong::CryptoError(_) | Wrong::InvalidKey(_)
        )
    )
}

/// All claims of a token that has been verified, those included that the library has no field for.
pub(super) fn payload(token: &CoreIdToken) -> Result<Value, Error> {
    let text = token.to_string();
    let claims = text.split('.').nth(1).and_then(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    let claims = claims.and_then(|json| serde_json::from_slice(&json).ok());
    claims.ok_or_else(|| Error::Token("its claims cannot be read".to_owned()))
}
