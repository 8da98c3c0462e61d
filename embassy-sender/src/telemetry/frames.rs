//! The task that speaks frames: one under way, kept as the bytes that it is until the gateway has it.

use super::upload::{Upload, Withdrawn};
use super::{BATCH_RECORDS_MAX, Settings, Telemetry};
use crate::backlog::Nowhere;
use crate::clock;
use crate::link::Link;
use automagik_telemetry_core::delivery::{Delivery, Next};
use automagik_telemetry_core::frames::{
    ACK_LEN, Boot, Error, HELLO_LEN_MAX, Hello, Key, MTU_MAX, MTU_MIN, Sealed, Session,
};
use automagik_telemetry_core::record::Records;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Outcome, Pseudonym, Schema, Secret};
use embassy_futures::select::select;
use embassy_time::{Duration, Instant, Timer, with_timeout};
use portable_atomic::Ordering;

/// How long a device is the same to an observer: then its session is another one.
const SESSION: Duration = Duration::from_secs(24 * 3_600);

/// How seldom it is said who a session is, if somebody asks: anybody can ask.
const ANSWER_EVERY: Duration = Duration::from_secs(600);

/// How a device speaks to its gateway.
///
/// ```
/// use automagik_telemetry_core::frames::{Boot, Key};
/// use automagik_telemetry_embassy::{Frames, Link};
/// use embassy_time::Duration;
///
/// fn frames<L: Link>(link: L, key: [u8; 16], mut random: impl FnMut(&mut [u8])) -> Frames<L, impl FnMut() -> Boot> {
///     let boots = move || {
///         let mut bytes = [0; 8];
///         random(&mut bytes);
///         Boot::random(bytes)
///     };
///     // A radio that may send one frame in six seconds.
///     Frames::new(link, Key::new(key), boots).pause(Duration::from_secs(6))
/// }
/// ```
pub struct Frames<L, B> {
    link: L,
    key: Key,
    boots: B,
    hello_every: Option<u32>,
    pause: Duration,
    patience: Duration,
    has_own_key: bool,
}

impl<L: Link, B: FnMut() -> Boot> Frames<L, B> {
    /// Over `link`, sealed with `key`. `boots` gives a number that no session had before, at the start and each day: see [`Boot`].
    ///
    /// A frame is sent until it is acknowledged, and its records are kept until then.
    pub const fn new(link: L, key: Key, boots: B) -> Self {
        let (pause, patience) = (Duration::from_ticks(0), Duration::from_secs(5));
        Self { link, key, boots, hello_every: None, pause, patience, has_own_key: false }
    }

    /// Over a link without answers: each frame is sent once, and who speaks is said again every `hello_every` frames. What is lost the gateway counts and
    /// tells.
    #[must_use]
    pub const fn one_way(mut self, hello_every: u32) -> Self {
        self.hello_every = Some(hello_every);
        self
    }

    /// Waits so long between two frames, as a radio's duty cycle asks.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Waits so long for an acknowledgement before a frame is sent again: five seconds unless you say otherwise.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The key is this device's alone: a hint tells the gateway which it is.
    #[must_use]
    pub const fn own_key(mut self) -> Self {
        self.has_own_key = true;
        self
    }
}

impl<L, B> core::fmt::Debug for Frames<L, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Frames")
    }
}

impl<S: Schema, const N: usize> Telemetry<S, N> {
    /// Runs the task that speaks frames of `MTU` bytes at most (48 to 1,200): sends what is recorded and counted, and never returns. While it is off it waits,
    /// and uses no link.
    ///
    /// It takes `MTU` bytes of memory, and 13 for answers.
    pub async fn run_frames<const MTU: usize>(
        &self,
        secret: &Secret,
        frames: Frames<impl Link, impl FnMut() -> Boot>,
        settings: Settings,
    ) -> ! {
        const { assert!(MTU >= MTU_MIN && MTU <= MTU_MAX, "a frame has 48 to 1,200 bytes") };
        let schema = Checked::<S>::DESCRIPTOR;
        let pseudonym = Pseudonym::new(secret, schema.project(), 0);
        let mut upload = Upload {
            telemetry: self,
            resource: Resource::new(schema, pseudonym),
            delivery: Delivery::new(settings.seed),
            interval: settings.interval,
            counted: Coarse::from_steps(self.now().steps().saturating_add(1)),
            kept: Nowhere::default(),
            taken: true,
        };
        let mut speaker = Speaker::<_, _, MTU>::new(frames, Hello::new(schema, pseudonym, None));
        loop {
            select(Timer::after(settings.interval), self.wake.wait()).await;
            if self.is_on() {
                upload.collect();
                // Ends early where consent does.
                let _ = speaker.all(self, &mut upload.delivery).await;
            }
        }
    }
}

