//! How the runner reaches whoever asked: a worker's message port, or a terminal.
//!
//! The runner never blocks and never touches the web; a browser's event loop and a plain native loop both fit behind these five
//! functions.

use super::message::{Command, Event};

/// A two-way line with one asker.
#[expect(async_fn_in_trait, reason = "one thread everywhere: a worker has no other, and the command line needs none")]
pub trait Port {
    /// Sends an event.
    fn emit(&mut self, event: Event);
    /// The next command, if one has come.
    fn poll(&mut self) -> Option<Command>;
    /// Waits for the next command; `None` when no more can come.
    async fn wait(&mut self) -> Option<Command>;
    /// Lets the host deliver messages before more work is done.
    async fn breathe(&mut self);
    /// A monotonic clock, milliseconds.
    fn now_ms(&self) -> f64;
}
