//! What `scaffold inspect` has written, by the questions that a draft asks.

use serde::Deserialize;
use serde_json::Value;

/// The form of the JSON that this version reads.
const FORMAT: u64 = 1;

/// An application as its own Python has described it.
#[derive(Clone, Debug)]
pub struct Inspection(Value);

/// Why a JSON is refused.
#[derive(Debug, thiserror::Error)]
#[error("this is no JSON of this version's `scaffold inspect` (format {FORMAT}): write it anew")]
pub struct OtherFormat;

/// A route with an endpoint, in the order in which requests are matched.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    inspection: &'a Inspection,
    value: &'a Value,
}

/// A function or class of the application.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Callable {
    /// With its module: `app.routes.items.read_item`.
    pub name: String,
    /// `function`, `coroutine`, `generator`, `async generator`, `class`, or one of these with
    /// ` instance`.
    pub kind: String,
    /// Relative to the application's folder if it is below that.
    pub file: Option<String>,
    pub line: Option<u64>,
    /// Nothing for what a library has.
    pub source: Option<String>,
}

/// A parameter of an operation or of one of its dependencies.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Parameter {
    pub name: String,
    /// `path`, `query`, `header`, `cookie`, `body`, `form` or `file`.
    #[serde(rename = "in")]
    pub location: String,
    pub alias: String,
    /// As Python writes the type.
    pub annotation: Option<String>,
    pub required: bool,
    /// Its default is `None`, whether its type has `None` or not: the document does not show it.
    pub none_is_default: bool,
    pub default: Option<Value>,
    /// Whether its type is a model, as of `filters: Annotated[Filters, Query()]`.
    #[serde(default)]
    pub model: bool,
    /// What else was declared: `convert_underscores`, `strict`, `embed`.
    #[serde(default)]
    pub options: Value,
    /// Lengths, bounds, patterns, validators.
    #[serde(default)]
    pub constraints: Vec<Value>,
    /// The same of what its type holds, such as the items of a list.
    #[serde(default)]
    pub inner_constraints: Vec<Value>,
}

/// A default that Python knows.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue<'a> {
    Json(&'a Value),
    /// The name of a function without parameters, such as `uuid.uuid4` or `list`.
    Factory(&'a str),
    /// Only Python can say it.
    Python(&'a str),
}

impl Inspection {
    /// Takes the JSON; refuses that of another version.
    pub fn new(value: Value) -> Result<Self, OtherFormat> {
        if value["format"].as_u64() == Some(FORMAT) { Ok(Self(value)) } else { Err(OtherFormat) }
    }

    /// The whole JSON.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The OpenAPI document, if the application could make it.
    pub fn document(&self) -> Option<&Value> {
        Some(&self.0["openapi"]).filter(|document| document.is_object())
    }

    /// The version of a package such as `fastapi` or `pydantic`: major, minor, patch.
    pub fn version(&self, package: &str) -> Option<(u32, u32, u32)> {
        let mut parts = self.0["versions"][package].as_str()?.split('.');
        let mut next = || {
            let part = parts.next()?;
            part.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        Some((next()?, next().unwrap_or(0), next().unwrap_or(0)))
    }

    /// Every route, those of mounted applications where these are mounted.
    pub fn routes(&self) -> Vec<Route<'_>> {
        let mut found = Vec::new();
        self.collect(&self.0["routes"], &mut found);
        found
    }

    fn collect<'a>(&'a self, routes: &'a Value, found: &mut Vec<Route<'a>>) {
        for value in routes.as_array().into_iter().flatten() {
            found.push(Route { inspection: self, value });
            self.collect(&value["routes"], found);
        }
    }

    /// The operation of a method and a path of the document.
    pub fn operation(&self, method: &str, path: &str) -> Option<Route<'_>> {
        self.routes().into_iter().find(|route| {
            route.is_documented()
                && route.path_format() == path
                && route.methods().contains(&method)
        })
    }

    /// The function or class of a key.
    pub fn callable(&self, key: &str) -> Option<Callable> {
        Callable::deserialize(&self.0["callables"][key]).ok()
    }

    /// The class of a component: `Item`, `Item-Input`, `app__models__Item`; nothing if several
    /// classes have that name.
    pub fn model(&self, component: &str) -> Option<&Value> {
        let name = component.trim_end_matches("-Input").trim_end_matches("-Output");
        let models = self.0["models"].as_object()?;
        let path = name.replace("__", ".");
        if let Some(model) = models.get(&path) {
            return Some(model);
        }
        // `Page[Item]` is `Page_Item_` in the document.
        let plain = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let mut named = models
            .values()
            .filter(|model| model["name"].as_str().map(plain).as_deref() == Some(name));
        named.next().filter(|_| named.next().is_none())
    }

    /// The validators of a model that are the application's own.
    pub fn validators(&self, model: &Value) -> Vec<Callable> {
        let listed = model["validators"].as_array().into_iter().flatten();
        let fields = model["fields"].as_object().into_iter().flatten().map(|(_, field)| field);
        let annotated = fields.flat_map(|field| {
            let lists = ["constraints", "inner_constraints"].map(|name| field[name].as_array());
            lists.into_iter().flatten().flatten()
        });
        self.callables(listed.map(|one| &one["call"]).chain(annotated.map(|one| &one["function"])))
    }

    /// The validators of a parameter that are the application's own.
    pub fn parameter_validators(&self, parameter: &Parameter) -> Vec<Callable> {
        let all = parameter.constraints.iter().chain(&parameter.inner_constraints);
        self.callables(all.map(|one| &one["function"]))
    }

    /// A class with validation of its own that a type names, by the type as Python writes it.
    pub fn custom_type(&self, annotation: &str) -> Option<Callable> {
        let models = self.0["models"].as_object().into_iter().flatten();
        let mut custom = models.filter(|(_, model)| model["kind"] == "custom type");
        let (name, model) = custom.find(|(name, _)| {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            annotation.split(|c| !is_part(c)).any(|word| word == name.as_str())
        })?;
        let text = |key: &str| model[key].as_str().map(str::to_owned);
        Some(Callable {
            name: name.clone(),
            kind: "class".to_owned(),
            file: text("file"),
            line: model["line"].as_u64(),
            source: text("source"),
        })
    }

    /// The functions of these keys, each once.
    fn callables<'v>(&self, keys: impl Iterator<Item = &'v Value>) -> Vec<Callable> {
        let mut found: Vec<Callable> = Vec::new();
        for callable in keys.filter_map(Value::as_str).filter_map(|key| self.callable(key)) {
            if !found.contains(&callable) {
                found.push(callable);
            }
        }
        found
    }

    /// What of a model's answers the application's own code makes: serializers, computed fields.
    pub fn serializers(&self, model: &Value) -> Vec<Callable> {
        let listed = model["serializers"].as_array().into_iter().flatten();
        let computed = model["computed_fields"].as_object().into_iter().flatten();
        self.callables(listed.chain(computed.map(|(_, one)| one)).map(|one| &one["call"]))
    }
}

