//! Finds ONNX Runtime on this machine and loads it, once for the process.
//!
//! In this order: the path that the definition gives, `ORT_DYLIB_PATH`, the folder of an installed Python package
//! `onnxruntime`, which ships the library, and the folders of the system.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;

use super::{elf, guarded};
use crate::process::wait;

const HOW_TO_GET_IT: &str = "get it with `pip install onnxruntime`, or set ORT_DYLIB_PATH to the file of the library \
                             (libonnxruntime.so, .dylib or onnxruntime.dll)";

/// The oldest that has the interface which the program is built for.
const OLDEST: u32 = ort::MINOR_VERSION;

/// Python starts within this, or there is none.
const TO_ASK_PYTHON: Duration = Duration::from_secs(20);

/// ONNX Runtime cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LibraryError {
    #[error("ONNX Runtime is not on this machine (looked for it {looked}); {HOW_TO_GET_IT}")]
    NotFound { looked: String },
    #[error("{}, which {from} names, is not a usable ONNX Runtime: {why}; {HOW_TO_GET_IT}", path.display())]
    Unusable { path: PathBuf, from: &'static str, why: String },
    #[error(
        "{} cannot be loaded as well: ONNX Runtime came from {} and stays for the process",
        path.display(),
        loaded.display()
    )]
    Another { path: PathBuf, loaded: PathBuf },
}

/// The library in use.
pub(super) struct Runtime {
    environment: Environment,
    path: PathBuf,
    pub(super) version: String,
}

/// The one that was loaded; a failed attempt leaves nothing behind, so that another path may be tried.
static LOADED: Mutex<Option<&'static Runtime>> = Mutex::new(None);

/// The library, loaded if it is not yet.
pub(super) fn loaded(given: Option<&Path>) -> Result<&'static Runtime, LibraryError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = *loaded {
        return match given {
            Some(path) if !is_same(path, &runtime.path) => {
                Err(LibraryError::Another { path: path.into(), loaded: runtime.path.clone() })
            }
            _ => Ok(runtime),
        };
    }
    // The process keeps the library to its end: what it made may outlive whoever asked for it.
    let runtime: &'static Runtime = Box::leak(Box::new(found(given)?));
    *loaded = Some(runtime);
    Ok(runtime)
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn found(given: Option<&Path>) -> Result<Runtime, LibraryError> {
    // Whoever names a file wants that one and no other.
    let named = given.map(|path| (path.to_owned(), "the definition"));
    let variable = env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty());
    let named = named.or(variable.map(|path| (path.into(), "ORT_DYLIB_PATH")));
    if let Some((path, from)) = named {
        return load(&path).map_err(|why| LibraryError::Unusable { path, from, why });
    }
    let mut looked = Vec::new();
    let folders = [python_folder("python3"), python_folder("python")].into_iter().flatten();
    for path in folders.chain(system_folders()).filter_map(|folder| library_in(&folder)) {
        match load(&path) {
            Ok(runtime) => return Ok(runtime),
            Err(why) => looked.push(format!("{}: {why}", path.display())),
        }
    }
    looked.insert(0, "in the package `onnxruntime` of `python3` and in the folders of the system".into());
    Err(LibraryError::NotFound { looked: looked.join("; ") })
}

/// Loads a file, if it is an ONNX Runtime that is new enough.
fn load(path: &Path) -> Result<Runtime, String> {
    if !path.is_file() {
        return Err("there is no such file".into());
    }
    // A path that is not absolute would be looked for beside the program.
    let path = path.canonicalize().map_err(|error| error.to_string())?;
    let minor = minor_version(&path);
    if let Some(minor) = minor.filter(|&minor| minor < OLDEST) {
        return Err(format!("it is version 1.{minor}, and the oldest that serves is 1.{OLDEST}"));
    }
    elf::check_whole(&path)?;
    guarded(|| {
        let builder = ort::init_from(&path).map_err(|error| match error {
            ort::LoadDynamicError::BadVersion { version_str, .. } => {
                format!("it is version {version_str}, and the oldest that serves is 1.{OLDEST}")
            }
            ort::LoadDynamicError::MissingApi { .. } => "it is a library of something else".into(),
            ort::LoadDynamicError::Dlopen { error, .. } => error.to_string(),
            error @ ort::LoadDynamicError::InvalidVersionString => error.to_string(),
        })?;
        let environment = builder.with_name("forewarn").with_telemetry(false).build();
        let environment = environment.map_err(|error| error.to_string())?;
        let minor = ort::util::probe(&path);
        let version = minor.map_or_else(|| "of an unknown version".into(), |minor| format!("1.{minor}"));
        Ok(Runtime { environment, path: path.clone(), version })
    })
}

/// The minor version in a file's name, as in `libonnxruntime.so.1.16.3`, known before anything is loaded.
fn minor_version(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    let version = name.split_once("onnxruntime.")?.1;
    let version = version.trim_start_matches("so.");
    version.strip_prefix("1.")?.split('.').next()?.parse().ok()
}

/// A session on one thread that says nothing to the terminal: errors are returned.
pub(super) fn session(runtime: &Runtime, path: &Path) -> Result<Session, String> {
    let session = || -> ort::Result<Session> {
        let builder = Session::builder(&runtime.environment)?.with_intra_threads(1)?;
        builder.with_log_level(LogLevel::Fatal)?.commit_from_file(path)
    };
    session().map_err(|error| error.to_string())
}

/// The folder of the library in an installed Python package, found without importing it.
fn python_folder(program: &str) -> Option<PathBuf> {
    const SCRIPT: &str = "import importlib.util as u; s = u.find_spec('onnxruntime'); \
                          print(s.submodule_search_locations[0] if s else '')";
    let mut command = Command::new(program);
    command.args(["-c", SCRIPT]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let is_over = wait(&mut child, TO_ASK_PYTHON).is_some_and(|status| status.success());
    if !is_over {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    let mut folder = String::new();
    child.stdout.take()?.read_to_string(&mut folder).ok()?;
    let folder = folder.trim();
    (!folder.is_empty()).then(|| Path::new(folder).join("capi"))
}

fn system_folders() -> Vec<PathBuf> {
    let folders = [
        "/usr/local/lib",
        "/usr/local/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/onnxruntime/lib",
        "/opt/homebrew/lib",
    ];
    folders.map(PathBuf::from).to_vec()
}

/// The library in a folder, the newest where there are several.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| is_library(path)).max_by_key(|path| minor_version(path))
}

/// Not its companions, such as `libonnxruntime_providers_shared.so`.
fn is_library(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    name == "onnxruntime.dll" || name.starts_with("libonnxruntime.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_says_what_it_can() {
        let minor = |name: &str| minor_version(Path::new(name));
        assert_eq!(minor("/x/libonnxruntime.so.1.16.3"), Some(16));
        assert_eq!(minor("/x/libonnxruntime.1.32.0.dylib"), Some(32));
        assert_eq!(minor("/x/libonnxruntime.so"), None);
        assert!(is_library(Path::new("/x/libonnxruntime.so.1.32.0")));
        assert!(!is_library(Path::new("/x/libonnxruntime_providers_shared.so")));
    }
}
