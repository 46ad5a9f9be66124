//! Conditions: CEL over evidence, read once, with every name checked before it is asked.
//!
//! A name that is wrong would never hold and never say so; that is why paths, verdicts and kinds are
//! checked here. What is checked and still absent from the evidence of a window is an error of CEL, which
//! `||` and `&&` take up as the language says; what remains is "cannot tell", and neither fires nor resolves.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators};
use cel::{Context, Program, Value};
use types::CheckId;
use types::nearest::{listed, nearest};

use super::names::{self, Kind};

/// A condition that can be asked.
#[derive(Debug)]
pub(super) struct Condition {
    program: Program,
    /// The checks that it speaks of; for `any`, all of them.
    pub(super) checks: Vec<CheckId>,
    /// Whether it asks for staleness.
    pub(super) asks_stale: bool,
}

/// What is wrong with a condition, and the way out.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub(super) struct ConditionError {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl ConditionError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        let help: String = help.into();
        Self { message: message.into(), help: (!help.is_empty()).then_some(help) }
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is no CEL, names something that there is not, or is no question of yes and no.
    pub(super) fn read(text: &str) -> Result<Self, ConditionError> {
        check_size(text)?;
        let program = Program::compile(text).map_err(|errors| {
            let first = errors.errors.first();
            let at = first.map_or(1, |error| error.pos.1.max(1));
            let said = first.map_or_else(|| "it is empty".to_owned(), |error| error.msg.clone());
            ConditionError::new(
                format!("the condition cannot be read at character {at}: {}", said.trim()),
                "a condition is CEL, such as 'drift.verdict == \"fail\" || calibration.ece > 0.08'",
            )
        })?;
        let mut reader = Reader::default();
        let kind = reader.kind(&program.expression().expr)?;
        if !matches!(kind, Kind::Bool | Kind::Open) {
            let message = format!("the condition is {}, not true or false", kind.words());
            return Err(ConditionError::new(message, "compare it: `== \"fail\"`, `> 0.1`"));
        }
        reader.checks.sort_unstable();
        reader.checks.dedup();
        Ok(Self { program, checks: reader.checks, asks_stale: reader.asks_stale })
    }

    /// Whether it holds; `None` where that cannot be told.
    pub(super) fn holds(&self, context: &Context<'_, '_>) -> Option<bool> {
        match self.program.execute(context) {
            Ok(Value::Bool(holds)) => Some(holds),
            _ => None,
        }
    }
}

/// Nobody reads a condition that is longer.
const MOST_CHARACTERS: usize = 1000;
/// The parser of the crate `cel` recurses, in frames that are large where it is not optimised; what it is given is
/// kept far from the end of a stack.
const MOST_BRACKETS: usize = 24;

