//! What speaks: seals what waits, sends it once and again, and hears answers.

use super::super::upload::{Upload, Withdrawn};
use super::super::{BATCH_RECORDS_MAX, Telemetry};
use super::outgoing::{Outgoing, What};
use super::speech::Frames;
use crate::backlog::{Keep, Nowhere};
use crate::clock;
use crate::link::Link;
use crate::sealed::{Head, KeepSealed};
use automagik_telemetry_core::delivery::{Delivery, Next};
use automagik_telemetry_core::frames::{ACK_LEN, Boot, Error, HELLO_LEN_MAX, Hello, Sealed, Session, ask};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::record::Records;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Outcome, Schema};
use embassy_futures::select::select3;
use embassy_time::{Duration, Instant, Timer, with_timeout};
use portable_atomic::Ordering;

/// How long a device is the same to an observer: then its session is another one.
const SESSION: Duration = Duration::from_secs(24 * 3_600);

/// How seldom it is said who a session is, if somebody asks: anybody can ask.
const ANSWER_EVERY: Duration = Duration::from_secs(600);

/// What speaks.
pub(super) struct Speaker<L, B, K, const LEN: usize> {
    frames: Frames<L, B>,
    hello: Hello,
    pub(super) kept: K,
    session: Option<Session>,
    began: Instant,
    /// What was said of who it is.
    said: [u8; HELLO_LEN_MAX],
    said_len: usize,
    said_sequence: u32,
    /// The boot that the gateway knows.
    known: Option<Boot>,
    /// Frames since it was said, over a link without answers.
    since: u32,
    answered: Option<Instant>,
    /// How often consent had been withdrawn when the session began: a later yes has a session of its own.
    withdrawn: u32,
    /// When the next frame may leave.
    free: Instant,
    /// The frame that lies in `frame` and nowhere else: its records are in the queue still.
    under_way: Option<Sealed>,
    /// What an entry in flash has, from its start; where there is no flash, a frame.
    frame: [u8; LEN],
}

/// What was heard.
enum Heard {
    Acknowledgement,
    Question,
}

impl<L: Link, B: FnMut() -> Boot, K: KeepSealed, const LEN: usize> Speaker<L, B, K, LEN> {
    /// Whether there is flash, and a use for it: over a link without answers nothing is sent again.
    const fn keeps(&self) -> bool {
        K::HEAD_LEN > 0 && self.frames.hello_every.is_none()
    }

    pub(super) fn new(frames: Frames<L, B>, hello: Hello, kept: K) -> Self {
        Self {
            frames,
            hello,
            kept,
            session: None,
            began: Instant::MIN,
            said: [0; HELLO_LEN_MAX],
            said_len: 0,
            said_sequence: 0,
            known: None,
            since: 0,
            answered: None,
            withdrawn: 0,
            free: Instant::MIN,
            under_way: None,
            frame: [0; LEN],
        }
    }

    /// Puts into the queue what was counted, and what was lost.
    pub(super) fn collect<S: Schema, const N: usize>(&mut self, upload: &mut Upload<'_, S, Nowhere, N>) {
        self.kept.losses().take().for_each(|(reason, count)| upload.kept.losses().add(reason, count));
        upload.collect();
    }

    /// Sends what waits, until nothing does: what was kept first, it is older.
    pub(super) async fn all<S: Schema, const N: usize>(
        &mut self,
        upload: &mut Upload<'_, S, Nowhere, N>,
    ) -> Result<(), Withdrawn> {
        let telemetry = upload.telemetry;
        loop {
            let withdrawn = telemetry.withdrawn.load(Ordering::Relaxed);
            if withdrawn != self.withdrawn {
                // A no, and a yes that followed at once.
                (self.session, self.under_way) = (None, None);
                if !self.kept.clear().await {
                    Timer::after_secs(1).await;
                    continue;
                }
                self.withdrawn = withdrawn;
            }
            self.wait_for_turn(upload).await;
            if !telemetry.is_on() {
                return Err(Withdrawn);
            }
            if self.under_way.is_some() {
                self.send(upload).await?;
            } else if let Some(len) = self.kept.oldest(&mut self.frame).await {
                self.send_kept(upload, len).await?;
            } else if !self.seal(upload) {
                return Ok(());
            }
        }
    }

    /// Seals what waits in the queue into the buffer; says whether there was anything.
    fn seal<S: Schema, const N: usize>(&mut self, upload: &Upload<'_, S, Nowhere, N>) -> bool {
        let telemetry = upload.telemetry;
        let Some(batch) = telemetry.queue.batch(BATCH_RECORDS_MAX) else { return false };
        self.introduce::<S>();
        let Some(session) = &mut self.session else { return false };
        let buffer = self.frame.get_mut(K::HEAD_LEN..).unwrap_or(&mut []);
        let mut at = batch.first();
        match session.data(&self.hello, &batch, &mut at, buffer) {
            Ok(sealed) => self.under_way = sealed,
            // Only a hand-written event does this.
            Err(Error::OutOfDomain) => {
                telemetry.out_of_domain.fetch_add(1, Ordering::Relaxed);
                commit(telemetry, 1);
            }
            Err(_) => self.session = None,
        }
        true
    }

