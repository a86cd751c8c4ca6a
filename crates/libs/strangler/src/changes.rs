//! Changes of the plan: by the page, by programs, and by a person who edits its file.

use std::sync::Arc;
use std::time::Duration;

use crate::files::{read_if_any, write_atomically};
use crate::may_differ;
use crate::plan::{Mode, Plan, PlanError};
use crate::strangler::{Running, Strangler};

/// How often the plan's file is checked for changes, and automatic canaries for their next step.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Strangler {
    /// Puts a plan into effect; requests in flight are not affected.
    pub(crate) fn apply(&self, plan: Plan) -> Result<(), PlanError> {
        let modes = plan.modes(&self.0.operations)?;
        let mut state = self.write();
        let before = std::mem::take(&mut state.operations);
        let operations = modes.into_iter().enumerate().map(|(index, mode)| {
            // A failed canary stays failed until its mode changes.
            match before.get(index) {
                Some(running) if running.mode == mode => running.clone(),
                _ => {
                    self.0.statistics[index].reset_recent();
                    Running::new(mode)
                }
            }
        });
        state.operations = operations.collect();
        (state.plan, state.error) = (plan, None);
        Ok(())
    }

    /// Puts a plan into effect and writes it to its file.
    ///
    /// # Errors
    /// When it is refused, or the file has changed since it was last read; what was in effect, or the
    /// file's plan, is.
    pub fn change(&self, plan: Plan) -> Result<(), PlanError> {
        let _changing = self.changing();
        if self.reload() {
            return Err(PlanError::Conflict);
        }
        self.save(plan)
    }

    /// Sets one mode, by operationId or method and path; a failed canary starts again.
    ///
    /// # Errors
    /// When there is no such operation.
    pub fn set_mode(&self, operation: &str, mode: Mode) -> Result<(), PlanError> {
        let unknown = || PlanError::UnknownOperation(operation.to_owned());
        let index = self.0.operations.named(operation).ok_or_else(unknown)?;
        let known = self.0.operations.get(index).ok_or_else(unknown)?;
        let _changing = self.changing();
        // On top of what an editor has just written.
        self.reload();
        let mut plan = self.read().plan.clone();
        plan.operations.retain(|name, _| self.0.operations.named(name) != Some(index));
        plan.operations.insert(known.id.to_string(), mode);
        if let Some(running) = self.write().operations.get_mut(index) {
            *running = Running { is_saved: false, ..Running::new(running.mode) };
        }
        self.0.statistics[index].reset_recent();
        self.save(plan)
    }

    /// Lets the services differ where their answers have this path, as the plan's `may_differ` does.
    ///
    /// # Errors
    /// When it is no such path.
    pub fn let_differ(&self, path: &str) -> Result<(), PlanError> {
        let pattern = may_differ::pattern(path);
        let _changing = self.changing();
        self.reload();
        let mut plan = self.read().plan.clone();
        if !plan.may_differ.contains(&pattern) {
            plan.may_differ.push(pattern);
        }
        self.save(plan)
    }

    fn save(&self, plan: Plan) -> Result<(), PlanError> {
        let text = plan.text();
        self.apply(plan)?;
        tracing::info!(plan = text, "plan changed");
        if let Some(path) = &self.0.settings.plan {
            match write_atomically(path, &text) {
                Ok(()) => self.write().file = Ok(Some(text)),
                Err(error) => {
                    let error = format!("{} cannot be written: {error}", path.display());
                    tracing::warn!(error, "plan not saved: it is lost at the next start");
                    self.write().error = Some(error);
                }
            }
        }
        self.keep_canaries();
        Ok(())
    }

    /// Reads the plan's file again, and puts its plan into effect if the content has changed. Returns
    /// whether it has; a file that cannot be read has not.
    pub(crate) fn reload(&self) -> bool {
        let Some(path) = &self.0.settings.plan else { return false };
        let read = read_if_any(path).map_err(|error| error.to_string());
        let has_changed = read.is_ok();
        let mut state = self.write();
        if read == state.file {
            return false;
        }
        state.file.clone_from(&read);
        drop(state);
        let plan = match read {
            Ok(None) => Err("there is no such file any more".to_owned()),
            Ok(Some(text)) => {
                Plan::parse(&text, &self.0.operations).map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        let applied = plan.and_then(|plan| self.apply(plan).map_err(|error| error.to_string()));
        match applied {
            Ok(()) => self.keep_canaries(),
            Err(error) => {
                let error = format!("{}: {error}", path.display());
                let mut state = self.write();
                if state.error.as_ref() != Some(&error) {
                    tracing::error!(error, "plan refused: the previous one stays in effect");
                }
                state.error = Some(error);
            }
        }
        has_changed
    }

    /// Watches the content of the plan's file and of that beside it, and the steps of canaries.
    pub(crate) fn watch(&self) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CHECK_INTERVAL).await;
                let Some(inner) = inner.upgrade() else { return };
                let strangler = Self(inner);
                let checked = tokio::task::spawn_blocking(move || {
                    {
                        let _changing = strangler.changing();
                        strangler.reload();
                        strangler.adopt_canaries();
                    }
                    for index in 0..strangler.0.operations.len() {
                        strangler.advance(index);
                    }
                });
                // It panics only if something else has.
                _ = checked.await;
            }
        });
    }
}
