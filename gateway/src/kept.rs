//! What a gateway keeps on disk: frames until the collector has them, and boots, so that a frame is new once. Both change in one step: a gateway that is
//! killed has taken a batch whole, or not at all, and has acknowledged nothing of what it had not taken.
//!
//! | table | key | value |
//! |---|---|---|
//! | `queue` | a number that grows, and is given once while the gateway runs | [`Held`](crate::intake::held::Held) frames behind each other |
//! | `boots` | the boot's number, as in frames, the first byte highest | [`Session`], in postcard |
//! | `manifests` | a manifest that was known once: frames of it may still wait | nothing |
//! | `holes` | the number of a boot of which records are missing | nothing |

use crate::intake::session::Session;
use crate::intake::taker::{Batch, Boots};
use crate::known::manifests::Manifests;
use crate::known::vocabulary::Vocabulary;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const QUEUE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("queue");
const BOOTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("boots");
const MANIFESTS: TableDefinition<'_, &[u8], ()> = TableDefinition::new("manifests");
const HOLES: TableDefinition<'_, u64, ()> = TableDefinition::new("holes");

/// Most bytes of one entry of the queue: what becomes one request.
pub const ENTRY_BYTES_MAX: usize = 1 << 16;

/// Memory for pages of the file: what waits for the collector is read once, and need not stay.
const CACHE_BYTES: usize = 16 << 20;

/// Boots of which nothing came for so long are not searched by what stands for them in clear, in seconds: 45 days. Their hello is still no new one.
const SEARCHED_SECONDS: u64 = 45 * 86_400;

/// The store.
pub struct Kept {
    database: Database,
    waiting: AtomicU64,
    /// The number of the next entry. It does not follow from the queue, which may be empty: whoever waits for an entry must not be told of one before it
    /// that had its number.
    next: AtomicU64,
}

/// Why the store failed.
pub type Error = redb::Error;

impl Kept {
    /// Opens the store in `folder`, or makes one.
    ///
    /// # Errors
    ///
    /// Where the folder can't be written, another gateway has it open, or the file is damaged.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("gateway.redb");
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(&path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        }
        let write = database.begin_write()?;
        let (waiting, next) = {
            write.open_table(BOOTS)?;
            write.open_table(HOLES)?;
            write.open_table(MANIFESTS)?;
            let queue = write.open_table(QUEUE)?;
            let mut waiting = 0;
            for entry in queue.iter()? {
                waiting += entry?.1.value().len() as u64;
            }
            (waiting, queue.last()?.map_or(0, |(number, _)| number.value() + 1))
        };
        write.commit()?;
        Ok(Self { database, waiting: AtomicU64::new(waiting), next: AtomicU64::new(next) })
    }

    /// How many bytes of frames wait for the collector.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Writes `batch`: afterwards it survives a power cut. Returns the number of the last entry.
    ///
    /// # Errors
    ///
    /// Where the disk fails. Then nothing of it was taken.
    pub fn commit(&self, batch: &Batch) -> Result<Option<u64>, Error> {
        let write = self.database.begin_write()?;
        let mut last = None;
        {
            let mut queue = write.open_table(QUEUE)?;
            let mut rest = batch.held.as_slice();
            while !rest.is_empty() {
                let entry = entry(rest);
                let number = self.next.fetch_add(1, Ordering::SeqCst);
                queue.insert(number, entry)?;
                rest = &rest[entry.len()..];
                last = Some(number);
            }
            let mut boots = write.open_table(BOOTS)?;
            let mut holes = write.open_table(HOLES)?;
            for (boot, session) in &batch.sessions {
                let bytes = postcard::to_stdvec(session).map_err(std::io::Error::other)?;
                boots.insert(boot, bytes.as_slice())?;
                if session.received.has_holes() {
                    holes.insert(boot, ())?;
                } else {
                    holes.remove(boot)?;
                }
            }
        }
        write.commit()?;
        self.waiting.fetch_add(batch.held.len() as u64, Ordering::SeqCst);
        Ok(last)
    }

    /// Entries behind `after`, the oldest first, until they have `bytes`.
    ///
    /// # Errors
    ///
    /// Where the disk fails.
    pub fn entries(&self, after: Option<u64>, bytes: usize) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let queue = self.database.begin_read()?.open_table(QUEUE)?;
        let (mut entries, mut len) = (Vec::new(), 0);
        let first = after.map_or(0, |after| after + 1);
        for entry in queue.range(first..)? {
            let (number, held) = entry?;
            if len > 0 && len + held.value().len() > bytes {
                break;
            }
            len += held.value().len();
            entries.push((number.value(), held.value().to_vec()));
        }
        Ok(entries)
    }

    /// Removes entries that the collector has, and adds `told` behind all: losses that were found on the way.
    ///
    /// # Errors
    ///
    /// Where the disk fails. Then they are delivered again.
    pub fn remove(&self, entries: &[(u64, Vec<u8>)], told: &[u8]) -> Result<(), Error> {
        let write = self.database.begin_write()?;
        let mut removed = 0;
        {
            let mut queue = write.open_table(QUEUE)?;
            for (number, _) in entries {
                removed += queue.remove(number)?.map_or(0, |held| held.value().len() as u64);
            }
            if !told.is_empty() {
                queue.insert(self.next.fetch_add(1, Ordering::SeqCst), told)?;
            }
        }
        write.commit()?;
        self.waiting.fetch_add(told.len() as u64, Ordering::SeqCst);
        self.waiting.fetch_sub(removed, Ordering::SeqCst);
        Ok(())
    }

    /// Boots of which records are missing.
    ///
    /// # Errors
    ///
    /// Where the disk fails.
    pub fn with_holes(&self) -> Result<Vec<(u64, Session)>, Error> {
        let read = self.database.begin_read()?;
        let (holes, boots) = (read.open_table(HOLES)?, read.open_table(BOOTS)?);
        let mut found = Vec::new();
        for hole in holes.iter()? {
            let boot = hole?.0.value();
            if let Some(session) = boots.get(boot)?.and_then(|bytes| postcard::from_bytes(bytes.value()).ok())
            {
                found.push((boot, session));
            }
        }
        Ok(found)
    }

    /// `manifests`, and all that were ever known.
    ///
    /// # Errors
    ///
    /// Where the disk fails.
    pub fn remember_manifests(&self, mut manifests: Manifests) -> Result<Manifests, Error> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(MANIFESTS)?;
            for vocabulary in manifests.all() {
                table.insert(vocabulary.manifest.as_slice(), ())?;
            }
            for entry in table.iter()? {
                if let Ok(vocabulary) = Vocabulary::read(entry?.0.value()) {
                    // One of the folder comes first, should two look alike.
                    let _ = manifests.add(vocabulary);
                }
            }
        }
        write.commit()?;
        Ok(manifests)
    }

    /// How many boots are known.
    ///
    /// # Errors
    ///
    /// Where the disk fails.
    pub fn boots(&self) -> Result<u64, Error> {
        Ok(self.database.begin_read()?.open_table(BOOTS)?.len()?)
    }
}

