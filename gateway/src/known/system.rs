//! What a program runs on, as OpenTelemetry names it: closed lists, so that a request has no place to put a string here either.

/// Values of `os.type` (semantic conventions 1.44), and none.
pub(crate) const OS_TYPES: [&str; 12] = [
    "",
    "aix",
    "darwin",
    "dragonflybsd",
    "freebsd",
    "hpux",
    "linux",
    "netbsd",
    "openbsd",
    "solaris",
    "windows",
    "zos",
];

/// Values of `host.arch`, those that this library has beside them, and none.
pub(crate) const ARCHITECTURES: [&str; 11] =
    ["", "amd64", "arm32", "arm64", "ia64", "ppc32", "ppc64", "riscv32", "riscv64", "s390x", "x86"];

/// The attribute of the operating system.
pub const OS_TYPE: &str = "os.type";

/// The attribute of the processor.
pub const HOST_ARCH: &str = "host.arch";

/// An operating system and a processor, or neither: a device has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct System {
    os: u8,
    architecture: u8,
}

impl System {
    /// That of two bytes in the store, if they are of one.
    #[must_use]
    pub fn from_bytes([os, architecture]: [u8; 2]) -> Option<Self> {
        let are_known = usize::from(os) < OS_TYPES.len() && usize::from(architecture) < ARCHITECTURES.len();
        are_known.then_some(Self { os, architecture })
    }

    /// Two bytes for the store.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        [self.os, self.architecture]
    }

    /// Takes an attribute's value, if `key` is one of this and `word` is in its list.
    pub fn set(&mut self, key: &str, word: &str) -> Option<()> {
        let place = |list: &[&str]| list.iter().position(|known| *known == word && !word.is_empty());
        let (slot, place) = match key {
            OS_TYPE => (&mut self.os, place(&OS_TYPES)?),
            HOST_ARCH => (&mut self.architecture, place(&ARCHITECTURES)?),
            _ => return None,
        };
        *slot = u8::try_from(place).ok()?;
        Some(())
    }

    /// The attributes that it has.
    pub fn attributes(self) -> impl DoubleEndedIterator<Item = (&'static str, &'static str)> {
        let word = |list: &[&'static str], at: u8| list.get(usize::from(at)).copied().unwrap_or_default();
        [(OS_TYPE, word(&OS_TYPES, self.os)), (HOST_ARCH, word(&ARCHITECTURES, self.architecture))]
            .into_iter()
            .filter(|(_, word)| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::resource;

    #[test]
    fn what_this_machine_is_called_is_in_the_lists_and_comes_back() {
        let mut system = System::default();
        for (key, word) in [(OS_TYPE, resource::OS_TYPE.unwrap()), (HOST_ARCH, resource::HOST_ARCH.unwrap())]
        {
            assert_eq!(system.set(key, word), Some(()), "{word}");
            assert_eq!(system.set(key, "the machine of Ada"), None);
            assert_eq!(system.set(key, ""), None);
            assert!(system.attributes().any(|attribute| attribute == (key, word)));
        }
        assert_eq!(System::from_bytes(system.to_bytes()), Some(system));
        assert_eq!(System::from_bytes([200, 0]), None);
        assert_eq!(System::default().attributes().count(), 0);
    }
}