fn check_size(text: &str) -> Result<(), ConditionError> {
    let help = "make several alerts of it";
    if text.chars().count() > MOST_CHARACTERS {
        let message = format!("the condition cannot be read: it has more than {MOST_CHARACTERS} characters");
        return Err(ConditionError::new(message, help));
    }
    let mut open = 0_usize;
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' | '?' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MOST_BRACKETS {
            let message = format!(
                "the condition cannot be read: more than {MOST_BRACKETS} brackets lie in one another"
            );
            return Err(ConditionError::new(message, help));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Reader {
    checks: Vec<CheckId>,
    asks_stale: bool,
    /// Names that macros such as `exists` introduce.
    locals: Vec<String>,
}

impl Reader {
    fn kind(&mut self, expr: &Expr) -> Result<Kind, ConditionError> {
        match expr {
            Expr::Ident(name) => self.root(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Literal(literal) => Ok(literal_kind(literal)),
            Expr::List(list) => {
                let kinds: Vec<Kind> =
                    list.elements.iter().map(|item| self.kind(&item.expr)).collect::<Result<_, _>>()?;
                Ok(if kinds.iter().all(|kind| *kind == Kind::Text) { Kind::Texts } else { Kind::Open })
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(ConditionError::new("a condition builds no maps or messages", ""))
            }
        }
    }

    fn root(&mut self, name: &str) -> Result<Kind, ConditionError> {
        if self.locals.iter().any(|local| local == name) {
            return Ok(Kind::Open);
        }
        match names::root(name) {
            Some(kind) => {
                match kind {
                    Kind::Check(check) => self.checks.push(check),
                    Kind::All => self.checks.extend(CheckId::ALL),
                    _ => {}
                }
                Ok(kind)
            }
            None => Err(unknown_root(name)),
        }
    }

    fn select(&mut self, select: &SelectExpr) -> Result<Kind, ConditionError> {
        let operand = self.kind(&select.operand.expr)?;
        let kind = self.part(operand, &select.field)?;
        Ok(if select.test { Kind::Bool } else { kind })
    }

    fn part(&mut self, of: Kind, field: &str) -> Result<Kind, ConditionError> {
        match of {
            Kind::Practice(practice) => {
                let all = || CheckId::ALL.into_iter().filter(|check| check.practice() == practice);
                match all().find(|check| names::last_name(*check) == field) {
                    Some(check) => {
                        self.checks.push(check);
                        Ok(Kind::Check(check))
                    }
                    None => Err(unknown(
                        format!("`{practice}` has no check `{field}`"),
                        field,
                        all().map(names::last_name).collect(),
                    )),
                }
            }
            Kind::Check(_) | Kind::All => {
                self.asks_stale |= matches!(field, "stale" | "fresh");
                let own = names::FIELDS.iter().find(|(name, _)| *name == field);
                let measures = if let Kind::Check(check) = of { names::measures(check) } else { Vec::new() };
                match own {
                    Some((_, kind)) => Ok(*kind),
                    None if measures.iter().any(|name| name == field) => Ok(Kind::Number),
                    None => {
                        let of = if let Kind::Check(check) = of { check.name() } else { names::ANY };
                        let fields = names::FIELDS.iter().map(|(name, _)| *name);
                        let valid = fields.chain(measures.iter().map(String::as_str)).collect();
                        Err(unknown(format!("`{of}` has nothing called `{field}`"), field, valid))
                    }
                }
            }
            Kind::Open => Ok(Kind::Open),
            other => Err(ConditionError::new(format!("{} has no part `{field}`", other.words()), "")),
        }
    }

    fn call(&mut self, call: &CallExpr) -> Result<Kind, ConditionError> {
        let mut kinds = Vec::new();
        for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
            kinds.push(self.kind(&part.expr)?);
        }
        let arguments: Vec<&Expr> = call.args.iter().map(|argument| &argument.expr).collect();
        match call.func_name.as_str() {
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                match kinds.iter().find(|kind| !matches!(kind, Kind::Bool | Kind::Open)) {
                    Some(kind) => Err(ConditionError::new(
                        format!("{} is no condition of its own", kind.words()),
                        "compare it with something: `== \"fail\"`, `> 0.1`",
                    )),
                    None => Ok(Kind::Bool),
                }
            }
            operators::EQUALS | operators::NOT_EQUALS => compared(&kinds, &arguments, false),
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS => {
                compared(&kinds, &arguments, true)
            }
            operators::IN => is_in(&kinds, &arguments),
            operators::NOT_STRICTLY_FALSE => Ok(Kind::Bool),
            operators::CONDITIONAL => Ok(kinds.get(1).copied().unwrap_or(Kind::Open)),
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO
            | operators::NEGATE => {
                let is_number = kinds.iter().all(|kind| matches!(kind, Kind::Number | Kind::Open));
                Ok(if is_number { Kind::Number } else { Kind::Open })
            }
            operators::INDEX => self.index(&kinds, &arguments),
            name => match names::FUNCTIONS.iter().find(|(function, _)| *function == name) {
                Some((_, kind)) => Ok(*kind),
                None => Err(unknown(
                    format!("there is no function `{name}`"),
                    name,
                    names::FUNCTIONS.iter().map(|(function, _)| *function).chain(["exists", "all"]).collect(),
                )),
            },
        }
    }

    /// `drift["psi"]` is checked as `drift.psi` is.
    fn index(&mut self, kinds: &[Kind], arguments: &[&Expr]) -> Result<Kind, ConditionError> {
        match (kinds.first(), arguments.get(1).and_then(|index| text_of(index))) {
            (Some(of @ (Kind::Check(_) | Kind::Practice(_) | Kind::All)), Some(field)) => {
                self.part(*of, field)
            }
            (Some(Kind::Texts), _) => Ok(Kind::Text),
            _ => Ok(Kind::Open),
        }
    }

    fn comprehension(&mut self, of: &ComprehensionExpr) -> Result<Kind, ConditionError> {
        self.kind(&of.iter_range.expr)?;
        self.kind(&of.accu_init.expr)?;
        let known = self.locals.len();
        self.locals.extend([of.iter_var.clone(), of.accu_var.clone()]);
        self.locals.extend(of.iter_var2.clone());
        for part in [&of.loop_cond, &of.loop_step, &of.result] {
            self.kind(&part.expr)?;
        }
        self.locals.truncate(known);
        Ok(Kind::Open)
    }
}