impl<'a> Route<'a> {
    /// All that the inspector has written about it.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The path with its convertors: `/files/{name:path}`.
    pub fn path(&self) -> &'a str {
        self.value["path"].as_str().unwrap_or_default()
    }

    /// The path without convertors, as the document has it.
    pub fn path_format(&self) -> &'a str {
        self.value["path_format"].as_str().unwrap_or_else(|| self.path())
    }

    /// GET, HEAD and so on; none for mounts and WebSockets.
    pub fn methods(&self) -> Vec<&'a str> {
        let methods = self.value["methods"].as_array().into_iter().flatten();
        methods.filter_map(Value::as_str).collect()
    }

    /// `operation`, `route`, `mount`, `host`, `websocket` or `unknown`.
    pub fn kind(&self) -> &'a str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// Whether the document shows it; clients may call the others too.
    pub fn is_documented(&self) -> bool {
        self.value["in_document"] == true
    }

    /// The convertor of a path parameter: `str`, `int`, `float`, `uuid`, `path` or one's own.
    pub fn convertor(&self, parameter: &str) -> Option<&'a str> {
        self.value["convertors"][parameter]["name"].as_str()
    }

    /// What its function does, if that is one of the forms that the inspector knows; else
    /// `{"reason": …}`.
    pub fn handler(&self) -> &'a Value {
        &self.value["handler"]
    }

    /// The Python function that answers.
    pub fn endpoint(&self) -> Option<Callable> {
        self.inspection.callable(self.value["endpoint"].as_str()?)
    }

    /// The security schemes in the order in which they are called, each with `class`, `builtin`,
    /// `auto_error` and its `model` in the document.
    pub fn schemes(&self) -> Vec<&'a Value> {
        let mut found = Vec::new();
        schemes(&self.value["dependant"], &mut found);
        found
    }

    /// Its parameters in the order in which FastAPI validates them: those of dependencies first.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut found = Vec::new();
        parameters(&self.value["dependant"], &mut found);
        found
    }

    /// The dependencies that have code of the application's own, in the order in which they run.
    pub fn dependencies(&self) -> Vec<Callable> {
        let mut keys = Vec::new();
        dependencies(&self.value["dependant"], &mut keys);
        let own = keys.into_iter().filter_map(|key| self.inspection.callable(key));
        own.filter(|callable| callable.source.is_some()).collect()
    }
}

