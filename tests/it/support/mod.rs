//! What the tests are told with: the console as a process, real engines, and a dozen words.

pub mod console;
pub mod disk;
pub mod engine;
pub mod people;
pub mod provider;
pub mod proxy;
pub mod registry;
pub mod terminal;
pub mod tls;
pub mod words;

pub use self::{
    console::{Answer, Ask, Console, Stream},
    engine::{Made, RealEngine},
    people::{PASSWORD, Person},
    provider::Provider,
    terminal::{Terminal, Upgrade},
    words::{PAY, contains_all, until},
};
