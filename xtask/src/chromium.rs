//! Finds Chromium and its driver, or installs them where that needs nobody's leave, or says what to install.
//!
//! Downloading a browser of our own (as Playwright does) was not chosen: it bypasses the machine's updates and fails behind
//! most proxies.

use crate::command::{execute, find_program, output};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// A browser and the driver that speaks WebDriver for it.
pub struct Chromium {
    /// The browser's program.
    pub browser: PathBuf,
    /// The driver's program.
    pub driver: PathBuf,
}

const BROWSERS: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const DRIVERS: &[&str] = &["chromedriver", "/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"];

impl Chromium {
    /// The browser named by `CHROMIUM` and the driver named by `CHROMEDRIVER`, or those found on this machine; as root with
    /// apt-get they are installed if missing.
    ///
    /// # Errors
    /// One line that says what to install.
    pub fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        if find_program(&["apt-get"]).is_some() && is_root() {
            let apt = |arguments: &[&str]| {
                let mut command = Command::new("apt-get");
                command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
                execute(command)
            };
            apt(&["update"])?;
            apt(&["install", "-y", "chromium", "chromium-driver"])?;
            if let Some(found) = Self::find() {
                return Ok(found);
            }
        }
        let advice = match std::env::consts::OS {
            "macos" => "brew install --cask chromium chromedriver",
            "linux" => "sudo apt-get install chromium chromium-driver (or your distribution's packages of that name)",
            _ => "Chrome, and the chromedriver of the same version",
        };
        bail!("Chromium or chromedriver is missing. Install: {advice}; or name them in CHROMIUM and CHROMEDRIVER")
    }

    fn find() -> Option<Self> {
        let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
        Some(Self {
            browser: named("CHROMIUM").or_else(|| find_program(BROWSERS))?,
            driver: named("CHROMEDRIVER").or_else(|| find_program(DRIVERS))?,
        })
    }

    /// What the browser calls itself, e.g. `Chromium 156.0.8078.79`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn version(&self) -> Result<String> {
        let mut command = Command::new(&self.browser);
        command.arg("--version");
        let text = output(command).context("Chromium does not start")?;
        Ok(text.split_whitespace().take_while(|word| *word != "built").collect::<Vec<_>>().join(" "))
    }
}

fn is_root() -> bool {
    let mut command = Command::new("id");
    command.arg("-u");
    output(command).is_ok_and(|id| id.trim() == "0")
}
