//! Releases that `pull` and `regenerate` can't get.

use std::fs;

use serde_json::json;

use crate::bench::Bench;

const BUNDLE: &str = "codex_app_server_protocol.schemas.json";

#[test]
fn a_release_that_is_nothing_known_is_answered_with_what_it_can_be() {
    let bench = Bench::new();
    bench.refuses_to_pull("newest").says(&[
        "`newest` is no version, and no file or folder",
        "0.169.0",
        "`latest`",
        "executable",
    ]);
    bench.refuses_to_regenerate("newest").says(&["`newest` is no version", "`latest`"]);
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let bench = Bench::new();
    let path = bench.at("nowhere/codex");
    bench.refuses_to_pull(&path).says(&[&path, "does not exist", "the path of a codex executable"]);
    bench.refuses_to_regenerate(&path).says(&[&path, "does not exist", "the path of a codex executable"]);
}

#[test]
fn a_folder_without_an_export_is_named_with_the_command_that_makes_one() {
    let bench = Bench::new();
    bench.write("export/readme.md", "nothing here\n");
    let folder = bench.at("export");
    for said in [bench.refuses_to_pull(&folder), bench.refuses_to_regenerate(&folder)] {
        said.says(&[&folder, BUNDLE, "codex app-server generate-json-schema --out DIR --experimental"]);
    }
}

#[test]
fn a_folder_with_a_torn_export_is_an_error_with_its_file() {
    let bench = Bench::new();
    bench.schema("source");
    for kind in ["stable", "experimental"] {
        let text = fs::read(bench.path(&format!("source/{kind}.json"))).unwrap();
        bench.write(&format!("export/0.169.0/{kind}/{BUNDLE}"), text);
    }
    bench.cut(&format!("export/0.169.0/experimental/{BUNDLE}"));
    let folder = bench.at("export/0.169.0");
    for said in [bench.refuses_to_pull(&folder), bench.refuses_to_regenerate(&folder)] {
        said.says(&[
            &format!("experimental/{BUNDLE}"),
            "EOF while parsing",
            "line ",
            "make it anew",
            "Nothing was written",
        ]);
    }
}

#[test]
fn a_schema_folder_that_was_changed_by_hand_is_no_release() {
    let bench = Bench::new();
    bench.schema("source");
    bench.cut("source/experimental.json");
    let folder = bench.at("source");
    for said in [bench.refuses_to_pull(&folder), bench.refuses_to_regenerate(&folder)] {
        said.says(&[&bench.at("source/experimental.json"), "is not the file that pin.toml lists"]);
    }
    bench.pin("source");
    for said in [bench.refuses_to_pull(&folder), bench.refuses_to_regenerate(&folder)] {
        said.says(&["experimental.json", "EOF while parsing", "make it anew"]);
    }
}

#[test]
fn a_release_that_does_not_generate_leaves_the_older_one() {
    let bench = Bench::new();
    bench.schema("source");
    bench.bundle("source", |definitions| {
        definitions["v2"]["ConfigLayer"]["properties"]["name"] = json!({"$ref": "#/definitions/v2/NoSuchPath"});
    });
    bench.refuses_to_regenerate(&bench.at("source")).says(&[
        "experimental.json: /definitions/",
        "ConfigLayer/properties/name: the reference `#/definitions/v2/NoSuchPath` points to nothing",
    ]);
}

#[test]
fn a_release_that_nothing_names_has_to_be_said() {
    let bench = Bench::new();
    let bundle = fs::read(bench.path("schema/experimental.json")).unwrap();
    bench.write(&format!("export/{BUNDLE}"), bundle);
    bench.refuses_to_pull(&bench.at("export")).says(&[&bench.at("export"), "which release", "--as VERSION"]);
    bench
        .refuses(&["pull", &bench.at("export"), "--as", "newest", "--schema", &bench.at("schema")])
        .says(&["`newest` is no version", "0.169.0"]);
}

