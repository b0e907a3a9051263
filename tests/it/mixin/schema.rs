//! The boards against what Grafana's own types allow, of the oldest and the newest major that is supported.
//!
//! **Source:** the files in `tests/schemas/`, derived by `tests/schemas/derive` from the npm package `@grafana/schema`.

use serde_json::{Map, Value};

use super::boards::{self, Board};
use super::text;

const MAJORS: [&str; 2] = ["grafana-10", "grafana-13"];
/// What the types leave to the data source, by the end of its path.
const OF_THE_DATA_SOURCE: [&str; 5] = ["expr", "titleFormat", "textFormat", "tagKeys", "definition"];

/// The schemas of one major.
struct Schemas(Value);

impl Schemas {
    fn of(major: &str) -> Self {
        let file = std::fs::read_to_string(format!("tests/schemas/{major}.json")).expect("the schemas");
        Self(serde_json::from_str(&file).expect("JSON"))
    }

    /// Complaints about `value`, which should be what the types call `name`; none where they do not tell.
    fn check(&self, name: &str, value: &Value, path: &str) -> Vec<String> {
        let root = &self.0["schemas"][name];
        if root.is_null() { Vec::new() } else { complaints(root, root, value, path) }
    }
}

/// The part of JSON Schema that the derived files use.
fn complaints(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        // A name may hold what a pointer escapes.
        let name = reference.trim_start_matches("#/definitions/");
        let name = name.replace('+', "%2B");
        let (name, _) = url::form_urlencoded::parse(name.as_bytes()).next().expect("a name");
        return complaints(root, &root["definitions"][&*name], value, path);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let mut all: Vec<Vec<String>> = choices.iter().map(|choice| complaints(root, choice, value, path)).collect();
        // The nearest one tells most.
        all.sort_by_key(Vec::len);
        return all.into_iter().next().unwrap_or_default();
    }
    if let Some(only) = schema.get("const") {
        return if only == value { Vec::new() } else { vec![format!("{path}: {value} is not {only}")] };
    }
    if let Some(choices) = schema["enum"].as_array() {
        return if choices.contains(value) {
            Vec::new()
        } else {
            vec![format!("{path}: {value} is not in {choices:?}")]
        };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => return Vec::new(),
    };
    let is_of = |wanted: &&str| match *wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type `{other}`"),
    };
    if !types.iter().any(is_of) {
        return vec![format!("{path}: {value} is no {}", types.join(" or "))];
    }
    match value {
        Value::Array(values) if !schema["items"].is_null() => values
            .iter()
            .enumerate()
            .flat_map(|(place, one)| complaints(root, &schema["items"], one, &format!("{path}/{place}")))
            .collect(),
        Value::Object(fields) => object(root, schema, fields, path),
        _ => Vec::new(),
    }
}

fn object(root: &Value, schema: &Value, fields: &Map<String, Value>, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in fields {
        let path = format!("{path}/{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) if OF_THE_DATA_SOURCE.contains(&name.as_str()) => {}
            (Value::Null, Value::Bool(false)) => found.push(format!("{path}: not known")),
            (Value::Null, further @ Value::Object(_)) => found.extend(complaints(root, further, value, &path)),
            (Value::Null, _) => {}
            (known, _) => found.extend(complaints(root, known, value, &path)),
        }
    }
    found
}

/// What a major finds wrong with a board. Panels are held against the type of panels one by one: in the type of a board
/// they are one of several things, and one mistake would be many.
fn check(schemas: &Schemas, board: &Value) -> Vec<String> {
    let mut whole = board.clone();
    let panels = whole["panels"].take();
    whole.as_object_mut().expect("a board").remove("panels");
    let mut found = schemas.check("Dashboard", &whole, "");
    for panel in panels.as_array().expect("panels") {
        let inside = panel["panels"].as_array().map(Vec::as_slice).unwrap_or_default();
        if panel["type"] == "row" {
            let mut row = panel.clone();
            row["panels"] = Value::Array(Vec::new());
            found.extend(schemas.check("Row", &row, text(panel, "title")));
            inside.iter().for_each(|panel| found.extend(check_panel(schemas, panel)));
        } else {
            found.extend(check_panel(schemas, panel));
        }
    }
    found
}

fn check_panel(schemas: &Schemas, panel: &Value) -> Vec<String> {
    let path = text(panel, "title");
    let mut found = schemas.check("Panel", panel, path);
    let kind = text(panel, "type").replace('-', "");
    found.extend(schemas.check(&format!("{kind}.options"), &panel["options"], &format!("{path}/options")));
    let custom = &panel["fieldConfig"]["defaults"]["custom"];
    if !custom.is_null() {
        found.extend(schemas.check(&format!("{kind}.custom"), custom, &format!("{path}/custom")));
    }
    for target in panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let mut target = target.clone();
        // What every data source has.
        target.as_object_mut().expect("a query").retain(|name, _| !["datasource", "interval"].contains(&name.as_str()));
        found.extend(schemas.check("Target", &target, &format!("{path}/targets")));
    }
    found
}

#[test]
fn both_majors_of_grafana_accept_every_board() {
    for major in MAJORS {
        let schemas = Schemas::of(major);
        for board in boards::all() {
            let found = check(&schemas, &board.json);
            assert!(found.is_empty(), "{major}, {}: {} complaints\n{}", board.uid(), found.len(), found.join("\n"));
        }
    }
}

#[test]
fn a_spoilt_board_is_refused_where_it_is_spoilt() {
    for major in MAJORS {
        let schemas = Schemas::of(major);
        for (pointer, value, complaint) in [
            ("/panels/1/gridPos/w", Value::from("wide"), "/gridPos/w: \"wide\" is no number"),
            ("/panels/1/fieldConfig/defaults/unti", "s".into(), "/fieldConfig/defaults/unti: not known"),
            ("/panels/1/options/legend", true.into(), "/options/legend: not known"),
            ("/panels/1/options/colorMode", "loud".into(), "/options/colorMode: \"loud\" is not in"),
            ("/panles", Value::Array(Vec::new()), "/panles: not known"),
            ("/panels/0/collapsed", "no".into(), "/collapsed: \"no\" is no boolean"),
        ] {
            let Board { mut json, .. } = boards::all().remove(0);
            let (parent, field) = pointer.rsplit_once('/').expect("a path");
            json.pointer_mut(parent).expect("a place")[field] = value;
            let found = check(&schemas, &json);
            assert!(found.len() == 1 && found[0].contains(complaint), "{major} {pointer}: {found:?}");
        }
    }
}
