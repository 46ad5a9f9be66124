//! The profile of one file as it is kept: its days in one small entry, the summaries of its columns in blocks.
//!
//! A run looks at every file's days, to know which rows lie where, and at few of the summaries: those of
//! the windows that it has to make, column by column. A block therefore holds some columns over
//! some days, is read when a window asks for it, and is let go when others were asked for since.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use types::Digest;
use types::digest::Digester;

use crate::error::EngineError;
use crate::store::{FORMAT, ProfileStore, keep, load};

/// Columns of one block. Questions about more columns are answered in parts of this size.
pub(crate) const COLUMNS_OF_A_BLOCK: usize = 64;
/// Days of one block; a week lies in two at most.
const DAYS_OF_A_BLOCK: usize = 8;
/// Bytes of blocks that stay at hand.
const BYTES_AT_HAND: usize = 128 << 20;

/// What is known of one file without its columns' summaries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileProfile {
    /// Ascending.
    pub(crate) days: Vec<Day>,
    /// Rows without a time: they are in no window.
    pub(crate) undated_rows: u64,
    /// As many of these have a local time in a zone that is no one instant there.
    pub(crate) rows_of_no_instant: u64,
    /// Where the summaries of each column are.
    columns: BTreeMap<String, Place>,
}

/// The rows of one day of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Day {
    /// Days since 1970-01-01 UTC.
    pub(crate) day: i64,
    pub(crate) rows: u64,
    /// The first and the last instant, in microseconds since 1970-01-01 UTC.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Rows whose time is text without an offset.
    pub(crate) local_rows: u64,
}

impl Day {
    /// Adds the rows that another file has of the same day.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.local_rows += other.local_rows;
    }
}

/// A column's place among the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    block: u32,
    within: u32,
}

/// Some columns over some days: the summaries by column, then by day.
type Block = Vec<Vec<Vec<u8>>>;

/// The file's content, the block's columns and its days.
type BlockId = (Digest, u32, usize);

/// What a file's entries are kept under: its content, and what places a row in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileKey<'a> {
    pub(crate) digest: Digest,
    pub(crate) time: &'a str,
}

impl FileKey<'_> {
    fn name(&self) -> String {
        format!("file-{}", self.digest)
    }

    fn name_of_block(&self, columns: u32, days: usize) -> String {
        let mut name = Digester::default();
        name.update(&self.digest.bytes());
        name.update(format!("{FORMAT}\n{}\n{columns}\n{days}\n", self.time).as_bytes());
        format!("block-{}", name.finish())
    }
}

impl FileProfile {
    /// What the store has; `None` where it has nothing that can be used.
    pub(crate) fn load(store: &dyn ProfileStore, key: FileKey<'_>) -> Result<Option<Self>, EngineError> {
        let known = load::<(u32, String, Self)>(store, &key.name())?;
        Ok(known.filter(|(format, time, _)| *format == FORMAT && time == key.time).map(|(_, _, file)| file))
    }

    pub(crate) fn keep(&self, store: &dyn ProfileStore, key: FileKey<'_>) -> Result<(), EngineError> {
        keep(store, &key.name(), &(FORMAT, key.time, self))
    }

