//! The last answer about each thing that was asked about, for a while.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answers::RowAnswer;

/// Which answers are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// The columns that say what an answer is about.
    pub key: Vec<String>,
    pub rows: usize,
    pub age: Duration,
}

/// Answers by what they are about.
#[derive(Debug)]
pub(super) struct Cache {
    settings: CacheSettings,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<String, (Instant, RowAnswer)>,
    /// Keys in the order in which they came; those that came again stand here again.
    order: VecDeque<(Instant, String)>,
}

impl Cache {
    pub(super) fn new(settings: CacheSettings) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// What a row is about; `None` where a column of the key is not there.
    pub(super) fn key(&self, columns: &[(String, Vec<Value>)], row: usize) -> Option<String> {
        let value = |name: &String| {
            let column = columns.iter().find(|(of, _)| of == name);
            column.map(|(_, values)| &values[row]).filter(|value| !value.is_null())
        };
        let values: Vec<&Value> = self.settings.key.iter().map(value).collect::<Option<_>>()?;
        Some(serde_json::to_string(&values).expect("values have a form in JSON"))
    }

    /// Keeps an answer in the place of the one before.
    pub(super) fn keep(&self, key: String, answer: RowAnswer, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.order.push_back((now, key.clone()));
        kept.by_key.insert(key, (now, answer));
        // Old ones first; entries of `order` whose key came again since are only that.
        while kept.by_key.len() > self.settings.rows || kept.order.len() > 2 * self.settings.rows {
            let Some((at, oldest)) = kept.order.pop_front() else { return };
            if kept.by_key.get(&oldest).is_some_and(|(newest, _)| *newest == at) {
                kept.by_key.remove(&oldest);
            }
        }
    }

    /// The last answer, where it is fresh enough.
    pub(super) fn last(&self, key: &str, now: Instant) -> Option<RowAnswer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = kept.by_key.get(key)?;
        (now.duration_since(*at) <= self.settings.age).then(|| answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cache(rows: usize) -> Cache {
        let (key, age) = (vec!["a".into(), "b".into()], Duration::from_mins(1));
        Cache::new(CacheSettings { key, rows, age })
    }

    fn answer(number: i32) -> RowAnswer {
        RowAnswer(vec![json!(number)])
    }

    #[test]
    fn a_key_needs_all_of_its_columns() {
        let columns =
            [("b".to_owned(), vec![json!(1), json!(null)]), ("a".to_owned(), vec![json!("x"), json!("x")])];
        assert_eq!(cache(1).key(&columns, 0).as_deref(), Some(r#"["x",1]"#));
        assert_eq!(cache(1).key(&columns, 1), None);
        assert_eq!(cache(1).key(&columns[..1], 0), None);
    }

    #[test]
    fn the_oldest_leave_first_and_none_is_given_that_is_too_old() {
        let (cache, start) = (cache(2), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        cache.keep("x".into(), answer(1), at(0));
        cache.keep("y".into(), answer(2), at(1));
        cache.keep("x".into(), answer(3), at(2));
        cache.keep("z".into(), answer(4), at(3));
        assert_eq!(cache.last("y", at(3)), None, "x came again since");
        assert_eq!(cache.last("x", at(3)), Some(answer(3)));
        assert_eq!(cache.last("x", at(62)), Some(answer(3)));
        assert_eq!(cache.last("x", at(63)), None);
        for round in 0..20 {
            cache.keep("x".into(), answer(round), at(4));
        }
        assert!(cache.kept.lock().unwrap().order.len() <= 4);
    }
}