impl Boots for Kept {
    fn of_session(&self, session: u16) -> Vec<(u64, Session)> {
        let read = || -> Result<Vec<(u64, Session)>, Error> {
            let boots = self.database.begin_read()?.open_table(BOOTS)?;
            let first = u64::from(session.swap_bytes()) << 48;
            let mut found = Vec::new();
            for boot in boots.range(first..=first | ((1 << 48) - 1))? {
                let (number, bytes) = boot?;
                if let Ok(session) = postcard::from_bytes(bytes.value()) {
                    found.push((number.value(), session));
                }
            }
            Ok(found)
        };
        let mut found = read().unwrap_or_default();
        let latest = found.iter().map(|(_, session)| session.seen).max().unwrap_or(0);
        found.retain(|(_, session)| session.seen + SEARCHED_SECONDS >= latest);
        found
    }

    fn of_number(&self, number: u64) -> Option<Session> {
        let boots = self.database.begin_read().ok()?.open_table(BOOTS).ok()?;
        let bytes = boots.get(number).ok()??;
        postcard::from_bytes(bytes.value()).ok()
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

/// As many whole frames from the start of `held` as one entry has.
fn entry(held: &[u8]) -> &[u8] {
    let mut rest = held;
    let mut len = 0;
    while crate::intake::held::Held::take(&mut rest).is_some() {
        let end = held.len() - rest.len();
        if end > ENTRY_BYTES_MAX && len > 0 {
            break;
        }
        len = end;
    }
    if len == 0 { held } else { &held[..len] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::held::Held;

    #[test]
    fn the_number_of_an_entry_is_not_given_again_when_the_queue_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(folder.path()).unwrap();
        let mut held = Vec::new();
        Held::default().write(&mut held);
        let numbers: Vec<u64> = (0..3)
            .map(|_| {
                let number =
                    kept.commit(&Batch { held: held.clone(), sessions: Vec::new() }).unwrap().unwrap();
                kept.remove(&kept.entries(None, usize::MAX).unwrap(), &[]).unwrap();
                number
            })
            .collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!(kept.waiting(), 0);
    }
}
