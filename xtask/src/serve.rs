//! Serves the site on loopback, as dumbly as any static host would.
//!
//! A browser compiles wasm while it streams only if the type is `application/wasm`, and runs a module worker only if the type is
//! JavaScript; hosts of the standard library of other languages get one of the two wrong on some desks.

use anyhow::{Context as _, Result, anyhow};
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tiny_http::{Header, Method, Request, Response, Server};

/// A server on 127.0.0.1 whose threads live as long as the program.
pub struct Site {
    /// Where the site is, with a trailing slash.
    pub address: String,
}

/// Serves `dist` until the program is stopped.
///
/// # Errors
/// If the port is taken.
pub fn forever(dist: &Path, port: u16) -> Result<()> {
    let site = start(dist, port, "/")?;
    println!("\n  Grokscope is at {}  (stop with Ctrl-C)\n", site.address);
    loop {
        thread::park();
    }
}

/// Serves `dist` under the path `below` (starting and ending in a slash); port 0 takes a free one.
///
/// # Errors
/// If the port is taken.
pub fn start(dist: &Path, port: u16, below: &str) -> Result<Site> {
    let server = Server::http(("127.0.0.1", port))
        .map_err(|e| anyhow!("{e}"))
        .with_context(|| format!("port {port} cannot be used; choose another with --port"))?;
    let port = server.server_addr().to_ip().context("the server has no address")?.port();
    let server = Arc::new(server);
    for _ in 0..4 {
        let (server, dist, below) = (server.clone(), dist.to_owned(), below.to_owned());
        thread::spawn(move || {
            while let Ok(request) = server.recv() {
                answer(request, &dist, &below);
            }
        });
    }
    Ok(Site { address: format!("http://127.0.0.1:{port}{below}") })
}

fn answer(request: Request, dist: &Path, below: &str) {
    let text = |code: u16, message: &str| Response::from_string(message).with_status_code(code);
    // A browser that went away is its own business, hence the ignored results.
    if !matches!(request.method(), Method::Get | Method::Head) {
        let _ = request.respond(text(405, "Only GET and HEAD"));
        return;
    }
    let found = local_file(request.url(), dist, below).and_then(|path| Some((File::open(&path).ok()?, path)));
    let Some((file, path)) = found else {
        let _ = request.respond(text(404, "Not found"));
        return;
    };
    // With its length told, a browser can show how much of the engine has arrived.
    let mut response = Response::from_file(file).with_chunked_threshold(usize::MAX);
    let lasting = if path.ends_with("index.html") { "no-cache" } else { "max-age=31536000, immutable" };
    for (name, value) in [("Content-Type", mime_type(&path)), ("Cache-Control", lasting)] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    let _ = request.respond(response);
}

/// The file that a request's target names, if it lies inside `dist`. Nothing in a site needs percent-encoding, so an encoded
/// name is simply not found.
fn local_file(target: &str, dist: &Path, below: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix(below)?;
    let path = if path.is_empty() { "index.html" } else { path };
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    Some(dist.join(path)).filter(|file| inside && !path.contains('\\') && file.is_file())
}

fn mime_type(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    fn get(address: &str, target: &str) -> String {
        let host = address.trim_start_matches("http://").split('/').next().unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_site_under_a_sub_path_gets_right_types_and_nothing_outside_is_reachable() {
        let folder = std::env::temp_dir().join(format!("grokscope-serve-{}", std::process::id()));
        fs::create_dir_all(folder.join("dist/inner")).unwrap();
        fs::write(folder.join("secret.txt"), "secret").unwrap();
        fs::write(folder.join("dist/index.html"), "the page").unwrap();
        fs::write(folder.join("dist/engine_bg.wasm"), "module").unwrap();
        fs::write(folder.join("dist/inner/a.js"), "script").unwrap();
        let site = start(&folder.join("dist"), 0, "/deep/path/").unwrap();
        assert!(site.address.ends_with("/deep/path/"));

        let page = get(&site.address, "/deep/path/?x=1");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("text/html") && page.ends_with("the page"), "{page}");
        assert!(get(&site.address, "/deep/path/engine_bg.wasm").contains("Content-Type: application/wasm"));
        assert!(get(&site.address, "/deep/path/inner/a.js").contains("Content-Type: text/javascript"));
        for outside in
            ["/", "/deep/path/../secret.txt", "/deep/path//etc/passwd", "/deep/path/%2e%2e/secret.txt", "/deep/path/inner"]
        {
            let answer = get(&site.address, outside);
            assert!(answer.starts_with("HTTP/1.1 404"), "{outside}: {answer}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
