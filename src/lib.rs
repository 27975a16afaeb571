//! Wheelhouse: a web console for a Docker engine.
//!
//! The rooms, and the one arrow between them: `main` -> [`web`] -> [`command`], [`team`] and [`engine`]; `command` uses
//! the engine's types only. Nothing points back. [`config`] is read by `main` and handed down; [`tls`] has the certificate.
//!
//! One request, walked: `POST /containers/{id}/pause`. `web/mod.rs` puts the layers around it (who is asking, is the
//! Host ours, does the write come from a page of ours); `web/containers/mod.rs` has the route, with the right that it
//! asks for; `web/containers/actions.rs` parses the verb, has `web/deed.rs` write it into the audit, and asks
//! `engine/containers/act.rs`, through a handle that reaches as far as the person's role (`engine/reach`). That says
//! to everybody that it is pausing, calls the daemon and reads the state back. The picture in `engine/live.rs` changes, and each open page is sent its row anew by
//! `web/stream.rs`, drawn by the same `templates/containers/_row.html` that the list's loop includes. A container
//! that is gone becomes `engine::Error::NotFound`, then `web::Error`, which one layer draws: a page for a plain form,
//! a toast for htmx; the status is 404 in both.

pub mod command;
pub mod config;
pub mod engine;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod team;
pub mod tls;
pub mod web;
