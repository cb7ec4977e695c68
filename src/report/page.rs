//! A document that opens anywhere: HTML with its style and figures inside.

use std::fmt::Write as _;

const STYLE: &str = "body{font:16px/1.55 system-ui,sans-serif;color:#1f2328;background:#fff;max-width:54rem;margin:2.5rem auto;padding:0 1.2rem}\
h1{font-size:1.9rem;line-height:1.2}h2{margin-top:2.2rem}.lead{font-size:1.15rem}figure{margin:1.2rem 0}figure svg{max-width:100%;height:auto}\
figcaption,.muted{color:#59636e;font-size:.92rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem}dt{color:#59636e}dd{margin:0}\
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.95rem}th,td{padding:.25rem .9rem .25rem 0;text-align:right;\
border-bottom:1px solid #d8dee4;white-space:nowrap}th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}pre{background:#f6f8fa;padding:.8rem;border-radius:8px;overflow-x:auto;font-size:.8rem}\
@media(max-width:40rem){dl{grid-template-columns:1fr}}";

/// A document under construction.
pub(super) struct Page(String);

impl Page {
    /// With a title.
    pub(super) fn new(title: &str) -> Self {
        let title = escaped(title);
        Self(format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
        ))
    }

    pub(super) fn lead(&mut self, words: &str) {
        self.element("p class=\"lead\"", "p", words);
    }

    pub(super) fn text(&mut self, words: &str) {
        self.element("p", "p", words);
    }

    pub(super) fn heading(&mut self, words: &str) {
        self.element("h2", "h2", words);
    }

    pub(super) fn code(&mut self, text: &str) {
        self.element("pre", "pre", text);
    }

    pub(super) fn facts(&mut self, facts: &[(String, String)]) {
        self.0.push_str("<dl>");
        for (name, value) in facts {
            self.element("dt", "dt", name);
            self.element("dd", "dd", value);
        }
        self.0.push_str("</dl>\n");
    }

    pub(super) fn list(&mut self, items: &[String]) {
        self.0.push_str("<ul>");
        items.iter().for_each(|item| self.element("li", "li", item));
        self.0.push_str("</ul>\n");
    }

    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.0.push_str("<div class=\"wide\"><table><thead><tr>");
        head.iter().for_each(|cell| self.element("th scope=\"col\"", "th", cell));
        self.0.push_str("</tr></thead><tbody>");
        for row in rows {
            self.0.push_str("<tr>");
            row.iter().for_each(|cell| self.element("td", "td", cell));
            self.0.push_str("</tr>");
        }
        self.0.push_str("</tbody></table></div>\n");
    }

    /// `svg` is a document of `plot`, whose words are escaped already.
    pub(super) fn figure(&mut self, svg: &str, caption: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "<figure>{svg}<figcaption>{}</figcaption></figure>", escaped(caption));
    }

    pub(super) fn finish(self) -> String {
        self.0 + "<p class=\"muted\">Made by Grokscope.</p>\n</html>\n"
    }

    fn element(&mut self, open: &str, close: &str, words: &str) {
        let _ = write!(self.0, "<{open}>{}</{close}>", escaped(words));
    }
}

/// Words as HTML text.
pub(super) fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
