//! Who may see what: what the storage gives for a caller is released only to one who may have it.

use crate::users::{Caller, User};

/// Content for a caller, of the same moment as what is known of them. A use case gets at it by
/// [`authorized`](Self::authorized) and not otherwise, so that no check can be forgotten.
///
/// ```
/// use domain::{Caller, Denied, ForCaller, Item, User};
///
/// let owner = User::new("owner@example.com".into(), None, String::new().into());
/// let other = User::new("other@example.com".into(), None, String::new().into());
/// let item = Item::new(owner.id, "a title".into(), None);
/// let found = |caller: &User| ForCaller::new(Caller::from(caller), item.clone());
/// assert_eq!(found(&owner).authorized(), Ok(item.clone()));
/// assert_eq!(found(&other).authorized(), Err(Denied::NotAllowed));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is known of the caller before they are authorized"]
pub struct ForCaller<T>(Option<(Caller, T)>);

/// Why a caller is given nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("the caller does not exist")]
    UnknownCaller,
    #[error("the caller is not active")]
    InactiveCaller,
    #[error("the caller may not have it")]
    NotAllowed,
}

/// The rule of who may have something.
pub trait Access {
    /// Whether an active caller may have it.
    fn is_allowed(&self, caller: Caller) -> bool;
}

impl<T> ForCaller<T> {
    pub const fn new(caller: Caller, content: T) -> Self {
        Self(Some((caller, content)))
    }

    /// For a caller who does not exist.
    pub const fn unknown() -> Self {
        Self(None)
    }
}

impl<T: Access> ForCaller<T> {
    /// The content, if the caller exists, is active and may have it.
    pub fn authorized(self) -> Result<T, Denied> {
        let (caller, content) = self.0.ok_or(Denied::UnknownCaller)?;
        if !caller.is_active {
            Err(Denied::InactiveCaller)
        } else if content.is_allowed(caller) {
            Ok(content)
        } else {
            Err(Denied::NotAllowed)
        }
    }
}

/// What does not exist is hidden from no caller.
impl<T: Access> Access for Option<T> {
    fn is_allowed(&self, caller: Caller) -> bool {
        self.as_ref().is_none_or(|content| content.is_allowed(caller))
    }
}

impl Access for User {
    fn is_allowed(&self, caller: Caller) -> bool {
        self.id == caller.id || caller.is_superuser
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User::new("a@example.com".into(), None, String::new().into())
    }

    #[test]
    fn only_active_callers_are_given_what_they_may_have() {
        let (user, caller) = (user(), Caller::from(&self::user()));
        let authorized = |caller| ForCaller::new(caller, user.clone()).authorized();
        assert_eq!(authorized(Caller::from(&user)), Ok(user.clone()));
        assert_eq!(authorized(caller), Err(Denied::NotAllowed));
        assert_eq!(authorized(Caller { is_superuser: true, ..caller }), Ok(user.clone()));
        let inactive = Caller { is_superuser: true, is_active: false, ..caller };
        assert_eq!(authorized(inactive), Err(Denied::InactiveCaller));
        assert_eq!(ForCaller::<User>::unknown().authorized(), Err(Denied::UnknownCaller));
        assert_eq!(ForCaller::new(caller, None::<User>).authorized(), Ok(None));
    }
}
