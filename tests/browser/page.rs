//! What a person does with the page, as functions; what the page says, as values.
//!
//! Tests find things by `id` and read the state from the `data-` attributes of `#status`, `#fit-status` and `#fit-summary`, never
//! from words or classes, so that copy and style can change freely. A page that is dropped without a single error on its
//! console is part of every test.

use crate::driver::{Driver, Screen, pictures, site};
use grokscope::experiment::{Experiment, Link, link};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// The key that WebDriver gives an element's handle.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A page in a fresh profile.
pub struct Page {
    pub driver: Driver,
}

/// The `data-` attributes of `#status`.
#[derive(Debug, Clone, Default)]
pub struct Status {
    pub phase: String,
    pub step: u32,
    pub test_accuracy: f64,
    pub t_mem: Option<u32>,
    pub t_gen: Option<u32>,
    pub fingerprint: String,
    pub engine: String,
}

/// One change of `#status` as it was seen in the page.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub step: u32,
    pub train_accuracy: f64,
    pub test_accuracy: f64,
    /// Since Start was pressed.
    pub seconds: f64,
}

impl Page {
    /// A browser with a fresh profile and nothing open.
    pub fn blank(screen: Screen) -> Self {
        Self { driver: Driver::start(screen) }
    }

    /// The page at `fragment` (empty, or starting with `#`), ready to be used.
    ///
    /// On a loaded machine a fresh Chromium now and then never answers its first navigation: the driver gives up on the renderer
    /// when the whole time for loading a page has passed (seen once in some thirty suites). A second browser is started then, once;
    /// a page that hangs by itself hangs there too.
    pub fn open(screen: Screen, fragment: &str) -> Self {
        let address = json!({ "url": format!("{}{fragment}", site()) });
        let mut driver = Driver::start(screen);
        if let Err(error) = driver.try_post("/url", &address) {
            assert!(error.contains("Timed out receiving message from renderer"), "WebDriver /url: {error}");
            eprintln!("a browser that never answered is replaced: {error}");
            driver = Driver::start(screen);
            driver.post("/url", &address);
        }
        let page = Self { driver };
        page.wait_until_ready();
        page
    }

    /// The page opened by a link to `experiment`.
    pub fn of(screen: Screen, experiment: &Experiment) -> Self {
        Self::open(screen, &fragment_of(experiment))
    }

    /// Opens an address of the page and waits until it can be used.
    pub fn go(&self, url: &str) {
        self.driver.post("/url", &json!({ "url": url }));
        self.wait_until_ready();
    }

    /// Loads the page again in the same profile.
    pub fn reload(&self) {
        self.driver.post("/refresh", &json!({}));
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        // A link may lead to a view without a run.
        let status = "(document.getElementById('status') ?? document.getElementById('theory-status'))?.dataset.phase";
        self.wait("the page to be interactive", status, 30);
    }

    /// The value of a JavaScript expression.
    pub fn js(&self, expression: &str) -> Value {
        self.driver.post("/execute/sync", &json!({ "script": format!("return {expression}"), "args": [] }))
    }

