use super::*;

fn content(files: &[(&str, &str)]) -> Content {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn text(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap()
}

/// A folder with `ours/old`, `theirs/kept` and `file`.
fn place() -> (TempDir, Folder) {
    let work = tempfile::tempdir().unwrap();
    let place = work.path().join("place");
    for name in ["ours/old", "theirs/kept", "file"] {
        write(&place.join(name), b"as it was").unwrap();
    }
    fs::create_dir(place.join("empty")).unwrap();
    (work, Folder::find(&place).unwrap())
}

fn whole(folder: &Folder, content: &Content) -> bool {
    let mut staged = Changes::default();
    let changed = staged.whole(folder, content).unwrap();
    staged.commit().unwrap();
    changed
}

fn parts(folder: &Folder, content: &Content) -> bool {
    let mut staged = Changes::default();
    let changed = staged.parts(folder, content, "ours").unwrap();
    staged.commit().unwrap();
    changed
}

#[test]
fn a_folder_is_replaced_and_keeps_what_is_not_named() {
    let (work, folder) = place();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.real.join("link")).unwrap();
    let new = content(&[("theirs/one", "1"), ("file", "2")]);
    assert!(whole(&folder, &new));
    assert!(!whole(&folder, &new), "nothing is left to do");
    assert_eq!(text(folder.real.join("theirs/kept")), "as it was");
    assert_eq!(text(folder.real.join("theirs/one")), "1");
    assert_eq!(text(folder.real.join("file")), "2");
    assert!(folder.real.join("empty").is_dir());
    #[cfg(unix)]
    assert_eq!(fs::read_link(folder.real.join("link")).unwrap(), Path::new("nowhere"));
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1, "nothing is left beside the folder");
}

#[test]
fn parts_are_replaced_and_nothing_else_is_touched() {
    let (work, folder) = place();
    let (kept, before) = (folder.real.join("theirs/kept"), folder.real.metadata().unwrap());
    let untouched = kept.metadata().unwrap().modified().unwrap();
    let new = content(&[("ours/deep/one", "1"), ("file", "2"), ("more/three", "3")]);
    assert_eq!(
        folder.differences(&new, Some("ours")).unwrap().into_iter().collect::<Vec<_>>(),
        [
            ("file".to_owned(), "is different"),
            ("more/three".to_owned(), "is missing"),
            ("ours/deep/one".to_owned(), "is missing"),
            ("ours/old".to_owned(), "should not be there")
        ]
    );
    assert!(parts(&folder, &new));
    assert!(!parts(&folder, &new), "nothing is left to do");
    assert_eq!(files_below(&folder.real).unwrap(), ["file", "more/three", "ours/deep/one", "theirs/kept"]);
    assert!(folder.real.join("empty").is_dir());
    assert_eq!(kept.metadata().unwrap().modified().unwrap(), untouched);
    assert_eq!(folder.real.metadata().unwrap().permissions(), before.permissions());
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1);
}

#[test]
fn a_change_that_fails_takes_back_those_before_it() {
    let (work, folder) = place();
    let fresh = Folder::find(&work.path().join("new/place")).unwrap();
    let (_other, second) = place();
    let mut staged = Changes::default();
    assert!(staged.whole(&fresh, &content(&[("one", "1")])).unwrap());
    assert!(staged.parts(&folder, &content(&[("ours/new", "1"), ("file", "2")]), "ours").unwrap());
    assert!(staged.whole(&second, &content(&[("file", "3")])).unwrap());
    fs::remove_dir_all(&staged.swaps.last().unwrap().new).unwrap();
    let error = staged.commit().unwrap_err();
    assert!(error.to_string().contains(&second.shown().display().to_string()), "{error}");
    for folder in [&folder, &second] {
        assert_eq!(files_below(&folder.real).unwrap(), ["file", "ours/old", "theirs/kept"]);
        assert_eq!(text(folder.real.join("file")), "as it was");
    }
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1, "the new folder is gone too");
}

#[test]
fn single_files_change_and_go_and_come_back_if_another_one_fails() {
    let (work, folder) = place();
    let edits: Edits = [
        ("deep/new".to_owned(), Some(b"2".to_vec())),
        ("file".to_owned(), Some(b"1".to_vec())),
        ("ours/old".to_owned(), None),
    ]
    .into();
    for vanished in [Some(0), Some(1), None] {
        let mut staged = Changes::default();
        staged.files(&folder, &edits).unwrap();
        if let Some(vanished) = vanished {
            // The file that goes is the first.
            staged.swaps.rotate_right(1);
            fs::remove_file(&staged.swaps[vanished + 1].new).unwrap();
            staged.commit().unwrap_err();
            assert_eq!(files_below(&folder.real).unwrap(), ["file", "ours/old", "theirs/kept"]);
            assert_eq!(text(folder.real.join("file")), "as it was");
        } else {
            staged.commit().unwrap();
        }
    }
    assert_eq!(files_below(&folder.real).unwrap(), ["deep/new", "file", "theirs/kept"]);
    assert_eq!(text(folder.real.join("file")), "1");
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&folder.real).unwrap().count(), 5, "nothing of ours is left");
}

#[test]
fn changes_that_are_dropped_leave_nothing() {
    let (work, folder) = place();
    let fresh = Folder::find(&work.path().join("new/deep/place")).unwrap().replaceable().unwrap();
    let mut staged = Changes::default();
    staged.whole(&fresh, &content(&[("one", "1")])).unwrap();
    staged.parts(&folder, &content(&[("ours/new", "1"), ("more/two", "2")]), "ours").unwrap();
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 2);
    drop(staged);
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&folder.real).unwrap().count(), 4);
}

/// Where two names can't be exchanged in one step.
#[test]
fn a_place_is_never_lost_between_two_renames() {
    let (work, folder) = place();
    let [new, aside] = ["new", "aside"].map(|name| work.path().join(name));
    let error = rename_both(&folder.real, &new, &aside).unwrap_err();
    assert!(matches!(error, Unswapped::Restored(_)), "{error:?}");
    assert_eq!(text(folder.real.join("file")), "as it was");
    assert!(!aside.exists());
    fs::create_dir(&new).unwrap();
    assert_eq!(rename_both(&folder.real, &new, &aside).unwrap(), Some(aside.clone()));
    assert!(aside.join("file").exists() && !folder.real.join("file").exists());
}

#[test]
fn a_folder_that_can_not_be_written_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(Folder::find(file.path()).is_err());
    assert!(Folder::find(&file.path().join("below")).unwrap().writable().is_err());
    assert!(Folder::find(&file.path().join("deep/below")).unwrap().replaceable().is_err());
}
