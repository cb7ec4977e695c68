//! The page's end of the conversation with the engine's worker.
//!
//! A worker drops messages that arrive before its module has run, so commands wait here until the first `Event::Ready`. What
//! arrives is handed on once per animation frame: a fast engine sends several batches between two frames, and drawing each of
//! them would stutter. In a hidden tab there are no frames, so events pass at once and a run goes on. Rejected: a
//! request/response library, since one message type each way says all there is to say.

use crate::engine::message::{Command, Event, decode, encode};
use crate::record::UserError;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

/// What comes back from a worker.
pub(super) enum Incoming {
    /// Events, in order.
    Events(Vec<Event>),
    /// The worker stopped for good, with the browser's words.
    Crashed(String),
}

/// A worker, replaced by [`Port::restart`].
pub(super) struct Port(Rc<Inner>);

struct Inner {
    url: String,
    live: RefCell<Option<Live>>,
    ready: Cell<bool>,
    waiting: RefCell<Vec<Vec<u8>>>,
    inbox: RefCell<Vec<Event>>,
    flush_booked: Cell<bool>,
    handler: Box<dyn Fn(Incoming)>,
}

struct Live {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl Port {
    /// A port whose worker is not started yet.
    pub(super) fn new(url: String, handler: impl Fn(Incoming) + 'static) -> Self {
        Self(Rc::new(Inner {
            url,
            live: RefCell::default(),
            ready: Cell::new(false),
            waiting: RefCell::default(),
            inbox: RefCell::default(),
            flush_booked: Cell::new(false),
            handler: Box::new(handler),
        }))
    }

    /// Ends the worker, if there is one, with all it was doing, and starts a new one.
    pub(super) fn restart(&self) {
        let inner = &self.0;
        inner.live.take();
        inner.ready.set(false);
        inner.waiting.take();
        inner.inbox.take();
        match start(inner) {
            Ok(live) => {
                inner.live.replace(Some(live));
            }
            Err(error) => (inner.handler)(Incoming::Crashed(words(&error))),
        }
    }

    /// Sends a command, now or when the engine is ready.
    ///
    /// # Errors
    /// If the command cannot be encoded.
    pub(super) fn send(&self, command: &Command) -> Result<(), UserError> {
        let bytes = encode(command)
            .map_err(|e| UserError::new(format!("The command could not be sent ({e})"), "Check the configuration"))?;
        if self.0.ready.get() {
            self.0.post(&bytes);
        } else {
            self.0.waiting.borrow_mut().push(bytes);
        }
        Ok(())
    }
}

impl Inner {
    fn post(&self, bytes: &[u8]) {
        let Some(worker) = self.live.borrow().as_ref().map(|live| live.worker.clone()) else { return };
        let buffer = Uint8Array::from(bytes).buffer();
        if let Err(error) = worker.post_message_with_transfer(&buffer, &Array::of1(&buffer)) {
            (self.handler)(Incoming::Crashed(words(&error)));
        }
    }

    fn receive(self: &Rc<Self>, message: &MessageEvent) {
        let Ok(buffer) = message.data().dyn_into::<ArrayBuffer>() else { return };
        match decode::<Event>(&Uint8Array::new(&buffer).to_vec()) {
            Ok(event) => {
                if matches!(event, Event::Ready(_)) && !self.ready.replace(true) {
                    for bytes in self.waiting.take() {
                        self.post(&bytes);
                    }
                }
                self.inbox.borrow_mut().push(event);
                self.book_flush();
            }
            Err(error) => {
                self.live.take();
                (self.handler)(Incoming::Crashed(format!("a message of the engine could not be read: {error}")));
            }
        }
    }

    fn book_flush(self: &Rc<Self>) {
        let Some(window) = web_sys::window() else { return };
        if window.document().is_some_and(|document| document.hidden()) {
            return self.flush();
        }
        if !self.flush_booked.replace(true) {
            let inner = self.clone();
            let frame = Closure::once_into_js(move || inner.flush());
            // A tab that is hidden between now and the frame gets its events with the next message.
            let booked = window.request_animation_frame(frame.unchecked_ref());
            self.flush_booked.set(booked.is_ok());
        }
    }

    fn flush(&self) {
        self.flush_booked.set(false);
        let events = self.inbox.take();
        if !events.is_empty() {
            (self.handler)(Incoming::Events(events));
        }
    }

    fn crash(&self, words: String) {
        self.flush();
        self.live.take();
        self.ready.set(false);
        (self.handler)(Incoming::Crashed(words));
    }
}

fn start(inner: &Rc<Inner>) -> Result<Live, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    options.set_name("engine");
    let worker = Worker::new_with_options(&inner.url, &options)?;
    let receiver = Rc::downgrade(inner);
    let on_message = Closure::new(move |message: MessageEvent| {
        if let Some(inner) = receiver.upgrade() {
            inner.receive(&message);
        }
    });
    let receiver = Rc::downgrade(inner);
    let on_error = Closure::new(move |error: ErrorEvent| {
        error.prevent_default();
        let words = match error.message() {
            words if words.is_empty() => "its program could not be loaded".to_owned(),
            words => words,
        };
        // Dropping the worker drops this closure, which must have returned by then.
        let receiver = receiver.clone();
        leptos::task::spawn_local(async move {
            if let Some(inner) = receiver.upgrade() {
                inner.crash(words);
            }
        });
    });
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    Ok(Live { worker, _on_message: on_message, _on_error: on_error })
}

/// What JavaScript says about an error.
pub(super) fn words(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| String::from(error.message()))
}
