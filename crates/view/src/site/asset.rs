//! The style sheet, the script and the icon, to be served as files that never change under their name.

use std::sync::LazyLock;

use types::Digest;

/// One file of the site.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The path, which carries the digest of the content: it may be cached for ever.
    pub path: String,
    pub content_type: &'static str,
    pub body: String,
}

/// Everything that the pages look like: the rules of the reports, and those of the site.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let sheets = [
        crate::page::STYLE,
        include_str!("../report/style.css"),
        include_str!("../monitoring/style.css"),
        include_str!("style/frame.css"),
        include_str!("style/pages.css"),
    ];
    Asset::named("site", "css", "text/css; charset=utf-8", sheets.join("\n"))
});

/// Comfort: values on hover, live updates, times in the reader's zone, copying, shortcuts.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::named("site", "js", "text/javascript; charset=utf-8", include_str!("site.js").to_owned())
});

pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::named("icon", "svg", "image/svg+xml", include_str!("icon.svg").to_owned()));

impl Asset {
    fn named(stem: &str, ending: &str, content_type: &'static str, body: String) -> Self {
        let path = format!("/assets/{stem}-{}.{ending}", Digest::of(body.as_bytes()).short());
        Self { path, content_type, body }
    }

    /// All files; a route a file.
    pub fn all() -> [&'static Self; 3] {
        [&STYLE, &SCRIPT, &ICON]
    }
}
