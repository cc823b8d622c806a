use super::*;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

const REQUESTS: &str = "export type ClientRequest = \
    { \"method\": \"initialize\", params: {} } | { \"method\": \"a/b\", params: {} };\n";

/// The types of an export that is `files` and a `ClientRequest`.
fn read(files: &[(&str, &str)]) -> Result<Harvest, HarvestError> {
    let mut all = vec![file("ClientRequest.ts", REQUESTS)];
    all.extend(files.iter().map(|(path, text)| file(path, text)));
    harvest(&all, &[file("ClientRequest.ts", REQUESTS)])
}

fn alias(body: &str) -> Result<TsType, HarvestError> {
    let text = format!("export type X = {body};\n");
    read(&[("X.ts", &text)]).map(|mut harvest| harvest.types.remove("X").expect("X is there"))
}

fn json(ty: &TsType) -> String {
    serde_json::to_string(ty).expect("serialises")
}

fn fields(ty: TsType) -> Vec<TsField> {
    match ty {
        TsType::Object { fields } => fields,
        other => panic!("no object: {other:?}"),
    }
}

#[test]
fn the_arms_of_a_three_state_input_are_all_kept() {
    let ty = fields(alias("{ serviceTier?: string | null | null, }").unwrap()).remove(0);
    assert!(ty.optional);
    assert_eq!(
        json(&ty.ty),
        r#"{"kind":"union","arms":[{"kind":"keyword","name":"string"},{"kind":"keyword","name":"null"},{"kind":"keyword","name":"null"}]}"#
    );
}

