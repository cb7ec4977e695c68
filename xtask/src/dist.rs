//! Builds the page and the worker and lays them out as a static site in `dist/`.
//!
//! Every file but `index.html` carries a hash of its content, so a host may cache it for ever and an old tab never mixes two
//! builds; every link is relative, so the site works under any path. wasm-bindgen runs inside this program, pinned to the
//! version in `Cargo.lock`: with another version the glue and the module disagree, and the page stops at its first call.

use crate::command::{cargo, execute, output, root, target_directory};
use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// The site's folder.
pub fn folder() -> PathBuf {
    root().join("dist")
}

/// The site as it was last built.
///
/// # Errors
/// If it never was.
pub fn existing() -> Result<PathBuf> {
    let dist = folder();
    ensure!(dist.join("index.html").is_file(), "there is no site in {} yet. Build it with: cargo xtask build", dist.display());
    Ok(dist)
}

/// Builds the site; returns its folder.
///
/// # Errors
/// If a tool is missing or a step does not succeed, with what to do.
pub fn build(dev: bool) -> Result<PathBuf> {
    ensure_wasm_target()?;
    ensure_matching_bindgen(&fs::read_to_string(root().join("Cargo.lock"))?)?;
    let page = compile("page", "page", if dev { "wasm-dev" } else { "page" })?;
    let worker = compile("worker", "engine", if dev { "wasm-dev" } else { "wasm" })?;

    let started = Instant::now();
    // Laid out beside the finished site and then moved: a server that is running never sees half of it.
    let staging = root().join("dist.partial");
    if staging.exists() {
        fs::remove_dir_all(&staging)?;
    }
    fs::create_dir_all(&staging)?;
    let page = bind(&page, "page", &staging, dev)?;
    let engine = bind(&worker, "engine", &staging, dev)?;
    let shim = format!(
        "import init from './{}';\nawait init({{ module_or_path: new URL('./{}', import.meta.url) }});\n",
        engine.js, engine.wasm
    );
    let worker_js = write_hashed(&staging, "worker", "js", shim.as_bytes())?;
    let style = write_hashed(&staging, "style", "css", &read(&root().join("www/style.css"))?)?;
    let icon = write_hashed(&staging, "icon", "svg", &read(&root().join("www/icon.svg"))?)?;
    copy_into(&root().join("www/recorded"), &staging.join("recorded"))?;
    let template = fs::read_to_string(root().join("index.html")).context("index.html is missing")?;
    let index = fill(
        &template,
        &[("page_js", &page.js), ("page_wasm", &page.wasm), ("worker_js", &worker_js), ("style_css", &style), ("icon", &icon)],
    )?;
    fs::write(staging.join("index.html"), index)?;

    let dist = folder();
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(&staging, &dist)?;
    println!("  laid out {} in {:.1} s", dist.display(), started.elapsed().as_secs_f64());
    Ok(dist)
}

/// Adds the wasm target to this toolchain if it is not there.
///
/// # Errors
/// If it is missing and rustup cannot add it.
pub fn ensure_wasm_target() -> Result<()> {
    let mut probe = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    probe.args(["--print", "target-libdir", "--target", TARGET]).current_dir(root());
    if output(probe).is_ok_and(|path| Path::new(path.trim()).is_dir()) {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add", TARGET]).current_dir(root());
    execute(add).context(
        "the wasm target is missing and could not be added; install rustup from https://rustup.rs, or the target by hand",
    )
}

/// Fails unless the wasm-bindgen that this program holds is the one in the lock file.
///
/// # Errors
/// Both versions and the line to change.
fn ensure_matching_bindgen(lock: &str) -> Result<()> {
    let library = locked_version(lock, "wasm-bindgen")?;
    let tool = locked_version(lock, "wasm-bindgen-cli-support")?;
    ensure!(
        library == tool,
        "Cargo.lock holds wasm-bindgen {library}, but xtask's wasm-bindgen-cli-support is {tool}. \
         Set wasm-bindgen-cli-support = \"={library}\" in xtask/Cargo.toml"
    );
    Ok(())
}

fn locked_version<'a>(lock: &'a str, name: &str) -> Result<&'a str> {
    let start = format!("name = \"{name}\"\nversion = \"");
    let mut entries = lock.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    let version = entries.next().with_context(|| format!("Cargo.lock has no {name}"))?;
    ensure!(entries.next().is_none(), "Cargo.lock has more than one {name}. Bring them together with: cargo update -p {name}");
    Ok(version)
}