/// What speaks.
pub(super) struct Speaker<L, B, const MTU: usize> {
    frames: Frames<L, B>,
    hello: Hello,
    session: Option<Session>,
    began: Instant,
    /// What was said of who it is, and whether the gateway has it.
    said: [u8; HELLO_LEN_MAX],
    said_len: usize,
    said_sequence: u32,
    is_said: bool,
    /// Frames since it was said, over a link without answers.
    since: u32,
    answered: Option<Instant>,
    /// How often consent had been withdrawn when the session began: a later yes has a session of its own.
    withdrawn: u32,
    /// When the next frame may leave.
    free: Instant,
    frame: [u8; MTU],
}

/// What was heard.
enum Heard {
    Acknowledgement,
    Question,
}

impl<L: Link, B: FnMut() -> Boot, const MTU: usize> Speaker<L, B, MTU> {
    pub(super) fn new(frames: Frames<L, B>, hello: Hello) -> Self {
        Self {
            frames,
            hello,
            session: None,
            began: Instant::MIN,
            said: [0; HELLO_LEN_MAX],
            said_len: 0,
            said_sequence: 0,
            is_said: false,
            since: 0,
            answered: None,
            withdrawn: 0,
            free: Instant::MIN,
            frame: [0; MTU],
        }
    }

    /// Sends what waits, until nothing does.
    pub(super) async fn all<S: Schema, const N: usize>(
        &mut self,
        telemetry: &Telemetry<S, N>,
        delivery: &mut Delivery,
    ) -> Result<(), Withdrawn> {
        while let Some(batch) = telemetry.queue.batch(BATCH_RECORDS_MAX) {
            let withdrawn = telemetry.withdrawn.load(Ordering::Relaxed);
            if withdrawn != self.withdrawn {
                (self.session, self.withdrawn) = (None, withdrawn);
            }
            self.introduce::<S>();
            self.say(telemetry, delivery).await?;
            let Some(session) = &mut self.session else { return Ok(()) };
            let mut at = batch.first();
            let records = match session.data(&self.hello, &batch, &mut at, &mut self.frame) {
                Ok(Some(sealed)) => {
                    self.exchange(telemetry, delivery, sealed, false).await?;
                    self.since = self.since.saturating_add(1);
                    sealed.records
                }
                Ok(None) => return Ok(()),
                // Only a hand-written event does this.
                Err(Error::OutOfDomain) => {
                    telemetry.out_of_domain.fetch_add(1, Ordering::Relaxed);
                    1
                }
                Err(_) => {
                    self.session = None;
                    continue;
                }
            };
            // The same records, as many as stood in the frame.
            if let Some(sent) = telemetry.queue.batch(records) {
                sent.commit();
            }
        }
        Ok(())
    }

    /// Begins a session, or says anew when this one began, where that is due.
    fn introduce<S: Schema>(&mut self) {
        let is_old = Instant::now().saturating_duration_since(self.began) >= SESSION;
        let start = clock::started().map(|seconds| Coarse::from_unix_seconds(seconds, S::RESOLUTION));
        let is_corrected = start.is_some_and(|start| {
            self.hello.start().is_none_or(|said| said.steps().abs_diff(start.steps()) > 1)
        });
        if let (Some(start), true) = (start, is_corrected) {
            self.hello.set_start(start);
        }
        if self.session.is_some() && !is_old && !is_corrected {
            return;
        }
        if self.session.is_none() || is_old {
            let boot = (self.frames.boots)();
            let hint = self.frames.has_own_key.then(|| self.frames.key.hint(boot));
            self.session = Some(Session::new(self.frames.key.clone(), boot, hint));
            (self.began, self.answered) = (Instant::now(), None);
        }
        let sealed = self.session.as_mut().map(|session| session.hello(&self.hello, &mut self.said));
        match sealed {
            Some(Ok(sealed)) => (self.said_len, self.said_sequence) = (sealed.len, sealed.sequence),
            _ => self.session = None,
        }
        (self.is_said, self.since) = (false, 0);
    }