    /// Waits until a JavaScript expression is true.
    pub fn wait(&self, what: &str, condition: &str, seconds: u64) -> Duration {
        let started = Instant::now();
        loop {
            if self.js(&format!("Boolean({condition})")) == Value::Bool(true) {
                return started.elapsed();
            }
            if started.elapsed() > Duration::from_secs(seconds) {
                self.picture(&format!("waited in vain for {what}"));
                panic!(
                    "waited {seconds} s in vain for {what}; status {}, fit {}, errors on the console: {:#?}",
                    self.js("{...document.getElementById('status')?.dataset}"),
                    self.js("{...document.getElementById('fit-status')?.dataset}"),
                    self.driver.console_errors()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn element(&self, css: &str) -> String {
        let found = self.driver.post("/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Opens every drawer that hides the control and waits until it is there.
    fn reach(&self, id: &str) -> String {
        self.wait(&format!("#{id}"), &format!("document.getElementById('{id}')"), 15);
        // To the middle of the window, away from what sticks to its edges.
        self.js(&format!(
            "(() => {{ const found = document.getElementById('{id}'); for (let e = found; e; e = e.parentElement) if (e.tagName === \
             'DETAILS') e.open = true; found.scrollIntoView({{ block: 'center', behavior: 'instant' }}); }})()"
        ));
        self.element(&format!("#{id}"))
    }

    /// Clicks the middle of a control as a mouse would; fails if something lies over it.
    pub fn click(&self, id: &str) {
        let element = self.reach(id);
        self.driver.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into a control that has the focus or gets it.
    pub fn keys(&self, id: &str, text: &str) {
        let element = self.reach(id);
        self.driver.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses one key, wherever the focus is.
    pub fn press(&self, key: &str) {
        let keys = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.driver.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] }));
    }

    /// Moves the mouse to where it points at nothing that answers.
    pub fn point_away(&self) {
        let there = json!([{ "type": "pointerMove", "duration": 0, "x": 1, "y": 1, "origin": "viewport" }]);
        let mouse = json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": there });
        self.driver.post("/actions", &json!({ "actions": [mouse] }));
    }

    /// Takes hold of the middle of an element with the mouse and lets it go so many CSS pixels further.
    pub fn drag(&self, id: &str, (right, down): (i32, i32)) {
        let element = self.reach(id);
        let to =
            |x: i32, y: i32| json!({ "type": "pointerMove", "duration": 60, "x": x, "y": y, "origin": { ELEMENT: element } });
        let by = |x: i32, y: i32| json!({ "type": "pointerMove", "duration": 120, "x": x, "y": y, "origin": "pointer" });
        let (half, rest) = ((right / 2, down / 2), (right - right / 2, down - down / 2));
        let steps = json!([to(0, 0), { "type": "pointerDown", "button": 0 }, by(half.0, half.1), by(rest.0, rest.1),
            { "type": "pointerUp", "button": 0 }]);
        let mouse = json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": steps });
        self.driver.post("/actions", &json!({ "actions": [mouse] }));
    }

    /// Replaces the text of an input and leaves it.
    pub fn fill(&self, id: &str, text: &str) {
        self.reach(id);
        // Selected and typed over, as a person does: clearing first would show the page an empty field in between.
        self.js(&format!("(e => {{ e.focus(); e.select(); }})(document.getElementById('{id}'))"));
        self.keys(id, &format!("{text}{TAB}"));
    }

    /// Chooses an option of a select by its value.
    pub fn choose(&self, id: &str, value: &str) {
        if self.value(id) != value {
            let option = self.element(&format!("#{id} option[value='{value}']"));
            self.driver.post(&format!("/element/{option}/click"), &json!({}));
        }
        // A menu of the header lies over the page while it is open.
        self.js("document.querySelectorAll('header details').forEach(menu => menu.open = false)");
    }

    /// What an input or select holds.
    pub fn value(&self, id: &str) -> String {
        self.reach(id);
        self.js(&format!("document.getElementById('{id}').value")).as_str().unwrap_or_default().to_owned()
    }

    /// Text that a person sees in an element; empty if it is absent or hidden.
    pub fn text(&self, id: &str) -> String {
        let visible = format!("(e => e && e.checkVisibility() ? e.innerText.trim() : '')(document.getElementById('{id}'))");
        self.js(&visible).as_str().unwrap_or_default().to_owned()
    }

    /// One `data-` attribute in JavaScript's spelling; empty if it is absent.
    pub fn data(&self, id: &str, name: &str) -> String {
        self.js(&format!("document.getElementById('{id}')?.dataset.{name} ?? ''")).as_str().unwrap_or_default().to_owned()
    }

    /// One `data-` attribute as a number.
    pub fn number(&self, id: &str, name: &str) -> f64 {
        let text = self.data(id, name);
        text.parse().unwrap_or_else(|_| panic!("#{id} has data {name} = {text:?}, which is not a number"))
    }

    /// What the page says about its run.
    pub fn status(&self) -> Status {
        let data = self.js("{...document.getElementById('status').dataset}");
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        Status {
            phase: text("phase"),
            step: text("step").parse().unwrap_or(0),
            test_accuracy: text("testAccuracy").parse().unwrap_or(f64::NAN),
            t_mem: text("tMem").parse().ok(),
            t_gen: text("tGen").parse().ok(),
            fingerprint: text("fingerprint"),
            engine: text("engine"),
        }
    }

    /// Waits for a phase.
    pub fn wait_for_phase(&self, phase: &str, seconds: u64) -> Status {
        self.wait(&format!("phase {phase}"), &format!("document.getElementById('status').dataset.phase === '{phase}'"), seconds);
        self.status()
    }

    /// Waits for the end of a run and its fingerprint.
    pub fn wait_for_end(&self, seconds: u64) -> Status {
        self.wait(
            "the end of the run",
            "(d => d.phase === 'failed' || (d.phase === 'finished' && d.fingerprint))(document.getElementById('status').dataset)",
            seconds,
        );
        let status = self.status();
        assert_eq!(status.phase, "finished", "{}", self.text("error-card"));
        status
    }

    /// Waits for a step.
    pub fn wait_for_step(&self, step: u32, seconds: u64) {
        self.wait(&format!("step {step}"), &format!("Number(document.getElementById('status').dataset.step) >= {step}"), seconds);
    }

    /// Presses Start on the CPU engine and writes down every change of the accuracies from then on (see [`Page::seen`]).
    pub fn start_on_cpu(&self) {
        self.choose("engine-wish", "cpu");
        self.js(
            "(() => { const status = document.getElementById('status'); window.seen = []; const started = performance.now(); \
             new MutationObserver(() => window.seen.push([+status.dataset.step, +status.dataset.trainAccuracy, \
             +status.dataset.testAccuracy, (performance.now() - started) / 1000])).observe(status, { attributes: true }); })()",
        );
        self.click("start");
    }

    /// Every change since [`Page::start_on_cpu`], oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        let rows = self.js("window.seen");
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let rows = rows.as_array().into_iter().flatten();
        rows.map(|r| Seen {
            step: number(&r[0]) as u32,
            train_accuracy: number(&r[1]),
            test_accuracy: number(&r[2]),
            seconds: number(&r[3]),
        })
        .collect()
    }

    /// Copies the link and returns it.
    pub fn link(&self) -> String {
        self.click("copy-link");
        self.wait("the link", "document.getElementById('share-text')?.value", 5);
        self.value("share-text")
    }

    /// The experiment in the link that the page gives now.
    pub fn linked(&self) -> Experiment {
        experiment_in(&self.link())
    }

    /// Lines of the timeline in the list under the curves, in their order.
    pub fn timeline(&self) -> Vec<String> {
        let lines = self.js("[...document.querySelectorAll('#timeline-list [data-line]')].map(item => item.dataset.line)");
        lines.as_array().into_iter().flatten().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits for a timeline of exactly these lines.
    pub fn wait_for_timeline(&self, lines: &[&str]) {
        let wanted = json!(lines);
        let shown = "JSON.stringify([...document.querySelectorAll('#timeline-list [data-line]')].map(item => item.dataset.line))";
        self.wait(&format!("the timeline {wanted}"), &format!("{shown} === JSON.stringify({wanted})"), 15);
    }

    /// Fails unless `field` is refused beside itself with `word` in the message, and Start does nothing.
    pub fn assert_refused(&self, field: &str, word: &str) {
        let message = self.text(&format!("error-{field}"));
        assert!(message.contains(word), "the message beside {field} is {message:?}");
        self.click("start");
        thread::sleep(Duration::from_millis(500));
        assert_eq!(self.status().phase, "idle", "an experiment that cannot run was started");
    }

    /// Waits for the one file with this ending among the browser's downloads.
    pub fn saved(&self, ending: &str) -> PathBuf {
        let started = Instant::now();
        loop {
            let files = std::fs::read_dir(self.driver.downloads.path()).unwrap().map(|entry| entry.unwrap().path());
            // The browser reserves the name before there is anything in the file.
            let finished =
                |file: &PathBuf| file.to_string_lossy().ends_with(ending) && file.metadata().is_ok_and(|data| data.len() > 0);
            if let Some(file) = files.into_iter().find(finished) {
                return file;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "no *{ending} was saved within 30 s");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Brings an element to the top of the window; what is out of sight is not drawn.
    pub fn look_at(&self, id: &str) {
        self.wait(&format!("#{id}"), &format!("document.getElementById('{id}')"), 15);
        self.js(&format!(
            "(() => {{ const found = document.getElementById('{id}'); for (let e = found; e; e = e.parentElement) if (e.tagName === \
             'DETAILS') e.open = true; found.scrollIntoView({{ block: 'start', behavior: 'instant' }}); }})()"
        ));
    }

    /// [`Page::picture_hash`] of a canvas once it is drawn and stays as it is.
    pub fn settled(&self, id: &str) -> u64 {
        self.look_at(id);
        let started = Instant::now();
        let mut last = None;
        loop {
            let now = self.picture_hash(id);
            if last == Some(now) && self.colours(id) > 2 {
                return now;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "#{id} is blank or never comes to rest");
            last = Some(now);
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Number of distinct colours on a canvas (or the first canvas inside an element): 1 means that it is blank.
    pub fn colours(&self, id: &str) -> u64 {
        let count = self.js(&format!("(() => {{ {PIXELS} return new Set(pixels('{id}')).size; }})()"));
        count.as_u64().unwrap()
    }

    /// A number that changes with the picture on a canvas.
    pub fn picture_hash(&self, id: &str) -> u64 {
        let hash = self.js(&format!(
            "(() => {{ {PIXELS} return pixels('{id}').reduce((hash, pixel) => (Math.imul(hash, 31) + pixel) >>> 0, 7); }})()"
        ));
        hash.as_u64().unwrap()
    }

    /// Leaves a picture of the screen for people; returns its path.
    pub fn picture(&self, name: &str) -> PathBuf {
        let file = pictures().join(format!("{}.png", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
        std::fs::write(&file, self.driver.screenshot()).unwrap();
        file
    }

    /// Fails unless the page fits its window without sideways scrolling.
    pub fn assert_fits(&self, what: &str) {
        let excess = self.js(
            "(() => { const wide = innerWidth, all = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right \
             > wide + 1 && e.checkVisibility()).map(e => e.id || e.className || e.tagName).slice(0, 5); \
             return [document.documentElement.scrollWidth - wide, all.join(', ')]; })()",
        );
        assert!(excess[0].as_f64().unwrap() <= 0.0, "{what} is {} px too wide; beyond the edge: {}", excess[0], excess[1]);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A test that already fails has more to say than the console.
        if !thread::panicking() {
            let errors = self.driver.console_errors();
            assert!(errors.is_empty(), "errors on the console: {errors:#?}");
        }
    }
}

/// The experiment that a link carries, as the command line would read it.
pub fn experiment_in(link: &str) -> Experiment {
    let (_, text) = link.split_once("x=").unwrap();
    link::decode(text.split('&').next().unwrap()).unwrap().experiment
}

/// The fragment of a link to `experiment`.
pub fn fragment_of(experiment: &Experiment) -> String {
    let link = Link { experiment: experiment.clone(), crosscoder: None, fingerprint: None };
    format!("#x={}", link::encode(&link).unwrap())
}

/// WebDriver's name of the Tab key.
pub const TAB: &str = "\u{E004}";
/// WebDriver's name of the Enter key.
pub const ENTER: &str = "\u{E007}";
/// WebDriver's name of the Home key.
pub const HOME: &str = "\u{E011}";
/// WebDriver's name of the End key.
pub const END: &str = "\u{E010}";
/// WebDriver's name of the right arrow key.
pub const LEFT: &str = "\u{E012}";
/// Delete.
pub const DELETE: &str = "\u{E017}";
/// Arrow right.
pub const RIGHT: &str = "\u{E014}";

/// All pixels of a canvas as 32-bit numbers.
const PIXELS: &str = "const pixels = id => { const host = document.getElementById(id); \
    const canvas = host.tagName === 'CANVAS' ? host : host.querySelector('canvas'); \
    return new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer); };";
