//! Chained fix-ups of Mach-O: a pointer in the file is a link of a chain, and says in some of its bits where it points to.
//!
//! Source: `mach-o/fixup-chains.h` of Apple's dyld. Read are the two forms of 64-bit programs; those with signed pointers (arm64e) are the system's own.

use object::File;
use object::macho::LC_DYLD_CHAINED_FIXUPS;
use object::read::macho::LoadCommandVariant;
use std::ops::Range;

/// `DYLD_CHAINED_PTR_64`: the target is an address.
const OF_ADDRESSES: u16 = 2;

/// `DYLD_CHAINED_PTR_64_OFFSET`: the target is a distance from the start of the file as it is loaded.
const OF_OFFSETS: u16 = 6;

/// The bit of a pointer into another file.
const BIND: u64 = 1 << 63;

/// The bits of the target, and those that are its highest.
const TARGET: u64 = (1 << 36) - 1;
const HIGH: Range<u32> = 36..44;

/// Which segments have chains, and of which form.
#[derive(Debug, Default)]
pub(crate) struct Fixups {
    segments: Vec<(Range<u64>, u16)>,
    /// The address of the file's start.
    start: u64,
}

impl Fixups {
    /// Those of `file`; none where it is no Mach-O file, or an older one, whose pointers stand in it as they are.
    pub(crate) fn read(file: &File<'_>) -> Self {
        Self::find(file).unwrap_or_default()
    }

    fn find(file: &File<'_>) -> Option<Self> {
        let File::MachO64(file) = file else { return None };
        let (mut segments, mut chains, mut start) = (Vec::new(), None, None);
        let (endian, data) = (file.endian(), file.data());
        let mut commands = file.macho_load_commands().ok()?;
        while let Ok(Some(command)) = commands.next() {
            match command.variant().ok()? {
                LoadCommandVariant::Segment64(segment, _) => {
                    let at = segment.vmaddr.get(endian);
                    segments.push(at..at.saturating_add(segment.vmsize.get(endian)));
                    if segment.fileoff.get(endian) == 0 && segment.filesize.get(endian) > 0 {
                        start = Some(at);
                    }
                }
                LoadCommandVariant::LinkeditData(command)
                    if command.cmd.get(endian) == LC_DYLD_CHAINED_FIXUPS =>
                {
                    let at = usize::try_from(command.dataoff.get(endian)).ok()?;
                    let len = usize::try_from(command.datasize.get(endian)).ok()?;
                    chains = data.get(at..at.checked_add(len)?);
                }
                _ => {}
            }
        }
        let chains = chains?;
        // `dyld_chained_fixups_header.starts_offset`, `dyld_chained_starts_in_image`.
        let image = chains.get(number(chains, 4)?..)?;
        let of_segments = segments.into_iter().take(number(image, 0)?).enumerate();
        let formats = of_segments.filter_map(|(nth, addresses)| {
            let segment = image.get(number(image, 4 + 4 * nth).filter(|at| *at > 0)?..)?;
            // `dyld_chained_starts_in_segment.pointer_format`.
            let format = segment.get(6..8)?;
            Some((addresses, u16::from_le_bytes(format.try_into().ok()?)))
        });
        Some(Self { segments: formats.collect(), start: start? })
    }

    /// Where the pointer at the address `at` leads, which stands in the file as `raw`; `None` into another file.
    pub(crate) fn target(&self, at: u64, raw: u64) -> Option<u64> {
        let format = self.segments.iter().find(|(addresses, _)| addresses.contains(&at));
        let format =
            format.map(|(_, format)| *format).filter(|format| [OF_ADDRESSES, OF_OFFSETS].contains(format));
        let Some(format) = format else { return Some(raw) };
        let start = if format == OF_OFFSETS { self.start } else { 0 };
        let high = (raw >> HIGH.start) & ((1 << HIGH.len()) - 1);
        (raw & BIND == 0).then(|| start.wrapping_add(raw & TARGET) | high << 56)
    }
}

/// A number of four bytes, little-endian as all machines of 64 bits that this form is for.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}
