//! Canaries: they go on to their next step, or back to the old service.

use std::time::{Duration, Instant};

use crate::canaries::{self, Canaries, Canary};
use crate::plan::Mode;
use crate::strangler::{Running, Strangler};

impl Strangler {
    /// Puts the state of canaries into effect: of those whose mode it is.
    pub(crate) fn restore(&self, canaries: &Canaries) {
        let mut state = self.write();
        for (index, running) in state.operations.iter_mut().enumerate() {
            let operation = self.0.operations.get(index);
            let kept = operation.and_then(|operation| canaries.get(&*operation.id));
            let kept = kept.filter(|kept| kept.mode == running.mode);
            let (failed, step) = kept.map_or((None, 0), |kept| (kept.failed.clone(), kept.step));
            if running.is_saved && (running.failed != failed || running.step != step) {
                self.0.statistics[index].reset_recent();
                *running = Running { failed, step, ..Running::new(running.mode) };
            }
        }
    }

    /// Puts the state of canaries into effect that another process has written beside the plan's file.
    /// The lock of changes is held.
    pub(crate) fn adopt_canaries(&self) {
        let Some(path) = &self.0.settings.plan else { return };
        let Ok(text) = canaries::read(path) else { return };
        if text == self.read().canaries {
            return;
        }
        match canaries::parse(&text) {
            Ok(canaries) => self.restore(&canaries),
            Err(error) => tracing::warn!(%error, "the canaries' state cannot be read"),
        }
        self.write().canaries = text;
    }

    /// Writes the state of canaries beside the plan's file. The lock of changes is held.
    pub(crate) fn keep_canaries(&self) {
        let Some(path) = &self.0.settings.plan else { return };
        self.adopt_canaries();
        let state = self.read();
        let kept = state.operations.iter().enumerate().filter_map(|(index, running)| {
            let Running { mode, failed, step, .. } = running.clone();
            let operation = self.0.operations.get(index)?;
            let is_kept = failed.is_some() || step > 0;
            is_kept.then(|| (operation.id.to_string(), Canary { mode, failed, step }))
        });
        let kept: Canaries = kept.collect();
        let is_known = canaries::parse(&state.canaries).is_ok_and(|before| before == kept);
        drop(state);
        let written = if is_known { Ok(None) } else { canaries::write(path, &kept).map(Some) };
        match written {
            Ok(text) => {
                let mut state = self.write();
                state.canaries = text.unwrap_or_else(|| std::mem::take(&mut state.canaries));
                for (index, running) in state.operations.iter_mut().enumerate() {
                    let operation = self.0.operations.get(index);
                    let kept = operation.and_then(|operation| kept.get(&*operation.id));
                    // It may have changed meanwhile.
                    let kept = kept.map_or((None, 0), |kept| (kept.failed.as_ref(), kept.step));
                    running.is_saved |= kept == (running.failed.as_ref(), running.step);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the canaries' state is not saved: a restart tries them again");
            }
        }
    }

    /// Writes the state of canaries, from wherever a response ends.
    fn keep_canaries_soon(&self) {
        // Also called where a request is dropped, with or without a runtime.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let strangler = self.clone();
            runtime.spawn_blocking(move || {
                let _changing = strangler.changing();
                strangler.keep_canaries();
            });
        }
    }

    /// Counts a response of an operation's canary, and evaluates the canary when it is time.
    pub(crate) fn check_canary(&self, index: usize) {
        if self.0.statistics[index].is_due() {
            self.evaluate(index);
            self.advance(index);
        }
    }

    /// Returns an operation's clients to legacy if the new service is worse.
    pub(crate) fn evaluate(&self, index: usize) {
        let Some(reason) = self.0.statistics[index].worse(self.0.settings.margin) else { return };
        let operation = self.0.operations.get(index).map_or("", |operation| &operation.id);
        let mut state = self.write();
        let running = state.operations.get_mut(index).filter(|running| {
            running.failed.is_none() && matches!(running.mode, Mode::Canary(_) | Mode::Automatic)
        });
        let Some(running) = running else { return };
        tracing::warn!(operation, reason, "canary failed: returned to legacy");
        (running.failed, running.is_saved) = (Some(reason), false);
        drop(state);
        self.keep_canaries_soon();
    }

    /// Takes an automatic canary to its next step if this one has succeeded.
    pub(crate) fn advance(&self, index: usize) {
        let Some(operation) = self.0.operations.get(index) else { return };
        let is_complete = || {
            let state = self.read();
            let running = state.operations.get(index)?;
            let steps = &state.plan.steps;
            let is_last = running.step + 1 >= steps.percents.len();
            if running.mode != Mode::Automatic || running.failed.is_some() || is_last {
                return None;
            }
            let (requests, compared) = self.0.statistics[index].step();
            let is_checked = !operation.method.is_safe()
                || self.0.settings.canary_checks == 0
                || compared >= steps.compared;
            let has_lasted = running.since.elapsed() >= Duration::from_secs(steps.seconds);
            (is_checked && has_lasted && requests >= steps.requests).then_some(running.step)
        };
        let Some(step) = is_complete() else { return };
        self.evaluate(index);
        let mut state = self.write();
        let percent = state.plan.steps.percent(step + 1);
        let running = state.operations.get_mut(index).filter(|running| {
            running.mode == Mode::Automatic && running.failed.is_none() && running.step == step
        });
        let Some(running) = running else { return };
        (running.step, running.since, running.is_saved) = (step + 1, Instant::now(), false);
        drop(state);
        self.0.statistics[index].start_step();
        tracing::info!(operation = &*operation.id, percent, "canary: next step");
        self.keep_canaries_soon();
    }
}
