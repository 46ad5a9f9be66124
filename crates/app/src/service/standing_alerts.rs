//! How alerts of all systems stand, read again only where they changed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use store::{KeptAlerts, StoreError};

use super::Service;

impl Service {
    /// How the alerts of every system stand that has any.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn alerts(&self) -> Result<HashMap<String, Arc<KeptAlerts>>, StoreError> {
        let versions = self.store.alert_versions()?;
        let known = self.alerts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut alerts = HashMap::with_capacity(versions.len());
        for (system, version) in versions {
            let kept = match known.get(&system).filter(|kept| kept.version == version) {
                Some(kept) => kept.clone(),
                None => Arc::new(self.store.alerts(&system)?),
            };
            alerts.insert(system, kept);
        }
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&alerts);
        Ok(alerts)
    }
}
