//! What the tests are told with: the console as a process, real engines, and a dozen words.

pub mod console;
pub mod engine;
pub mod proxy;
pub mod tls;
pub mod words;

pub use self::{
    console::{Answer, Console, Stream},
    engine::{Made, RealEngine},
    words::{PAY, contains_all, until},
};
