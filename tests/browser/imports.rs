//! What comes into the Atlas as a file: activations of another network, a dictionary that comes back, a further run.

use crate::driver::DESK;
use crate::page::Page;
use grokscope::experiment::randomness::{Purpose, Stream};
use grokscope::experiment::{Experiment, preset, with_value};
use grokscope::record::{NamedTensor, Weights};
use std::path::PathBuf;

/// A transformer that is done within seconds, with a handful of checkpoints.
fn small(seed: &str) -> Experiment {
    let changes = [("task.modulus", "23"), ("steps", "100"), ("logging.checkpoint_every", "50"), ("seed", seed)];
    let start = preset("transformer-59-mirror").unwrap().experiment.clone();
    changes.iter().fold(start, |e, (path, text)| with_value(&e, path, text).unwrap())
}

fn settings(page: &Page, batch: &str) {
    page.fill("xc-latents", "32");
    page.fill("xc-steps", "150");
    page.js("document.querySelectorAll('.card details').forEach(d => d.open = true)");
    page.fill("xc-batch_size", batch);
}

/// The small run on the page, with the form of a tiny fit over all its checkpoints.
fn prepared(seed: &str) -> Page {
    let page = Page::of(DESK, &small(seed));
    page.start_on_cpu();
    page.wait_for_end(120);
    page.click("tab-atlas");
    page.click("spread-sources");
    settings(&page, "128");
    page
}

fn wait_for_fit(page: &Page, name: &str) {
    let there = format!(
        "document.getElementById('fit-status').dataset.state === 'error' || document.getElementById('fit-summary')?.dataset.name === '{name}'"
    );
    page.wait(&format!("the fit {name}"), &there, 200);
    assert_eq!(page.data("fit-status", "state"), "done", "{}", page.text("error-card"));
}

fn written(page: &Page, name: &str, bytes: &[u8]) -> PathBuf {
    let file = page.driver.downloads.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    file
}

fn give(page: &Page, input: &str, file: &std::path::Path) {
    page.keys(input, file.to_str().unwrap());
}

fn wait_for_refusal(page: &Page) -> String {
    page.wait("the refusal", "document.getElementById('error-card')?.checkVisibility()", 20);
    page.text("error-card")
}

/// Lives of a fit as the page shows them.
fn counts(page: &Page) -> Vec<String> {
    ["alive", "emergent", "shared", "vanished"].map(|name| page.data("fit-summary", name)).to_vec()
}

#[test]
fn a_dictionary_that_was_saved_comes_back_with_the_same_lives_and_a_truncated_one_is_refused() {
    let page = prepared("0");
    page.click("fit");
    wait_for_fit(&page, "births");
    let (lives, life) = (counts(&page), page.text("latent-life"));
    page.click("save-dictionary");
    let whole = std::fs::read(page.saved(".safetensors")).unwrap();

    let cut = written(&page, "cut.safetensors", &whole[..whole.len() / 2]);
    give(&page, "open-dictionary", &cut);
    let words = wait_for_refusal(&page);
    assert!(words.contains("cut.safetensors was not opened"), "{words}");
    assert_eq!(page.data("fit-summary", "name"), "births", "the fit on the page stays");

    let kept = written(&page, "kept.safetensors", &whole);
    give(&page, "open-dictionary", &kept);
    let count = page.data("fit-summary", "sources").split(',').count();
    page.wait("the dictionary", &format!("document.getElementById('dictionary-panel')?.dataset.sources === '{count}'"), 20);
    page.click("show-dictionary");
    wait_for_fit(&page, "kept");
    assert_eq!(counts(&page), lives);
    assert_eq!(page.text("latent-life"), life);
    assert!(page.text("fit-origin").contains("imported"), "{}", page.text("fit-origin"));
    let taken_out = page.js("document.querySelectorAll('#fit-causal tr[data-rise]').length").as_u64().unwrap();
    assert!(taken_out > 0, "no class was taken out of the run");
    assert!(page.text("link-needs").contains("kept.safetensors"), "{}", page.text("link-needs"));
    page.picture("atlas imported dictionary");

    // One checkpoint less than sources.
    give(&page, "open-dictionary", &kept);
    page.wait("the dictionary", "document.getElementById('dictionary-panel')", 20);
    page.js("document.querySelector('#xc-sources input:checked').click()");
    page.wait("the reason", "document.getElementById('show-dictionary').disabled", 10);
    let words = page.text("dictionary-problem");
    assert!(words.contains(&format!("{count} sources, {} checkpoints", count - 1)), "{words}");
}

