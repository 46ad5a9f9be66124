//! How alerts stand, what keeps them quiet, and what is on its way to people.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use types::alert::{Acknowledgement, AlertState, Episode, Silence};
use types::message::Message;

use crate::database::{Store, StoreError, instant, micros};

/// A message on its way to a contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The same for the same message to the same contact.
    pub id: String,
    pub system: String,
    /// `email:ops@example.org`.
    pub contact: String,
    pub message: Message,
    pub made: Timestamp,
    pub state: DeliveryState,
    pub attempts: u32,
    /// When it is tried next.
    pub next: Timestamp,
    /// What the other side said last, or why it could not be reached.
    pub said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// It was tried for as long as it made sense.
    Dead,
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// How a system's alerts stand, with the version that an update must name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptAlerts {
    pub version: u64,
    pub state: AlertState,
}

impl Store {
    /// How a system's alerts stand.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn alerts(&self, system: &str) -> Result<KeptAlerts, StoreError> {
        let row = self.block_on(
            sqlx::query("SELECT version, state FROM alert_state WHERE system = $1")
                .bind(system)
                .fetch_optional(self.pool()),
        )?;
        let Some(row) = row else { return Ok(KeptAlerts::default()) };
        let version = row.try_get::<i64, _>("version")? as u64;
        Ok(KeptAlerts { version, state: document(&row, "alert_state", "state")? })
    }

    /// Every system that ever had an alert, with the version of how its alerts stand.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn alert_versions(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT system, version FROM alert_state ORDER BY system").fetch_all(self.pool()),
        )?;
        let version = |row: &AnyRow| Ok((row.try_get("system")?, row.try_get::<i64, _>("version")? as u64));
        rows.iter().map(version).collect()
    }

    /// Keeps how alerts stand now, together with what is to be told of it and what has ended. Whoever was
    /// faster wins: then nothing is kept, and `false` returned.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn keep_alerts(
        &self,
        system: &str,
        before: u64,
        state: &AlertState,
        ended: &[Episode],
        deliveries: &[Delivery],
    ) -> Result<bool, StoreError> {
        let text = serde_json::to_string(state)?;
        self.block_on(async {
            let mut transaction = self.begin().await?;
            let kept = if before == 0 {
                sqlx::query(
                    "INSERT INTO alert_state (system, version, state) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING",
                )
                .bind(system)
                .bind(text)
            } else {
                sqlx::query(
                    "UPDATE alert_state SET state = $2, version = version + 1 WHERE system = $1 AND version = $3",
                )
                .bind(system)
                .bind(text)
                .bind(before as i64)
            };
            if kept.execute(&mut *transaction).await?.rows_affected() == 0 {
                return Ok(false);
            }
            for episode in ended {
                sqlx::query(
                    "INSERT INTO alert_episode (system, until_us, rule, subject, episode) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                )
                .bind(system)
                .bind(micros(episode.until))
                .bind(episode.rule.as_str())
                .bind(episode.subject.as_str())
                .bind(serde_json::to_string(episode)?)
                .execute(&mut *transaction)
                .await?;
            }
            for delivery in deliveries {
                sqlx::query(
                    "INSERT INTO delivery (id, system, contact, message, made_us, state, attempts, next_us, said) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
                )
                .bind(delivery.id.as_str())
                .bind(delivery.system.as_str())
                .bind(delivery.contact.as_str())
                .bind(serde_json::to_string(&delivery.message)?)
                .bind(micros(delivery.made))
                .bind(delivery.state.word())
                .bind(i64::from(delivery.attempts))
                .bind(micros(delivery.next))
                .bind(delivery.said.as_str())
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// A system's alerts that have ended, newest first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn episodes(&self, system: &str, limit: usize) -> Result<Vec<Episode>, StoreError> {
        let rows = self.block_on(
            sqlx::query(
                "SELECT episode FROM alert_episode WHERE system = $1 ORDER BY until_us DESC LIMIT $2",
            )
            .bind(system)
            .bind(limit as i64)
            .fetch_all(self.pool()),
        )?;
        rows.iter().map(|row| document(row, "alert_episode", "episode")).collect()
    }

    /// Alerts of all systems that have ended, newest first, each with its system.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn all_episodes(&self, limit: usize) -> Result<Vec<(String, Episode)>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT system, episode FROM alert_episode ORDER BY until_us DESC, system LIMIT $1")
                .bind(limit as i64)
                .fetch_all(self.pool()),
        )?;
        let episode = |row: &AnyRow| Ok((row.try_get("system")?, document(row, "alert_episode", "episode")?));
        rows.iter().map(episode).collect()
    }

    /// Keeps a silence, or one with the same id in its place.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        self.block_on(
            sqlx::query(
                "INSERT INTO silence (id, until_us, silence) VALUES ($1, $2, $3) \
                 ON CONFLICT (id) DO UPDATE SET until_us = excluded.until_us, silence = excluded.silence",
            )
            .bind(silence.id.as_str())
            .bind(micros(silence.until))
            .bind(serde_json::to_string(silence)?)
            .execute(self.pool()),
        )?;
        Ok(())
    }

    /// The silences that end after an instant, those first that end first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn silences(&self, after: Timestamp) -> Result<Vec<Silence>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT silence FROM silence WHERE until_us > $1 ORDER BY until_us, id")
                .bind(micros(after))
                .fetch_all(self.pool()),
        )?;
        rows.iter().map(|row| document(row, "silence", "silence")).collect()
    }

    /// Keeps that somebody took an alert on.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn keep_acknowledgement(&self, system: &str, of: &Acknowledgement) -> Result<(), StoreError> {
        self.block_on(
            sqlx::query(
                "INSERT INTO acknowledgement (system, rule, subject, at_us, acknowledgement) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(system)
            .bind(of.rule.as_str())
            .bind(of.subject.as_str())
            .bind(micros(of.at))
            .bind(serde_json::to_string(of)?)
            .execute(self.pool()),
        )?;
        Ok(())
    }

    /// What was acknowledged of a system's alerts, oldest first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn acknowledgements(&self, system: &str) -> Result<Vec<Acknowledgement>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT acknowledgement FROM acknowledgement WHERE system = $1 ORDER BY at_us")
                .bind(system)
                .fetch_all(self.pool()),
        )?;
        rows.iter().map(|row| document(row, "acknowledgement", "acknowledgement")).collect()
    }

    /// Takes the messages that are due to be tried, each for one server alone: until `until` nobody else
    /// takes them.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn take_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.block_on(async {
            let rows = sqlx::query(
                "SELECT * FROM delivery WHERE state = 'waiting' AND next_us <= $1 ORDER BY made_us, id LIMIT $2",
            )
            .bind(micros(now))
            .bind(limit as i64)
            .fetch_all(self.pool())
            .await?;
            let mut taken = Vec::new();
            for row in &rows {
                let delivery = delivery(row)?;
                let updated = sqlx::query(
                    "UPDATE delivery SET next_us = $2, attempts = attempts + 1 \
                     WHERE id = $1 AND state = 'waiting' AND next_us = $3",
                )
                .bind(delivery.id.as_str())
                .bind(micros(until))
                .bind(micros(delivery.next))
                .execute(self.pool())
                .await?;
                if updated.rows_affected() == 1 {
                    taken.push(Delivery { attempts: delivery.attempts + 1, next: until, ..delivery });
                }
            }
            Ok(taken)
        })
    }

    /// Keeps what came of an attempt.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn note_delivery(&self, delivery: &Delivery, at: Timestamp) -> Result<(), StoreError> {
        let ended = (delivery.state != DeliveryState::Waiting).then(|| micros(at));
        self.block_on(
            sqlx::query(
                "UPDATE delivery SET state = $2, next_us = $3, said = $4, ended_us = $5 WHERE id = $1",
            )
            .bind(delivery.id.as_str())
            .bind(delivery.state.word())
            .bind(micros(delivery.next))
            .bind(delivery.said.as_str())
            .bind(ended)
            .execute(self.pool()),
        )?;
        Ok(())
    }

    /// The newest messages about a system.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn deliveries(&self, system: &str, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT * FROM delivery WHERE system = $1 ORDER BY made_us DESC, id LIMIT $2")
                .bind(system)
                .bind(limit as i64)
                .fetch_all(self.pool()),
        )?;
        rows.iter().map(delivery).collect()
    }

    /// How many messages are in each state, by its word.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn delivery_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT state, COUNT(*) AS messages FROM delivery GROUP BY state")
                .fetch_all(self.pool()),
        )?;
        let count = |state: DeliveryState| -> Result<(String, u64), StoreError> {
            let mut messages = 0;
            for row in &rows {
                if row.try_get::<String, _>("state")? == state.word() {
                    messages = row.try_get::<i64, _>("messages")? as u64;
                }
            }
            Ok((state.word().to_owned(), messages))
        };
        DeliveryState::ALL.into_iter().map(count).collect()
    }

    /// For every contact that ever had one, the newest message that ended.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub fn last_deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        let rows = self.block_on(
            sqlx::query(
                "SELECT * FROM delivery WHERE ended_us IS NOT NULL AND ended_us = (SELECT MAX(ended_us) \
                 FROM delivery AS other WHERE other.contact = delivery.contact) ORDER BY contact, id",
            )
            .fetch_all(self.pool()),
        )?;
        let mut last: Vec<Delivery> = rows.iter().map(delivery).collect::<Result<_, _>>()?;
        last.dedup_by(|a, b| a.contact == b.contact);
        Ok(last)
    }
}

fn delivery(row: &AnyRow) -> Result<Delivery, StoreError> {
    const TABLE: &str = "delivery";
    let word: String = row.try_get("state")?;
    let state = DeliveryState::ALL.into_iter().find(|state| state.word() == word);
    Ok(Delivery {
        id: row.try_get("id")?,
        system: row.try_get("system")?,
        contact: row.try_get("contact")?,
        message: document(row, TABLE, "message")?,
        made: instant(row, TABLE, "made_us")?,
        state: state
            .ok_or_else(|| StoreError::Unreadable { table: TABLE, reason: format!("`state` is `{word}`") })?,
        attempts: row.try_get::<i64, _>("attempts")? as u32,
        next: instant(row, TABLE, "next_us")?,
        said: row.try_get("said")?,
    })
}

/// A column that holds JSON.
fn document<T: DeserializeOwned>(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| StoreError::Unreadable { table, reason: format!("`{column}`: {error}") })
}
