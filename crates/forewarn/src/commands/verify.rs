//! `forewarn verify`.

use app::definition_folder;
use app::evidence_log::{self, EvidenceLogError};
use types::format::counted;

use super::Status;
use crate::cli::VerifyOptions;
use crate::terminal::{diagnostic, output};

pub(crate) fn run(options: &VerifyOptions) -> Status {
    let folder = definition_folder(&options.path);
    match evidence_log::verify(&folder, options.checkpoint) {
        Ok(chain) => {
            let proven = if options.checkpoint.is_some() {
                "unchanged, and nothing was cut since the checkpoint"
            } else {
                "unchanged (a checkpoint from elsewhere would also show a cut tail)"
            };
            let mut text = format!(
                "{} in {}: {proven}.\nCheckpoint: {}\n",
                counted(chain.records.len() as u64, "record", "records"),
                chain.path.display(),
                chain.end
            );
            if chain.torn {
                text.push_str(
                    "The last line was cut off while it was written; the next run sets it aside.\n",
                );
            }
            output::print(&text);
            Status::Fine
        }
        Err(error @ EvidenceLogError::Broken { .. }) => {
            output::error(&diagnostic::error(&error.to_string()));
            Status::Shut
        }
        Err(error) => {
            output::error(&diagnostic::error(&error.to_string()));
            Status::Impossible
        }
    }
}
