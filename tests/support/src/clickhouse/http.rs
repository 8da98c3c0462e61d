//! ClickHouse over HTTP, for collectors that write to it.

use super::python;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Child;

/// The engine with the HTTP interface in front of it. It ends when it is dropped.
pub struct ClickHouse {
    process: Child,
    port: u16,
}

impl Drop for ClickHouse {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl ClickHouse {
    /// One that has run `statements`; `None` where there is none, which is said.
    ///
    /// # Panics
    ///
    /// Where a statement is wrong.
    #[must_use]
    pub fn start(statements: &[String]) -> Option<Self> {
        let mut process = python(include_str!("http.py"))?;
        // The end of standard input ends the statements.
        process.stdin.take()?.write_all(statements.join("\n;\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut line).unwrap();
        let Ok(port) = line.trim().parse() else {
            let mut why = String::new();
            process.stderr.take()?.read_to_string(&mut why).unwrap();
            panic!("{why}");
        };
        Some(Self { process, port })
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it answers to `question`, in columns parted by tabs.
    ///
    /// # Panics
    ///
    /// Where the question is wrong.
    #[must_use]
    pub fn ask(&self, question: &str) -> String {
        let query: String = question.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        write!(connection, "GET /?query={query} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{question}: {body}");
        body.to_owned()
    }
}