#[test]
fn optional_and_null_are_two_things() {
    let ty = fields(alias("{ a: string | null, b?: string, \"c-d\": boolean, }").unwrap());
    let seen: Vec<_> = ty.iter().map(|field| (field.name.as_str(), field.optional, json(&field.ty))).collect();
    let union = r#"{"kind":"union","arms":[{"kind":"keyword","name":"string"},{"kind":"keyword","name":"null"}]}"#;
    let keyword = |name| format!(r#"{{"kind":"keyword","name":"{name}"}}"#);
    assert_eq!(
        seen,
        [("a", false, union.to_owned()), ("b", true, keyword("string")), ("c-d", false, keyword("boolean")),]
    );
}

#[test]
fn an_intersection_keeps_its_map() {
    let ty = alias("{ a: number, } & ({ [key in string]?: bigint })").unwrap();
    assert_eq!(
        json(&ty),
        r#"{"kind":"intersection","parts":[{"kind":"object","fields":[{"name":"a","type":{"kind":"keyword","name":"number"}}]},{"kind":"map","values":{"kind":"keyword","name":"bigint"},"optional":true}]}"#
    );
}

#[test]
fn the_three_ways_to_write_a_map() {
    for body in ["{ [key: string]: unknown }", "Record<string, unknown>", "{ [key in string]: unknown }"] {
        assert_eq!(
            json(&alias(body).unwrap()),
            r#"{"kind":"map","values":{"kind":"keyword","name":"unknown"}}"#,
            "{body}"
        );
    }
}

#[test]
fn keys_of_a_map_may_be_an_alias() {
    let harvest = read(&[
        ("Id.ts", "export type Id = string;"),
        ("X.ts", "import type { Id } from \"./Id\";\nexport type X = { [key in Id]?: null };"),
    ])
    .unwrap();
    assert_eq!(
        json(&harvest.types["X"]),
        r#"{"kind":"map","values":{"kind":"keyword","name":"null"},"optional":true,"keys":"Id"}"#
    );
}

#[test]
fn lists_tuples_and_literals() {
    let ty = alias("Array<[string, -1]> | true | 2 | 1.5 | \"s\\\"\" | X[]").unwrap();
    assert_eq!(
        json(&ty),
        r#"{"kind":"union","arms":[{"kind":"array","items":{"kind":"tuple","items":[{"kind":"keyword","name":"string"},{"kind":"literal","value":-1}]}},{"kind":"literal","value":true},{"kind":"literal","value":2},{"kind":"literal","value":1.5},{"kind":"literal","value":"s\""},{"kind":"array","items":{"kind":"reference","name":"X"}}]}"#
    );
}

#[test]
fn doc_comments_of_aliases_and_fields_are_kept_clean() {
    let text = "// GENERATED\n\n/**\n * An alias.\n *\n *   - indented\n */\nexport type X = { a: null,\n/**\n * A field.\n */\nb: null, /* none */ c: null, };\n";
    let harvest = read(&[("X.ts", text)]).unwrap();
    assert_eq!(harvest.docs["X"], "An alias.\n\n  - indented");
    assert_eq!(harvest.docs.len(), 1);
    let docs: Vec<_> = fields(harvest.types["X"].clone()).into_iter().map(|field| field.doc).collect();
    assert_eq!(docs, [None, Some("A field.".into()), None]);
}

#[test]
fn an_unknown_syntax_is_an_error_with_file_and_line() {
    for (body, syntax) in [
        ("keyof X", "this type"),
        ("{ a: `t${string}` }", "this type"),
        ("{ f(): void }", "this member of an object type"),
        ("{ [key in string]-?: null }", "this mapped type"),
        ("Partial<X>", "this generic type"),
        ("{ [key: number]: null }", "keys of this type"),
        ("[string?]", "this tuple element"),
    ] {
        let text = format!("//\nexport type X =\n{body};");
        let error = read(&[("v2/X.ts", &text)]).unwrap_err();
        let HarvestError::Unsupported { file, line, syntax: found, .. } = &error else {
            panic!("{body}: {error}");
        };
        assert_eq!((file.as_str(), *line, found.as_str()), ("v2/X.ts", 3, syntax), "{body}");
    }
    for text in [
        "export interface X { a: null }",
        "export type X<T> = T;",
        "import * as y from \"./Y\";\nexport type X = null;",
        "const x = 1;",
        "import type { Y } from \"../../Y\";\nexport type X = Y;",
        "import type { Y } from \"y\";\nexport type X = Y;",
    ] {
        let error = read(&[("v2/X.ts", text)]).unwrap_err();
        assert!(matches!(error, HarvestError::Unsupported { .. }), "{text}: {error}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let whole =
        "/**\n * Doc.\n */\nexport type X = { \"a\": Array<string>,\n/**\n * B.\n */\nb?: null, } | \"x\" | null;";
    assert!(read(&[("X.ts", whole)]).is_ok());
    for end in 0..whole.len() {
        let error = read(&[("X.ts", &whole[..end])]).unwrap_err();
        let HarvestError::Syntax { file, line, .. } = &error else {
            panic!("cut at {end}: {error}");
        };
        assert_eq!(file, "X.ts");
        assert!((1..=8).contains(line), "cut at {end}: {error}");
    }
}

#[test]
fn names_that_nothing_declares_are_errors() {
    let error = alias("{ a: Nowhere }").unwrap_err();
    assert!(error.to_string().contains("`Nowhere`"), "{error}");
    let text = "import type { Gone } from \"../Gone\";\n\nexport type X = Gone;";
    assert_eq!(
        read(&[("v2/X.ts", text)]).unwrap_err(),
        HarvestError::Dangling { file: "v2/X.ts".into(), line: 3, name: "Gone".into(), target: "Gone.ts".into() }
    );
}

#[test]
fn one_name_with_two_shapes_becomes_two_types() {
    let harvest = read(&[
        ("Kind.ts", "export type Kind = \"a\" | \"b\";"),
        ("v2/Kind.ts", "export type Kind = \"a\" | \"c\";"),
        // The same text, but not the same types.
        ("Item.ts", "import type { Kind } from \"./Kind\";\nexport type Item = { k: Kind };"),
        ("v2/Item.ts", "import type { Kind } from \"./Kind\";\nexport type Item = { k: Kind };"),
        // The same types; the docs don't matter.
        ("Same.ts", "export type Same = { /** one */ a: null };"),
        ("v2/Same.ts", "export type Same = { /** two */ a: null };"),
        ("User.ts", "import type { Item } from \"./Item\";\nexport type User = Item;"),
        ("v2/New.ts", "import type { Kind } from \"../Kind\";\nexport type New = Kind;"),
    ])
    .unwrap();
    let names: Vec<_> = harvest.types.keys().map(String::as_str).collect();
    assert_eq!(names, ["ClientRequest", "Item", "Kind", "New", "Same", "User", "root/Item", "root/Kind"]);
    assert!(json(&harvest.types["Kind"]).contains("\"c\""));
    assert!(json(&harvest.types["Same"]).contains("two"));
    assert!(json(&harvest.types["Item"]).contains("\"name\":\"Kind\""));
    assert_eq!(json(&harvest.types["User"]), r#"{"kind":"reference","name":"root/Item"}"#);
    assert_eq!(json(&harvest.types["New"]), r#"{"kind":"reference","name":"root/Kind"}"#);
}

#[test]
fn one_folder_exports_a_name_once() {
    let error = read(&[("A.ts", "export type X = null;"), ("B.ts", "export type X = string;")]).unwrap_err();
    assert!(matches!(error, HarvestError::Clash { .. }), "{error}");
}

#[test]
fn the_stable_methods_come_from_the_stable_export() {
    let stable = "export type ClientRequest = { \"method\": \"initialize\" };";
    let note = "export type ClientNotification = { \"method\": \"initialized\" };";
    let harvest = harvest(
        &[file("ClientRequest.ts", REQUESTS)],
        &[file("ClientRequest.ts", stable), file("ClientNotification.ts", note)],
    )
    .unwrap();
    assert_eq!(harvest.stable_methods["ClientRequest"], ["initialize"]);
    assert_eq!(harvest.stable_methods["ClientNotification"], ["initialized"]);
    assert_eq!(harvest.types["ClientRequest"].methods("ClientRequest").unwrap(), ["initialize", "a/b"]);
}

#[test]
fn an_export_without_methods_is_an_error() {
    let x = file("X.ts", "export type X = null;");
    let requests = file("ClientRequest.ts", REQUESTS);
    let error = harvest(std::slice::from_ref(&x), std::slice::from_ref(&requests)).unwrap_err();
    assert!(error.to_string().starts_with("the experimental export"), "{error}");
    let error = harvest(std::slice::from_ref(&requests), &[x]).unwrap_err();
    assert!(error.to_string().starts_with("the stable export"), "{error}");
    let odd = file("ClientRequest.ts", "export type ClientRequest = { \"method\": \"a\" } | { method: string };");
    let error = harvest(&[requests], &[odd]).unwrap_err();
    assert_eq!(error, HarvestError::NoMethod { name: "ClientRequest".into(), arm: 2 });
}

#[test]
fn nothing_gives_an_empty_harvest() {
    assert_eq!(harvest(&[], &[]).unwrap(), Harvest::default());
}

#[test]
fn json_is_the_same_whatever_the_order_and_reads_back() {
    let index = file("index.ts", "export type { A } from \"./A\";\nexport * as v2 from \"./v2\";\n");
    let a = file("A.ts", "/** \u{e4} \"quoted\" */\nexport type A = { a?: string | null | null };");
    let requests = file("ClientRequest.ts", REQUESTS);
    let stable = [requests.clone()];
    let one = harvest(&[index.clone(), a.clone(), requests.clone()], &stable).unwrap();
    let two = harvest(&[requests, a, index], &stable).unwrap();
    assert_eq!(one.to_json(), two.to_json());
    assert_eq!(Harvest::from_json(&one.to_json()).unwrap(), one);
    assert_eq!(Harvest::from_json(&Harvest::default().to_json()).unwrap(), Harvest::default());
    assert_eq!(one.to_json().lines().filter(|line| line.starts_with("\"A\": {\"kind\"")).count(), 1);
    let cut = &one.to_json()[..40];
    let error = Harvest::from_json(cut).unwrap_err();
    assert!(error.to_string().contains("line"), "{error}");
}
