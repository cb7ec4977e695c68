//! The worker's door: the engine behind a message port.
//!
//! It runs in a dedicated worker so that the page never waits for it, and it dies with that worker so that a crash costs
//! nothing but the steps since the last checkpoint.

use grokscope::engine::capability::AdapterReport;
use grokscope::engine::message::{Command, Event, decode, encode};
use grokscope::engine::{Engines, Port, serve};
use grokscope::record::UserError;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};

/// Names under which browsers show software renderers.
const SOFTWARE: [&str; 5] = ["swiftshader", "llvmpipe", "lavapipe", "warp", "basic render"];

fn main() {
    std::panic::set_hook(Box::new(|info| {
        let error = UserError::new(
            format!("The engine crashed ({info})"),
            "Resume from the last checkpoint; if it happens again, use the CPU engine",
        );
        post(&Event::Crashed(error));
    }));
    let inbox = Rc::new(RefCell::new(Inbox::default()));
    let receiver = Rc::clone(&inbox);
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let bytes = Uint8Array::new(&event.data()).to_vec();
        match decode::<Command>(&bytes) {
            Ok(command) => receiver.borrow_mut().put(command),
            Err(error) => post(&Event::Error(UserError::new(
                format!("The engine could not read a command ({error})"),
                "Reload the page so that page and engine are of one build",
            ))),
        }
    });
    scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    spawn_local(async move {
        let adapter = probe().await;
        serve(WorkerPort { inbox }, Engines::new("CPU (wasm, SIMD)", true, adapter, now_ms)).await;
    });
}

#[derive(Default)]
struct Inbox {
    commands: VecDeque<Command>,
    wake: Option<Function>,
}

impl Inbox {
    fn put(&mut self, command: Command) {
        self.commands.push_back(command);
        if let Some(wake) = self.wake.take() {
            // Resolving a promise cannot throw.
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    }
}

struct WorkerPort {
    inbox: Rc<RefCell<Inbox>>,
}

impl Port for WorkerPort {
    fn emit(&mut self, event: Event) {
        post(&event);
    }

    fn poll(&mut self) -> Option<Command> {
        self.inbox.borrow_mut().commands.pop_front()
    }

    async fn wait(&mut self) -> Option<Command> {
        loop {
            if let Some(command) = self.poll() {
                return Some(command);
            }
            let inbox = Rc::clone(&self.inbox);
            let arrival = Promise::new(&mut |resolve, _| inbox.borrow_mut().wake = Some(resolve));
            JsFuture::from(arrival).await.ok()?;
        }
    }

    /// A message to ourselves: unlike a nested `setTimeout(0)` it is not held back by 4 ms.
    async fn breathe(&mut self) {
        let Ok(channel) = MessageChannel::new() else { return };
        let turn = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(turn).await;
        channel.port1().close();
    }

    fn now_ms(&self) -> f64 {
        now_ms()
    }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn now_ms() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

fn post(event: &Event) {
    let Ok(bytes) = encode(event) else { return };
    let message = Uint8Array::from(bytes.as_slice()).buffer();
    // Posting fails only when the page is gone.
    let _ = scope().post_message_with_transfer(&message, &Array::of1(&message));
}

/// Asks the browser about its adapter by reflection: web-sys keeps WebGPU behind an unstable flag, and burn must not be
/// initialised on an adapter that it would panic on.
async fn probe() -> Option<AdapterReport> {
    let gpu = present(Reflect::get(&scope().navigator(), &"gpu".into()).ok()?)?;
    let request: Function = Reflect::get(&gpu, &"requestAdapter".into()).ok()?.dyn_into().ok()?;
    let options = js_sys::Object::new();
    Reflect::set(&options, &"powerPreference".into(), &"high-performance".into()).ok()?;
    let promise: Promise = request.call1(&gpu, &options).ok()?.dyn_into().ok()?;
    let adapter = present(JsFuture::from(promise).await.ok()?)?;
    let field = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok().and_then(present);
    let info = field(&adapter, "info");
    let text = |name: &str| info.as_ref().and_then(|i| field(i, name)).and_then(|v| v.as_string()).unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    for word in [text("vendor"), text("architecture"), text("device"), text("description")] {
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    let name = if words.is_empty() { "of unknown make".to_owned() } else { words.join(" ") };
    let fallback = [Some(&adapter), info.as_ref()]
        .into_iter()
        .flatten()
        .any(|of| field(of, "isFallbackAdapter").and_then(|v| v.as_bool()).unwrap_or(false));
    let features = field(&adapter, "features")?;
    let has: Function = field(&features, "has")?.dyn_into().ok()?;
    let limits = field(&adapter, "limits")?;
    let limit = |name: &str| field(&limits, name).and_then(|v| v.as_f64()).unwrap_or(0.0);
    let lower = name.to_lowercase();
    Some(AdapterReport {
        software: fallback || SOFTWARE.iter().any(|word| lower.contains(word)),
        timestamp_query: has.call1(&features, &"timestamp-query".into()).ok()?.as_bool().unwrap_or(false),
        max_storage_buffers: limit("maxStorageBuffersPerShaderStage") as u32,
        max_binding_bytes: limit("maxStorageBufferBindingSize") as u64,
        name,
    })
}

fn present(value: JsValue) -> Option<JsValue> {
    (!value.is_null() && !value.is_undefined()).then_some(value)
}
