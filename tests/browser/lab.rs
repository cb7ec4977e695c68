//! The story that the page is for: a network memorises, groks, is looked into, and is sent to somebody as a link.

use crate::driver::{DESK, site};
use crate::page::{Page, Seen, experiment_in};

fn first(seen: &[Seen], what: &str, is_so: impl Fn(&Seen) -> bool) -> Seen {
    *seen
        .iter()
        .find(|s| is_so(s))
        .unwrap_or_else(|| panic!("never seen: {what}; the last of {} was {:?}", seen.len(), seen.last()))
}

#[test]
fn the_landing_experiment_memorises_first_and_groks_within_ten_seconds() {
    let page = Page::open(DESK, "");
    page.start_on_cpu();
    let end = page.wait_for_end(60);
    let seen = page.seen();
    let memorised = first(&seen, "training accuracy .99", |s| s.train_accuracy >= 0.99);
    let generalised = first(&seen, "test accuracy .99", |s| s.test_accuracy >= 0.99);
    assert!(memorised.step < generalised.step, "memorised at {memorised:?}, generalised at {generalised:?}");
    assert!(memorised.test_accuracy < 0.9, "the test set was known as early as the training set: {memorised:?}");
    assert!(generalised.seconds <= 10.0, "it took {:.1} s", generalised.seconds);
    assert!(end.t_mem.unwrap() < end.t_gen.unwrap(), "{end:?}");
    assert_eq!(end.fingerprint.len(), 16, "{end:?}");
    assert!(end.engine.contains("CPU"), "{end:?}");
    assert!(page.colours("loss-chart") > 2 && page.colours("accuracy-chart") > 2, "a chart is blank");
}

#[test]
fn a_run_of_a_preset_is_judged_and_one_with_a_changed_setting_is_not() {
    let page = Page::open(DESK, "");
    assert_eq!(page.text("verdict"), "", "there is nothing to judge yet");
    page.start_on_cpu();
    let end = page.wait_for_end(60);
    page.wait("the verdict", "document.getElementById('verdict')", 10);
    assert_eq!(page.data("verdict", "verdict"), "inside", "{end:?}: {}", page.text("verdict"));
    for date in [end.t_mem, end.t_gen] {
        let date = date.unwrap().to_string();
        assert!(page.text("verdict").contains(&date), "{date} is not in {:?}", page.text("verdict"));
    }
    page.fill("field-steps", "250");
    page.start_on_cpu();
    // The first run ended as well, so only the step tells the two apart.
    page.wait(
        "the end of the shorter run",
        "(d => d.phase === 'finished' && d.step === '250' && d.fingerprint)(document.getElementById('status').dataset)",
        60,
    );
    assert_eq!(page.text("verdict"), "", "a changed setting may be why a date moved");
}

#[test]
fn a_recorded_run_opens_at_once_with_its_curves_its_dates_and_its_verdict() {
    let page = Page::open(DESK, "");
    page.choose("preset", "pair-mlp-67-as-started");
    page.click("open-recorded");
    let end = page.wait_for_end(30);
    assert_eq!((end.step, end.t_mem, end.t_gen), (45_000, Some(284), Some(20_600)));
    assert_eq!(end.fingerprint, "0cff55bc5efa7808");
    assert_eq!(page.value("preset"), "pair-mlp-67-as-started");
    page.wait("the verdict", "document.getElementById('verdict')", 10);
    assert_eq!(page.data("verdict", "verdict"), "inside", "{}", page.text("verdict"));
    page.look_at("accuracy-chart");
    page.wait("the curves", "document.getElementById('accuracy-chart')?.getBoundingClientRect().width > 100", 10);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(page.colours("accuracy-chart") > 2, "the recorded curves are not drawn");
    // A preset without a recording does not offer one.
    page.choose("preset", "quadratic-31");
    page.wait("the button to go", "!document.getElementById('open-recorded')", 10);
}

