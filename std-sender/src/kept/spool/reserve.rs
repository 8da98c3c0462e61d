//! Room for what is lost where the disk is full: a file whose few bytes were set aside while there was room, and are
//! written over.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 4 each | losses for each reason, in the order of [`Reason::ALL`], little-endian |
//! | 28 | 4 | CRC-32 of the bytes before |

use crate::files::checksum::checksum;
use crate::files::disk;
use crate::files::exclusive::Exclusive;
use automagik_telemetry_core::loss::{Losses, Reason};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Its name in the folder.
pub(super) const FILE: &str = "reserve";

/// Held while it is changed.
pub(super) const LOCK: &str = "reserve.lock";

const LEN: usize = 4 * Reason::ALL.len() + 4;

/// How often a process that ends looks whether others are done with it.
const ATTEMPTS: usize = 20;

/// Sets the room aside, where that was not done.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    if folder.join(FILE).exists() {
        return Ok(());
    }
    disk::append(&folder.join(LOCK), &[])?;
    disk::publish(folder, FILE, &encode(&mut Losses::new()))
}

/// Adds `losses` to it.
pub(super) fn add(folder: &Path, losses: &Losses) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        if let Some(_right) = Exclusive::take(&folder.join(LOCK))? {
            let mut sum = read(folder)?.ok_or(ErrorKind::NotFound)?;
            sum.add_all(losses);
            return write(folder, &mut sum);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Err(ErrorKind::WouldBlock.into())
}

/// What it holds, handed to `keep` and then taken out of it: a process that is killed in between tells it twice.
pub(super) fn take(folder: &Path, keep: impl FnOnce(Losses) -> io::Result<()>) -> io::Result<()> {
    let Some(losses) = read(folder)?.filter(|losses| !losses.is_empty()) else { return Ok(()) };
    let Some(_right) = Exclusive::take(&folder.join(LOCK))? else { return Ok(()) };
    // As it is now that nobody else changes it.
    let Some(losses) = read(folder)?.or(Some(losses)) else { return Ok(()) };
    keep(losses)?;
    write(folder, &mut Losses::new())
}

pub(super) fn read(folder: &Path) -> io::Result<Option<Losses>> {
    let Some(bytes) = disk::read(&folder.join(FILE), LEN as u64)? else { return Ok(None) };
    let mut losses = Losses::new();
    let whole = bytes.split_last_chunk::<4>();
    let whole = whole.filter(|(counts, sum)| checksum(counts, &[]) == u32::from_le_bytes(**sum));
    let counts = whole.map_or(&[][..], |(counts, _)| counts).chunks_exact(4);
    for (reason, count) in Reason::ALL.into_iter().zip(counts.filter_map(|count| count.try_into().ok())) {
        losses.add(reason, u32::from_le_bytes(count));
    }
    Ok(Some(losses))
}

fn write(folder: &Path, losses: &mut Losses) -> io::Result<()> {
    disk::overwrite(&folder.join(FILE), 0, &encode(losses))
}

fn encode(losses: &mut Losses) -> Vec<u8> {
    let mut counts = [0_u32; Reason::ALL.len()];
    for (reason, count) in losses.take() {
        for (known, slot) in Reason::ALL.iter().zip(&mut counts) {
            if *known == reason {
                *slot = count;
            }
        }
    }
    let mut bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    bytes.extend(checksum(&bytes, &[]).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        let mut losses = Losses::new();
        losses.add(Reason::StoreFull, 50);
        add(folder.path(), &losses).unwrap();
        add(folder.path(), &losses).unwrap();
        let mut taken = Losses::new();
        for _ in 0..2 {
            take(folder.path(), |losses| {
                taken.add_all(&losses);
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(taken.total(), 100);
    }
}
