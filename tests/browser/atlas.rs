//! The laboratory of features: a fit that is held and goes on, a latent that is tried, walked to by keyboard and sent to somebody.

use crate::driver::DESK;
use crate::page::Page;
use grokscope::experiment::{Experiment, preset, with_value};

/// A transformer that memorises within seconds, with a handful of checkpoints.
fn small() -> Experiment {
    let changes = [("task.modulus", "23"), ("steps", "200"), ("logging.checkpoint_every", "50")];
    let start = preset("transformer-59-mirror").unwrap().experiment.clone();
    changes.iter().fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
}

/// The small run on the page, its fit set up but not started.
fn prepared(steps: &str) -> Page {
    let page = Page::of(DESK, &small());
    page.start_on_cpu();
    page.wait_for_end(120);
    page.click("tab-atlas");
    page.click("spread-sources");
    page.fill("xc-latents", "64");
    page.fill("xc-steps", steps);
    page.js("document.querySelectorAll('.card details').forEach(d => d.open = true)");
    page.fill("xc-batch_size", "128");
    page
}

fn state(page: &Page) -> String {
    page.data("fit-status", "state")
}

fn wait_for_fit(page: &Page) {
    page.wait("the fit", "['done', 'error'].includes(document.getElementById('fit-status').dataset.state)", 200);
    assert_eq!(state(page), "done", "{}", page.text("error-card"));
}

#[test]
fn a_fit_is_held_goes_on_and_its_latents_are_walked_tried_and_sent() {
    let page = prepared("6000");
    page.click("fit");
    page.wait("the fit to start", "Number(document.getElementById('fit-status').dataset.step) > 0", 60);
    page.click("pause-fit");
    page.wait("the fit to be held", "document.getElementById('fit-status').dataset.state === 'paused'", 20);
    std::thread::sleep(std::time::Duration::from_millis(400));
    let held = page.number("fit-status", "step");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(page.number("fit-status", "step"), held, "a fit that is held goes on");
    page.click("pause-fit");
    page.wait("the fit to go on", &format!("Number(document.getElementById('fit-status').dataset.step) > {held}"), 30);
    page.click("cancel-fit");
    page.wait("the fit to be dropped", "document.getElementById('fit-status').dataset.state === 'idle'", 30);

    page.fill("xc-steps", "300");
    page.click("fit");
    wait_for_fit(&page);
    let sources = page.data("fit-summary", "sources");
    assert!(sources.split(',').count() > 3, "{sources}");

    // By keyboard to the next latent, and back.
    page.look_at("latent-head");
    let first = page.text("latent-head");
    page.click("latent-next");
    page.wait(
        "another latent",
        "document.getElementById('latent-previous') && !document.getElementById('latent-previous').disabled",
        10,
    );
    assert_ne!(page.text("latent-head"), first);
    page.press("k");
    page.wait("the first latent", "document.getElementById('latent-previous').disabled", 10);

    page.click("try-latent");
    page.wait(
        "the trials",
        "!document.getElementById('try-latent').disabled && document.querySelector('#latent-trial table')",
        60,
    );
    let rises = page.js("[...document.querySelectorAll('#latent-trial tr[data-rise]')].map(r => Number(r.dataset.rise))");
    let rises: Vec<f64> = rises.as_array().unwrap().iter().map(|rise| rise.as_f64().unwrap()).collect();
    assert_eq!(rises.len(), sources.split(',').count(), "one trial per checkpoint");
    assert!(rises.iter().all(|rise| rise.is_finite()) && rises.iter().any(|rise| *rise != 0.0), "{rises:?}");
    page.look_at("latent-steering");
    page.settled("latent-steering");
    assert!(page.colours("latent-steering") > 2, "nothing is drawn of the steering");
    page.picture("latent tried");

    // Several at once, by class and all together.
    page.look_at("latent-sets");
    assert_eq!(page.js("document.getElementById('try-set').disabled"), true, "an empty set has nothing to try");
    page.js("document.querySelector('#latent-sets .chips button[data-class]').click()");
    page.wait("a class in the set", "!document.getElementById('try-set').disabled", 10);
    page.js("document.querySelector('#latent-sets details summary').click()");
    page.wait("the table of latents", "document.querySelectorAll('#latent-table tbody input:checked').length > 0", 10);
    page.click("try-set");
    page.wait("what the set does", "document.getElementById('set-table')", 200);
    let rises = page.js("[...document.querySelectorAll('#set-table tr[data-rise]')].map(r => Number(r.dataset.rise))");
    let rises: Vec<f64> = rises.as_array().unwrap().iter().map(|rise| rise.as_f64().unwrap()).collect();
    assert_eq!(rises.len(), sources.split(',').count(), "one row per checkpoint");
    assert!(rises.iter().all(|rise| rise.is_finite()) && rises.iter().any(|rise| *rise != 0.0), "{rises:?}");
    page.look_at("set-steering");
    page.settled("set-steering");
    assert!(page.colours("set-steering") > 2, "nothing is drawn of the steering");
    page.picture("latents tried together");

    page.click("compare-sources");
    page.wait("the likeness", "document.getElementById('likeness-map')", 60);
    page.look_at("likeness-map");
    page.settled("likeness-map");
    assert!(page.colours("likeness-map") > 2, "the likeness is blank");
    page.choose("xc-hook", "mlp_post");
    page.wait(
        "the likeness of the other hook to go",
        "document.getElementById('other-hook') && !document.getElementById('likeness-map')",
        10,
    );
    page.choose("xc-hook", "resid_post");
    page.wait("the likeness to come back", "document.getElementById('likeness-map')", 10);

    // The link leads to the same latent elsewhere, where nothing is made unasked.
    page.look_at("latent-head");
    page.click("latent-next");
    let title = page.js("document.querySelector('#latent-head h2').innerText").as_str().unwrap().to_owned();
    let link = page.link();
    let other = Page::blank(DESK);
    other.go(&link);
    other.wait("the offer", "document.getElementById('follow-link')", 20);
    assert_eq!(other.status().phase, "idle", "a link must never start anything");
    other.click("follow-link");
    other.wait("the same latent", "document.querySelector('#latent-head h2')", 200);
    assert_eq!(other.js("document.querySelector('#latent-head h2').innerText").as_str().unwrap(), title);
    assert_eq!(other.data("fit-summary", "ev"), page.data("fit-summary", "ev"), "the same fit on the same engine");
}

