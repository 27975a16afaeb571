//! A terminal that is open: it lives apart from the connection over which somebody looks at it, so that a line that
//! drops does not end it. What it says is always read, whether anybody looks or not: a program whose terminal nobody
//! reads stands still, and its container cannot be stopped (S059).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    asker::Lease,
    screen::{Piece, Screen},
};
use crate::{
    engine::{ContainerId, Left, Line, Reader, Remote, Writer},
    team::{Entry, Outcome, Subject, Team, Who},
};

/// How long a terminal lives without anybody who looks.
pub(super) const LINGER: Duration = Duration::from_mins(1);
/// How long it waits for who has left without a word, as a browser does that loads its page anew.
pub(super) const RELOAD: Duration = Duration::from_secs(6);
/// How long it waits for who has opened it.
const FIRST: Duration = Duration::from_secs(20);
/// How far who looks may be behind before the program has to wait, in bytes.
const BEHIND: u64 = 192 << 10;
/// How long a program waits for who has stopped reading.
const STALL: Duration = Duration::from_secs(1);
/// What is read at once, in bytes.
const CHUNK: usize = 32 << 10;
/// The pause after each chunk that nobody reads: a program that prints without end costs little.
const UNREAD: Duration = Duration::from_millis(4);
/// Messages of input that wait for the program to take them.
const INPUT: usize = 64;
/// The size is not told more often than this.
const RESIZE: Duration = Duration::from_millis(80);
/// How long hanging up may take: a program that reads nothing is not waited for.
const HANG_UP: Duration = Duration::from_millis(300);

/// What a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A command of its own in the container.
    Exec,
    /// The container's own process; whether it may be told anything.
    Attach {
        /// Only what it says is seen.
        is_read_only: bool,
    },
}

/// What a process ends with that was killed, as all are whose container ends.
const KILLED: i64 = 128 + 9;

/// Why a terminal has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Its program has.
    Exited,
    /// The container has, and its program with it.
    Stopped,
    /// Who had opened it closed it.
    Closed,
    /// Somebody else ended it: who.
    Ended(String),
    /// Nobody looked at it any more.
    Left,
    /// Nobody typed anything for too long.
    Idle,
    /// Who had opened it may not any more.
    Forbidden,
    /// This console ends.
    Shutdown,
}

impl End {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Exited => "its program ended".to_owned(),
            Self::Stopped => "the container ended, and all that ran in it".to_owned(),
            Self::Closed => "it was closed".to_owned(),
            Self::Ended(who) => format!("{who} ended it"),
            Self::Left => "nobody came back to it within a minute".to_owned(),
            Self::Idle => "nobody typed anything for too long".to_owned(),
            Self::Forbidden => "the right to it was lost".to_owned(),
            Self::Shutdown => "the console ended".to_owned(),
        }
    }
}

/// What came of a terminal.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Why.
    pub why: End,
    /// What its program ended with, where it did and that is known.
    pub code: Option<i64>,
    /// Whether something of it may still run.
    pub left: bool,
}

/// What somebody wants to be opened.
pub struct Opening {
    /// What it is.
    pub kind: Kind,
    /// In which container.
    pub container: ContainerId,
    /// That container's name.
    pub name: String,
    /// The docker command that does the same.
    pub command: String,
    /// The same for who sees no secrets: arguments may be some.
    pub public: String,
    /// Who opens it.
    pub who: Who,
    /// Their right to it.
    pub lease: Lease,
    /// Where its end is written down.
    pub team: Team,
    /// How long it may be without input.
    pub idle: Duration,
}

