//! What is known against the engine: holes of its version (S090), and a port that is open to the network. For
//! administrators, who can do something about it.

use axum::{
    http::header::SET_COOKIE,
    response::{IntoResponse, Response},
};

use crate::{
    engine::{Advisory, Engine, EnginePart, Info},
    team::Right,
    web::{
        Error, cookie,
        cookie::SameSite,
        extract::{Fields, Page},
    },
};

/// How long it is kept, in seconds: half a year.
const KEPT: i64 = 182 * 86_400;

/// Holes of one part of the engine.
pub struct Hole {
    /// Which part.
    pub part: EnginePart,
    /// The version that has them.
    pub version: String,
    /// Which.
    pub advisories: Vec<&'static Advisory>,
    /// The versions that end all of them.
    pub mended: String,
}

/// All that is known against an engine.
pub struct Notices {
    /// Its address, where everybody on the network reaches it.
    pub open: Option<String>,
    /// Holes, by part.
    pub holes: Vec<Hole>,
}

impl Notices {
    /// For this page; none where its reader is not to know.
    pub fn of(page: &Page, info: Option<&Info>) -> Self {
        if !page.may(Right::Audit) {
            return Self { open: None, holes: Vec::new() };
        }
        Self::new(&page.engine, info)
    }

    fn new(engine: &Engine, info: Option<&Info>) -> Self {
        let mut holes: Vec<Hole> = Vec::new();
        for (advisory, version) in info.map(|info| info.version.advisories()).unwrap_or_default() {
            match holes.iter_mut().find(|hole| hole.part == advisory.part) {
                Some(hole) => hole.advisories.push(advisory),
                None => holes.push(Hole {
                    part: advisory.part,
                    version,
                    advisories: vec![advisory],
                    // The newest stands first, and nothing before its fix is without holes.
                    mended: advisory.fixed.join(" or "),
                }),
            }
        }
        let open = engine.is_open_to_the_network().then(|| engine.address().to_string());
        Self { open, holes }
    }

    /// How many holes there are.
    pub fn holes(&self) -> usize {
        self.holes.iter().flat_map(|hole| &hole.advisories).map(|advisory| advisory.ids.len()).sum()
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.holes.is_empty() && self.open.is_none()
    }

    /// What is against which parts, in a line.
    pub fn says(&self) -> String {
        let of = |hole: &Hole| format!("{} {}", hole.part.name(), hole.version);
        self.holes.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    /// Tells one set of notices from another: what was read of one is not read of the other.
    pub fn key(&self) -> String {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        let ids: Vec<_> =
            self.holes.iter().flat_map(|hole| &hole.advisories).flat_map(|advisory| advisory.ids).collect();
        (&self.open, ids).hash(&mut hasher);
        format!("{:x}", hasher.finish())
    }

    /// Whether there is something that this reader has not put away.
    pub fn is_news(&self, page: &Page) -> bool {
        !self.is_empty() && page.read_notices.as_deref() != Some(self.key().as_str())
    }
}

/// `POST /engine/notices`: this browser has read these, and is shown them on the overview no more until there are others.
pub async fn dismiss(page: Page, fields: Fields) -> Result<Response, Error> {
    let key: String = fields.text("key").unwrap_or_default().chars().filter(char::is_ascii_hexdigit).take(16).collect();
    let mut response = page.quiet(fields.back("/")).into_response();
    if let Some(cookie) = cookie::write(page.asker.client, cookie::NOTICES, &key, Some(KEPT), SameSite::Strict) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}
