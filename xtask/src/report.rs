//! What a person reads: errors, the commands they name, and standard output.

use std::io::{self, Write as _};
use std::path::Path;

use miette::{MietteHandlerOpts, Report, miette};

/// Errors in whole lines: a terminal breaks a long one itself, and a path in it can
/// still be copied. Colour only on a terminal, and not where `NO_COLOR` is set.
pub fn install() {
    // Fails only if there is one already, and then errors are shown all the same.
    let _ =
        miette::set_hook(Box::new(|_| Box::new(MietteHandlerOpts::new().wrap_lines(false).break_words(false).build())));
}

/// The command as it has to be typed, for these folders where they are not the
/// repository's own.
pub fn command(verb: &str, schema: Option<&Path>, out: Option<&Path>) -> String {
    let mut line = format!("cargo xtask {verb}");
    for (option, folder, own) in [("--schema", schema, crate::schema_folder()), ("--out", out, crate::crate_folder())] {
        if let Some(folder) = folder.filter(|folder| *folder != own) {
            line = format!("{line} {option} {}", quoted(&folder.to_string_lossy()));
        }
    }
    line
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/\\:._-+@%,=~".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Writes a result to standard output.
///
/// # Errors
/// If it can't be written. A reader that has gone, as in `| head`, is no error.
pub fn print(text: &str) -> miette::Result<()> {
    write(io::stdout().lock(), text)
}

/// The same for a text with ANSI escapes: they are left out where standard output is no
/// terminal with colour, or `NO_COLOR` is set.
///
/// # Errors
/// As [`print()`].
pub fn print_styled(text: &str) -> miette::Result<()> {
    write(anstream::AutoStream::auto(io::stdout().lock()), text)
}

fn write(mut output: impl io::Write, text: &str) -> miette::Result<()> {
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(miette!(
            code = "xtask::output",
            help = "see where standard output leads",
            "can't write to standard output: {error}"
        )),
        _ => Ok(()),
    }
}

/// Writes a line to standard error, as far as somebody listens.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A file or folder that can't be read.
pub fn unreadable(path: &Path, error: &impl std::fmt::Display) -> Report {
    miette!(
        code = "xtask::read",
        help = "see that it is there, whole and yours to read; nothing was written",
        "can't read {}: {error}",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_only_the_folders_that_are_others() {
        let own = crate::schema_folder();
        assert_eq!(command("pull 0.1.0", Some(&own), None), "cargo xtask pull 0.1.0");
        let other = Path::new("/a/it's here");
        assert_eq!(
            command("generate", Some(Path::new("b")), Some(other)),
            r"cargo xtask generate --schema b --out '/a/it'\''s here'"
        );
    }
}
