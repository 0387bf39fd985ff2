use std::path::PathBuf;

use super::*;
use crate::Distribution;
use crate::config::{Config, Inputs, Problems, print};

fn inputs(yaml: &str) -> Inputs {
    let environment = |name: &str| (name == "PIN").then(|| "0042".to_owned());
    Inputs { configs: vec![format!("yaml:{yaml}")], environment: Some(environment), ..Inputs::default() }
}

fn load(yaml: &str) -> Result<Config, Problems> {
    Config::load(&inputs(yaml), &Distribution::default())
}

fn refused(yaml: &str, expected: &str) {
    let problems = load(yaml).expect_err(yaml).to_string();
    assert_eq!(problems.trim(), expected.trim(), "\n{yaml}");
}

#[test]
fn a_root_key_comes_from_one_place() {
    let command = |items: &[&str]| KeySource::Command(items.iter().map(|&item| item.to_owned()).collect());
    for (yaml, source) in [
        ("keys: {}", KeySource::Own),
        ("keys: { root_key_file: /etc/root.key }", KeySource::File(PathBuf::from("/etc/root.key"))),
        ("keys: { root_key_env: ROOT }", KeySource::Env("ROOT".to_owned())),
        ("keys: { root_key_command: [vault, read, -field=key] }", command(&["vault", "read", "-field=key"])),
        ("keys: { root_key_command: [print-key, \"${env:PIN}\", 7] }", command(&["print-key", "0042", "7"])),
    ] {
        assert_eq!(load(yaml).unwrap().key, source, "{yaml}");
    }
    refused(
        "keys:\n  root_key_command: [vault, s3cr3t]\n  root_key_env: ROOT\n",
        "
error: there is one root key: say one of `root_key_file`, `root_key_env` and `root_key_command`
 --> yaml::2:3
  |
2 |   root_key_command: [redacted]
  |   ^^^^^^^^^^^^^^^^
",
    );
    load("exporters: { lake: { url: \"s3://b\" } }\nkeys: { root_key_command: [vault] }").unwrap();
}

#[test]
fn a_command_is_a_list_and_its_arguments_are_never_shown() {
    for (yaml, expected) in [
        ("keys: { root_key_command: \"vault read \\\"s3cr3t\\\"\" }", "invalid type: string \"[redacted]\""),
        ("keys:\n  root_key_command: vault -token=s3cr3t\n", "invalid type: string \"[redacted]\""),
        ("keys: { root_key_command: [\"vault -token=s3cr3t\"] }", "each argument is an item of its own"),
        ("keys:\n  root_key_command:\n    - vault -token=s3cr3t\n", "each argument is an item of its own"),
        ("keys: { root_key_command: [] }", "the program that prints the root key"),
        ("keys: { root_key_command: [\"\", s3cr3t] }", "the program alone"),
        ("keys:\n  root_key_command: [vault,\n    [s3cr3t]]\n", "expected a string"),
        ("keys:\n  root_key_command:\n    - vault\n    - { a: s3cr3t }\n", "expected a string"),
    ] {
        let problems = load(yaml).expect_err(yaml).to_string();
        assert!(problems.contains(expected) && !problems.contains("s3cr3t"), "{yaml}: {problems}");
    }
    for (yaml, shown) in [
        ("keys: { root_key_command: [vault, read, s3cr3t, 7] }", true),
        ("keys: { root_key_command: [\"vault -token=s3cr3t\"] }", false),
        ("keys: { root_key_command: \"vault s3cr3t\" }", false),
        ("keys: { root_key_command: [[vault, s3cr3t]] }", false),
    ] {
        let text = print(&inputs(yaml), &Distribution::default()).unwrap();
        assert!(!text.contains("s3cr3t") && text.contains("[redacted]"), "{yaml}: {text}");
        assert_eq!(text.contains("vault"), shown, "{yaml}: {text}");
    }
}

#[test]
fn key_ids_are_searched_for_from_the_first_on_unless_said() {
    let live = |yaml: &str, tenant: &str| load(yaml).unwrap().rotation.of(tenant).live().collect::<Vec<_>>();
    assert_eq!(live("", "default"), [1]);
    assert_eq!(live("keys: { kid: 3 }", "default"), [3, 2, 1]);
    assert_eq!(live("keys: { kid: 3, kids: [2, 3] }", "default"), [3, 2]);
    assert_eq!(live("keys: { kid: 1, kids: [1, 2] }", "default"), [1, 2], "readers may know it before it writes");
    assert_eq!(live("keys: { kid: 202611, kids: [202605, 202611] }", "default"), [202_611, 202_605]);
    let tenants =
        "keys: { kid: 2, tenants: { acme: { kid: 3, kids: [2, 3] }, umbrella: { kid: 1 }, shop: { kids: [2] } } }";
    assert_eq!(live(tenants, "default"), [2, 1]);
    assert_eq!(live(tenants, "acme"), [3, 2]);
    assert_eq!(live(tenants, "umbrella"), [1]);
    assert_eq!(live(tenants, "shop"), [2]);
}

#[test]
fn key_ids_that_do_not_fit_are_shown_with_their_line() {
    refused(
        "keys:\n  kid: 3\n  kids: [1, 2]\n",
        "
error: `kids` are all key ids that are searched for, so that the one that writes, `kid: 3`, is among them
 --> yaml::3:3
  |
3 |   kids: [1, 2]
  |   ^^^^
",
    );
    refused(
        "keys:\n  kid: 202611\n",
        "
error: say in `kids` which key ids are searched for: 202611, and those that wrote before it
 --> yaml::2:8
  |
2 |   kid: 202611
  |        ^^^^^^
",
    );
    refused(
        "keys:\n  tenants:\n    acme:\n      kids: [4, 5]\n",
        "
error: `kids` are all key ids that are searched for, so that the one that writes, `kid: 1`, is among them
 --> yaml::4:7
  |
4 |       kids: [4, 5]
  |       ^^^^
",
    );
    for (yaml, expected) in [
        ("keys: { kids: [] }", "is among them"),
        ("keys: { kids: [-1, 1] }", "expected u32"),
        ("keys: { kid: 1.5 }", "expected u32"),
        ("keys: { tenants: { acme: { kidz: [1] } } }", "did you mean `kid`?"),
    ] {
        let problems = load(yaml).expect_err(yaml).to_string();
        assert!(problems.contains(expected), "{yaml}: {problems}");
    }
}

#[test]
fn pseudonyms_need_the_settings_of_hash_alone() {
    let yaml = "processors: { hash: { default_region: KZ }, enrich: { lookups: [{ name: \"${env:NOWHERE}\" }] } }";
    assert!(load(yaml).is_err());
    let config = Config::for_pseudonyms(&inputs(yaml), &Distribution::default()).unwrap();
    let hash = config.chain.iter().find(|(name, _)| *name == "hash").map(|(_, section)| section.to_string());
    assert_eq!(hash.as_deref(), Some("{\"default_region\":\"KZ\"}"));
    assert!(Config::for_pseudonyms(&inputs("processors: { hash: { region: KZ } }"), &Distribution::default()).is_err());
}
