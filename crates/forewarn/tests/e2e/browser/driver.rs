//! A browser, driven over HTTP by the W3C WebDriver protocol: as much of it as the journeys need.
//!
//! ChromeDriver speaks the protocol and starts Chromium; both are Debian packages. Whatever cannot be done
//! fails the test at the line that asked for it, and leaves a picture of the page below `target/`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::parts::{Running, skip};

/// Under which an element's name comes, by the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const CHROMIUM: &str = "/usr/bin/chromium";
/// How long an element is waited for.
const ELEMENT_WITHIN_MS: u64 = 5_000;
/// How long pages and conditions are waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a script may work: axe-core looks at some thousand elements of a long report.
const SCRIPT_PATIENCE: Duration = Duration::from_mins(5);

/// What kind of browser a reader has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    /// Whether pages may run scripts.
    pub(crate) scripts: bool,
    /// The time zone of the reader's machine.
    pub(crate) zone: &'static str,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { scripts: true, zone: "UTC" }
    }
}

/// A browser with one window; dropped, it is closed.
#[derive(Debug)]
pub(crate) struct Browser {
    session: String,
    downloads: TempDir,
    _driver: Running,
}

impl Browser {
    /// Starts one, or says loudly that it cannot.
    pub(crate) fn open(wishes: Wishes) -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TZ", wishes.zone).stdout(Stdio::piped()).stderr(Stdio::null());
        let (true, Ok(mut driver)) = (Path::new(CHROMIUM).exists(), command.spawn()) else {
            skip("there is no browser; install the Debian packages `chromium` and `chromium-driver`");
            return None;
        };
        let output = BufReader::new(driver.stdout.take().unwrap());
        let driver = Running(driver);
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let port = line.split("successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let url = format!("http://127.0.0.1:{}", port.expect("ChromeDriver says its port"));
        let downloads = tempfile::tempdir().unwrap();
        let begun = ask("POST", &format!("{url}/session"), &capabilities(wishes, downloads.path())).unwrap();
        let session = format!("{url}/session/{}", begun["sessionId"].as_str().unwrap());
        let browser = Self { session, downloads, _driver: driver };
        let (patience, for_scripts) = (PATIENCE.as_millis() as u64, SCRIPT_PATIENCE.as_millis() as u64);
        let timeouts = json!({"implicit": ELEMENT_WITHIN_MS, "pageLoad": patience, "script": for_scripts});
        browser.post("timeouts", &timeouts);
        Some(browser)
    }

    #[track_caller]
    fn post(&self, command: &str, body: &Value) -> Value {
        let answer = ask("POST", &format!("{}/{command}", self.session), body);
        answer.unwrap_or_else(|error| panic!("{command} with {body}: {error}"))
    }

    #[track_caller]
    fn get(&self, command: &str) -> Value {
        let answer = ask("GET", &format!("{}/{command}", self.session), &Value::Null);
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    #[track_caller]
    pub(crate) fn go(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    #[track_caller]
    pub(crate) fn url(&self) -> String {
        self.get("url").as_str().unwrap().to_owned()
    }

    /// The element that a CSS selector means first; waits a little for it.
    #[track_caller]
    pub(crate) fn find(&self, css: &str) -> Element<'_> {
        self.element(&json!({"using": "css selector", "value": css}))
    }

    /// The link of a text; waits a little for it.
    #[track_caller]
    pub(crate) fn link(&self, text: &str) -> Element<'_> {
        self.element(&json!({"using": "link text", "value": text}))
    }