    /// Sends the frame under way, and who speaks before it, once; then it is acknowledged, in flash, or still under way.
    async fn send<S: Schema, const N: usize>(
        &mut self,
        upload: &mut Upload<'_, S, Nowhere, N>,
    ) -> Result<(), Withdrawn> {
        let telemetry = upload.telemetry;
        let (Some(sealed), Some(session)) = (self.under_way, &self.session) else { return Ok(()) };
        let boot = session.boot();
        let is_due = self.frames.hello_every.is_some_and(|every| self.since >= every);
        let mut is_heard = true;
        if self.known != Some(boot) || is_due {
            let said = Outgoing { boot, sequence: self.said_sequence, what: What::Said };
            is_heard = self.attempt(telemetry, &mut upload.delivery, said).await?;
            if is_heard {
                (self.known, self.since) = (Some(boot), 0);
            }
        }
        if is_heard {
            self.wait_in_memory(&upload.delivery).await;
            let what = What::Frame(sealed.len, None);
            let frame = Outgoing { boot, sequence: sealed.sequence, what };
            is_heard = self.attempt(telemetry, &mut upload.delivery, frame).await?;
        }
        if is_heard {
            self.since = self.since.saturating_add(1);
        }
        if is_heard || self.keep(boot, sealed).await {
            self.done(telemetry, sealed)?;
        }
        Ok(())
    }

    /// Removes the records of the frame under way from the queue, if they are still those: after a no it was emptied.
    fn done<S: Schema, const N: usize>(
        &mut self,
        telemetry: &Telemetry<S, N>,
        sealed: Sealed,
    ) -> Result<(), Withdrawn> {
        self.under_way = None;
        if telemetry.withdrawn.load(Ordering::Relaxed) != self.withdrawn {
            return Err(Withdrawn);
        }
        commit(telemetry, sealed.records);
        Ok(())
    }

    /// Sends the entry of `len` bytes that lies in the buffer and in flash, and who sealed it before it, once.
    async fn send_kept<S: Schema, const N: usize>(
        &mut self,
        upload: &mut Upload<'_, S, Nowhere, N>,
        len: usize,
    ) -> Result<(), Withdrawn> {
        let telemetry = upload.telemetry;
        let head = Head::read(self.frame.get(..len).unwrap_or(&[]));
        let Some(head) = head.filter(|head| head.key == Head::name(&self.frames.key)) else {
            // No acknowledgement of it would be understood.
            self.kept.losses().add(Reason::Corrupt, head.map_or(1, |head| head.records));
            self.kept.over(&mut self.frame).await;
            return Ok(());
        };
        let boot = head.boot();
        if self.known != Some(boot) {
            let what = What::SaidBefore(head);
            let said = Outgoing { boot, sequence: head.said_sequence, what };
            if !self.attempt(telemetry, &mut upload.delivery, said).await? {
                return Ok(());
            }
            (self.known, self.answered) = (Some(boot), None);
            self.wait_in_memory(&upload.delivery).await;
        }
        let what = What::Frame(len.saturating_sub(K::HEAD_LEN), Some(head));
        let frame = Outgoing { boot, sequence: head.sequence, what };
        if self.attempt(telemetry, &mut upload.delivery, frame).await? {
            self.kept.over(&mut self.frame).await;
        }
        Ok(())
    }

    /// Keeps the frame under way in flash, and says whether it is safe there.
    async fn keep(&mut self, boot: Boot, sealed: Sealed) -> bool {
        if !self.keeps() {
            return false;
        }
        let head = Head {
            key: Head::name(&self.frames.key),
            boot: boot.bytes(),
            sequence: sealed.sequence,
            records: sealed.records,
            said_sequence: self.said_sequence,
            said: self.said,
            said_len: u8::try_from(self.said_len).unwrap_or(0),
        };
        head.write(&mut self.frame);
        let entry = self.frame.get(..K::HEAD_LEN.saturating_add(sealed.len)).unwrap_or(&[]);
        self.kept.keep(entry).await
    }

