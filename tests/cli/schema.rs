//! `schema`: every file of this repository keeps to what it prints, and a misspelt key does not.

use std::path::Path;

use serde_json::{Value, json};

use super::{Folder, folder};

/// A checker of the part of JSON Schema that we write; a keyword it does not know is a panic.
struct Checker(Value);

impl Checker {
    fn printed(words: &[&str]) -> Self {
        let text = folder(&[]).schedsim(words).code(0).no_err().out;
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    /// What is wrong with the value; `at` is where it stands.
    fn wrong(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut say = |what: String| found.push(format!("{at}: {what}"));
        let mut below = Vec::new();
        for (keyword, rule) in schema.as_object().expect("a schema is an object") {
            let fits = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "default" | "additionalProperties" => true,
                "$ref" => {
                    let name = rule.as_str().and_then(|text| text.strip_prefix("#/$defs/")).expect("a reference");
                    let to = self.0["$defs"].get(name).unwrap_or_else(|| panic!("{name} is not defined"));
                    below.extend(self.wrong(to, value, at));
                    true
                }
                "type" => {
                    let types = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
                    types.iter().any(|one| match one.as_str().expect("a type") {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "boolean" => value.is_boolean(),
                        "integer" => value.is_u64() || value.is_i64(),
                        "number" => value.is_number(),
                        other => panic!("type {other}"),
                    })
                }
                "const" => rule == value,
                "enum" => rule.as_array().expect("a list").contains(value),
                "pattern" => value.as_str().is_none_or(|text| {
                    regex::Regex::new(rule.as_str().expect("a text")).expect("an expression").is_match(text)
                }),
                "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
                "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
                "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= rule.as_u64().unwrap()),
                "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= rule.as_u64().unwrap()),
                "maxProperties" => value.as_object().is_none_or(|map| map.len() as u64 <= rule.as_u64().unwrap()),
                "required" => value.as_object().is_none_or(|map| {
                    rule.as_array().unwrap().iter().all(|name| map.contains_key(name.as_str().unwrap()))
                }),
                "anyOf" => rule.as_array().unwrap().iter().any(|one| self.wrong(one, value, at).is_empty()),
                "oneOf" => {
                    rule.as_array().unwrap().iter().filter(|one| self.wrong(one, value, at).is_empty()).count() == 1
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        below.extend(self.wrong(rule, item, &format!("{at}[{index}]")));
                    }
                    true
                }
                "properties" | "patternProperties" => true,
                other => panic!("the checker does not know `{other}`"),
            };
            if !fits {
                say(format!("{value} does not fit `{keyword}`: {rule}"));
            }
        }
        for (key, item) in value.as_object().into_iter().flatten() {
            let patterns = schema.get("patternProperties").and_then(Value::as_object);
            let fits = |pattern: &str| regex::Regex::new(pattern).expect("an expression").is_match(key);
            let by_pattern = patterns.into_iter().flatten().find(|(pattern, _)| fits(pattern)).map(|(_, rule)| rule);
            let rule = schema["properties"].get(key).or(by_pattern).or_else(|| schema.get("additionalProperties"));
            match rule {
                Some(Value::Bool(false)) => say(format!("`{key}` is no key")),
                Some(rule) => below.extend(self.wrong(rule, item, &format!("{at}.{key}"))),
                None => {}
            }
        }
        found.extend(below);
        found
    }

    fn problems(&self, toml: &str) -> Vec<String> {
        let value: toml::Table = toml.parse().expect("TOML");
        self.wrong(&self.0, &serde_json::to_value(value).expect("no dates"), "")
    }
}

/// Every TOML file below, with its text.
fn files(below: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(below);
    let pattern = root.join("**/*.toml");
    let paths = glob::glob(pattern.to_str().expect("UTF-8")).expect("a pattern");
    let files = paths.map(|path| path.expect("a path"));
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("a text"))).collect()
}

