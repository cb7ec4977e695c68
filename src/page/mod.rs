//! What a person sees and does: the page. It draws, asks and keeps; it never computes a network, and holds no burn, so that it
//! paints at once and stays light while the engine works in its own thread.

mod address;
mod app;
mod appearance;
mod atlas;
mod atlas_views;
mod branch;
mod cards;
mod causal;
mod chart;
mod claim;
mod configure;
mod curves;
mod diagnose;
mod fits;
mod form;
mod guide;
mod header;
mod imports;
mod inside;
mod intervene;
mod keys;
mod latent;
mod latents;
mod lifetimes;
mod live;
mod pairs;
mod paper;
mod permalink;
mod picker;
mod points;
mod popover;
mod port;
mod presets;
mod race;
mod race_form;
mod race_measured;
mod race_result;
mod run;
mod save;
mod selection;
mod session;
mod set_trial;
mod sets;
mod share;
mod slider;
mod storage;
mod store;
mod theory;
mod timeline;
mod transport;
mod trial;

/// Shows the laboratory in `#app`.
pub fn mount() {
    console_error_panic_hook::set_once();
    app::mount();
    // For `cargo xtask bench`: from here on a person can press Start.
    if let Some(clock) = web_sys::window().and_then(|window| window.performance()) {
        let _ = clock.mark("grokscope-interactive");
    }
}