#[test]
fn activations_of_another_network_are_fitted_without_a_run() {
    const SIDE: usize = 12;
    const ROWS: usize = SIDE * SIDE;
    let page = Page::open(DESK, "");
    page.click("tab-atlas");
    let mut draw = Stream::new(3, Purpose::Planted, 0);
    let mut source = |late: f32| -> Vec<f32> {
        let noise = draw.normals(ROWS * 6, 0.05);
        let class = |row: usize| (row / SIDE + row % SIDE) % SIDE;
        let value = |at: usize| match at % 6 {
            0 => f32::from(u8::from(at / 6 % SIDE == 3)),
            1 => late * f32::from(u8::from(class(at / 6) < 3)),
            _ => 0.0,
        };
        (0..ROWS * 6).map(|at| value(at) + noise[at]).collect()
    };
    let tensor = |name: &str, values: Vec<f32>| {
        let shape = if values.len() == ROWS { vec![ROWS] } else { vec![ROWS, 6] };
        NamedTensor { name: name.into(), shape, values }
    };
    let (early, late) = (source(0.0), source(1.0));
    let mut tensors = vec![tensor("source.100", early), tensor("source.900", late)];
    let bare = Weights { tensors: tensors.clone() }.to_safetensors(None).unwrap();
    tensors.push(tensor("a", (0..ROWS).map(|row| (row / SIDE) as f32).collect()));
    tensors.push(tensor("b", (0..ROWS).map(|row| (row % SIDE) as f32).collect()));
    let full = Weights { tensors }.to_safetensors(None).unwrap();

    give(&page, "open-activations", &written(&page, "cut.safetensors", &bare[..bare.len() - 10]));
    let words = wait_for_refusal(&page);
    assert!(words.contains("cut.safetensors was not opened"), "{words}");

    give(&page, "open-activations", &written(&page, "bare.safetensors", &bare));
    page.wait("the activations", "document.getElementById('activations-panel')?.dataset.rows === '144'", 20);
    assert_eq!(page.data("activations-panel", "sources"), "100,900");
    settings(&page, "512");
    page.wait("the reason", "document.getElementById('fit-activations').disabled", 10);
    assert!(page.text("activations-problem").contains("batch_size"), "{}", page.text("activations-problem"));
    page.fill("xc-batch_size", "64");
    page.fill("xc-steps", "500000");
    page.wait("the button", "!document.getElementById('fit-activations').disabled", 10);
    page.click("fit-activations");
    page.wait("the fit to start", "Number(document.getElementById('fit-status').dataset.step) > 0", 60);
    page.click("pause-fit");
    page.wait("the fit to be held", "document.getElementById('fit-status').dataset.state === 'paused'", 20);
    page.click("cancel-fit");
    page.wait("the fit to be dropped", "document.getElementById('fit-status').dataset.state === 'idle'", 30);
    page.fill("xc-steps", "300");
    page.click("fit-activations");
    wait_for_fit(&page, "bare");
    assert_eq!(page.data("fit-summary", "sources"), "100,900");
    assert!(page.text("latent-absent").contains("does not give the inputs"), "{}", page.text("latent-absent"));
    assert!(page.js("!document.getElementById('latent-side-map')").as_bool().unwrap(), "a map without inputs");
    assert!(page.text("latent-trial-absent").contains("no network"), "{}", page.text("latent-trial-absent"));
    assert!(page.js("document.querySelectorAll('#latent-inputs tbody tr').length > 0").as_bool().unwrap(), "no inputs");

    // With a and b the map is there.
    give(&page, "open-activations", &written(&page, "full.safetensors", &full));
    page.wait("the activations", "document.getElementById('activations-panel')?.innerText.includes('full.safetensors')", 20);
    page.click("fit-activations");
    wait_for_fit(&page, "full");
    page.look_at("latent-map");
    page.settled("latent-map");
    assert!(page.colours("latent-map") > 2, "nothing is drawn of where it fires");
    page.picture("atlas activations from a file");
}

#[test]
fn one_dictionary_spans_a_further_run_and_one_of_another_task_is_refused() {
    let further = Page::of(DESK, &small("1"));
    further.start_on_cpu();
    further.wait_for_end(120);
    further.click("export");
    let archive = further.saved(".grok.zip");
    let other_task = with_value(&small("1"), "task.modulus", "19").unwrap();
    let other = Page::of(DESK, &other_task);
    other.start_on_cpu();
    other.wait_for_end(120);
    other.click("export");
    let misfit = other.saved(".grok.zip");

    let page = prepared("0");
    give(&page, "also-file", &misfit);
    let words = wait_for_refusal(&page);
    assert!(words.contains("other inputs") && words.contains("same task"), "{words}");
    give(&page, "also-file", &archive);
    page.wait("the further run", "document.getElementById('also-read')?.innerText.includes('seed 1')", 20);
    page.click("fit");
    wait_for_fit(&page, "births");
    let sources: Vec<String> = page.data("fit-summary", "sources").split(',').map(str::to_owned).collect();
    // The same steps were saved by both.
    let of = |run: &str| sources.iter().filter_map(|label| label.strip_suffix(run)).map(str::to_owned).collect::<Vec<String>>();
    assert_eq!(of(" this run"), of(" seed 1"), "{sources:?}");
    assert!(of(" seed 1").len() > 2 && of(" seed 1").len() * 2 == sources.len(), "{sources:?}");
    assert!(page.text("link-needs").contains("seed 1"), "{}", page.text("link-needs"));
    let lives = counts(&page);

    // A link names it and says what else it takes.
    let link = page.link();
    let elsewhere = Page::blank(DESK);
    elsewhere.go(&link);
    elsewhere.wait("the reason", "document.getElementById('link-needs-more')", 20);
    assert!(elsewhere.js("!document.getElementById('follow-link')").as_bool().unwrap(), "it offers what it cannot make");

    // What was written last may still be on its way to the disk.
    std::thread::sleep(std::time::Duration::from_millis(800));
    page.reload();
    page.wait("the stored fit", "document.getElementById('open-stored') || document.getElementById('fit-summary')", 30);
    page.js("document.getElementById('open-stored')?.click()");
    page.click("tab-atlas");
    page.wait("the stored fit", "document.getElementById('fit-summary')", 20);
    assert_eq!(counts(&page), lives, "the fit over two runs is lost with a reload");
}
