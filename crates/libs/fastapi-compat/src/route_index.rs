//! An index of routes by their paths: which of them may match a path, without trying all of them.
//!
//! It only leaves out routes that cannot match, so it decides nothing about order: the caller tries the
//! candidates, and keeps the first in the order of registration.

use crate::affixes::Affixes;
use crate::convertor::Convertor;
use crate::template::{Segment, Template};

/// The routes of a table by their paths, as positions in the order of registration.
pub(crate) struct RouteIndex(Node);

/// The routes below a common beginning of their paths.
struct Node {
    /// The least position at or below this node.
    first: usize,
    /// Sorted by the literal.
    literals: Vec<(Box<str>, Self)>,
    /// At most one for each convertor that matches a single segment.
    parameters: Vec<(Convertor, Self)>,
    /// Segments that are partly literal: `{name}.json`.
    partial: Affixes<Self>,
    /// Those that end here.
    ends: Vec<usize>,
    /// Those of which the rest may match several segments: `{path:path}`.
    tails: Affixes<Vec<usize>>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            first: usize::MAX,
            literals: Vec::new(),
            parameters: Vec::new(),
            partial: Affixes::default(),
            ends: Vec::new(),
            tails: Affixes::default(),
        }
    }
}

impl RouteIndex {
    /// Of routes with these paths, in the order of registration.
    pub(crate) fn new<'t>(templates: impl IntoIterator<Item = &'t Template>) -> Self {
        let mut root = Node::default();
        for (position, template) in templates.into_iter().enumerate() {
            root.insert(template, position);
        }
        root.finish();
        Self(root)
    }

    /// Calls `candidate` with the position of every route that may match the path, in no particular
    /// order. It returns the limit for the rest: routes at that position and behind it are left out.
    pub(crate) fn visit(&self, path: &str, candidate: impl FnMut(usize) -> usize) {
        Visit { limit: usize::MAX, candidate }.below(&self.0, Some(path));
    }
}

impl Node {
    fn insert(&mut self, template: &Template, position: usize) {
        let mut node = self;
        node.first = node.first.min(position);
        for segment in template.segments() {
            node = match segment {
                Segment::Literal(literal) => node.literal_or_insert(literal),
                Segment::Parameter(convertor) => node.parameter_or_insert(convertor),
                Segment::Partial(literals) => node.partial.get_or_insert(&literals),
                Segment::Tail(literals) => {
                    node.tails.get_or_insert(&literals).push(position);
                    return;
                }
            };
            node.first = node.first.min(position);
        }
        node.ends.push(position);
    }

    /// Prepares the searches, when all routes are there.
    fn finish(&mut self) {
        self.partial.finish();
        self.tails.finish();
        let literals = self.literals.iter_mut().map(|(_, node)| node);
        let parameters = self.parameters.iter_mut().map(|(_, node)| node);
        for node in literals.chain(parameters).chain(self.partial.values_mut()) {
            node.finish();
        }
    }

    fn literal_or_insert(&mut self, literal: &str) -> &mut Self {
        let at = self.literals.binary_search_by(|(key, _)| (**key).cmp(literal));
        let at = at.unwrap_or_else(|at| {
            self.literals.insert(at, (literal.into(), Self::default()));
            at
        });
        &mut self.literals[at].1
    }

    fn parameter_or_insert(&mut self, convertor: Convertor) -> &mut Self {
        let at = self.parameters.iter().position(|(known, _)| *known == convertor);
        let at = at.unwrap_or_else(|| {
            self.parameters.push((convertor, Self::default()));
            self.parameters.len() - 1
        });
        &mut self.parameters[at].1
    }

    fn literal(&self, segment: &str) -> Option<&Self> {
        let at = self.literals.binary_search_by(|(key, _)| (**key).cmp(segment)).ok()?;
        Some(&self.literals[at].1)
    }
}

struct Visit<F> {
    limit: usize,
    candidate: F,
}

impl<F: FnMut(usize) -> usize> Visit<F> {
    fn below(&mut self, node: &Node, rest: Option<&str>) {
        if node.first >= self.limit {
            return;
        }
        let Some(rest) = rest else {
            self.candidates(&node.ends);
            return;
        };
        // Python's `$` matches before a newline at the end.
        let without_newline = rest.strip_suffix('\n');
        for rest in [Some(rest), without_newline].into_iter().flatten() {
            node.tails.each(rest, |tails| self.candidates(tails));
        }
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        let without_newline = if rest.is_none() { segment.strip_suffix('\n') } else { None };
        for segment in [Some(segment), without_newline].into_iter().flatten() {
            if let Some(node) = node.literal(segment) {
                self.below(node, rest);
            }
            for (convertor, node) in &node.parameters {
                if convertor.may_match(segment) {
                    self.below(node, rest);
                }
            }
            node.partial.each(segment, |node| self.below(node, rest));
        }
    }

