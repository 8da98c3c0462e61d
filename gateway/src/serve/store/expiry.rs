//! What has been kept long enough goes, by the day of its arrival: a day's file is deleted, sums are overwritten with zeros, and the file of sums shrinks.

use super::Store;
use crate::serve::database::Error;
use crate::serve::days::{self, DAY};

impl Store {
    /// Deletes what has been kept long enough at `now`, and says whether that was anything.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn expire(&mut self, now: u64) -> Result<bool, Error> {
        let today = now / DAY;
        let details_from = (today + 1).saturating_sub(self.rules.details_days);
        let sums_from = (today + 1).saturating_sub(self.rules.sums_days);
        let mut is_any = false;
        for day in days::kept(&self.folder).unwrap_or_default().into_iter().filter(|day| *day < details_from)
        {
            // What was said since somebody looked last.
            if day >= sums_from {
                self.sum_up(day)?;
            }
            if self.today.as_ref().is_some_and(|open| open.number == day) {
                self.today = None;
            }
            days::delete(&self.folder, day)?;
            is_any = true;
        }
        let transaction = self.sums.transaction()?;
        let mut deleted = 0;
        for table in ["daily", "installations", "notes", "summed"] {
            deleted += transaction.execute(&format!("DELETE FROM {table} WHERE day < ?1"), [sums_from])?;
        }
        deleted += transaction.execute("DELETE FROM months WHERE month < ?1", [days::month(sums_from)])?;
        // What numbers stand for goes with the last that names them.
        deleted += transaction.execute("DELETE FROM tuples WHERE day < ?1", [details_from])?;
        if deleted > 0 {
            transaction.execute("DELETE FROM parts WHERE tuple NOT IN (SELECT id FROM tuples)", [])?;
            transaction.execute(
                "DELETE FROM words WHERE id NOT IN (SELECT word FROM daily UNION SELECT word FROM parts)",
                [],
            )?;
            transaction.execute(
                "DELETE FROM programs WHERE day < ?1 AND id NOT IN (SELECT program FROM daily)",
                [details_from],
            )?;
        }
        transaction.commit()?;
        if deleted > 0 {
            self.forget();
            is_any = true;
        }
        if is_any {
            // The file shrinks, and what was deleted is not in the log of changes either.
            self.sums.execute_batch("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")?;
        }
        Ok(is_any)
    }
}