#[test]
fn every_scenario_and_sweep_of_this_repository_keeps_to_the_schema() {
    let (scenario, sweep) = (Checker::printed(&["schema"]), Checker::printed(&["schema", "sweep"]));
    let mut counts = (0, 0);
    for (path, text) in files("scenarios").into_iter().chain(files("studies")) {
        let table: toml::Table = text.parse().expect("TOML");
        let problems = match (table.contains_key("schema"), table.contains_key("scenarios")) {
            (false, _) => continue,
            (true, false) => {
                counts.0 += 1;
                scenario.problems(&text)
            }
            (true, true) => {
                counts.1 += 1;
                sweep.problems(&text)
            }
        };
        assert!(problems.is_empty(), "{path}: {problems:#?}");
    }
    assert!(counts.0 > 50 && counts.1 > 0, "{counts:?}");
}

#[test]
fn a_misspelt_key_or_value_does_not_fit_where_check_refuses_it() {
    let scenario = Checker::printed(&["schema", "scenario"]);
    let good = "schema = 1\nhorizon = \"1m\"\n";
    assert_eq!(scenario.problems(good), [""; 0]);
    let folder: Folder = folder(&[]);
    for bad in [
        "horizom = \"1m\"",
        "cluster.nodez = [\"a\"]",
        "tuning.backoff.bace = \"5s\"",
        "tuning.monitor_every = 5",
        "tuning.monitor_every = \"5\"",
        "tuning.backoff.jitter_kind = \"ful\"",
        "tuning.backoff.jitter = 1.5",
        "workload.shop.web.ready = []",
        "workload.shop.web.redy = \"1s\"",
        "workload.shop.web.start = { uniform = [\"1s\"] }",
        "workload.shop.web.start = { uniform = [\"1s\", \"2s\"], exponential = \"1s\" }",
        "policy.with = [\"no-such-fix\"]",
        "policy.as_of = \"yesterday\"",
        "step = [{ at = \"1s\" }]",
        "step = [{ at = \"1s\", do = { note = \"a\", kill = { sandbox = \"x-0\" } } }]",
        "step = [{ at = \"1s\", do.kill = { sandbox = \"pool/x\" } }]",
        "step = [{ at = \"1s\", do.deploy = { app = \"a/b\", config = \"\" } }]",
        "traffic = [{ app = \"a\", service = \"b\", rate = 5 }]",
        "fault = [{ on = \"disk.monut\", effect.hang = {} }]",
        "fault = [{ on = \"disk.mount\", effect.hang = { for = \"1s\" } }]",
        "expect.violations = [\"no-such\"]",
        "expect.metrics.boots_faild = { max = 1 }",
        "expect.metrics.boots_failed = { most = 1 }",
    ] {
        let text = format!("{good}{bad}\n");
        assert!(!scenario.problems(&text).is_empty(), "the schema takes {bad}");
        folder.write("bad.toml", &text);
        folder.schedsim(&["check", "bad.toml"]).code(2).err("bad.toml");
    }
    assert!(!scenario.problems("schema = 1\n").is_empty(), "a horizon is required");
    let sweep = Checker::printed(&["schema", "sweep"]);
    assert_eq!(sweep.problems("schema = 1\nscenarios = [\"a.toml\"]\n"), [""; 0]);
    for bad in ["scenario = []", "sampling = \"sobel\"", "parameter = [{ pth = \"x\" }]", "seeds = 5"] {
        assert!(!sweep.problems(&format!("schema = 1\nscenarios = [\"a.toml\"]\n{bad}\n")).is_empty(), "{bad}");
    }
}

#[test]
fn editors_are_told_what_each_key_means_and_which_values_there_are() {
    let schema = Checker::printed(&["schema"]).0;
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["horizon"]["description"], "simulated time ends here");
    assert_eq!(schema["$defs"]["cluster"]["properties"]["addresses_per_node"]["default"], 253);
    assert_eq!(schema["$defs"]["tuning.backoff"]["properties"]["jitter"]["maximum"], json!(1));
    let points = schema["$defs"]["fault-point"]["enum"].as_array().expect("a list");
    assert!(points.contains(&json!("disk.mount")) && points.contains(&json!("disk.*")), "{points:?}");
    folder(&[]).schedsim(&["schema", "plan"]).code(2).no_out().err("scenario, sweep");
}