#[test]
fn a_transformer_groks_late_and_a_crosscoder_finds_what_was_born_in_between() {
    let page = Page::open(DESK, "");
    page.choose("preset", "transformer-59-mirror");
    page.start_on_cpu();
    // The preset makes exactly the 1,000 steps of the story.
    let end = page.wait_for_end(300);
    assert!(end.step >= 1000, "{end:?}");
    let seen = page.seen();
    let memorised = first(&seen, "training ≥ .99 while test ≤ .1", |s| s.train_accuracy >= 0.99 && s.test_accuracy <= 0.1);
    let generalised = first(&seen, "test accuracy .99", |s| s.test_accuracy >= 0.99);
    assert!(memorised.step < generalised.step, "memorised at {memorised:?}, generalised at {generalised:?}");

    page.click("tab-atlas");
    // One button makes the fit and its three controls.
    page.click("guide-start");
    page.wait("the fit to start", "document.getElementById('fit-status').dataset.state === 'running'", 30);
    page.wait("the whole atlas", "['done', 'idle'].includes(document.getElementById('guide').dataset.state)", 900);
    assert_eq!(page.data("guide", "state"), "done", "{}", page.text("error-card"));
    assert_eq!(page.data("fit-status", "state"), "done");
    let explained: Vec<f64> = page.data("fit-summary", "ev").split(',').map(|v| v.trim().parse().unwrap()).collect();
    let sources: Vec<u32> = page.data("fit-summary", "sources").split(',').map(|v| v.trim().parse().unwrap()).collect();
    assert_eq!((explained.len(), sources.len()), (3, 3), "memorised, onset, clean");
    assert!(sources.is_sorted() && sources[0] < sources[2], "{sources:?}");
    assert!(explained.iter().all(|ev| *ev >= 0.85), "held-out explained variance {explained:?}");
    let (emergent, confirmed) = (page.number("fit-summary", "emergent"), page.number("fit-summary", "confirmed"));
    assert!(emergent >= 25.0, "{emergent} emergent latents");
    assert!(confirmed > emergent / 2.0, "{confirmed} of {emergent} confirmed");
    page.picture("atlas");

    // The emergent latents are what the clean network answers with: a random move as long does far less.
    let last = format!("#fit-causal tr[data-class=emergent][data-step='{}']", sources[2]);
    let of = |name: &str| page.js(&format!("Number(document.querySelector(\"{last}\").dataset.{name})")).as_f64().unwrap();
    assert!(of("rise") > 3.0 * of("moved") && of("rise") > 0.5, "{} against {}", of("rise"), of("moved"));
    page.look_at("fit-causal");
    page.picture("atlas causal");
    page.look_at("fit-lifetimes-chart");
    page.settled("fit-lifetimes-chart");
    page.picture("atlas lifetimes");
    page.look_at("fit-strongest-chart");
    page.settled("fit-strongest-chart");
    page.picture("atlas strongest");
    assert!(page.text("latent-life").contains("there"), "{}", page.text("latent-life"));

    page.click("latent-heat-map");
    page.wait("the latent's scores", "document.getElementById('latent-scores')?.innerText.trim()", 10);
    page.wait("the latent's map", "document.getElementById('latent-map')", 10);
    assert!(page.colours("latent-map") > 2, "the latent's map is blank");
    assert!(page.colours("latent-heat-map") > 2, "the heat-map is blank");
    page.picture("latent");

    // Every side of it is drawn.
    for (side, figure) in [("waves", "latent-waves"), ("answers", "latent-answers"), ("logits", "latent-logits")] {
        page.click(&format!("latent-side-{side}"));
        page.wait(side, &format!("document.getElementById('{figure}')"), 10);
        page.look_at(figure);
        page.settled(figure);
        assert!(page.colours(figure) > 2, "{figure} is blank");
        page.picture(figure);
    }
    page.click("latent-side-inputs");
    page.wait("the top inputs", "document.querySelectorAll('#latent-inputs tbody tr').length > 0", 10);
    page.look_at("latent-cosines");
    page.settled("latent-cosines");
    page.picture("latent cosines");
    page.click("latent-side-map");
    let title = "document.querySelector('#latent-head h2').innerText";
    let before = page.js(title);
    page.keys("latent-next", "j");
    page.wait("another latent after j", &format!("{title} !== {before}"), 10);

    // Each picture of the whole fit is drawn, and a click in it chooses a latent.
    for (view, canvas) in [
        ("view-two-checkpoints", "fit-norm-shares"),
        ("view-births", "fit-births"),
        ("view-checkpoints", "fit-explained"),
        ("view-decoder-map", "fit-decoders"),
        ("view-firing-together", "fit-together"),
        ("view-absences", "fit-absences"),
    ] {
        page.click(view);
        page.look_at(canvas);
        page.settled(canvas);
        assert!(page.colours(canvas) > 2, "{canvas} is blank");
    }
    page.click("view-another-fit");
    page.wait("the comparison", "document.getElementById('comparison-table')", 10);

    page.click("guide-report");
    let report = std::fs::read_to_string(page.saved("births.html")).unwrap();
    assert!(!report.contains("There is no null fit beside it") && report.matches("<svg").count() == 2);

    page.js("[...document.querySelectorAll('.fits button')].find(b => b.innerText.includes('births-null')).click()");
    page.wait("the null fit", "new Set(document.getElementById('fit-summary').dataset.sources.split(',')).size === 1", 10);
    let repeated = page.data("fit-summary", "sources");
    let steps: Vec<&str> = repeated.split(',').collect();
    assert!(
        steps.len() == 3 && steps.iter().all(|s| *s == steps[0]),
        "the null fit reads one checkpoint again and again: {repeated}"
    );
    let (born, gone) = (page.number("fit-summary", "emergent"), page.number("fit-summary", "vanished"));
    let alive = page.number("fit-summary", "alive");
    assert!(alive > 0.0 && (born + gone) / alive <= 0.01, "{born} emergent and {gone} vanished of {alive} in the null fit");

    // A reload leads back to the same latent of the same fit without a question.
    let shown = page.text("latent-life");
    page.reload();
    page.wait("the latent after a reload", "document.getElementById('latent-life')", 30);
    assert_eq!(page.text("latent-life"), shown);
    assert_eq!(page.data("fit-summary", "sources"), repeated);
}

