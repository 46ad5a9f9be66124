//! What was worked out from a system's evidence, kept for as long as it is true.
//!
//! Evidence only grows, a definition is replaced as a whole, and time tells in evidence by its expiry alone. So
//! what was worked out once holds until there is another record, another definition, or until the next record
//! expires.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use store::{Chain, StoreError};

use super::{Current, Served, Service};

type Kept = Arc<dyn Any + Send + Sync>;

/// Of every system, one value of each type.
#[derive(Debug, Default)]
pub(super) struct Derivations {
    kept: Mutex<HashMap<(String, TypeId), Derivation>>,
}

#[derive(Debug)]
struct Derivation {
    records: u64,
    current: Arc<Current>,
    from: Timestamp,
    until: Timestamp,
    value: Kept,
}

impl Service {
    /// A value that follows from a system's definition and evidence, and how long it holds: worked out again only
    /// where that has changed. `records` is the length of the chain as the database has it now.
    ///
    /// # Errors
    /// The database does not answer, or the evidence is broken.
    pub(crate) fn derived<T: Send + Sync + 'static>(
        &self,
        served: &Served,
        records: u64,
        now: Timestamp,
        derive: impl FnOnce(Arc<Current>, Arc<Chain>) -> (T, Timestamp),
    ) -> Result<Arc<T>, StoreError> {
        let key = (served.id().to_owned(), TypeId::of::<T>());
        let current = served.current();
        if let Some(value) = self.derivations.find(&key, records, &current, now) {
            return Ok(value);
        }
        let chain = self.chain(served.id())?;
        let records = chain.end.records;
        let (value, until) = derive(current.clone(), chain);
        let value = Arc::new(value);
        let derivation = Derivation { records, current, from: now, until, value: value.clone() };
        self.derivations.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, derivation);
        Ok(value)
    }
}

impl Derivations {
    fn find<T: Send + Sync + 'static>(
        &self,
        key: &(String, TypeId),
        records: u64,
        current: &Arc<Current>,
        now: Timestamp,
    ) -> Option<Arc<T>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(key).filter(|of| {
            of.records == records && Arc::ptr_eq(&of.current, current) && of.from <= now && now < of.until
        })?;
        found.value.clone().downcast().ok()
    }
}
