//! The words of the command line.

use cortex_m_semihosting::syscall1;

/// The command line, `name=value` by `name=value`, of 256 bytes at most.
pub struct Words {
    line: [u8; 256],
    len: usize,
}

impl Words {
    pub fn get() -> Self {
        let mut line = [0_u8; 256];
        let mut block = [line.as_mut_ptr() as usize, line.len()];
        // SAFETY: the block holds the address and the length of `line`, as SYS_GET_CMDLINE asks.
        unsafe { syscall1!(GET_CMDLINE, block.as_mut_ptr()) };
        Self { line, len: block[1].min(line.len()) }
    }

    pub fn number(&self, name: &str) -> u32 {
        self.word(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    pub fn word(&self, name: &str) -> Option<&str> {
        let line = core::str::from_utf8(&self.line[..self.len]).ok()?;
        line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}
