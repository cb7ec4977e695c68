//! The page's door.

fn main() {
    #[cfg(target_arch = "wasm32")]
    grokscope::page::mount();
}
