//! More than a service can do, in open loops: from a part of its capacity to three times as much, and
//! sign-ins beyond what hashing can take.
//!
//! What is measured, the service with its database, has the first core, and the generator the second: at
//! three times the capacity the generator would else take from the database what that needs for its answers.

use std::net::SocketAddr;
use std::time::Duration;

use indicatif::ProgressBar;
use testbed::usage::tree;

use crate::Result;
use crate::contenders::{Contender, Running};
use crate::data;
use crate::load::{self, Arrivals, Client, Request};
use crate::machine::move_to_core;
use crate::open_loop::{self, OpenLoop};
use crate::plan::Plan;
use crate::report::{Beside, Curve, Flood, OpenRound, Point};
use crate::scenarios::{Scenario, Sessions, sign_in};

/// Clients in a closed loop that find out what a service can do; so few are refused by none.
const CLIENTS: usize = 16;
/// How often more sign-ins than can be hashed.
const FLOOD: f64 = 50.0;
/// Other requests per second beside them.
const BESIDE: f64 = 100.0;
const CONNECTIONS_BESIDE: usize = 64;
/// Clients that find out how many sign-ins can be hashed.
const SIGNING_IN: usize = 4;

/// The services that get more than they can do, on one database.
pub(crate) struct Overload<'a> {
    plan: &'a Plan,
    url: &'a str,
    core: Option<usize>,
    postgres: Option<u32>,
    running: Vec<Running>,
    progress: &'a ProgressBar,
    pub(crate) notes: Vec<String>,
}

impl<'a> Overload<'a> {
    /// Starts them, each with its connections to the database on the first core.
    pub(crate) async fn open(
        plan: &'a Plan,
        url: &'a str,
        core: Option<usize>,
        postgres: Option<u32>,
        progress: &'a ProgressBar,
    ) -> Result<Self> {
        let mut notes = Vec::new();
        match (core, postgres) {
            (Some(core), Some(postgres)) => move_to_core(&tree(postgres), core)?,
            (Some(_), None) => notes.push(
                "PostgreSQL is no process of ours: in the open loops it runs where it wants"
                    .to_owned(),
            ),
            (None, _) => {}
        }
        let mut running = Vec::new();
        for contender in Contender::OVERLOADED {
            running.push(contender.start(url, core, None).await?);
        }
        Ok(Self { plan, url, core, postgres, running, progress, notes })
    }

    /// Ends them, and moves the database back to the second core.
    pub(crate) fn close(self) -> Result<()> {
        for running in self.running {
            running.kill()?;
        }
        match (self.core, self.postgres) {
            (Some(_), Some(postgres)) => move_to_core(&tree(postgres), 1),
            _ => Ok(()),
        }
    }

    /// GET item at parts and multiples of what each of them can do.
    pub(crate) async fn curves(&mut self, sessions: &Sessions) -> Result<Vec<Curve>> {
        let mut curves: Vec<_> =
            self.running.iter().map(|running| Curve::new(running.contender)).collect();
        for round in 1..=self.plan.open_rounds {
            for (index, curve) in curves.iter_mut().enumerate() {
                let name = self.running[index].contender.name();
                let message = format!("open loops, round {round}: {name}");
                self.progress.set_message(message);
                let mut requests = sessions.get_item();
                Scenario::learn(&mut requests, &self.running[index].address)?;
                curve.rounds.push(self.round(index, &requests).await?);
            }
        }
        Ok(curves)
    }