fn parameters(dependant: &Value, found: &mut Vec<Parameter>) {
    for sub in dependant["dependencies"].as_array().into_iter().flatten() {
        parameters(sub, found);
    }
    for value in dependant["parameters"].as_array().into_iter().flatten() {
        let Ok(parameter) = Parameter::deserialize(value) else { continue };
        let is_new = !found.iter().any(|known| {
            (&known.location, &known.alias) == (&parameter.location, &parameter.alias)
        });
        if is_new {
            found.push(parameter);
        }
    }
}

fn schemes<'a>(dependant: &'a Value, found: &mut Vec<&'a Value>) {
    for sub in dependant["dependencies"].as_array().into_iter().flatten() {
        schemes(sub, found);
        let scheme = &sub["scheme"];
        if scheme.is_object() && !found.contains(&scheme) {
            found.push(scheme);
        }
    }
}

fn dependencies<'a>(dependant: &'a Value, found: &mut Vec<&'a str>) {
    for sub in dependant["dependencies"].as_array().into_iter().flatten() {
        dependencies(sub, found);
        if let Some(key) = sub["call"].as_str().filter(|key| !found.contains(key)) {
            found.push(key);
        }
    }
}

impl Parameter {
    /// The value of an absent one; nothing if it is required.
    pub fn default_value(&self) -> Option<DefaultValue<'_>> {
        default_value(self.default.as_ref()?)
    }
}

/// A default as the inspector writes it, of a parameter or of a model's field.
pub fn default_value(default: &Value) -> Option<DefaultValue<'_>> {
    let text = |name: &str| default.get(name).and_then(Value::as_str);
    text("factory")
        .or_else(|| text("callable"))
        .map(DefaultValue::Factory)
        .or_else(|| default.get("json").map(DefaultValue::Json))
        .or_else(|| text("python").map(DefaultValue::Python))
}

impl Callable {
    /// Where it stands: `app/routes.py:12`, or its name for what has no file.
    pub fn location(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inspection() -> Inspection {
        let dependency = json!({
            "call": "app.page", "dependencies": [],
            "parameters": [{"name": "skip", "in": "query", "alias": "skip", "annotation": "int",
                "required": false, "none_is_default": false, "default": {"json": 0}}],
        });
        Inspection::new(json!({
            "format": 1, "versions": {"fastapi": "0.115.0rc1"}, "openapi": null,
            "callables": {
                "app.read": {"name": "app.read", "kind": "function", "file": "app.py", "line": 3,
                    "source": "def read():\n\n    pass"},
                "app.page": {"name": "app.page", "kind": "function", "file": null, "line": null,
                    "source": null},
            },
            "models": {"app.v1.Item": {"name": "Item"}, "app.v2.Item": {"name": "Item"},
                "app.Page[Item]": {"name": "Page[Item]"}},
            "routes": [{"kind": "mount", "path": "/sub", "in_document": false, "routes": [
                {"kind": "operation", "path": "/sub/{n:path}", "path_format": "/sub/{n}",
                 "methods": ["GET"], "in_document": true, "endpoint": "app.read",
                 "convertors": {"n": {"name": "path"}},
                 "dependant": {"dependencies": [dependency], "parameters": [
                    {"name": "q", "in": "query", "alias": "q", "annotation": "str",
                     "required": false, "none_is_default": true, "default": {"factory": "list"}},
                 ]}},
            ]}],
        }))
        .unwrap()
    }

    #[test]
    fn operations_are_found_and_read() {
        let inspection = inspection();
        let route = inspection.operation("GET", "/sub/{n}").unwrap();
        assert_eq!((route.path(), route.convertor("n")), ("/sub/{n:path}", Some("path")));
        let parameters = route.parameters();
        assert_eq!(parameters[0].default_value(), Some(DefaultValue::Json(&json!(0))));
        assert_eq!(parameters[1].default_value(), Some(DefaultValue::Factory("list")));
        assert_eq!(route.dependencies(), []);
        assert_eq!(route.endpoint().unwrap().location(), "app.py:3");
        assert!(inspection.operation("POST", "/sub/{n}").is_none());
        assert_eq!(inspection.routes().len(), 2);
    }

    #[test]
    fn versions_and_models_are_found() {
        let inspection = inspection();
        assert_eq!(inspection.version("fastapi"), Some((0, 115, 0)));
        assert_eq!(inspection.version("pydantic"), None);
        assert!(inspection.model("app__v2__Item").is_some());
        assert!(inspection.model("Item").is_none(), "two have this name");
        assert!(inspection.model("Page_Item_").is_some());
        assert!(Inspection::new(json!({"format": 2})).is_err());
    }
}
