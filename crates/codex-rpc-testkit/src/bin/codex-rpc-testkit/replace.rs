//! Files are written in one step: a torn one never takes the place of a whole one.

use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file, whose folder must be there, with the permissions that any new file has.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Less what the umask takes; without this only the owner could read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut staged = builder.tempfile_in(folder)?;
    staged.write_all(text.as_bytes())?;
    staged.persist(path).map_err(|error| error.error)?;
    Ok(())
}