    async fn round(&mut self, index: usize, requests: &[Request]) -> Result<OpenRound> {
        self.capacity(index, requests, CLIENTS, self.plan.warm_up)?;
        let before = self.capacity(index, requests, CLIENTS, self.plan.open)?;
        let mut points = Vec::new();
        for &percent in &self.plan.percents {
            self.running[index].empty_log()?;
            let rate = before * f64::from(percent) / 100.0;
            let outcome = open_loop::run(
                self.address(index)?,
                &OpenLoop {
                    requests,
                    per_second: rate,
                    duration: self.plan.open,
                    max_connections: self.plan.max_connections,
                },
            )?;
            points.push(Point::new(percent, rate, self.plan.open, &outcome));
            if outcome.unanswered > 0 || outcome.broken > 0 {
                self.restart(index).await?;
            }
        }
        // The machine may do other things as well: what the service could do is the mean of before and
        // after.
        let after = self.capacity(index, requests, CLIENTS, self.plan.open)?;
        Ok(OpenRound { capacity_per_second: f64::midpoint(before, after), points })
    }

    /// Sign-ins at a multiple of what can be hashed, with other requests beside them, which should not
    /// notice: of the Rust service and of python-legacy.
    pub(crate) fn flood(&self, sessions: &Sessions) -> Result<Vec<Flood>> {
        let mut floods = Vec::new();
        // python-legacy comes last: it is at work on what has come long after the clients have left.
        for contender in [Contender::Molt, Contender::Legacy] {
            let index = self.running.iter().position(|running| running.contender == contender);
            if let Some(index) = index {
                floods.push(self.flood_of(index, sessions)?);
            }
        }
        Ok(floods)
    }

    fn flood_of(&self, index: usize, sessions: &Sessions) -> Result<Flood> {
        let running = &self.running[index];
        let name = running.contender.name();
        running.empty_log()?;
        let mut sign_ins: Vec<_> = (1..=16).map(|user| sign_in(&data::email(user))).collect();
        let mut others = sessions.without_hashing();
        Scenario::learn(&mut sign_ins[..1], &running.address)?;
        Scenario::learn(&mut others, &running.address)?;

        self.progress.set_message(format!("sign-ins that can be hashed: {name}"));
        let quiet = self.plan.flood / 4;
        let capacity = self.capacity(index, &sign_ins, SIGNING_IN, quiet)?;
        let address = self.address(index)?;
        let beside = |duration| {
            let max_connections = CONNECTIONS_BESIDE;
            let requests = &others;
            let rate = OpenLoop { requests, per_second: BESIDE, duration, max_connections };
            open_loop::run(address, &rate)
        };
        let before = beside(quiet)?;
        self.progress.set_message(format!("flood of sign-ins: {name}"));
        let duration = self.plan.flood;
        let (flooded, flooding) = std::thread::scope(|scope| {
            let flooding = scope.spawn(|| {
                let rate = OpenLoop {
                    requests: &sign_ins,
                    per_second: FLOOD * capacity,
                    duration,
                    max_connections: self.plan.max_connections,
                };
                open_loop::run(address, &rate)
            });
            (beside(duration), flooding.join())
        });
        let flooding = flooding.map_err(|_| "the flood panicked")??;
        let flooded = flooded?;
        Ok(Flood {
            contender: name,
            capacity_per_second: capacity,
            sign_ins: Point::new(5000, FLOOD * capacity, duration, &flooding),
            beside: Beside::new(&before, &flooded),
        })
    }

    /// What it answers in a second when clients wait for their answers.
    fn capacity(
        &self,
        index: usize,
        requests: &[Request],
        clients: usize,
        duration: Duration,
    ) -> Result<f64> {
        let running = &self.running[index];
        running.empty_log()?;
        let outcome = load::run(&running.address, requests, clients, Arrivals::Closed, duration)?;
        match outcome.errors.first() {
            None => Ok(outcome.per_second()),
            Some(error) => Err(format!("{}: {error}", running.contender.name()).into()),
        }
    }

    fn address(&self, index: usize) -> Result<SocketAddr> {
        Ok(self.running[index].address.parse()?)
    }

    /// Starts one anew that has not answered everything.
    async fn restart(&mut self, index: usize) -> Result<()> {
        let contender = self.running[index].contender;
        let started = contender.start(self.url, self.core, None).await?;
        std::mem::replace(&mut self.running[index], started).kill()?;
        Client::connect(&self.running[index].address)?;
        Ok(())
    }
}
