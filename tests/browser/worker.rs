//! The site's worker without its page: commands and events are encoded here by the library and only carried by the browser.

use crate::driver::{DESK, fetch, site};
use crate::page::Page;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grokscope::engine::message::{Command, Event, decode, encode};
use serde_json::json;
use std::time::{Duration, Instant};

/// A software adapter compiles each kernel on its first use.
const PATIENCE: Duration = Duration::from_secs(300);

/// A worker of the built site.
pub struct Engine {
    page: Page,
}

impl Engine {
    /// Starts a worker and waits until it is ready.
    pub fn start() -> Self {
        let index = fetch(&site());
        let worker = index.split(['"', '\'']).find_map(|text| text.strip_prefix("./worker-")).unwrap();
        let worker = format!("{}worker-{worker}", site());
        let page = Page::blank(DESK);
        // Any document of the same origin will do; the script itself is one without anything of ours running in it.
        page.driver.post("/url", &json!({ "url": worker }));
        page.js(&format!(
            "(() => {{ window.events = []; window.broken = []; window.engine = new Worker('{worker}', {{ type: 'module' }}); \
             engine.onmessage = e => events.push(e.data); engine.onerror = e => broken.push(String(e.message)); }})()"
        ));
        let engine = Self { page };
        let first = engine.next_events(Instant::now()).swap_remove(0);
        assert!(matches!(first, Event::Ready(_)), "the first event is not Ready but {first:?}");
        engine
    }

    /// Sends a command.
    pub fn send(&self, command: &Command) {
        let bytes = STANDARD.encode(encode(command).unwrap());
        self.page.js(&format!(
            "(() => {{ const bytes = Uint8Array.from(atob('{bytes}'), c => c.charCodeAt(0)); engine.postMessage(bytes.buffer, [bytes.buffer]); }})()"
        ));
    }

    /// The next events, at least one.
    fn next_events(&self, started: Instant) -> Vec<Event> {
        loop {
            let answer = self.page.js("[events.splice(0).map(b => { const bytes = new Uint8Array(b); let text = ''; \
                 for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192)); \
                 return btoa(text); }), broken]");
            assert_eq!(answer[1], json!([]), "the worker broke: {:#?}", self.page.driver.console_errors());
            let events = answer[0].as_array().unwrap();
            if !events.is_empty() {
                return events.iter().map(|e| decode(&STANDARD.decode(e.as_str().unwrap()).unwrap()).unwrap()).collect();
            }
            assert!(started.elapsed() < PATIENCE, "the engine is silent; console: {:#?}", self.page.driver.console_errors());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// All events up to the one that `is_last`.
    pub fn events_until(&self, is_last: impl Fn(&Event) -> bool) -> Vec<Event> {
        let started = Instant::now();
        let mut events = Vec::new();
        while !events.iter().any(&is_last) {
            events.extend(self.next_events(started));
            let error = events.iter().find_map(|event| match event {
                Event::Error(error) | Event::Crashed(error) => Some(error),
                _ => None,
            });
            assert!(error.is_none(), "{}", error.unwrap());
        }
        events
    }
}
