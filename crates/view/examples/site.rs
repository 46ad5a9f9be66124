//! Writes every page of the site into a folder, to be looked at while working on them:
//!
//! ```text
//! cargo run -p forewarn-view --example site -- FOLDER [DATA]
//! python3 -m http.server --bind 127.0.0.1 --directory FOLDER
//! ```
//!
//! `DATA` is a folder with `monitor.json` and `check.json`, as `--format json` of `forewarn monitor` and
//! `forewarn check` prints them; without it, the pages show the sample of the tests. Says how long the
//! largest pages take.

#[expect(dead_code, reason = "the tests and the other example use the rest of it")]
#[path = "../tests/view/sample/mod.rs"]
mod sample;

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs, io};

use sample::site::World;
use view::site::{Practice, asset::Asset};

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let Some(folder) = arguments.next() else {
        return Err(io::Error::other("name the folder to write to"));
    };
    let world = match arguments.next() {
        Some(data) => read(&data)?,
        None => World::sample(),
    };
    for (path, document) in world.pages() {
        write(&folder, &format!("{path}/index.html"), &document)?;
    }
    for asset in Asset::all() {
        write(&folder, &asset.path, &asset.body)?;
    }
    measure(&world);
    Ok(())
}

fn read(data: &Path) -> io::Result<World> {
    let text = |name: &str| fs::read_to_string(data.join(name));
    let monitor = serde_json::from_str(&text("monitor.json")?)?;
    Ok(World::new(monitor, serde_json::from_str(&text("check.json")?)?))
}

fn write(folder: &Path, path: &str, text: &str) -> io::Result<()> {
    let file = folder.join(path.trim_start_matches('/'));
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(file, text)
}

/// The times of a hundred renderings, half of them and all of them: of a hundred systems, and of a year of one.
fn measure(world: &World) {
    let fleet = sample::site::fleet::overview(world, 100);
    let year = World::new(sample::over_time::sized(52, 3), sample::report());
    let (monitor, evaluate) = (year.tab(Practice::Monitor), year.tab(Practice::Evaluate));
    let frame = world.frame("/");
    let renderings: [(&str, &dyn Fn() -> String); 3] = [
        ("overview of 100 systems", &|| view::site::overview::page(&frame, &fleet)),
        ("monitor, 52 weeks of 30 columns", &|| view::site::system::page(&frame, &monitor)),
        ("evaluate", &|| view::site::system::page(&frame, &evaluate)),
    ];
    for (name, render) in renderings {
        let timed = || {
            let begun = Instant::now();
            let bytes = render().len();
            (begun.elapsed(), bytes)
        };
        let mut times: Vec<_> = (0..100).map(|_| timed()).collect();
        times.sort_unstable();
        let (half, all) = (times[49].0, times[99].0);
        println!("{name}: half within {half:.1?}, all within {all:.1?}, {} KB", times[0].1 / 1024);
    }
}
