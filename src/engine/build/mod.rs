//! Building images: of a Dockerfile, of a folder, of what lies at an address. With BuildKit where the engine has it; podman
//! has a builder of its own, with the same words as docker's old one.
//!
//! Own request where bollard 0.21.1 has BuildKit behind a client of gRPC: a context that is sent with the request needs
//! none, and what is left of the session is a small server ([`session`]).

mod board;
mod folder;
mod session;
mod trace;

use std::{collections::BTreeMap, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{Request, body::Incoming, header::CONTENT_TYPE};

pub use self::folder::Folder;
use self::{
    board::{Board, Message},
    session::Session,
};
use super::{
    Engine, Error, Outage, Spool,
    jobs::{Job, Jobs, Stage, Work},
    wire::{READ, deadline, message},
};

/// How long the engine may say nothing: a step may compile for long.
const SILENCE: Duration = Duration::from_hours(2);
/// The longest message that is read.
const LONGEST: usize = 4 << 20;
/// The largest Dockerfile that is taken as text.
pub const DOCKERFILE: usize = 512 << 10;

/// What an image is built of.
pub enum Context {
    /// A Dockerfile alone, with nothing beside it.
    Text(String),
    /// A tar with everything in it, compressed or not.
    Tar(Spool),
    /// What the engine fetches itself: a git repository, or a tar.
    Address(String),
}

/// How an image is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// What it will be called; any number of names.
    pub tags: Vec<String>,
    /// Where the Dockerfile is in the context.
    pub dockerfile: String,
    /// The stage at which to stop; empty for the last.
    pub target: String,
    /// Which platform it is for; empty for the engine's own.
    pub platform: String,
    /// Values for the Dockerfile's ARG lines.
    pub args: BTreeMap<String, String>,
    /// Whether everything is done anew.
    pub no_cache: bool,
    /// Whether base images are looked for in their registry even if they are here.
    pub pull: bool,
}

/// Who builds it.
#[derive(Clone, Copy)]
enum Builder<'a> {
    /// BuildKit, which asks back on its session.
    Kit(Option<&'a Session>),
    /// podman's own, which is told beforehand.
    Podman,
}

impl Build {
    /// Where its Dockerfile is, in what is sent.
    pub fn dockerfile(&self) -> &str {
        if self.dockerfile.is_empty() { "Dockerfile" } else { &self.dockerfile }
    }

