//! `[schedule]`: when the checks run by themselves, where the system is served.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Age, Asked, Definition};
use crate::CheckId;
use crate::calendar::{Cron, Rule, Timetable};

/// When the checks run by themselves, where the system is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// When monitoring runs: a cron expression in the system's time zone, such as `0 6 * * 1`. By default after
    /// each day, week, month or quarter that an `every` of `[monitor]` names.
    pub monitor: Option<Cron>,
    /// When the evaluation runs: a cron expression in the system's time zone. By default after each day, week,
    /// month or quarter that `evaluate.every` names.
    pub evaluate: Option<Cron>,
    /// When the model is asked under faults: a cron expression in the system's time zone. By default a file or a
    /// program is after each day, week, month or quarter that `stress.every` names, and a server never: a test of
    /// faults is load for it.
    pub stress: Option<Cron>,
    /// How long after the end of a day, week, month or quarter its checks run, so that the last predictions
    /// have arrived; without effect on a cron expression.
    pub after: Age,
    /// Whether a run that was missed, because nothing was serving the system, is made up for. One run makes up
    /// for all that were missed.
    pub catch_up: bool,
    /// How late a run may be before that is an alert.
    pub missed_after: Age,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            monitor: None,
            evaluate: None,
            stress: None,
            after: Age::HOUR,
            catch_up: true,
            missed_after: Age::HOUR,
        }
    }
}

impl Definition {
    /// When monitoring is due.
    pub fn monitor_timetable(&self) -> Timetable {
        let monitor = &self.monitor;
        let mut every = vec![monitor.drift.every];
        for cadence in [monitor.performance.every, monitor.reassess.every] {
            if !every.contains(&cadence) {
                every.push(cadence);
            }
        }
        self.timetable(self.schedule.monitor.as_ref(), every)
    }

    /// When the evaluation is due.
    pub fn evaluate_timetable(&self) -> Timetable {
        self.timetable(self.schedule.evaluate.as_ref(), vec![self.evaluate.every])
    }

    /// When the model is asked under faults; `None` where it is not by itself.
    pub fn stress_timetable(&self) -> Option<Timetable> {
        let cron = self.schedule.stress.as_ref();
        let is_meant = cron.is_some() || !matches!(self.model.asked()?, Asked::Endpoint(_));
        (is_meant && self.is_stressed()).then(|| self.timetable(cron, vec![self.stress.every]))
    }

    /// Whether any check of `[stress]` can be made.
    pub fn is_stressed(&self) -> bool {
        CheckId::ALL.into_iter().any(|check| self.stresses(check))
    }

    fn timetable(&self, cron: Option<&Cron>, of: Vec<super::Cadence>) -> Timetable {
        let after = Duration::from(self.schedule.after);
        let rule = cron.map_or(Rule::Ends { of, after }, |cron| Rule::Cron(cron.clone()));
        Timetable { rule, zone: self.system.time_zone.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cadence, parse};
    use super::*;

    const SMALLEST: &str = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n";

    #[test]
    fn without_a_schedule_the_cadences_of_the_checks_decide() {
        let text = format!("{SMALLEST}[monitor]\nperformance = {{ every = \"week\" }}\n");
        let definition = parse(&text).unwrap();
        let after = Duration::from_hours(1);
        let ends = |of: &[Cadence]| Rule::Ends { of: of.into(), after };
        assert_eq!(definition.monitor_timetable().rule, ends(&[Cadence::Week, Cadence::Quarter]));
        assert_eq!(definition.evaluate_timetable().rule, ends(&[Cadence::Month]));
        assert_eq!(definition.monitor_timetable().zone.name(), "UTC");
        assert!(definition.schedule.catch_up);
    }

    #[test]
    fn a_cron_expression_takes_the_place_of_cadences_in_the_systems_zone() {
        let text = format!(
            "[system]\ntime_zone = \"europe/berlin\"\n{SMALLEST}[schedule]\nmonitor = \"0 6 * * mon\"\nafter = \"90 minutes\"\n"
        );
        let definition = parse(&text).unwrap();
        let monitor = definition.monitor_timetable();
        assert_eq!(monitor.rule, Rule::Cron("0 6 * * mon".parse().unwrap()));
        assert_eq!(monitor.zone.name(), "Europe/Berlin");
        let after = Duration::from_mins(90);
        assert_eq!(definition.evaluate_timetable().rule, Rule::Ends { of: vec![Cadence::Month], after });
        let written = serde_json::to_value(&definition).unwrap();
        assert_eq!(written["schedule"]["monitor"], "0 6 * * mon");
        assert_eq!(written["system"]["time_zone"], "Europe/Berlin");
    }

    #[test]
    fn a_model_is_asked_on_a_schedule_where_it_is_said_how() {
        let rule = |more: &str| {
            let definition = parse(&format!("{SMALLEST}{more}")).unwrap();
            definition.stress_timetable().map(|timetable| timetable.rule)
        };
        let asked = "[model]\nonnx = \"model.onnx\"\n";
        let quarterly = Rule::Ends { of: vec![Cadence::Quarter], after: Duration::from_hours(1) };
        assert_eq!(rule(asked), Some(quarterly));
        let weekly = format!("{asked}[schedule]\nstress = \"0 3 * * sun\"\n");
        assert_eq!(rule(&weekly), Some(Rule::Cron("0 3 * * sun".parse().unwrap())));
        assert_eq!(rule(""), None);
        // Nobody's server is put under load because somebody named it.
        let server = "[model]\nendpoint = \"http://127.0.0.1:5000/invocations\"\n";
        assert_eq!(rule(server), None);
        assert!(rule(&format!("{server}[schedule]\nstress = \"0 3 * * sun\"\n")).is_some());
        let all = "skip = [\"stress.parity\", \"stress.missing\", \"stress.faults\", \"stress.detection\"]";
        assert_eq!(rule(&format!("{asked}[stress]\n{all}\n")), None);
    }

    #[test]
    fn mistakes_name_the_place_and_the_way_out() {
        let check = |text: &str, message: &str, pointed_at: &str| {
            let error = parse(text).unwrap_err();
            let told = format!("{} {}", error.message, error.help.as_deref().unwrap_or_default());
            assert!(told.contains(message), "{told:?}");
            let span = error.span(text).unwrap();
            assert!(text[span.clone()].contains(pointed_at), "pointed at {:?}", &text[span]);
        };
        let scheduled = |line: &str| format!("{SMALLEST}[schedule]\n{line}\n");
        check(&scheduled("monitor = \"0 6 * *\""), "has 4 fields", "0 6 * *");
        check(&scheduled("moniter = \"0 6 * * 1\""), "did you mean `monitor`?", "moniter");
        check(&scheduled("after = \"later\""), "`later` is no span of time", "later");
        let zoned = format!("[system]\ntime_zone = \"Amerika/New_York\"\n{SMALLEST}");
        check(&zoned, "did you mean `America/New_York`?", "Amerika");
    }
}