    #[track_caller]
    fn element(&self, wanted: &Value) -> Element<'_> {
        let found = self.post("element", wanted);
        Element { browser: self, name: found[ELEMENT].as_str().unwrap().to_owned() }
    }

    /// Does something with a selector's first element; once more where the page renewed it in between.
    #[track_caller]
    fn with(&self, css: &str, method: &str, command: &str, body: &Value) -> Value {
        for _ in 0..5 {
            let name = self.find(css).name;
            match ask(method, &format!("{}/element/{name}/{command}", self.session), body) {
                Err(error) if error.contains("stale element reference") => {}
                answer => return answer.unwrap_or_else(|error| panic!("{command} of {css}: {error}")),
            }
        }
        panic!("{css} is renewed again and again");
    }

    /// What a selector's first element says.
    #[track_caller]
    pub(crate) fn text(&self, css: &str) -> String {
        self.with(css, "GET", "text", &Value::Null).as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.with(css, "POST", "click", &json!({}));
    }

    /// Fills in a field as a reader does, over what stands there.
    #[track_caller]
    pub(crate) fn fill(&self, css: &str, text: &str) {
        self.with(css, "POST", "clear", &json!({}));
        self.with(css, "POST", "value", &json!({"text": text}));
    }

    /// Presses keys wherever the focus is; special ones as [`keys`] has them.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        let strokes = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})));
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes.collect::<Vec<_>>()});
        self.post("actions", &json!({"actions": [keyboard]}));
    }

    /// The value of a script, run by the driver and not by the page.
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The value that a script hands to its last argument, later.
    #[track_caller]
    pub(crate) fn script_later(&self, script: &str) -> Value {
        self.post("execute/async", &json!({"script": script, "args": []}))
    }

    /// Whether the page has such an element now.
    #[track_caller]
    pub(crate) fn has(&self, css: &str) -> bool {
        let css = Value::from(css);
        self.script(&format!("return document.querySelector({css}) !== null")) == true
    }

    /// Waits until it is so.
    #[track_caller]
    pub(crate) fn until(&self, claim: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "never: {claim}; the page says {}", self.text("body"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A cookie by its name, with all that the browser knows of it.
    #[track_caller]
    pub(crate) fn cookie(&self, name: &str) -> Option<Value> {
        let all = self.get("cookie");
        all.as_array().unwrap().iter().find(|cookie| cookie["name"] == name).cloned()
    }

    /// The page as wide as on a phone, or on a desk.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.chrome("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// As a reader whose system is set to `light` or `dark`.
    #[track_caller]
    pub(crate) fn prefer(&self, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
        self.chrome("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Lets pages read the clipboard, so that a test can.
    #[track_caller]
    pub(crate) fn allow_reading_the_clipboard(&self) {
        self.post("permissions", &json!({"descriptor": {"name": "clipboard-read"}, "state": "granted"}));
    }

    #[track_caller]
    fn chrome(&self, command: &str, parameters: &Value) {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// What the browser complained of since it was last asked: errors of scripts, what the content security
    /// policy refused, what could not be loaded.
    #[track_caller]
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({"type": "browser"}));
        let text = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(text).collect()
    }

    /// The content of a file that is being downloaded; waits for all of it.
    #[track_caller]
    pub(crate) fn downloaded(&self, name: &str) -> String {
        let path = self.downloads.path().join(name);
        self.until(&format!("{name} is downloaded"), |_| path.exists());
        std::fs::read_to_string(path).unwrap()
    }

    fn picture(&self) -> Option<PathBuf> {
        let taken = ask("GET", &format!("{}/screenshot", self.session), &Value::Null).ok()?;
        let name = std::thread::current().name()?.replace("::", "-");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png.base64"));
        std::fs::write(&path, taken.as_str()?).ok()?;
        Some(path)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(path) = self.picture()
        {
            eprintln!("the page as it was then, for `base64 --decode`: {}", path.display());
        }
        // Closes Chromium, which outlives a driver that is killed.
        let _ = ask("DELETE", &self.session, &Value::Null);
    }
}

/// A part of the page.
#[derive(Debug)]
pub(crate) struct Element<'b> {
    browser: &'b Browser,
    name: String,
}

impl Element<'_> {
    #[track_caller]
    pub(crate) fn click(&self) {
        self.browser.post(&format!("element/{}/click", self.name), &json!({}));
    }

    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.browser.get(&format!("element/{}/text", self.name)).as_str().unwrap().to_owned()
    }

    /// An attribute; empty where it has none.
    #[track_caller]
    pub(crate) fn attribute(&self, name: &str) -> String {
        let value = self.browser.get(&format!("element/{}/attribute/{name}", self.name));
        value.as_str().unwrap_or_default().to_owned()
    }
}

/// Special keys, as the standard writes them.
pub(crate) mod keys {
    pub(crate) const TAB: &str = "\u{E004}";
    pub(crate) const ENTER: &str = "\u{E007}";
}

fn capabilities(wishes: Wishes, downloads: &Path) -> Value {
    let mut preferences = json!({
        "download.default_directory": downloads,
        "download.prompt_for_download": false,
    });
    if !wishes.scripts {
        preferences["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    let arguments = [
        "--headless=new",
        // Tests may run as root, where Chromium's sandbox cannot.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        // What moves smoothly cannot be clicked while it does.
        "--force-prefers-reduced-motion",
        "--window-size=1280,900",
    ];
    let options = json!({"binary": CHROMIUM, "args": arguments, "prefs": preferences});
    let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
    json!({"capabilities": {"alwaysMatch": wanted}})
}

/// One command of the protocol: what it answers, or why it could not be done.
fn ask(method: &str, url: &str, body: &Value) -> Result<Value, String> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    let agent: ureq::Agent = config.timeout_global(Some(SCRIPT_PATIENCE + PATIENCE)).build().into();
    let answer = match method {
        "GET" => agent.get(url).call(),
        "DELETE" => agent.delete(url).call(),
        _ => agent.post(url).content_type("application/json").send(body.to_string()),
    };
    let mut answer = answer.map_err(|error| error.to_string())?;
    let text = answer.body_mut().with_config().limit(64 << 20).read_to_string();
    let text = text.map_err(|error| error.to_string())?;
    let mut parsed: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let value = parsed["value"].take();
    if answer.status().is_success() {
        Ok(value)
    } else {
        Err(format!("{}: {}", value["error"], value["message"]))
    }
}