    fn query(&self, builder: Builder, address: Option<&str>) -> String {
        let args = serde_json::to_string(&self.args).unwrap_or_default();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for tag in &self.tags {
            query.append_pair("t", tag);
        }
        query.append_pair("dockerfile", self.dockerfile());
        for (name, value) in
            [("target", self.target.as_str()), ("platform", &self.platform), ("remote", address.unwrap_or_default())]
        {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if !self.args.is_empty() {
            query.append_pair("buildargs", &args);
        }
        for (name, is) in [("nocache", self.no_cache), ("pull", self.pull), ("rm", true)] {
            if is {
                query.append_pair(name, "1");
            }
        }
        if let Builder::Kit(session) = builder {
            query.append_pair("version", "2");
            if let Some(session) = session {
                query.append_pair("session", &session.id);
            }
        }
        query.finish()
    }
}

/// A tar that holds a Dockerfile and nothing else.
fn alone(name: &str, text: &str) -> Result<Vec<u8>, Error> {
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    let mut tar = tar::Builder::new(Vec::new());
    let written = tar.append_data(&mut header, name, text.as_bytes()).and_then(|()| tar.into_inner());
    written.map_err(|error| Error::Invalid(format!("the Dockerfile cannot be sent: {error}")))
}

type Sent = BoxBody<Bytes, std::io::Error>;

fn whole(bytes: impl Into<Bytes>) -> Sent {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

impl Jobs<'_> {
    /// Builds an image. Only for who may do everything: what a Dockerfile says is run, and is fetched from anywhere.
    pub fn build(&self, what: Build, context: Context, command: String) -> Result<Job, Error> {
        let engine: &Engine = self.0;
        engine.reach.may_operate()?;
        if !engine.reach.root {
            return Err(Error::Forbidden(
                "Only an administrator builds: what a Dockerfile says is run, and fetched from anywhere.".to_owned(),
            ));
        }
        engine.reachable()?;
        let title = what.tags.first().map_or_else(|| "Build an image".to_owned(), |tag| format!("Build {tag}"));
        Ok(self.start("build", title, command, Vec::new(), move |engine, job| async move {
            let is_page = matches!(&context, Context::Address(address) if is_web_page(address));
            match Box::pin(engine.build(&job, &what, context)).await {
                Ok(image) => {
                    job.makes(what.tags.first().cloned().or(image));
                    Stage::Done { container: None }
                }
                Err(error) if is_page && quotes(&error) => {
                    let why = "what lies at that address is neither a tar nor a Dockerfile that can be read";
                    Stage::Failed { error: Error::Invalid(why.to_owned()), container: None }
                }
                Err(error) => Stage::Failed { error, container: None },
            }
        }))
    }
}

/// Whether the engine takes what it finds there for a Dockerfile, whatever it is: a page of some inner host (S046).
fn is_web_page(address: &str) -> bool {
    let is_git = address.split('#').next().is_some_and(|path| path.strip_suffix(".git").is_some());
    address.starts_with("http") && !is_git
}

/// Whether it may be of words out of that page: a Dockerfile's mistakes are.
fn quotes(error: &Error) -> bool {
    let words = error.to_string().to_lowercase();
    ["instruction", "parse", "parsing", "syntax"].iter().any(|word| words.contains(word))
}

impl Engine {
    async fn build(&self, job: &Work, what: &Build, context: Context) -> Result<Option<String>, Error> {
        let is_podman = self.live.picture().is_podman();
        let address = match &context {
            Context::Address(address) => Some(address.clone()),
            Context::Text(_) | Context::Tar(_) => None,
        };
        let body = match context {
            Context::Text(text) => whole(alone(what.dockerfile(), &text)?),
            Context::Tar(spool) => BodyExt::boxed(StreamBody::new(spool.frames().await?)),
            Context::Address(_) => whole(Bytes::new()),
        };
        let session = if is_podman { None } else { self.opened(job).await };
        let builder = if is_podman { Builder::Podman } else { Builder::Kit(session.as_ref()) };
        let request = Request::post(format!("/build?{}", what.query(builder, address.as_deref())))
            .header(CONTENT_TYPE, "application/x-tar");
        let request = if is_podman { self.signed_for_all(request) } else { request };
        let request = request.body(body).map_err(|error| Error::Invalid(error.to_string()))?;
        let response = deadline("POST /build", SILENCE, self.wire.send(request)).await??;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let said = deadline("POST /build", READ, response.into_body().collect()).await?;
            let said = said.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            return Err(Error::from_status(status, message(&said)));
        }
        let mut board = Board::default();
        read(response.into_body(), |said| board.take(job, said)).await?;
        board.done(job);
        // A connection that breaks ends the stream without a word; what ends well has named its image.
        match board.image.take() {
            Some(image) => Ok(Some(image)),
            None => Err(Error::Unreachable(Outage::Broken)),
        }
    }
}

impl Engine {
    /// The session of a build; without one, as behind a proxy that lets none through, it builds of what is here.
    async fn opened(&self, job: &Work) -> Option<Session> {
        let session = self.session().await;
        if let Err(error) = &session {
            job.say(&format!("The builder cannot ask for logins ({error}): it has to do with images that are here."));
        }
        session.ok()
    }
}

/// The messages of a stream, one after the other: a line each, or none between them.
async fn read(mut body: Incoming, mut take: impl FnMut(&Message) -> Result<(), Error>) -> Result<(), Error> {
    let mut buffer = BytesMut::new();
    loop {
        let next = deadline("POST /build", SILENCE, body.frame()).await?;
        let Some(frame) = next else { return Ok(()) };
        let Ok(data) = frame.map_err(|_| Error::Unreachable(Outage::Broken))?.into_data() else { continue };
        buffer.extend_from_slice(&data);
        let mut messages = serde_json::Deserializer::from_slice(&buffer).into_iter::<Message>();
        let mut read = 0;
        while let Some(Ok(message)) = messages.next() {
            read = messages.byte_offset();
            take(&message)?;
        }
        drop(messages);
        let _ = buffer.split_to(read);
        if buffer.len() > LONGEST {
            return Err(Error::Engine {
                status: 502,
                message: "the engine says what is no progress of a build".to_owned(),
            });
        }
    }
}

/// Whether the engine would look for it by itself: what a context may be besides what is sent.
pub fn is_address(text: &str) -> bool {
    let is_known = ["https://", "http://", "git://", "git@", "ssh://"].iter().any(|scheme| text.starts_with(scheme));
    is_known && text.len() <= 2_000 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