/// A terminal that is open.
pub struct Shell {
    /// What it is called in lists.
    pub number: u64,
    /// What only its owner knows.
    pub token: String,
    /// What it is.
    pub kind: Kind,
    /// In which container.
    pub container: ContainerId,
    /// That container's name, when it was opened.
    pub name: String,
    /// The docker command that does the same.
    pub command: String,
    /// The same for who sees no secrets: arguments may be some.
    pub public: String,
    /// Who opened it.
    pub who: Who,
    /// When.
    pub since: Timestamp,
    /// Whether it has a terminal of its own: without, it speaks in plain lines.
    pub has_tty: bool,
    screen: Mutex<Screen>,
    /// How much was said.
    said: watch::Sender<u64>,
    /// How much of that was read by who looks.
    read: watch::Sender<u64>,
    input: mpsc::Sender<Bytes>,
    /// How much of the input the program has taken.
    took: watch::Sender<u64>,
    size: watch::Sender<Option<(u16, u16)>>,
    /// Who looks: the newest.
    viewer: watch::Sender<u64>,
    /// Until when it lives if nobody looks; none while somebody does.
    until: watch::Sender<Option<Instant>>,
    typed: watch::Sender<Instant>,
    asked: watch::Sender<Option<End>>,
    ended: watch::Sender<Option<Ended>>,
    renewed: mpsc::Sender<Lease>,
    is_watched: AtomicBool,
}

impl Shell {
    /// Has it live from now on, to its end.
    pub(super) fn begin(opening: Opening, line: Line, number: u64, token: String) -> Arc<Self> {
        let Opening { kind, container, name, command, public, who, lease, team, idle } = opening;
        let Line { reader, writer, remote, size } = line;
        let (input, told) = mpsc::channel(INPUT);
        let (renewed, leases) = mpsc::channel(1);
        let shell = Arc::new(Self {
            number,
            token,
            kind,
            container,
            name,
            command,
            public,
            who,
            since: Timestamp::now(),
            has_tty: remote.has_tty(),
            screen: Mutex::default(),
            said: watch::Sender::new(0),
            read: watch::Sender::new(0),
            input,
            took: watch::Sender::new(0),
            size: watch::Sender::new(size),
            viewer: watch::Sender::new(0),
            until: watch::Sender::new(Some(Instant::now() + FIRST)),
            typed: watch::Sender::new(Instant::now()),
            asked: watch::Sender::new(None),
            ended: watch::Sender::new(None),
            renewed,
            is_watched: AtomicBool::new(false),
        });
        let keeper = Keeper { shell: shell.clone(), remote, team, idle };
        tokio::spawn(keeper.keep(reader, writer, told, (lease, leases)));
        shell
    }

    /// Takes its place before the terminal; whoever was there leaves. `lease` is their right to it.
    pub(super) fn watch(self: &Arc<Self>, lease: Lease) -> Viewer {
        let mut mine = 0;
        self.viewer.send_modify(|viewer| {
            *viewer += 1;
            mine = *viewer;
        });
        self.until.send_replace(None);
        self.is_watched.store(true, Ordering::Relaxed);
        // The newest right to it counts, and there is room for one.
        let _ = self.renewed.try_send(lease);
        Viewer { shell: self.clone(), mine }
    }

    /// Asks for its end.
    pub fn end(&self, why: End) {
        self.asked.send_if_modified(|asked| {
            let is_first = asked.is_none();
            if is_first {
                *asked = Some(why);
            }
            is_first
        });
    }

    /// What came of it, when it has ended.
    pub fn ended(&self) -> Option<Ended> {
        self.ended.borrow().clone()
    }

    /// Waits for its end, all of it: nothing that it started runs any more.
    pub async fn gone(&self) {
        let _ = self.ended.subscribe().wait_for(Option::is_some).await;
    }

    /// Whether somebody looks at it.
    pub fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// When somebody typed last.
    pub fn typed(&self) -> Duration {
        self.typed.borrow().elapsed()
    }

    fn add(&self, said: &[u8]) {
        let end = self.screen.lock().unwrap_or_else(PoisonError::into_inner).add(said);
        self.said.send_replace(end);
    }
}

/// Somebody who looks at a terminal.
pub(super) struct Viewer {
    pub(super) shell: Arc<Shell>,
    mine: u64,
}

