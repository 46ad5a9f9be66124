//! Looking at all of the evidence again, and signing how far it has come.

use jiff::Timestamp;
use store::StoreError;

use super::Service;
use crate::signing;

/// What came of verifying a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub at: Timestamp,
    /// Where it is broken, or which checkpoint does not hold.
    pub broken: Option<String>,
}

impl Service {
    /// Reads all of a system's evidence from the database and verifies it, with the checkpoints that were
    /// signed; where it holds, its end is signed too.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn verify(&self, id: &str, now: Timestamp) -> Result<Verified, StoreError> {
        let broken = match self.store.chain(id) {
            Ok(chain) => {
                let checkpoints = self.store.checkpoints(id)?;
                let fault = checkpoints.iter().find_map(|signed| signing::verify(&chain, signed).err());
                if fault.is_none() && chain.end.records > 0 {
                    // To the microsecond, as it is kept.
                    let at = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
                    self.store.keep_checkpoint(id, &signing::sign(&self.key, id, chain.end, at))?;
                }
                fault.map(|fault| fault.to_string())
            }
            Err(StoreError::Broken { source, .. }) => Some(source.to_string()),
            Err(error) => return Err(error),
        };
        if let Some(broken) = &broken {
            log::error!("the evidence of `{id}` does not hold: {broken}");
        }
        let verified = Verified { at: now, broken };
        self.verified().insert(id.to_owned(), verified.clone());
        Ok(verified)
    }

    /// What came of verifying a chain last, since the server started.
    pub fn last_verified(&self, id: &str) -> Option<Verified> {
        self.verified().get(id).cloned()
    }
}
