//! PostgreSQL as `testbed` starts it for tests: in a container whose first connection answers, of which
//! nothing is left, or not in one, which is never silent.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::BoxError;
use crate::docker::output;
use crate::engine::Engine;
use crate::report::{NotRun, Report};

/// What is checked, for the report of a machine without an engine.
pub(crate) const CHECKS: [&str; 4] = [
    "testbed: starts in a row, the first connection answers",
    "testbed: SIGKILL of the test leaves no container",
    "testbed: SIGKILL of all of it, too, after the next start",
    "testbed: the fallback to the installed PostgreSQL is logged",
];

/// How long a container may take until it is there, or gone.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Runs every check.
pub(crate) fn check(engine: &Engine, image: &str, is_short: bool, report: &mut Report) {
    let tests = Tests { engine, image };
    report.run(CHECKS[0], || tests.starts(if is_short { 3 } else { 20 }));
    report.run(CHECKS[1], || tests.killed());
    report.run(CHECKS[2], || tests.killed_with_remover());
    report.run(CHECKS[3], || tests.fallback());
}

struct Tests<'a> {
    engine: &'a Engine,
    image: &'a str,
}

impl Tests<'_> {
    /// `testbed`, which starts PostgreSQL, makes a database by the first connection, migrates it, and
    /// runs this program.
    fn testbed(&self, program: &str) -> Result<Command, BoxError> {
        let testbed = std::env::current_exe()?.with_file_name("testbed");
        if !testbed.exists() {
            return Err(NotRun(format!("{} is not built", testbed.display())).into());
        }
        let mut command = self.engine.command(testbed);
        command.args(["schema", "--", program]).env("TEST_POSTGRES_IMAGE", self.image);
        command.env_remove("TEST_DATABASE_URL");
        Ok(command)
    }

    fn starts(&self, count: u32) -> Result<String, BoxError> {
        let expected = format!("testbed: PostgreSQL: a container of {}", self.image);
        let start = Instant::now();
        for number in 1..=count {
            let (has_succeeded, errors) = run(&mut self.testbed("true")?)?;
            if !has_succeeded || !errors.lines().any(|line| line == expected) {
                return Err(format!("start {number} of {count}: {errors}").into());
            }
        }
        let each = start.elapsed().as_secs_f64() / f64::from(count);
        Ok(format!("{count} of {count}, each in {each:.1} s with the migrations"))
    }

    fn killed(&self) -> Result<String, BoxError> {
        let mut test = self.begin()?;
        test.kill()?;
        test.wait()?;
        self.has_ended(test.id())?;
        Ok("its remover has removed it".into())
    }

    fn killed_with_remover(&self) -> Result<String, BoxError> {
        let mut test = self.begin()?;
        // The remover before what it waits for.
        let mut all = testbed::usage::tree(test.id());
        all.rotate_left(1);
        let mut kill = Command::new("kill");
        kill.arg("-KILL").args(all.iter().map(ToString::to_string));
        output(&mut kill)?;
        test.wait()?;
        // Long enough for a remover that is alive.
        sleep(Duration::from_secs(2));
        if self.containers(test.id())?.is_empty() {
            return Err("the container is gone: what was to be cleared?".into());
        }
        let (has_succeeded, errors) = run(&mut self.testbed("true")?)?;
        if !has_succeeded {
            return Err(errors.into());
        }
        if !self.containers(test.id())?.is_empty() {
            return Err("the next start has left it".into());
        }
        Ok("the next start has removed it".into())
    }

    /// Where no engine answers.
    fn fallback(&self) -> Result<String, BoxError> {
        let mut testbed = self.testbed("true")?;
        testbed.env_remove("TEST_POSTGRES_IMAGE").env("DOCKER_HOST", "unix:///nonexistent");
        let (has_succeeded, errors) = run(&mut testbed)?;
        let lines: Vec<_> = errors.lines().filter(|line| line.contains("PostgreSQL: ")).collect();
        match lines[..] {
            [line] if has_succeeded && line.contains("installed one in /") => Ok(line.to_owned()),
            _ if errors.contains("there is no PostgreSQL: ") => {
                Err(NotRun("PostgreSQL is not installed here".into()).into())
            }
            _ => Err(format!("not one line about it: {errors}").into()),
        }
    }

    /// A test whose PostgreSQL runs, and which ends when its standard input closes.
    fn begin(&self) -> Result<Child, BoxError> {
        let mut testbed = self.testbed("cat")?;
        testbed.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut test = testbed.spawn()?;
        let start = Instant::now();
        while self.containers(test.id())?.is_empty() {
            if let Some(status) = test.try_wait()? {
                return Err(format!("testbed has ended: {status}").into());
            }
            if start.elapsed() > TIMEOUT {
                return Err("no container has the label of the test".into());
            }
            sleep(Duration::from_millis(100));
        }
        Ok(test)
    }

    /// The containers of a process, running or not.
    fn containers(&self, process: u32) -> Result<String, BoxError> {
        let label = format!("label=molt.testbed={process}");
        self.engine.docker(&["ps", "--all", "--quiet", "--filter", &label])
    }

    fn has_ended(&self, process: u32) -> Result<(), BoxError> {
        let start = Instant::now();
        while !self.containers(process)?.is_empty() {
            if start.elapsed() > TIMEOUT {
                return Err("its container is still there".into());
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// Whether a command succeeds, and what it writes to the standard error.
fn run(command: &mut Command) -> Result<(bool, String), BoxError> {
    let output = command.stdin(Stdio::null()).output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
