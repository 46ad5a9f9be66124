//! Words that only an evaluation needs.

use super::Term;

pub(crate) const LOSS: Term = (
    "Loss",
    "What one prediction costs in accuracy: 1 where it was wrong and 0 where it was right, or how far it was off. The mean loss of a group says how badly the model serves it.",
);
pub(crate) const SLICE: Term = (
    "Slice",
    "A group of cases that conditions on the inputs describe, such as evening flights from one airport. A search found it on one half of the rows; the other half says how bad it really is.",
);
pub(crate) const LIFT: Term =
    ("Lift", "How many times the average loss a group has. 1 is average, 2 is twice as bad.");
pub(crate) const SUBPOPULATION: Term = (
    "Worst subpopulation",
    "The worst group that holds at least a given share of the cases, whatever describes it. No group of that size does worse, even one that nobody has thought of.",
);
pub(crate) const SYSTEMATIC: Term = (
    "Systematic error",
    "The part of the mistakes that the inputs foretell. Chance cannot be foretold, so a better model could avoid this part.",
);
pub(crate) const RARITY: Term = (
    "Rarity",
    "How unlike the cases of the reference a case is, all inputs together. A tenth of the reference lies in each class of rarity.",
);
pub(crate) const FALSE_POSITIVE: Term = (
    "False positive, false negative",
    "A false alarm: it was predicted and did not happen. A miss: it happened and was not predicted. One can be bought with the other by moving the decision threshold.",
);
pub(crate) const CRITERION: Term = (
    "Criterion of fairness",
    "One way to say that groups are treated alike: equally many positive predictions, equally many misses, or equally reliable scores. Where groups differ in how often it happens, not all of them can hold.",
);
pub(crate) const FOUR_FIFTHS: Term = (
    "Four-fifths rule",
    "By custom, a group that is selected less than 0.8 times as often as another one deserves a look. It is a rule of thumb, not a proof of discrimination.",
);
pub(crate) const THRESHOLD: Term = (
    "Decision threshold",
    "The score from which on the positive class is predicted. A lower one finds more cases and raises more false alarms.",
);
pub(crate) const SHRUNKEN: Term = (
    "Drawn towards all groups",
    "An estimate for a small group that borrows from all others, the more the fewer rows it has. It avoids that chance alone makes a small group look worst.",
);
pub(crate) const ISOTONIC: Term = (
    "Reliability without bins",
    "What happened by score, as the best curve that only rises. The band is where that curve would lie if the scores were right.",
);
pub(crate) const PAIRED: Term = (
    "Paired comparison",
    "Both versions predict the same cases and the differences are averaged, so that hard and easy cases do not blur the result.",
);