impl Viewer {
    /// What it said from this byte on, at once if it has; else when it does.
    pub(super) async fn next(&self, at: u64, most: usize) -> Piece {
        let mut said = self.shell.said.subscribe();
        loop {
            let piece = self.shell.screen.lock().unwrap_or_else(PoisonError::into_inner).from(at, most);
            if let Some(piece) = piece {
                return piece;
            }
            if said.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether all was said that it ever says, and this is the end of it.
    pub(super) fn is_all(&self, at: u64) -> bool {
        self.shell.screen.lock().unwrap_or_else(PoisonError::into_inner).end() <= at
    }

    /// Waits until somebody else takes this place.
    pub(super) async fn replaced(&self) {
        let mine = self.mine;
        let _ = self.shell.viewer.subscribe().wait_for(|newest| *newest != mine).await;
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) -> Ended {
        let mut ended = self.shell.ended.subscribe();
        match ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone()) {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// Says how much was read.
    pub(super) fn has_read(&self, at: u64) {
        let most = *self.shell.said.borrow();
        self.shell.read.send_if_modified(|read| {
            let is_news = at > *read && at <= most;
            if is_news {
                *read = at;
            }
            is_news
        });
    }

    /// Begins to read anew, at this byte.
    pub(super) fn reads_from(&self, at: u64) {
        let gone = self.shell.screen.lock().unwrap_or_else(PoisonError::into_inner).begin();
        self.shell.read.send_replace(at.max(gone));
    }

    /// Tells it something; waits while it takes nothing.
    pub(super) async fn tell(&self, bytes: Bytes) {
        self.shell.typed.send_replace(Instant::now());
        let _ = self.shell.input.send(bytes).await;
    }

    /// How much of the input was taken, as it goes on.
    pub(super) fn takes(&self) -> watch::Receiver<u64> {
        self.shell.took.subscribe()
    }

    /// Says how large it should be; what no terminal is, is ignored.
    pub(super) fn resize(&self, columns: u64, rows: u64) {
        let side = |size: u64| u16::try_from(size).ok().filter(|size| (1..=1_000).contains(size));
        if let (Some(columns), Some(rows)) = (side(columns), side(rows)) {
            let size = Some((columns, rows));
            self.shell.size.send_if_modified(|old| std::mem::replace(old, size) != size);
        }
    }

    /// Leaves, and may come back within this time.
    pub(super) fn leave(&self, until: Instant) {
        // Who has been replaced leaves nobody alone.
        if *self.shell.viewer.borrow() == self.mine {
            self.shell.is_watched.store(false, Ordering::Relaxed);
            self.shell.until.send_replace(Some(until));
        }
    }
}

/// What keeps a terminal alive, and ends it.
struct Keeper {
    shell: Arc<Shell>,
    remote: Remote,
    team: Team,
    idle: Duration,
}

impl Keeper {
    async fn keep(
        self,
        reader: Reader,
        writer: Writer,
        told: mpsc::Receiver<Bytes>,
        (lease, leases): (Lease, mpsc::Receiver<Lease>),
    ) {
        let writer = Arc::new(tokio::sync::Mutex::new(writer));
        let writing = tokio::spawn(write(self.shell.clone(), writer.clone(), told));
        let why = tokio::select! {
            () = read(&self.shell, reader) => End::Exited,
            why = self.asked() => why,
            () = self.lonely() => End::Left,
            () = self.unused() => End::Idle,
            () = lost(lease, leases) => End::Forbidden,
            () = self.resizes() => End::Exited,
        };
        writing.abort();
        let is_exec = self.shell.kind == Kind::Exec;
        if is_exec && why != End::Exited {
            // Who reads is asked to end: ^C, and the end of the input.
            let hang_up = async { writer.lock().await.tell(b"\x03\x04").await };
            let _ = timeout(HANG_UP, hang_up).await;
        }
        drop(writer);
        let left = self.remote.sweep().await == Left::Perhaps;
        let code = if is_exec || why == End::Exited { self.remote.exit_code().await } else { None };
        let is_killed = is_exec && why == End::Exited && code.is_none_or(|code| code == KILLED);
        let why = if is_killed && self.remote.is_container_over().await { End::Stopped } else { why };
        let ended = Ended { why, code, left };
        self.note(&ended).await;
        self.shell.is_watched.store(false, Ordering::Relaxed);
        self.shell.ended.send_replace(Some(ended));
    }

    async fn asked(&self) -> End {
        let mut asked = self.shell.asked.subscribe();
        let why = asked.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        why.unwrap_or(End::Closed)
    }

    /// Waits until nobody has looked for too long.
    async fn lonely(&self) {
        let mut until = self.shell.until.subscribe();
        loop {
            let end = *until.borrow_and_update();
            let wait = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => return,
                changed = until.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Waits until nobody has typed for too long.
    async fn unused(&self) {
        loop {
            let end = *self.shell.typed.borrow() + self.idle;
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }

    /// Passes on the newest size, and not every one on the way to it.
    async fn resizes(&self) {
        let mut sizes = self.shell.size.subscribe();
        let mut said = self.shell.said.subscribe();
        let mut has_spoken = false;
        loop {
            tokio::select! {
                changed = sizes.changed() => if changed.is_err() { break },
                // One that has only begun may refuse its size, or forget it: the engine makes its terminal a moment later.
                _ = said.changed(), if !has_spoken => has_spoken = true,
            }
            let size = *sizes.borrow_and_update();
            if let Some(size) = size {
                self.remote.resize(size).await;
            }
            sleep(RESIZE).await;
        }
        std::future::pending::<()>().await;
    }

    /// Writes down how it ended. What was typed is not.
    async fn note(&self, ended: &Ended) {
        let Shell { container, name, who, since, kind, .. } = &*self.shell;
        let seconds = Timestamp::now().duration_since(*since).as_secs();
        let code = ended.code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
        let left =
            if ended.left { "; something of it may still run: the container has no shell to end it with" } else { "" };
        let action = if *kind == Kind::Exec { "terminal.end" } else { "attach.end" };
        let subject = Subject { kind: "container", id: container.to_string(), name: name.clone() };
        let entry =
            Entry::new(who, action, subject, Outcome::Done).command(&self.shell.command, Some(&self.shell.public));
        self.team.note(entry.why(format!("after {seconds} s{code}: {}{left}", ended.why.words()))).await;
    }
}

/// Reads what it says, to its end.
async fn read(shell: &Shell, mut reader: Reader) {
    let mut buffer = vec![0; CHUNK];
    let mut acks = shell.read.subscribe();
    // How far who looks had read when they stopped.
    let mut stalled = None;
    loop {
        let Some(said) = reader.next(&mut buffer).await else { return };
        shell.add(&said);
        while *shell.said.borrow() - (*acks.borrow_and_update()).min(*shell.said.borrow()) > BEHIND {
            let read = *acks.borrow();
            if !shell.is_watched() || stalled == Some(read) {
                sleep(UNREAD).await;
                break;
            }
            stalled = timeout(STALL, acks.changed()).await.is_err().then_some(read);
        }
    }
}

/// Writes what it is told.
async fn write(shell: Arc<Shell>, writer: Arc<tokio::sync::Mutex<Writer>>, mut told: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = told.recv().await {
        if writer.lock().await.tell(&bytes).await.is_err() {
            // What has ended takes nothing more: that is said by what reads.
            while told.recv().await.is_some() {}
        }
        shell.took.send_modify(|took| *took += bytes.len() as u64);
    }
}

/// Waits until the right to it is lost; whoever looks at it renews it.
async fn lost(mut lease: Lease, mut leases: mpsc::Receiver<Lease>) {
    loop {
        tokio::select! {
            () = lease.lost() => {
                // A newer one may have come with who came back.
                match leases.try_recv() {
                    Ok(newer) => lease = newer,
                    Err(_) => return,
                }
            }
            newer = leases.recv() => match newer {
                Some(newer) => lease = newer,
                None => return,
            },
        }
    }
}
