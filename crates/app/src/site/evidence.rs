//! Records of a system's chain, and whether it holds.

use types::Record;
use types::evidence::ChainReader;
use view::site::evidence::{ChainState, EvidenceFilter, EvidencePage, SignedCheckpoint};
use view::site::record::RecordPage;

use super::{SiteError, known, served, system_ref};
use crate::service::Service;

/// Records of one page.
const RECORDS_SHOWN: usize = 100;

/// Records of a system, newest first, from the one before `before` on.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn page(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    filter: EvidenceFilter,
    before: Option<u64>,
) -> Result<EvidencePage, SiteError> {
    let systems = service
        .systems()
        .filter(|served| may_see(served.id()))
        .map(|served| system_ref(service, served.id()))
        .collect::<Result<Vec<_>, SiteError>>()?;
    let first = systems.first().map(|system| system.id.clone());
    let id = if filter.system.is_empty() { first.unwrap_or_default() } else { filter.system.clone() };
    if !may_see(&id) {
        return Err(SiteError::NotFound(format!("There is no system `{id}` here.")));
    }
    let chain = known(service, &id)?.chain;
    let text = filter.text.to_lowercase();
    let is_wanted = |record: &&Record| {
        let finding = &record.finding;
        filter.check.is_none_or(|check| finding.check == check)
            && filter.verdict.is_none_or(|verdict| finding.verdict == verdict)
            && finding.subject.label().to_lowercase().contains(&text)
    };
    let matching = chain.records.iter().filter(is_wanted).count() as u64;
    let mut wanted = chain
        .records
        .iter()
        .rev()
        .filter(is_wanted)
        .filter(|record| before.is_none_or(|seq| record.seq < seq));
    let records: Vec<Record> = wanted.by_ref().take(RECORDS_SHOWN).cloned().collect();
    let next = wanted.next().and_then(|_| records.last()).map(|record| record.seq);
    let signed = last_signed(service, &id)?.map(|signed| SignedCheckpoint {
        at: signed.at,
        checkpoint: signed.checkpoint,
        key: signed.public_key.chars().take(16).collect(),
    });
    let verified = service.last_verified(&id);
    let state = ChainState {
        end: chain.end,
        verified_at: verified.as_ref().map(|verified| verified.at),
        broken: verified.and_then(|verified| verified.broken),
        signed,
    };
    Ok(EvidencePage {
        chain: state,
        filter: EvidenceFilter { system: id, ..filter },
        records,
        matching,
        systems,
        next,
    })
}

/// How far a system's evidence was signed last.
///
/// # Errors
/// The database does not answer.
pub fn last_signed(service: &Service, id: &str) -> Result<Option<store::SignedCheckpoint>, SiteError> {
    Ok(service.store().checkpoints(id)?.pop())
}

/// One record, read from the database as it is there now.
///
/// # Errors
/// There is no such system or record, or the database does not answer.
pub fn record(service: &Service, id: &str, seq: u64) -> Result<RecordPage, SiteError> {
    served(service, id)?;
    let chain = service.chain(id)?;
    let record = chain
        .records
        .get(seq as usize)
        .ok_or_else(|| SiteError::NotFound(format!("`{id}` has no record {seq} of evidence.")))?;
    let line = line(service, id, seq)?;
    let end = types::evidence::Checkpoint { records: seq, hash: record.previous };
    let mut reader = ChainReader::after(end);
    let intact = reader.read(&line).is_ok_and(|read| read == *record);
    Ok(RecordPage {
        record: record.clone(),
        hash: reader.end().hash,
        system: system_ref(service, id)?,
        intact,
        has_next: seq + 1 < chain.end.records,
    })
}

/// A record's exact line.
///
/// # Errors
/// There is no such record, or the database does not answer.
pub fn line(service: &Service, id: &str, seq: u64) -> Result<String, SiteError> {
    let line = service.store().line(id, seq)?;
    line.ok_or_else(|| SiteError::NotFound(format!("`{id}` has no record {seq} of evidence.")))
}