fn literal_kind(literal: &LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(_) => Kind::Bool,
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Number,
        LiteralValue::String(_) => Kind::Text,
        LiteralValue::Bytes(_) | LiteralValue::Null => Kind::Open,
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn compared(kinds: &[Kind], arguments: &[&Expr], by_size: bool) -> Result<Kind, ConditionError> {
    let (Some(&left), Some(&right)) = (kinds.first(), kinds.get(1)) else { return Ok(Kind::Bool) };
    let has = |kind| left == kind || right == kind;
    if has(Kind::Verdict) && by_size {
        let help = "write `verdict == \"fail\"` or `verdict in [\"warn\", \"fail\"]`";
        return Err(ConditionError::new("verdicts are not compared by size", help));
    }
    if has(Kind::Verdict) && has(Kind::Text) {
        arguments.iter().filter_map(|argument| text_of(argument)).try_for_each(check_verdict)?;
        return Ok(Kind::Bool);
    }
    if left == right || has(Kind::Open) {
        return Ok(Kind::Bool);
    }
    let message = format!("{} is compared with {}", left.words(), right.words());
    Err(ConditionError::new(message, "compare numbers with numbers and verdicts with verdicts"))
}

fn is_in(kinds: &[Kind], arguments: &[&Expr]) -> Result<Kind, ConditionError> {
    if kinds.first() == Some(&Kind::Verdict)
        && let Some(Expr::List(list)) = arguments.get(1)
    {
        list.elements.iter().filter_map(|item| text_of(&item.expr)).try_for_each(check_verdict)?;
    }
    Ok(Kind::Bool)
}

fn check_verdict(text: &str) -> Result<(), ConditionError> {
    let verdicts = ["pass", "warn", "unknown", "fail"];
    if verdicts.contains(&text) {
        return Ok(());
    }
    Err(unknown(format!("`{text}` is no verdict"), text, verdicts.to_vec()))
}

fn unknown_root(name: &str) -> ConditionError {
    if let [one, another] = names::checks_named(name).as_slice() {
        let help = format!("write `{one}` or `{another}`");
        return ConditionError::new(format!("two checks are called `{name}`"), help);
    }
    unknown(format!("there is nothing called `{name}`"), name, names::roots())
}

fn unknown(message: String, name: &str, valid: Vec<&str>) -> ConditionError {
    let help = match nearest(name, valid.iter().copied()) {
        Some(choice) => format!("did you mean `{choice}`?"),
        None => format!("valid here: {}", listed(valid, 40)),
    };
    ConditionError::new(message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, message: &str, help: &str) {
        let error = Condition::read(text).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error}");
        let said = error.help.clone().unwrap_or_default();
        assert!(said.contains(help), "{text}: {said}");
    }

    #[test]
    fn a_condition_names_its_checks() {
        for (text, checks) in [
            (
                "drift.verdict == \"fail\" || calibration.ece > 0.08",
                vec!["monitor.drift", "evaluate.calibration"],
            ),
            ("monitor.performance.roc_auc < 0.7", vec!["monitor.performance"]),
            ("size(drift.failed) >= 3 && quality.fresh", vec!["monitor.drift", "monitor.quality"]),
            ("drift.failed.exists(name, name.startsWith(\"wind\"))", vec!["monitor.drift"]),
            ("quality.verdict in [\"warn\", \"fail\"]", vec!["monitor.quality"]),
            ("\"dewp\" in drift.failed", vec!["monitor.drift"]),
            ("has(drift.psi) && drift[\"psi\"] > 1", vec!["monitor.drift"]),
        ] {
            let condition = Condition::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let names: Vec<&str> = condition.checks.iter().map(|check| check.name()).collect();
            assert_eq!(names, checks, "{text}");
        }
        assert_eq!(Condition::read("any.verdict == \"fail\"").unwrap().checks.len(), CheckId::ALL.len());
        assert!(Condition::read("drift.stale").unwrap().asks_stale);
    }

    #[test]
    fn a_condition_that_can_never_be_meant_is_refused() {
        refused("drfit.verdict == \"fail\"", "nothing called `drfit`", "`drift`");
        refused("drift.verdct == \"fail\"", "`monitor.drift` has nothing called `verdct`", "`verdict`");
        refused("drift.verdict == \"failed\"", "`failed` is no verdict", "`fail`");
        refused("drift.verdict in [\"fial\"]", "`fial` is no verdict", "`fail`");
        refused("calibration.psi > 0.1", "nothing called `psi`", "valid here");
        refused("performance.verdict == \"fail\"", "two checks", "monitor.performance");
        refused("monitor.calibration.ece > 0.1", "`monitor` has no check `calibration`", "");
        refused("drift.verdict > \"pass\"", "not compared by size", "in [");
        refused("drift.psi == \"high\"", "a number is compared with a text", "");
        refused("drift.psi", "is a number, not true or false", "compare");
        refused("drift.verdict || true", "no condition of its own", "compare");
        refused("drift.verdict ==", "cannot be read", "CEL");
        refused("", "cannot be read", "CEL");
        refused("sizze(drift.failed) > 1", "no function `sizze`", "`size`");
    }

    #[test]
    fn a_condition_without_end_is_refused_and_not_followed() {
        // The stack of a server's thread; without optimisation a frame of the parser is many times as large.
        let stack = if cfg!(debug_assertions) { 128 << 20 } else { 2 << 20 };
        let reading = std::thread::Builder::new().stack_size(stack).spawn(read_conditions_without_end);
        reading.unwrap().join().unwrap();
    }

    fn read_conditions_without_end() {
        for (piece, end) in [("(", ")"), ("[", "]"), ("true ? true : ", ""), ("size(", ")")] {
            let deep = format!("{}true{}", piece.repeat(5000), end.repeat(5000));
            assert!(Condition::read(&deep).is_err(), "{piece}");
            let deep = format!("{}true{}", piece.repeat(60), end.repeat(60));
            assert!(Condition::read(&deep).is_err(), "{piece}");
        }
        // As long as may be; what is read and what is refused is the language's matter.
        for (piece, end) in [("!", "true"), ("-", "1 < 0"), ("true||", "true"), ("1+", "1 < 0")] {
            let long = format!("{}{end}", piece.repeat((MOST_CHARACTERS - end.len()) / piece.len()));
            let _ = Condition::read(&long).map(|condition| condition.holds(&Context::default()));
        }
        let _ = Condition::read(&format!("drift{}", ".verdict".repeat(120)));
    }
}