    /// Says that all blocks of this file are still of use, though few of them are read.
    pub(crate) fn retain(&self, store: &dyn ProfileStore, key: FileKey<'_>) {
        let blocks: BTreeSet<u32> = self.columns.values().map(|place| place.block).collect();
        for at in 0..self.days.len().div_ceil(DAYS_OF_A_BLOCK) {
            for &block in &blocks {
                store.retain(&key.name_of_block(block, at));
            }
        }
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// Takes in the summaries of further columns, each in the order of the days.
    pub(crate) fn add(
        &mut self,
        store: &dyn ProfileStore,
        key: FileKey<'_>,
        columns: Vec<(String, Vec<Vec<u8>>)>,
    ) -> Result<(), EngineError> {
        let mut block = self.columns.values().map(|place| place.block + 1).max().unwrap_or(0);
        let mut columns = columns.into_iter();
        loop {
            let (names, mut states): (Vec<String>, Vec<Vec<Vec<u8>>>) =
                columns.by_ref().take(COLUMNS_OF_A_BLOCK).unzip();
            if names.is_empty() {
                return Ok(());
            }
            for at in 0..self.days.len().div_ceil(DAYS_OF_A_BLOCK) {
                let of_days: Block = states
                    .iter_mut()
                    .map(|days| days.drain(..days.len().min(DAYS_OF_A_BLOCK)).collect())
                    .collect();
                keep(store, &key.name_of_block(block, at), &of_days)?;
            }
            let places = (0..).map(|within| Place { block, within });
            self.columns.extend(names.into_iter().zip(places));
            block += 1;
        }
    }

    /// The positions of the days that lie in a window.
    pub(crate) fn within(&self, days: &Range<i64>) -> Range<usize> {
        let at = |day: i64| self.days.partition_point(|known| known.day < day);
        at(days.start)..at(days.end)
    }

    pub(crate) fn rows_within(&self, days: &Range<i64>) -> u64 {
        self.days[self.within(days)].iter().map(|day| day.rows).sum()
    }

    /// Hands the summaries of some columns to `take`, with the column's position among `columns`, in the
    /// order of the days. False where a block is gone or damaged; its columns are then forgotten.
    pub(crate) fn summaries(
        &mut self,
        blocks: &Blocks<'_>,
        days: Range<usize>,
        columns: &[String],
        mut take: impl FnMut(usize, &[u8]) -> Result<(), EngineError>,
    ) -> Result<bool, EngineError> {
        if days.is_empty() {
            return Ok(true);
        }
        for at in days.start / DAYS_OF_A_BLOCK..=(days.end - 1) / DAYS_OF_A_BLOCK {
            let first = at * DAYS_OF_A_BLOCK;
            for (asked, column) in columns.iter().enumerate() {
                let Some(place) = self.columns.get(column).copied() else { return Ok(false) };
                let block = blocks.get(place.block, at)?;
                let summaries = block.as_ref().and_then(|block| block.get(place.within as usize));
                let Some(summaries) = summaries else {
                    self.columns.retain(|_, other| other.block != place.block);
                    return Ok(false);
                };
                for (within, summary) in summaries.iter().enumerate() {
                    if days.contains(&(first + within)) {
                        take(asked, summary)?;
                    }
                }
            }
        }
        Ok(true)
    }
}

/// The blocks of one file.
#[derive(Debug)]
pub(crate) struct Blocks<'a> {
    pub(crate) store: &'a dyn ProfileStore,
    pub(crate) key: FileKey<'a>,
    pub(crate) at_hand: &'a RefCell<BlocksAtHand>,
}

impl Blocks<'_> {
    fn get(&self, columns: u32, days: usize) -> Result<Option<Arc<Block>>, EngineError> {
        let id = (self.key.digest, columns, days);
        if let Some((block, _)) = self.at_hand.borrow().blocks.get(&id) {
            return Ok(Some(Arc::clone(block)));
        }
        let name = self.key.name_of_block(columns, days);
        let Some(block) = load::<Block>(self.store, &name)?.map(Arc::new) else { return Ok(None) };
        self.at_hand.borrow_mut().add(id, Arc::clone(&block));
        Ok(Some(block))
    }
}

/// The blocks that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct BlocksAtHand {
    /// With their bytes.
    blocks: HashMap<BlockId, (Arc<Block>, usize)>,
    /// Oldest first.
    ids: VecDeque<BlockId>,
    bytes: usize,
}

impl BlocksAtHand {
    fn add(&mut self, id: BlockId, block: Arc<Block>) {
        let bytes = block.iter().flatten().map(Vec::len).sum();
        self.bytes += bytes;
        self.ids.push_back(id);
        self.blocks.insert(id, (block, bytes));
        while self.bytes > BYTES_AT_HAND
            && self.ids.len() > 1
            && let Some(oldest) = self.ids.pop_front()
        {
            self.bytes -= self.blocks.remove(&oldest).map_or(0, |(_, bytes)| bytes);
        }
    }
}
