//! What an overlay renders to.

use serde_json::Value;

use crate::BoxError;

/// The objects of a stage.
pub(crate) struct Manifests {
    /// The name of the service whose they are.
    pub(crate) service: String,
    objects: Vec<Object>,
}

/// One object, and where things stand in it.
pub(crate) struct Object {
    pub value: Value,
}

/// A pod's template, and whose it is.
pub(crate) struct Pod<'a> {
    pub owner: &'a Object,
    pub labels: &'a Value,
    pub spec: &'a Value,
}

impl Object {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(crate) fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// `Deployment molt`.
    pub(crate) fn id(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }

    /// Whether its kind is one of Kubernetes' own.
    fn is_built_in(&self) -> bool {
        let group = self.api_version().split('/').next().unwrap_or_default();
        let is_core = !self.api_version().contains('/');
        is_core
            || !group.contains('.')
            || group.ends_with(".k8s.io") && !group.starts_with("gateway")
    }

    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        list(&self.value, pointer)
    }
}

pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Manifests {
    pub(crate) fn read(service: &str, text: &str) -> Result<Self, BoxError> {
        let objects: Vec<Value> = serde_saphyr::from_multiple(text)?;
        let objects = objects.into_iter().map(|value| Object { value }).collect();
        Ok(Self { service: service.to_owned(), objects })
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.kind() == kind)
    }

    pub(crate) fn find(&self, kind: &str, name: &str) -> Option<&Object> {
        self.of_kind(kind).find(|object| object.name() == name)
    }

    pub(crate) fn built_in(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| object.is_built_in())
    }

    pub(crate) fn custom(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| !object.is_built_in())
    }

    /// What runs: the pods of Deployments and Jobs.
    pub(crate) fn pods(&self) -> impl Iterator<Item = Pod<'_>> {
        self.objects.iter().filter_map(|owner| {
            let template = owner.value.pointer("/spec/template")?;
            Some(Pod {
                owner,
                labels: template.pointer("/metadata/labels")?,
                spec: template.pointer("/spec")?,
            })
        })
    }
}

/// Whether labels have everything that a selector wants; an empty selector wants nothing.
pub(crate) fn matches(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.get("matchLabels").unwrap_or(selector);
    wanted.as_object().is_none_or(|wanted| wanted.iter().all(|(k, v)| labels.get(k) == Some(v)))
}
