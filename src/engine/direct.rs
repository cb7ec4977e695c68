//! A conversation for programs without an event loop: the command line, tests and benches.

use super::engines::Engines;
use super::message::{Command, Event};
use super::port::Port;
use super::runner::serve;
use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Instant;

/// Gives the runner the commands of `first` at once and those of `then` one by one when it has nothing left to do; hands every
/// event to `listen`; returns when all is done.
pub fn converse(first: Vec<Command>, then: Vec<Command>, listen: impl FnMut(Event)) {
    let label = format!("CPU (native {})", std::env::consts::ARCH);
    let engines = Engines::new(&label, true, None, now_ms);
    pollster::block_on(serve(Direct { first: first.into(), then: then.into(), listen }, engines));
}

struct Direct<L> {
    first: VecDeque<Command>,
    then: VecDeque<Command>,
    listen: L,
}

impl<L: FnMut(Event)> Port for Direct<L> {
    fn emit(&mut self, event: Event) {
        (self.listen)(event);
    }

    fn poll(&mut self) -> Option<Command> {
        self.first.pop_front()
    }

    async fn wait(&mut self) -> Option<Command> {
        self.then.pop_front()
    }

    async fn breathe(&mut self) {}

    fn now_ms(&self) -> f64 {
        now_ms()
    }
}

fn now_ms() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1000.0
}
