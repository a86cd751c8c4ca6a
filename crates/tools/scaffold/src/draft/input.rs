//! One input of a handler, and several as one.

/// An input: its pattern and its type.
pub(super) struct Input {
    pub(super) pattern: String,
    pub(super) ty: String,
}

/// None, one, or all of them.
pub(super) fn tuple(inputs: &[Input], of: fn(&Input) -> &String) -> String {
    match inputs {
        [one] => of(one).clone(),
        all => {
            format!("({})", all.iter().map(|one| of(one).as_str()).collect::<Vec<_>>().join(", "))
        }
    }
}
