//! Integration tests: the real binary, as a process, on real engines. The files mirror the URLs and the cases of
//! `safety.md`; a test of a case has its number in its name. `make test` starts what they need.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod support;

mod api;
mod architecture;
mod audit;
mod build;
mod containers;
mod create;
mod edit;
mod faults;
mod files;
mod form;
mod go;
mod guards;
mod hostile;
mod images;
mod inside;
mod jobs;
mod lifecycle;
mod limits;
mod live;
mod logs;
mod metrics;
mod networks;
mod oidc;
mod own;
mod pages;
mod proxy;
mod reach;
mod recipe;
mod registries;
mod removed;
mod roles;
mod session;
mod stats;
mod system;
mod terminal;
mod tls;
mod update;
mod volumes;
