//! The generic webhook: JSON, signed as <https://www.standardwebhooks.com> says.
//!
//! `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`; libraries of many
//! languages check it. The timestamp (seconds, of the attempt) is under the signature, so that a
//! receiver refuses what is recorded and sent again later; `webhook-id` is the same for all attempts
//! of one message, so that it can refuse what it has already.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::json;
use sha2::Sha256;
use types::Digest;
use types::message::{Message, Occasion};

use super::DeliveryError;
use super::http::Request;
use super::secret::Revealed;

/// Standard Webhooks marks a secret that is base64 with this.
const ENCODED: &str = "whsec_";

pub(super) fn request(
    url: Revealed,
    secret: &Revealed,
    message: &Message,
    now: Timestamp,
) -> Result<Request, DeliveryError> {
    let body = payload(message);
    let id = id(message);
    let timestamp = now.as_second().to_string();
    let signature = signature(secret, &format!("{id}.{timestamp}.{body}"))?;
    let headers = vec![
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", format!("v1,{signature}")),
    ];
    Ok(Request { url, headers, body, secrets: vec![secret.clone()] })
}

fn payload(message: &Message) -> String {
    let kind = match message.occasion {
        Occasion::Firing => "alert.firing",
        Occasion::Reminder => "alert.reminder",
        Occasion::Escalation => "alert.escalation",
        Occasion::Resolved => "alert.resolved",
        Occasion::Test => "alert.test",
    };
    json!({ "format": 1, "type": kind, "timestamp": message.at, "data": message }).to_string()
}

/// The same for all attempts at one message.
pub(super) fn id(message: &Message) -> String {
    let content = serde_json::to_vec(message).unwrap_or_default();
    format!("msg_{}", &Digest::of(&content).to_string()[..32])
}

fn signature(secret: &Revealed, signed: &str) -> Result<String, DeliveryError> {
    let bad = |reason: &str| DeliveryError::BadAddress { reason: reason.to_owned() };
    let key = match secret.text().strip_prefix(ENCODED) {
        Some(encoded) => BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| bad("its secret starts with `whsec_`, but what follows is not base64"))?,
        None => secret.text().as_bytes().to_vec(),
    };
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key).map_err(|_| bad("its secret cannot be a key of HMAC-SHA256"))?;
    mac.update(signed.as_bytes());
    Ok(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of the specification's own libraries.
        let secret = Revealed::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        assert_eq!(signature(&secret, signed).unwrap(), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let error = signature(&Revealed::new("whsec_*"), signed).unwrap_err().to_string();
        assert!(error.contains("not base64"), "{error}");
    }

    #[test]
    fn attempts_share_an_id_and_differ_in_time_and_signature() {
        let at = |second| {
            let now = Timestamp::from_second(second).unwrap();
            let message = samples::message(Occasion::Firing);
            request(Revealed::new("https://x"), &Revealed::new("hunter2"), &message, now).unwrap()
        };
        let (first, second) = (at(1_000), at(1_030));
        assert_eq!(first.body, second.body);
        assert_eq!(first.headers[0], second.headers[0]);
        assert_ne!(first.headers[1], second.headers[1]);
        assert_ne!(first.headers[2], second.headers[2]);
        assert_ne!(id(&samples::message(Occasion::Firing)), id(&samples::message(Occasion::Reminder)));
    }

    #[test]
    fn the_body_is_the_whole_message() {
        let body: serde_json::Value =
            serde_json::from_str(&payload(&samples::message(Occasion::Firing))).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
    }
}
