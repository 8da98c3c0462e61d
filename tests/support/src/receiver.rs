//! The receiver: keeps what was posted, answers what a test wants.

use crate::log::{Log, logs};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Path and query.
    pub path: String,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Length of the body as it came.
    pub body_len: usize,
    /// The status it was answered with.
    pub answered: u16,
}

impl Request {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside `content-type`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with this status, no header and no body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// This one, with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// This one, with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

type Answers = Box<dyn FnMut(usize, &[u8]) -> Answer + Send>;

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    connections: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A collector on loopback. It ends when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// One that accepts everything.
    #[must_use]
    pub fn start() -> Self {
        Self::answering(|_| Answer::status(200))
    }

    /// One that answers the n-th request, counted from 0, with `answer(n)`.
    ///
    /// # Panics
    ///
    /// Where there is no loopback.
    #[must_use]
    pub fn answering(answer: impl FnMut(usize) -> Answer + Send + 'static) -> Self {
        Self::on(0, answer)
    }

    /// Like [`answering`](Receiver::answering), on a port that was used before.
    ///
    /// # Panics
    ///
    /// Where the port can't be had.
    #[must_use]
    pub fn on(port: u16, mut answer: impl FnMut(usize) -> Answer + Send + 'static) -> Self {
        Self::with(port, Box::new(move |n, _| answer(n)))
    }

    /// One that answers what was posted, decompressed, with `answer(body)`.
    ///
    /// # Panics
    ///
    /// Where there is no loopback.
    #[must_use]
    pub fn deciding(mut answer: impl FnMut(&[u8]) -> Answer + Send + 'static) -> Self {
        Self::with(0, Box::new(move |_, body| answer(body)))
    }

    fn with(port: u16, answers: Answers) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port on loopback");
        listener.set_nonblocking(true).expect("a socket that doesn't block");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let for_thread = Arc::clone(&shared);
        let answers = Arc::new(Mutex::new(answers));
        // Here and not in the thread: a test that counts sockets must find these from the start.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = serve(listener, for_thread, answers) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The collector's base, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state(|state| state.requests.clone())
    }

    /// Number of connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state(|state| state.connections)
    }

    /// The log records of all requests that were answered with success.
    #[must_use]
    pub fn logs(&self) -> Vec<Log> {
        accepted(&self.requests())
    }

    /// Waits until `enough` of the requests, or `patience` is at its end; says whether it was enough.
    pub fn wait(&self, patience: Duration, enough: impl Fn(&[Request]) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if enough(&state.requests) {
                return true;
            }
            let Some(rest) = deadline.checked_duration_since(Instant::now()) else { return false };
            state = self.shared.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until `count` log records were accepted, or `patience` is at its end; says whether they were.
    pub fn wait_for_logs(&self, patience: Duration, count: usize) -> bool {
        self.wait(patience, |requests| accepted(requests).len() >= count)
    }

    fn state<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        f(&self.shared.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accepted(requests: &[Request]) -> Vec<Log> {
    requests
        .iter()
        .filter(|request| (200..300).contains(&request.answered) && request.path.ends_with("/v1/logs"))
        .flat_map(|request| logs(&request.body))
        .collect()
}

async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>, answers: Arc<Mutex<Answers>>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.state.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
        let (shared, answers) = (Arc::clone(&shared), Arc::clone(&answers));
        let service = service_fn(move |request| answer(request, Arc::clone(&shared), Arc::clone(&answers)));
        tokio::spawn(async move {
            // A client that goes away is a client's business.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
    answers: Arc<Mutex<Answers>>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    // A body that was cut is no request.
    let Ok(body) = body.collect().await else {
        return Ok(hyper::Response::new(Full::default()));
    };
    let body = body.to_bytes();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let gzip = headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip");
    let plain = if gzip {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.as_ref()).read_to_end(&mut plain).expect("a gzip body");
        plain
    } else {
        body.to_vec()
    };
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = answers.lock().unwrap_or_else(PoisonError::into_inner)(state.requests.len(), &plain);
    state.requests.push(Request {
        path: parts.uri.to_string(),
        headers,
        body: plain,
        body_len: body.len(),
        answered: answer.status,
    });
    shared.changed.notify_all();
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    Ok(response.body(Full::from(answer.body)).expect("a response"))
}
