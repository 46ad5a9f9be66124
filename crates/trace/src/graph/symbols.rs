//! Texts as whole numbers: each different text is kept once.

use std::collections::HashMap;

/// Texts as they come.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: HashMap<Box<str>, u32>,
}

/// Texts in their order: a smaller number is an earlier text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Symbols {
    texts: String,
    /// Where each text ends.
    ends: Vec<u64>,
}

impl Interner {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number =
            u32::try_from(self.numbers.len()).expect("four billion different texts do not fit into memory");
        self.numbers.insert(text.into(), number);
        number
    }

    /// The texts in order, and for each earlier number the number that it has now.
    pub(super) fn sorted(self) -> (Symbols, Vec<u32>) {
        let mut texts: Vec<(Box<str>, u32)> = self.numbers.into_iter().collect();
        texts.sort_unstable();
        let mut now = vec![0; texts.len()];
        let mut symbols = Symbols::default();
        for (at, (text, before)) in texts.iter().enumerate() {
            now[*before as usize] = at as u32;
            symbols.texts.push_str(text);
            symbols.ends.push(symbols.texts.len() as u64);
        }
        symbols.texts.shrink_to_fit();
        (symbols, now)
    }
}

impl Symbols {
    pub(super) fn text(&self, number: u32) -> &str {
        let at = number as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.texts[start as usize..self.ends[at] as usize]
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.text(middle as u32).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle as u32),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub(super) fn bytes(&self) -> usize {
        self.texts.capacity() + self.ends.capacity() * size_of::<u64>()
    }
}
