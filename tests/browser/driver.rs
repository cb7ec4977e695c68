//! One headless Chromium with a fresh profile, driven over WebDriver.
//!
//! The protocol is JSON over plain HTTP, so this file is the whole client; an asynchronous library would make every test a
//! future for nothing. Everything started here ends when its value is dropped, also when a test fails.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// What the browser pretends to be.
#[derive(Clone, Copy)]
pub struct Screen {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// A touch screen with two device pixels per CSS pixel.
    pub phone: bool,
}

pub const DESK: Screen = Screen { width: 1440, height: 900, phone: false };
pub const PHONE: Screen = Screen { width: 390, height: 844, phone: true };

/// A variable that `cargo xtask test` sets.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run this with: cargo xtask test --browser"))
}

/// Where the built site is served, with a trailing slash; always under a sub-path.
pub fn site() -> String {
    setting("GROKSCOPE_SITE")
}

/// The text at `url`.
pub fn fetch(url: &str) -> String {
    ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()
}

/// Whether something is served at `url`.
pub fn exists(url: &str) -> bool {
    ureq::get(url).call().is_ok()
}

/// A browser session.
pub struct Driver {
    process: Child,
    // Held open: the driver must be able to write to it.
    _words: BufReader<ChildStdout>,
    session: String,
    /// Where this browser saves files.
    pub downloads: tempfile::TempDir,
}

impl Driver {
    /// Starts a browser.
    pub fn start(screen: Screen) -> Self {
        let mut process = Command::new(setting("GROKSCOPE_CHROMEDRIVER"))
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut words = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        let port: u16 = loop {
            line.clear();
            assert!(words.read_line(&mut line).unwrap() > 0, "chromedriver ended before it told its port");
            if let Some((_, rest)) = line.split_once("successfully on port ") {
                break rest.trim_end_matches(['.', '\n', '\r']).parse().unwrap();
            }
        };
        let downloads = tempfile::tempdir().unwrap();
        let mut options = json!({
            "binary": setting("GROKSCOPE_CHROMIUM"),
            "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
                "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader",
                format!("--window-size={},{}", screen.width, screen.height),
            ],
            "prefs": { "download.default_directory": downloads.path(), "download.prompt_for_download": false },
        });
        if screen.phone {
            options["mobileEmulation"] = json!({
                "deviceMetrics": { "width": screen.width, "height": screen.height, "pixelRatio": 2.0, "touch": true },
            });
        }
        // From here on the process ends with the driver, whatever fails.
        let mut driver = Self { process, _words: words, session: format!("http://127.0.0.1:{port}/session"), downloads };
        let answer = driver.post(
            "",
            &json!({ "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": { "browser": "ALL" },
                "timeouts": { "script": 600_000, "pageLoad": 60_000, "implicit": 0 },
            } } }),
        );
        driver.session = format!("{}/{}", driver.session, answer["sessionId"].as_str().unwrap());
        driver
    }

    /// Sends a WebDriver command and returns its value.
    pub fn try_post(&self, command: &str, body: &Value) -> Result<Value, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{}{command}", self.session)).content_type("application/json; charset=utf-8");
        let text = request.send(body.to_string()).and_then(|mut r| r.body_mut().with_config().limit(1 << 30).read_to_string());
        let answer: Value = serde_json::from_str(&text.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"].as_str().unwrap_or_default())),
            None => Ok(answer["value"].clone()),
        }
    }

    /// Sends a WebDriver command that has to succeed.
    pub fn post(&self, command: &str, body: &Value) -> Value {
        self.try_post(command, body).unwrap_or_else(|e| panic!("WebDriver {command}: {e}"))
    }

    /// A command of Chromium's own debugging protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// PNG bytes of what is on the screen.
    pub fn screenshot(&self) -> Vec<u8> {
        use base64::Engine as _;
        let answer = self.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
        base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }

    /// Errors on the console since the last call; a missing favicon is none.
    pub fn console_errors(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let severe = entries.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|e| e["message"].as_str().unwrap_or_default().to_owned()).filter(|m| !m.contains("/favicon.ico")).collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Ending the session closes the browser; a driver that no longer answers is killed all the same.
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build().into();
        let _ = agent.delete(&self.session).call();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a test leaves pictures for people.
pub fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
