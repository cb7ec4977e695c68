//! Which tab owns a run: a Web Lock named after it, held until the tab closes or lets go.
//!
//! Without it two tabs would both offer to continue the run that a third is still training, and write to one record. A time
//! stamp in the database was rejected: a sleeping tab looks dead. Called through `Reflect` because web-sys marks the API
//! unstable; a browser without it (a page not served over https) grants every claim.

use js_sys::{Function, Object, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// A held claim; dropping it lets go.
pub(super) struct Claim(Option<Function>);

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            // The only failure is a page that is going away, and then the lock goes with it.
            let _ = release.call0(&JsValue::NULL);
        }
    }
}

/// Claims a run for this tab; `None` if another tab has it.
pub(super) async fn claim(run: &str) -> Option<Claim> {
    request(run).await.unwrap_or(Some(Claim(None)))
}

/// `Err` where the browser has no locks.
async fn request(run: &str) -> Result<Option<Claim>, JsValue> {
    let navigator = web_sys::window().ok_or(JsValue::NULL)?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &true.into())?;

    let release: Rc<RefCell<Option<Function>>> = Rc::default();
    let kept = release.clone();
    let mut answer = None;
    let answered = Promise::new(&mut |resolve, _| answer = Some(resolve));
    // The lock is held for as long as the promise that this returns is open.
    let on_lock = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        let held = if lock.is_null() {
            JsValue::NULL
        } else {
            Promise::new(&mut |resolve, _| {
                kept.replace(Some(resolve));
            })
            .into()
        };
        if let Some(answer) = answer {
            let _ = answer.call1(&JsValue::NULL, &(!lock.is_null()).into());
        }
        held
    });
    request.call3(&locks, &format!("grokscope run {run}").into(), &options, &on_lock)?;
    let granted = JsFuture::from(answered).await?.is_truthy();
    Ok(granted.then(|| Claim(release.take())))
}