#[cfg(unix)]
mod programs {
    use super::*;

    /// An npm that says this on standard error and ends with 1.
    fn failing_npm(bench: &Bench, says: &str) {
        bench.script(
            "bin/npm",
            &format!("#!/bin/sh\nwhile read -r line; do echo \"$line\" >&2; done <<'END'\n{says}\nEND\nexit 1\n"),
        );
    }

    #[test]
    fn a_version_that_does_not_exist_is_named_with_the_command_that_lists_them() {
        for npm in [
            "npm error code E404\nnpm error 404 Not Found - GET https://registry/@openai%2fcodex - Not found",
            "npm error code ETARGET\nnpm error notarget No matching version found for @openai/codex@99.0.0-linux-x64.",
        ] {
            let bench = Bench::new();
            failing_npm(&bench, npm);
            let last = npm.lines().last().unwrap();
            for said in [bench.refuses_to_pull("99.0.0"), bench.refuses_to_regenerate("99.0.0")] {
                said.says(&["npm has no @openai/codex@99.0.0-", last, "`npm view @openai/codex versions`"]);
            }
        }
    }

    #[test]
    fn a_failure_leaves_no_folder_where_there_was_none() {
        let bench = Bench::new();
        failing_npm(&bench, "npm error code E404");
        bench
            .refuses(&["pull", "99.0.0", "--schema", &bench.at("new/place/schema")])
            .says(&["npm has no @openai/codex@99.0.0-"]);
        let arguments =
            ["regenerate", "99.0.0", "--schema", &bench.at("new/place/schema"), "--out", &bench.at("new/place/out")];
        bench.refuses(&arguments).says(&["npm has no @openai/codex@99.0.0-"]);
    }

    #[test]
    fn an_npm_that_can_not_reach_its_registry_is_quoted() {
        let bench = Bench::new();
        failing_npm(&bench, "npm error code ENOTFOUND\nnpm error network getaddrinfo ENOTFOUND registry.example");
        bench.refuses_to_pull("0.169.0").says(&[
            "npm pack",
            "failed",
            "getaddrinfo ENOTFOUND registry.example",
            "put right what npm complains about",
        ]);
    }

    #[test]
    fn a_missing_npm_is_named_with_what_to_install() {
        let bench = Bench::new();
        for said in [
            bench.refuses_to_pull("0.169.0"),
            bench.refuses_to_pull("latest"),
            bench.refuses_to_regenerate("0.169.0"),
            bench.refuses_to_regenerate("latest"),
        ] {
            said.says(&["npm can't be started", "install Node.js with npm", "executable by its path"]);
        }
    }

    #[test]
    fn an_npm_that_answers_something_else_is_an_error() {
        let bench = Bench::new();
        bench.script("bin/npm", "#!/bin/sh\necho 'hello'\n");
        bench.refuses_to_pull("latest").says(&[
            "no version for the latest codex",
            "hello",
            "name the version you want",
        ]);
        bench.refuses_to_pull("0.169.0").says(&["npm pack", "left no archive", "pull an executable by its path"]);
    }

    #[test]
    fn a_package_that_is_damaged_is_an_error() {
        let bench = Bench::new();
        bench.script("bin/npm", "#!/bin/sh\n[ \"$1\" = pack ] && echo 'no archive' > \"$4/codex.tgz\"\nexit 0\n");
        bench.refuses_to_pull("0.169.0").says(&["the npm package of codex 0.169.0 is damaged", "npm cache verify"]);

        let report = "[{\"integrity\": \"sha512-AAAA\"}]";
        bench.script("bin/npm", &format!("#!/bin/sh\necho 'no archive' > \"$4/codex.tgz\"\necho '{report}'\n"));
        bench.refuses_to_pull("0.169.0").says(&[
            "@openai/codex@0.169.0-",
            "is damaged",
            "npm says AAAA",
            "don't use this package",
        ]);
    }