    fn candidates(&mut self, positions: &[usize]) {
        for &position in positions {
            if position < self.limit {
                self.limit = (self.candidate)(position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether Starlette's pattern of a path matches: every length of every parameter is tried.
    fn is_match(route: &str, path: &str) -> bool {
        let Some((literal, rest)) = route.split_once('{') else {
            return path.strip_suffix('\n').unwrap_or(path) == route || path == route;
        };
        let (Some(path), Some((parameter, rest))) =
            (path.strip_prefix(literal), rest.split_once('}'))
        else {
            return false;
        };
        let convertor = parameter.split_once(':').map_or("str", |(_, convertor)| convertor);
        let mut ends = path.char_indices().map(|(at, _)| at).chain([path.len()]);
        ends.any(|end| is_value(convertor, &path[..end]) && is_match(rest, &path[end..]))
    }

    fn is_value(convertor: &str, text: &str) -> bool {
        let is_int = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match convertor {
            "str" => !text.is_empty() && !text.contains('/'),
            "path" => !text.contains('\n'),
            "int" => is_int(text),
            "float" => match text.split_once('.') {
                Some((whole, fraction)) => is_int(whole) && is_int(fraction),
                None => is_int(text),
            },
            _ => {
                let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
                let mut rest = Some(text);
                for length in [8, 4, 4, 4, 12] {
                    rest = rest.and_then(|text| {
                        let (group, rest) = text.split_at_checked(length)?;
                        let rest =
                            if length < 12 { rest.strip_prefix('-').unwrap_or(rest) } else { rest };
                        is_hex(group).then_some(rest)
                    });
                }
                rest == Some("")
            }
        }
    }

    /// The first route that matches, as the index finds it.
    fn indexed(index: &RouteIndex, templates: &[Template], path: &str) -> Option<usize> {
        let mut first = None;
        index.visit(path, |position| {
            if templates[position].matches(path) {
                first = first.map_or(Some(position), |other: usize| Some(other.min(position)));
            }
            first.unwrap_or(usize::MAX)
        });
        first
    }

    /// A path of a route; `#` stands for a parameter's name.
    fn route() -> impl Strategy<Value = String> {
        let segment = prop::sample::select(vec![
            "",
            "a",
            "ab",
            "1",
            "a.json",
            "{#}",
            "{#}",
            "{#:int}",
            "{#:float}",
            "{#:uuid}",
            "{#:path}",
            "{#}.json",
            "{#:int}.json",
            "a{#}",
            "a{#}b",
            "{#}-{#}",
            "{#:int}{#}",
            "v{#:path}",
            "{#:path}.json",
            "a{#:float}",
            "é{#}",
            "{#}-a-{#}",
            "{#}-b-{#}",
            "{#}-{#}-a-{#}",
            "{#:path}/a/{#}",
            "{#:path}-b-{#:int}",
        ]);
        prop::collection::vec(segment, 1..4).prop_map(|segments| {
            let mut path = segments.iter().flat_map(|segment| ["/", segment]).collect::<String>();
            for name in 'a'.. {
                let Some(at) = path.find('#') else { break };
                path.replace_range(at..=at, &name.to_string());
            }
            path
        })
    }

    fn path() -> impl Strategy<Value = String> {
        let segment = prop::sample::select(vec![
            "",
            "a",
            "ab",
            "b",
            "1",
            "12",
            "1.5",
            "1.",
            "a.json",
            ".json",
            "7.json",
            "aab",
            "axb",
            "a1.5",
            "x-y",
            "x-a-b-y",
            "-a-1-b-1",
            "-",
            "1x",
            "va",
            "v",
            "é",
            "éa",
            "00000000000000000000000000000000",
            "0000000A-0000-0000-0000-000000000000",
            "x\ny",
        ]);
        let segments = prop::collection::vec(segment, 1..5);
        (segments, prop::sample::select(vec!["", "", "", "\n"])).prop_map(|(segments, end)| {
            segments.iter().flat_map(|segment| ["/", segment]).chain([end]).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        #[test]
        fn the_first_match_is_that_of_a_search_through_all_routes(
            routes in prop::collection::vec(route(), 1..20),
            paths in prop::collection::vec(path(), 1..60),
        ) {
            let templates: Vec<_> =
                routes.iter().map(|route| Template::parse(route).unwrap()).collect();
            let index = RouteIndex::new(&templates);
            for path in paths {
                let first = routes.iter().position(|route| is_match(route, &path));
                let indexed = indexed(&index, &templates, &path);
                prop_assert_eq!(indexed, first, "{:?} in {:?}", path, &routes);
            }
        }
    }

    #[test]
    fn the_number_of_candidates_does_not_grow_with_that_of_the_routes() {
        for (route, path) in [
            ("/api/resource-#/{id}", "/api/resource-7/1"),
            ("/{id:int}/resource-#", "/1/resource-7"),
            ("/{id:float}/{name}/resource-#", "/1.5/a/resource-7"),
            ("/{id:uuid}/resource-#", "/00000000000000000000000000000000/resource-7"),
            ("/reports/{name}-#.json", "/reports/a-7.json"),
            ("/reports/#-{name}.json/all", "/reports/7-a.json/all"),
            ("/{path:path}/resource-#", "/a/b/resource-7"),
            ("/files/#-{path:path}", "/files/7-a/b"),
            ("/tiles/{x}-#-{y}", "/tiles/1-7-2"),
            ("/tiles/a{x}.{y}-#-{z}.png/all", "/tiles/a1.2-7-3.png/all"),
            ("/{name:path}/resource-#/{id}", "/a/b/resource-7/1"),
            ("/{x}-{y}/{path:path}/#.{format}", "/1-2/a/7.json"),
        ] {
            let routes = (0..1_000).map(|number| route.replace('#', &number.to_string()));
            let templates: Vec<_> = routes.map(|route| Template::parse(&route).unwrap()).collect();
            let mut candidates = Vec::new();
            RouteIndex::new(&templates).visit(path, |position| {
                candidates.push(position);
                usize::MAX
            });
            assert_eq!(candidates, [7], "{route}");
        }
    }
}
