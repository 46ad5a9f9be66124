//! The names of the files that ingestion writes.
//!
//! `2026-11-27.NODE-0000000012.parquet` holds the rows of that day from segment 12 of the server NODE;
//! `2026-11-27.NODE-0000000012-0000000019.parquet` those of segments 12 to 19, put together later. Where a file
//! that stands for more segments is there, those that it was made from do not count: a crash, or the moment
//! before they are deleted, shows no row twice.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What the name of a file says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileName {
    pub(crate) day: String,
    pub(crate) node: String,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// What is written under it is not whole yet.
pub(super) const PART: &str = ".part";
/// What the names of files begin with that are ours and no part of the log.
pub(crate) const PREFIX: &str = ".forewarn-";

impl FileName {
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
        let (day, rest) = stem.split_once('.')?;
        super::instant::parse_date(day)?;
        let mut parts = rest.split('-');
        let node = parts.next().filter(|node| is_node(node))?.to_owned();
        let number = |text: &str| {
            let is_number = text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok())?
        };
        let first = number(parts.next()?)?;
        let last = parts.next().map_or(Some(first), number)?;
        let name = Self { day: day.to_owned(), node, first, last };
        (parts.next().is_none() && first <= last).then_some(name)
    }

    pub(super) fn file(&self) -> String {
        let Self { day, node, first, last } = self;
        if first == last {
            format!("{day}.{node}-{first:010}.parquet")
        } else {
            format!("{day}.{node}-{first:010}-{last:010}.parquet")
        }
    }

    /// The name under which it is written before it is whole; no reader of the log takes it for a file.
    pub(super) fn part(&self) -> String {
        format!("{PREFIX}{}{PART}", self.file())
    }

    /// Whether a file is another one, or holds all that it holds.
    pub(super) fn holds(&self, other: &Self) -> bool {
        let same_place = self.day == other.day && self.node == other.node;
        same_place && self.first <= other.first && other.last <= self.last
    }

    fn covers(&self, other: &Self) -> bool {
        self != other && self.holds(other)
    }
}

/// Whether a file is the torn beginning of one that a server was writing.
pub(super) fn is_part_of(path: &Path, node: &str) -> bool {
    let of = || {
        let name = path.file_name()?.to_str()?;
        FileName::parse(Path::new(name.strip_prefix(PREFIX)?.strip_suffix(PART)?))
    };
    of().is_some_and(|name| name.node == node)
}

/// Whether a text can stand for a server in file names.
pub(super) fn is_node(node: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=32).contains(&node.len()) && node.bytes().all(plain)
}

/// The files among these whose rows another one of them holds as well.
pub(crate) fn covered(paths: &[PathBuf]) -> Vec<PathBuf> {
    /// The files of one day and server in one folder.
    type OfPlace<'a> = Vec<(FileName, &'a PathBuf)>;
    let mut by_place: HashMap<(Option<&Path>, String, String), OfPlace<'_>> = HashMap::new();
    for path in paths {
        if let Some(name) = FileName::parse(path) {
            let place = (path.parent(), name.day.clone(), name.node.clone());
            by_place.entry(place).or_default().push((name, path));
        }
    }
    let of_place = |files: &OfPlace<'_>| {
        let is_covered = |name: &FileName| files.iter().any(|(other, _)| other.covers(name));
        files.iter().filter(|(name, _)| is_covered(name)).map(|(_, path)| (*path).clone()).collect::<Vec<_>>()
    };
    let mut covered: Vec<PathBuf> = by_place.values().flat_map(of_place).collect();
    covered.sort();
    covered
}

/// Whether the rows of a file that is gone are in one of these.
pub(crate) fn is_within(gone: &str, files: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
    let gone = Path::new(gone);
    let Some(name) = FileName::parse(gone) else { return false };
    files.into_iter().any(|file| {
        let file = Path::new(file.as_ref());
        file.parent() == gone.parent() && FileName::parse(file).is_some_and(|other| other.covers(&name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (first, last) in [(1, 1), (12, 19), (9_999_999_999, 10_000_000_000)] {
            let name = FileName { day: "2026-11-27".into(), node: "a_1".into(), first, last };
            assert_eq!(FileName::parse(Path::new("x").join(name.file()).as_path()), Some(name.clone()));
            assert!(is_part_of(Path::new(&name.part()), "a_1"));
            assert!(!is_part_of(Path::new(&name.part()), "a"));
            assert_eq!(FileName::parse(Path::new(&name.part())), None);
        }
    }

    #[test]
    fn what_a_user_calls_a_file_is_not_one_of_ours() {
        for name in [
            "2026-11-27.parquet",
            "2026-11-27.a-1.parquet",
            "2026-11-27.a-0000000002-0000000001.parquet",
            "2026-13-27.a-0000000001.parquet",
            "part-0000000001.parquet",
            "2026-11-27.A-0000000001.parquet",
            "2026-11-27.a-0000000001.csv",
        ] {
            assert_eq!(FileName::parse(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn only_files_within_the_range_of_the_same_day_and_server_are_covered() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let files = paths(&[
            "d/2026-11-27.a-0000000002-0000000004.parquet",
            "d/2026-11-27.a-0000000002.parquet",
            "d/2026-11-27.a-0000000003-0000000004.parquet",
            "d/2026-11-27.a-0000000005.parquet",
            "d/2026-11-27.b-0000000003.parquet",
            "d/2026-11-28.a-0000000003.parquet",
            "e/2026-11-27.a-0000000003.parquet",
            "d/other.parquet",
        ]);
        assert_eq!(
            covered(&files),
            paths(&["d/2026-11-27.a-0000000002.parquet", "d/2026-11-27.a-0000000003-0000000004.parquet"])
        );
        let now = ["d/2026-11-27.a-0000000002-0000000004.parquet"];
        assert!(is_within("d/2026-11-27.a-0000000003.parquet", now));
        assert!(!is_within("d/2026-11-27.a-0000000005.parquet", now));
        assert!(!is_within("d/other.parquet", now));
    }
}
