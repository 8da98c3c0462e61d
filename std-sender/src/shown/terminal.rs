//! Asks at a terminal: both ends must be one. The question goes to standard error, so that output stays output.

use crate::shown::ask::{Ask, Question, Reply};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1024;

/// What Ctrl-C puts into a line.
const INTERRUPT: u8 = 0x03;

/// Asks `[y/N]` at the terminal, if standard input, output and error are all terminals.
///
/// Enter means no, the default. The end of input, and text that is neither yes nor no, are no answer: telemetry is off for this run, and for
/// the session if the system can remember that. Ctrl-C is no answer either; the program then receives SIGINT as usual.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    wording: Wording,
    interrupted: bool,
    /// What no answer means.
    without_answer: &'static str,
}

automagik_telemetry_core::interface! {
    /// What [`Terminal`] says and understands, in the application's language. The default is [`Wording::ENGLISH`].
    ///
    /// ```
    /// use automagik_telemetry_std::{Question, Terminal, Wording};
    ///
    /// fn em_portugues(question: &Question) -> String {
    ///     format!(
    ///         "{} pode enviar: {}.\nPara: {}. Vale para todos os programas de {}.\n",
    ///         question.project(),
    ///         question.collected().join("; "),
    ///         question.destination(),
    ///         question.organization(),
    ///     )
    /// }
    /// const PORTUGUESE: Wording = Wording {
    ///     text: em_portugues,
    ///     question: |question| format!("Ajude a melhorar {}! Ativar telemetria?", question.organization()),
    ///     choices: "[s/N]",
    ///     yes: &["s", "sim"],
    ///     no: &["n", "nao"],
    ///     ..Wording::ENGLISH
    /// };
    /// let terminal = Terminal::in_words(PORTUGUESE);
    /// ```
    wording
}

impl Wording {
    /// The policy's words.
    pub const ENGLISH: Self = Self {
        text: ToString::to_string,
        question: Question::question,
        choices: "[y/N]",
        yes: &["y", "yes"],
        no: &["n", "no"],
        kept_in: "Your answer is kept in",
        not_kept: "Your answer can't be kept: it counts for this run.",
        unclear: "That is neither yes nor no:",
        unclear_means: None,
    };
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Terminal {
    /// One that has not asked yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::in_words(Wording::ENGLISH)
    }

    /// The same in another language.
    #[must_use]
    pub const fn in_words(wording: Wording) -> Self {
        Self { wording, interrupted: false, without_answer: "" }
    }
}

impl Ask for Terminal {
    fn is_anybody_there(&self) -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
    }

    fn ask(&mut self, question: &Question) -> Reply {
        let (bold, plain) =
            if question.wants_colour() && understands_colour() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let Wording { text, question: asked, choices, .. } = self.wording;
        let shown = format!("{}{bold}{}{plain} {choices}: ", text(question), asked(question));
        let mut output = io::stderr();
        // Before the question is shown: whoever sees it may answer at once.
        let quiet = quiet_interrupt::QuietInterrupt::new();
        // Who can't be shown the question is not asked.
        if output.write_all(shown.as_bytes()).and_then(|()| output.flush()).is_err() {
            return Reply::NotNow;
        }
        self.without_answer = self.wording.unclear_means.unwrap_or(question.without_answer());
        let line = read_line(&mut io::stdin().lock()).unwrap_or_default();
        drop(quiet);
        self.interrupted = line.ends_with(&[INTERRUPT]);
        let reply = reply(&line, &self.wording);
        if !line.ends_with(b"\n") {
            say("");
        }
        reply
    }

    fn kept(&mut self, kept: Result<Option<&Path>, &io::Error>) {
        match kept {
            Ok(Some(path)) => say(&format!("{} {}.", self.wording.kept_in, path.display())),
            Ok(None) if self.interrupted => quiet_interrupt::interrupt(),
            Ok(None) => say(&format!("{} {}.", self.wording.unclear, self.without_answer)),
            Err(error) => say(&format!("{} ({error})", self.wording.not_kept)),
        }
    }
}