fn compile(bin: &str, feature: &str, profile: &str) -> Result<PathBuf> {
    execute(cargo(&format!("build --profile {profile} --target {TARGET} --features {feature} --bin {bin}")))?;
    Ok(target_directory()?.join(TARGET).join(profile).join(format!("{bin}.wasm")))
}

struct Bound {
    js: String,
    wasm: String,
}

/// Writes the module and its glue under hashed names that start with `name`.
fn bind(module: &Path, name: &str, into: &Path, dev: bool) -> Result<Bound> {
    let out = into.join(format!("{name}.partial"));
    Bindgen::new()
        .input_path(module)
        .out_name(name)
        .web(true)?
        .typescript(false)
        .remove_name_section(!dev)
        .remove_producers_section(!dev)
        .generate(&out)
        .with_context(|| format!("wasm-bindgen could not process {}", module.display()))?;
    let wasm = write_hashed(into, name, "wasm", &fs::read(out.join(format!("{name}_bg.wasm")))?)?;
    // The glue names its module only as a default that nobody uses here; the name must still be one that exists.
    let js = fs::read_to_string(out.join(format!("{name}.js")))?.replace(&format!("{name}_bg.wasm"), &wasm);
    let js = write_hashed(into, name, "js", js.as_bytes())?;
    let snippets = out.join("snippets");
    if snippets.is_dir() {
        copy_into(&snippets, &into.join("snippets"))?;
    }
    fs::remove_dir_all(&out)?;
    Ok(Bound { js, wasm })
}

fn copy_into(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} is missing", path.display()))
}

/// Writes `content` as `name-HASH.extension` and returns that file name. wasm modules keep wasm-bindgen's `_bg`.
fn write_hashed(into: &Path, name: &str, extension: &str, content: &[u8]) -> Result<String> {
    let hash = Sha256::digest(content).iter().take(6).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let mark = if extension == "wasm" { "_bg" } else { "" };
    let file = format!("{name}-{hash}{mark}.{extension}");
    fs::write(into.join(&file), content)?;
    Ok(file)
}

/// Replaces each `{{token}}` by a link relative to the page.
fn fill(template: &str, files: &[(&str, &str)]) -> Result<String> {
    let mut page = template.to_owned();
    for (token, file) in files {
        let token = format!("{{{{{token}}}}}");
        ensure!(page.contains(&token), "index.html does not use {token}");
        page = page.replace(&token, &format!("./{file}"));
    }
    if let Some(start) = page.find("{{") {
        bail!("index.html uses a token that the build does not know: {}", page[start..].chars().take(30).collect::<String>());
    }
    for link in ["href=\"/", "src=\"/", "href='/", "src='/", "from '/", "from \"/"] {
        ensure!(!page.contains(link), "index.html has an absolute link ({link}…); under a sub-path it would lead nowhere");
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wasm_bindgen_inside_xtask_is_the_locked_one() {
        let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        ensure_matching_bindgen(&lock).unwrap();
    }

    #[test]
    fn another_wasm_bindgen_is_refused_with_the_line_to_change() {
        let lock = "name = \"wasm-bindgen\"\nversion = \"0.2.1\"\nname = \"wasm-bindgen-cli-support\"\nversion = \"0.2.2\"\n";
        let message = ensure_matching_bindgen(lock).unwrap_err().to_string();
        assert!(message.contains("wasm-bindgen-cli-support = \"=0.2.1\""), "{message}");
    }

    #[test]
    fn tokens_become_relative_links_and_every_mistake_is_named() {
        assert_eq!(fill("<a href=\"{{icon}}\">", &[("icon", "icon-1.svg")]).unwrap(), "<a href=\"./icon-1.svg\">");
        assert!(fill("{{icon}} {{other}}", &[("icon", "i")]).unwrap_err().to_string().contains("{{other}}"));
        assert!(fill("nothing", &[("icon", "i")]).unwrap_err().to_string().contains("{{icon}}"));
        assert!(fill("{{icon}}<script src=\"/x.js\">", &[("icon", "i")]).unwrap_err().to_string().contains("absolute"));
    }

    #[test]
    fn a_name_changes_with_the_content_and_only_with_it() {
        let folder = std::env::temp_dir().join(format!("grokscope-xtask-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let name = |content: &[u8]| write_hashed(&folder, "style", "css", content).unwrap();
        assert_eq!(name(b"a"), name(b"a"));
        assert_ne!(name(b"a"), name(b"b"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
