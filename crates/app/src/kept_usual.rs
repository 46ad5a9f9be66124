//! What is usual in the reference, kept: it is the same for every window until a file or the definition changes.

use engine::{keep, load};
use monitor::multivariate::UsualTogether;
use monitor::{StoredUsual, Usual};
use types::Window;
use types::definition::Cadence;
use types::digest::Digester;

use crate::check::CheckError;
use crate::opened::Opened;

/// Goes up when it is computed in another way.
const FORMAT: u32 = 3;

/// The place of what is usual for windows of a cadence that are compared against some windows.
#[derive(Debug)]
pub(crate) struct KeptUsual<'a> {
    opened: &'a Opened<'a>,
    columns: String,
    together: String,
}

impl<'a> KeptUsual<'a> {
    pub(crate) fn of(opened: &'a Opened<'a>, every: Cadence, against: &[Window]) -> Result<Self, CheckError> {
        let inputs = opened.log.inputs(against)?;
        let name = |of: &str| {
            let mut name = Digester::default();
            let (word, hash, schema) = (every.word(), opened.hash(), &opened.schema);
            name.update(
                format!("{FORMAT}\n{of}\n{hash}\n{inputs}\n{word}\n{against:?}\n{schema:?}").as_bytes(),
            );
            format!("usual-{}", name.finish())
        };
        Ok(Self { opened, columns: name("columns"), together: name("together") })
    }

    pub(crate) fn columns(&self) -> Result<Option<Usual>, CheckError> {
        let stored: Option<StoredUsual> = load(&*self.opened.store, &self.columns)?;
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        Ok(stored.map(|stored| Usual::restored(definition, schema, stored)))
    }

    pub(crate) fn keep_columns(&self, usual: &Usual) -> Result<(), CheckError> {
        let stored = usual.stored(&self.opened.definition, &self.opened.schema);
        Ok(keep(&*self.opened.store, &self.columns, &stored)?)
    }

    /// What windows of the reference show of all columns together.
    pub(crate) fn together(&self) -> Result<Option<UsualTogether>, CheckError> {
        Ok(load(&*self.opened.store, &self.together)?)
    }

    pub(crate) fn keep_together(&self, usual: UsualTogether) -> Result<(), CheckError> {
        Ok(keep(&*self.opened.store, &self.together, &usual)?)
    }
}