#[test]
fn a_fit_spans_two_hooks_and_each_source_keeps_its_own_budget() {
    let page = prepared("200");
    page.choose("xc-variant", "batch_top_k_per_source");
    page.fill("xc-k", "8");
    page.js("[...document.querySelectorAll('#xc-more_hooks label')].find(l => l.innerText.includes('Hidden neurons of the MLP')).click()");
    page.click("fit");
    wait_for_fit(&page);
    let sources = page.data("fit-summary", "sources");
    assert!(sources.contains("mlp_post") && sources.contains("resid_post"), "{sources}");
    let explained: Vec<f64> = page.data("fit-summary", "ev").split(',').map(|v| v.trim().parse().unwrap()).collect();
    assert_eq!(explained.len(), sources.split(',').count());
    assert!(explained.iter().all(|ev| ev.is_finite()), "{explained:?}");
    page.picture("atlas two hooks");

    // What cannot be fitted is refused before anything starts.
    page.js("[...document.querySelectorAll('#xc-more_hooks label')].find(l => l.innerText.includes('Residual stream after the block')).click()");
    page.wait("the refusal", "document.getElementById('fit').disabled", 10);
    assert!(page.text("xc-error-more_hooks").contains("already"), "{}", page.text("xc-error-more_hooks"));
}

#[test]
fn a_null_says_what_it_must_show_and_whether_it_does() {
    let page = prepared("300");
    // Gates that nothing can pass at the start are refused before.
    page.choose("xc-variant", "jump_relu_per_source");
    page.wait(
        "the norm to be refused",
        "document.getElementById('xc-error-decoder_norm')?.textContent.includes('would ever fire')",
        10,
    );
    assert!(page.text("fit-refused").contains("Use 0.32"), "a refusal in a closed drawer is not told");
    page.choose("xc-variant", "l1_of_norms");
    assert_eq!(page.text("fit-refused"), "");
    page.choose("null-kind", "shuffled_pairs");
    page.wait(
        "what it must show",
        "document.getElementById('nulls').innerText.includes('hardly a latent in all checkpoints')",
        10,
    );
    page.click("fit-null");
    wait_for_fit(&page);
    assert_eq!(page.data("fit-summary", "null"), "shuffled_pairs");
    let said = page.text("fit-summary");
    assert!(
        said.contains("It must show hardly a latent in all checkpoints") && said.contains("the others predict at most"),
        "{said}"
    );
    // Its rows are not those of the network, so there is nothing to ask the network.
    page.look_at("latent-trial");
    page.click("try-latent");
    page.wait("the refusal", "document.getElementById('error-card')?.innerText.includes('nothing to ask')", 10);
}