    #[test]
    fn a_file_that_is_no_program_is_named() {
        let bench = Bench::new();
        bench.write("codex", "just a text\n");
        let path = bench.at("codex");
        for said in [bench.refuses_to_pull(&path), bench.refuses_to_regenerate(&path)] {
            said.says(&[&path, "is not marked as executable", "name the codex executable itself"]);
        }
        bench.executable("codex");
        for said in [bench.refuses_to_pull(&path), bench.refuses_to_regenerate(&path)] {
            said.says(&[&path, "can't be started", "name the codex executable itself"]);
        }
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let bench = Bench::new();
        let path = bench.script("codex", "#!/bin/sh\necho 'the moon is full' >&2\nexit 1\n");
        for said in [bench.refuses_to_pull(&path), bench.refuses_to_regenerate(&path)] {
            said.says(&[
                &path,
                "--version",
                "failed (exit status: 1)",
                "the moon is full",
                "name the codex executable itself",
            ]);
        }
    }

    #[test]
    fn a_program_that_is_no_codex_is_quoted() {
        let bench = Bench::new();
        let path = bench.script("codex", "#!/bin/sh\necho 'moon 1.0'\n");
        for said in [bench.refuses_to_pull(&path), bench.refuses_to_regenerate(&path)] {
            said.says(&[&path, "is no codex", "`moon 1.0`", "name the codex executable itself"]);
        }
    }

    /// A codex that answers `--version` well and its exports like this.
    fn codex(bench: &Bench, export: &str) -> String {
        bench.script(
            "codex",
            &format!("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 'codex-cli 0.169.0'; exit 0; }}\n{export}\n"),
        )
    }

    #[test]
    fn a_codex_that_has_no_exports_is_an_error() {
        let bench = Bench::new();
        let path = codex(&bench, "echo \"error: unrecognized subcommand '$2'\" >&2; exit 2");
        bench.refuses_to_pull(&path).says(&[
            &path,
            "app-server generate-json-schema",
            "failed (exit status: 2)",
            "unrecognized subcommand 'generate-json-schema'",
        ]);
        let path = codex(&bench, "exit 0");
        bench.refuses_to_pull(&path).says(&[&path, "wrote no TypeScript"]);
    }

    #[test]
    fn a_codex_that_writes_a_torn_export_is_an_error() {
        let bench = Bench::new();
        let whole = "case $2 in generate-ts) echo 'export type ClientRequest = { \"method\": \"a\" };' > \"$4/ClientRequest.ts\";;";
        let path = codex(&bench, &format!("{whole}\n*) echo '{{\"definitions\": {{' > \"$4/{BUNDLE}\";; esac"));
        for said in [bench.refuses_to_pull(&path), bench.refuses_to_regenerate(&path)] {
            said.says(&["stable.json", "no schema bundle", "EOF while parsing", "make it anew", "Nothing was written"]);
        }
    }

    #[test]
    fn a_codex_that_writes_torn_typescript_is_an_error() {
        let bench = Bench::new();
        let torn = "echo 'export type = {' > \"$4/ClientRequest.ts\"";
        let path = codex(&bench, &format!("case $2 in generate-ts) {torn};; *) echo '{{}}' > \"$4/{BUNDLE}\";; esac"));
        bench.refuses_to_pull(&path).says(&["TypeScript", "ClientRequest.ts", "nothing was written"]);
    }

    #[test]
    fn a_codex_that_writes_no_bundle_is_an_error() {
        let bench = Bench::new();
        let path = codex(
            &bench,
            "[ $2 = generate-ts ] && echo 'export type ClientRequest = { \"method\": \"a\" };' > \"$4/ClientRequest.ts\"; exit 0",
        );
        bench.refuses_to_pull(&path).says(&[&path, "generate-json-schema", BUNDLE]).never_says(&[&bench.at("tmp")]);
    }
}