    /// Waits until the gateway may be spoken to. What comes into the queue meanwhile is safer in flash.
    async fn wait_for_turn<S: Schema, const N: usize>(&mut self, upload: &mut Upload<'_, S, Nowhere, N>) {
        while let Next::Wait(milliseconds) = upload.delivery.next(Instant::now().as_millis()) {
            let telemetry = upload.telemetry;
            if !self.keeps() {
                Timer::after_millis(milliseconds).await;
                continue;
            }
            self.collect(upload);
            while telemetry.is_on() && (self.under_way.is_some() || self.seal(upload)) {
                let (Some(sealed), Some(session)) = (self.under_way, &self.session) else { continue };
                let boot = session.boot();
                if !self.keep(boot, sealed).await || self.done(telemetry, sealed).is_err() {
                    break;
                }
            }
            let turn = Timer::after_millis(milliseconds);
            select3(turn, Timer::after(upload.interval), telemetry.wake.wait()).await;
            if !telemetry.is_on() || telemetry.withdrawn.load(Ordering::Relaxed) != self.withdrawn {
                return;
            }
        }
    }

    /// The same, while something lies in the buffer.
    async fn wait_in_memory(&self, delivery: &Delivery) {
        while let Next::Wait(milliseconds) = delivery.next(Instant::now().as_millis()) {
            Timer::after_millis(milliseconds).await;
        }
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
        // The gateway has to hear it.
        (self.known, self.since) = (None, 0);
        let sealed = self.session.as_mut().map(|session| session.hello(&self.hello, &mut self.said));
        match sealed {
            Some(Ok(sealed)) => (self.said_len, self.said_sequence) = (sealed.len, sealed.sequence),
            _ => self.session = None,
        }
    }

    /// Sends `outgoing` once, and says whether it was acknowledged, or left over a link without answers.
    async fn attempt<S: Schema, const N: usize>(
        &mut self,
        telemetry: &Telemetry<S, N>,
        delivery: &mut Delivery,
        outgoing: Outgoing,
    ) -> Result<bool, Withdrawn> {
        loop {
            Timer::at(self.free).await;
            if !self.may_leave(telemetry) {
                return Err(Withdrawn);
            }
            let said = self.said.get(..self.said_len).unwrap_or(&[]);
            let frame = self.frame.get(K::HEAD_LEN..).unwrap_or(&[]);
            let is_sent = self.frames.link.send(outgoing.what.bytes(said, frame)).await;
            self.free = Instant::now().saturating_add(self.frames.pause);
            if self.frames.hello_every.is_some() && is_sent.is_ok() {
                return Ok(true);
            }
            let heard = if is_sent.is_ok() { self.listen(&outgoing).await } else { None };
            match (heard, outgoing.what) {
                (Some(Heard::Acknowledgement), _) => {
                    delivery.done(Outcome::Accepted, Instant::now().as_millis());
                    return Ok(true);
                }
                (Some(Heard::Question), What::Frame(_, before)) => {
                    let now = Instant::now();
                    let is_free =
                        self.answered.is_none_or(|at| now.saturating_duration_since(at) >= ANSWER_EVERY);
                    if is_free {
                        self.answered = Some(now);
                        let what = before.map_or(What::Said, What::SaidBefore);
                        Timer::at(self.free).await;
                        let said = self.said.get(..self.said_len).unwrap_or(&[]);
                        let _ = self.frames.link.send(what.bytes(said, &[])).await;
                        self.free = Instant::now().saturating_add(self.frames.pause);
                        continue;
                    }
                }
                _ => {}
            }
            delivery.done(Outcome::Retry { after_seconds: None }, Instant::now().as_millis());
            return Ok(false);
        }
    }

    /// Whether what was sealed in this session may leave: nobody has said no since it began.
    fn may_leave<S: Schema, const N: usize>(&self, telemetry: &Telemetry<S, N>) -> bool {
        telemetry.is_on() && telemetry.withdrawn.load(Ordering::Relaxed) == self.withdrawn
    }

    /// Listens for an answer to `outgoing`.
    async fn listen(&mut self, outgoing: &Outgoing) -> Option<Heard> {
        let Frames { link, key, patience, .. } = &mut self.frames;
        let question = ask(outgoing.boot.session());
        let listening = async {
            let mut answer = [0; ACK_LEN];
            loop {
                match link.receive(&mut answer).await {
                    Ok(len) => {
                        let answer = answer.get(..len).unwrap_or(&[]);
                        if key.is_acknowledged(outgoing.boot, outgoing.sequence, answer) {
                            return Heard::Acknowledgement;
                        }
                        if answer == question {
                            return Heard::Question;
                        }
                    }
                    Err(_) => Timer::after_secs(1).await,
                }
            }
        };
        with_timeout(*patience, listening).await.ok()
    }
}

/// Removes the oldest `records` of the queue: those that stood in a frame.
fn commit<S: Schema, const N: usize>(telemetry: &Telemetry<S, N>, records: u32) {
    if let Some(sent) = telemetry.queue.batch(records) {
        sent.commit();
    }
}