    /// Says who speaks, where the gateway may not know it.
    async fn say<S: Schema, const N: usize>(
        &mut self,
        telemetry: &Telemetry<S, N>,
        delivery: &mut Delivery,
    ) -> Result<(), Withdrawn> {
        let is_due = self.frames.hello_every.is_some_and(|every| self.since >= every);
        if self.is_said && !is_due {
            return Ok(());
        }
        let sealed = Sealed { len: self.said_len, sequence: self.said_sequence, records: 0 };
        self.exchange(telemetry, delivery, sealed, true).await?;
        (self.is_said, self.since) = (true, 0);
        Ok(())
    }

    /// Sends a frame until it is acknowledged; once, over a link without answers.
    async fn exchange<S: Schema, const N: usize>(
        &mut self,
        telemetry: &Telemetry<S, N>,
        delivery: &mut Delivery,
        sealed: Sealed,
        is_hello: bool,
    ) -> Result<(), Withdrawn> {
        loop {
            if let Next::Wait(milliseconds) = delivery.next(Instant::now().as_millis()) {
                Timer::after_millis(milliseconds).await;
            }
            let frame = if is_hello { &self.said[..] } else { &self.frame[..] };
            let frame = frame.get(..sealed.len).unwrap_or(&[]);
            Timer::at(self.free).await;
            if !self.may_leave(telemetry) {
                return Err(Withdrawn);
            }
            let is_sent = self.frames.link.send(frame).await.is_ok();
            self.free = Instant::now().saturating_add(self.frames.pause);
            if self.frames.hello_every.is_some() && is_sent {
                return Ok(());
            }
            let heard = if is_sent { self.listen(sealed.sequence).await } else { None };
            match heard {
                Some(Heard::Acknowledgement) => {
                    delivery.done(Outcome::Accepted, Instant::now().as_millis());
                    return Ok(());
                }
                Some(Heard::Question) => {
                    let now = Instant::now();
                    let is_free =
                        self.answered.is_none_or(|at| now.saturating_duration_since(at) >= ANSWER_EVERY);
                    if is_free && !is_hello {
                        self.answered = Some(now);
                        let said = self.said.get(..self.said_len).unwrap_or(&[]);
                        Timer::at(self.free).await;
                        let _ = self.frames.link.send(said).await;
                        self.free = Instant::now().saturating_add(self.frames.pause);
                        continue;
                    }
                }
                None => {}
            }
            delivery.done(Outcome::Retry { after_seconds: None }, Instant::now().as_millis());
        }
    }

    /// Whether what was sealed in this session may leave: nobody has said no since it began.
    fn may_leave<S: Schema, const N: usize>(&self, telemetry: &Telemetry<S, N>) -> bool {
        telemetry.is_on() && telemetry.withdrawn.load(Ordering::Relaxed) == self.withdrawn
    }

    /// Listens for an answer to the frame that has `sequence`.
    async fn listen(&mut self, sequence: u32) -> Option<Heard> {
        let Some(session) = &self.session else { return None };
        let link = &mut self.frames.link;
        let listening = async {
            let mut answer = [0; ACK_LEN];
            loop {
                match link.receive(&mut answer).await {
                    Ok(len) => {
                        let answer = answer.get(..len).unwrap_or(&[]);
                        if session.is_acknowledged(sequence, answer) {
                            return Heard::Acknowledgement;
                        }
                        if session.is_asked(answer) {
                            return Heard::Question;
                        }
                    }
                    Err(_) => Timer::after_secs(1).await,
                }
            }
        };
        with_timeout(self.frames.patience, listening).await.ok()
    }
}

#[cfg(test)]
mod tests;