#[test]
fn a_link_opens_the_same_experiment_elsewhere_and_its_run_has_the_same_fingerprint() {
    let sender = Page::open(DESK, "");
    sender.fill("field-seed", "41");
    sender.start_on_cpu();
    let sent = sender.wait_for_end(60);
    let link = sender.link();
    assert!(link.starts_with(&site()), "{link}");
    assert!(link.len() - site().len() <= 300, "{} characters: {link}", link.len() - site().len());

    let receiver = Page::blank(DESK);
    receiver.go(&link);
    assert_eq!(receiver.value("field-seed"), "41");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(receiver.status().phase, "idle", "a link must never start anything");
    assert_eq!(experiment_in(&receiver.link()), experiment_in(&link), "the link of a link");
    receiver.start_on_cpu();
    let received = receiver.wait_for_end(60);
    assert_eq!(received.fingerprint, sent.fingerprint);
    assert_eq!((received.t_mem, received.t_gen), (sent.t_mem, sent.t_gen));

    let other = Page::open(DESK, "");
    other.start_on_cpu();
    assert_ne!(other.wait_for_end(60).fingerprint, sent.fingerprint, "another seed is another run");
}

#[test]
fn a_run_can_be_paused_stepped_continued_stopped_and_reset() {
    let page = Page::open(DESK, "");
    page.fill("field-steps", "20000");
    page.start_on_cpu();
    page.wait_for_step(20, 30);
    page.click("pause");
    let held = page.wait_for_phase("paused", 10).step;
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(page.status().step, held, "a paused run goes on");
    page.click("step");
    page.wait_for_step(held + 1, 10);
    assert_eq!(page.wait_for_phase("paused", 10).step, held + 1, "one step is one step");
    page.click("pause");
    page.wait_for_phase("running", 10);
    page.wait_for_step(held + 20, 30);
    page.click("stop");
    let end = page.wait_for_end(10);
    assert!(end.step < 20_000 && end.fingerprint.len() == 16, "{end:?}");
    page.click("reset");
    assert_eq!(page.wait_for_phase("idle", 10).step, 0);
}
