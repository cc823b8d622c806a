//! The folders of tenants.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::Error;

/// How long the name of a folder may be, in bytes: file systems allow 255.
const LONGEST: usize = 160;

/// The name of a tenant's folder: other tenants have other ones, also where upper and
/// lower case are the same, and no tenant's leads out of the folder it is put in.
///
/// Lower-case letters, digits and `-` stay, all other bytes are `=` and two digits. What
/// it begins with keeps names away that mean something to the system: `con`.
pub(super) fn name(tenant: &str) -> Result<String, Error> {
    let mut name = "t-".to_owned();
    for byte in tenant.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => name.push(byte.into()),
            // Writing to a string can't fail.
            _ => drop(write!(name, "={byte:02x}")),
        }
    }
    let reason = match name.len() {
        2 => "it is empty".to_owned(),
        length if length > LONGEST => {
            format!(
                "as the name of a folder it has {length} bytes and {LONGEST} is the limit: use a shorter id, or a hash"
            )
        }
        _ => return Ok(name),
    };
    Err(Error::invalid("the tenant's name", reason, tenant))
}

/// Makes a tenant's folder, which nobody else may look into.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // It may have been there.
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

pub(super) fn path(root: &Path, tenant: &str) -> Result<PathBuf, Error> {
    Ok(root.join(name(tenant)?))
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    /// The tenant that a folder is of.
    fn tenant(name: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = name.strip_prefix("t-").expect("the start");
        while let Some(first) = rest.bytes().next() {
            let (byte, length) = match first {
                b'=' => (u8::from_str_radix(&rest[1..3], 16).expect("two digits"), 3),
                byte => (byte, 1),
            };
            bytes.push(byte);
            rest = &rest[length..];
        }
        String::from_utf8(bytes).expect("a tenant")
    }

    proptest! {
        #[test]
        fn a_folder_is_of_one_tenant_and_one_plain_component_in_lower_case(wanted in "\\PC{1,40}|[./\\\\a-zA-Z:=~-]{1,50}") {
            let Ok(name) = name(&wanted) else { return Ok(()) };
            prop_assert_eq!(tenant(&name), wanted);
            prop_assert_eq!(&name.to_lowercase(), &name);
            let path = Path::new(&name);
            prop_assert_eq!(path.components().collect::<Vec<_>>(), [Component::Normal(path.as_os_str())]);
            prop_assert!(name.len() <= LONGEST && name.is_ascii() && !name.contains(['/', '\\', ':', '.']));
        }
    }

    #[test]
    fn names_that_lead_elsewhere_or_mean_something_to_the_system_do_neither() {
        let expected = [
            ("..", "t-=2e=2e"),
            ("/etc", "t-=2fetc"),
            ("a/../b", "t-a=2f=2e=2e=2fb"),
            ("C:\\x", "t-=43=3a=5cx"),
            ("con", "t-con"),
            ("NUL", "t-=4e=55=4c"),
            ("a\0b", "t-a=00b"),
            ("Ä", "t-=c3=84"),
        ];
        for (tenant, folder) in expected {
            assert_eq!(name(tenant).expect("a name"), folder);
        }
    }

    #[test]
    fn tenants_without_a_name_or_with_a_very_long_one_are_refused() {
        assert_eq!(name("").expect_err("no name").to_string(), "the tenant's name: it is empty");
        assert!(name(&"a".repeat(LONGEST - 2)).is_ok());
        let error = name(&"a".repeat(LONGEST - 1)).expect_err("too long").to_string();
        assert!(error.contains("161 bytes and 160 is the limit"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_look_into_is_closed_to_them() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("tenants/t-a");
        make(&folder).expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("a folder").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(folder.parent().expect("a parent"))), (0o700, 0o700));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("permissions");
        make(&folder).expect("it is there");
        assert_eq!(mode(&folder), 0o700);
    }
}