/// Whether the terminal takes escape sequences. A console of Windows has to be asked to, and an old one can't.
#[cfg(windows)]
fn understands_colour() -> bool {
    use winapi_util::{HandleRef, console};
    const ENABLE_VIRTUAL_TERMINAL_PROCESSING: u32 = 0x0004;
    let output = HandleRef::stderr();
    // A terminal that is no console, such as that of MSYS2, has no mode.
    console::mode(&output)
        .map_or(true, |mode| console::set_mode(&output, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING).is_ok())
}

#[cfg(not(windows))]
fn understands_colour() -> bool {
    true
}

/// A line on standard error; a closed one is no reason to fail.
fn say(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// A line with its end, or what there was of it before Ctrl-C or the end of input. What follows is left to the program.
fn read_line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.len() < ANSWER_BYTES_MAX {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        let end = buffer.iter().position(|byte| matches!(*byte, b'\n' | INTERRUPT));
        let len = end.map_or(buffer.len(), |end| end + 1);
        line.extend_from_slice(&buffer[..len]);
        input.consume(len);
        if end.is_some() || len == 0 {
            break;
        }
    }
    Ok(line)
}

/// What a line says. Without an end it is the end of input, or Ctrl-C.
fn reply(line: &[u8], wording: &Wording) -> Reply {
    let Some(answer) = line.strip_suffix(b"\n") else { return Reply::NotNow };
    let answer = answer.trim_ascii();
    let is_one_of = |words: &[&str]| words.iter().any(|word| answer.eq_ignore_ascii_case(word.as_bytes()));
    if is_one_of(wording.yes) {
        Reply::Yes
    } else if answer.is_empty() || is_one_of(wording.no) {
        Reply::No
    } else {
        Reply::NotNow
    }
}

/// Ctrl-C as a character that ends a line, as long as this lives: a program that is ended in the middle of a question
/// could not remember that it was asked.
#[cfg(unix)]
mod quiet_interrupt {
    use super::INTERRUPT;
    use rustix::stdio::stdin;
    use rustix::termios::{OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    pub(super) struct QuietInterrupt(Option<Termios>);

    impl QuietInterrupt {
        pub(super) fn new() -> Self {
            let Ok(before) = tcgetattr(stdin()) else { return Self(None) };
            let mut quiet = before.clone();
            quiet.special_codes[SpecialCodeIndex::VINTR] = 0;
            quiet.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
            let set = tcsetattr(stdin(), OptionalActions::Now, &quiet);
            Self(set.is_ok().then_some(before))
        }
    }

    impl Drop for QuietInterrupt {
        fn drop(&mut self) {
            if let Some(before) = &self.0 {
                let _ = tcsetattr(stdin(), OptionalActions::Now, before);
            }
        }
    }

    /// Interrupts this process, as Ctrl-C would have.
    pub(super) fn interrupt() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT);
    }
}

/// On Windows Ctrl-C ends the program, or does what the program made of it: the session can't be remembered there anyway.
#[cfg(not(unix))]
mod quiet_interrupt {
    pub(super) struct QuietInterrupt;

    impl QuietInterrupt {
        pub(super) fn new() -> Self {
            Self
        }
    }

    impl Drop for QuietInterrupt {
        fn drop(&mut self) {}
    }

    pub(super) fn interrupt() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_enter_or_ctrl_c_and_the_rest_is_the_programs() {
        for (input, line, rest) in [
            (&b"y\nnext"[..], &b"y\n"[..], &b"next"[..]),
            (b"y\x03next", b"y\x03", b"next"),
            (b"y", b"y", b""),
            (b"", b"", b""),
        ] {
            let mut left = input;
            assert_eq!(read_line(&mut left).unwrap(), line);
            assert_eq!(left, rest);
        }
    }

    #[test]
    fn yes_must_be_said_and_anything_unclear_is_no_answer() {
        for (line, expected) in [
            (&b"y\n"[..], Reply::Yes),
            (b" YES \r\n", Reply::Yes),
            (b"\n", Reply::No),
            (b"n\n", Reply::No),
            (b"No\n", Reply::No),
            (b"maybe\n", Reply::NotNow),
            (b"yn\n", Reply::NotNow),
            (b"y\xFF\n", Reply::NotNow),
            (b"", Reply::NotNow),
            (b"y", Reply::NotNow),
            (b"\x03", Reply::NotNow),
            (b"y\x03", Reply::NotNow),
        ] {
            assert_eq!(reply(line, &Wording::ENGLISH), expected, "{}", line.escape_ascii());
        }
    }
}
