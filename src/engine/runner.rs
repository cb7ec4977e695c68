//! The runner: takes commands, keeps the life-cycle, and gives each piece of work its turn.

use super::engines::Engines;
use super::fitting::Fitting;
use super::message::{Command, Event, RaceOutcome};
use super::phase::Phase;
use super::port::Port;
use super::racing::Racing;
use super::training::{Outcome, Training};
use crate::experiment::Experiment;
use crate::record::UserError;

/// Serves one asker until the port closes.
pub async fn serve(port: impl Port, engines: Engines) {
    let mut runner = Runner { port, engines, phase: Phase::Idle, run: None, fit: None, race: None };
    runner.port.emit(Event::Ready(runner.engines.capability().clone()));
    if runner.engines.examine().await {
        runner.port.emit(Event::Ready(runner.engines.capability().clone()));
    }
    loop {
        while let Some(command) = runner.port.poll() {
            runner.obey(command).await;
        }
        if runner.phase == Phase::Running || runner.fit.is_some() || runner.race.is_some() {
            runner.work().await;
            runner.port.breathe().await;
        } else if let Some(command) = runner.port.wait().await {
            runner.obey(command).await;
        } else {
            return;
        }
    }
}

struct Runner<P: Port> {
    port: P,
    engines: Engines,
    phase: Phase,
    run: Option<Training>,
    fit: Option<Fitting>,
    race: Option<Racing>,
}

impl<P: Port> Runner<P> {
    async fn obey(&mut self, command: Command) {
        if let Err(error) = self.try_obey(command).await {
            self.port.emit(Event::Error(error));
        }
    }

    async fn try_obey(&mut self, command: Command) -> Result<(), UserError> {
        let next = self.phase.after(&command)?;
        match command {
            Command::Start { experiment, engine, resume } => {
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(engine, &experiment).await?;
                self.port.emit(Event::Chosen(choice.clone()));
                self.run = Some(Training::new(experiment, choice, &device, resume)?);
                self.enter(next);
            }
            Command::Pause => self.enter(next),
            Command::Continue => {
                if let Some(run) = &mut self.run {
                    run.hold_after(None);
                }
                self.enter(next);
            }
            Command::Step(count) => {
                if let Some(run) = &mut self.run {
                    run.hold_after(Some(count));
                }
                self.enter(next);
            }
            Command::Stop => {
                let step = self.run.as_ref().map_or(0, Training::step);
                self.end(next, Some(format!("Stopped at step {step}")), None).await?;
            }
            Command::Intervene(change) => {
                if let Some(run) = &mut self.run {
                    let line = run.intervene(&change)?;
                    self.port.emit(Event::Intervened(line));
                }
            }
            Command::Race { config, engine } => {
                if self.race.is_some() {
                    return Err(UserError::new("A race is already under way", "Cancel it first, or wait until it is done"));
                }
                config.validate()?;
                let (device, choice) = self.engines.choose(engine, &config.experiment).await?;
                self.port.emit(Event::Chosen(choice.clone()));
                self.race = Some(Racing::new(config, choice, &device)?);
            }
            Command::CancelRace => {
                if self.race.take().is_none() {
                    return Err(UserError::new("No race is under way", "Start one first"));
                }
                self.port.emit(Event::RaceCancelled);
            }
            Command::Fit { config, experiment, checkpoints, engine } => {
                if self.fit.is_some() {
                    return Err(UserError::new("A fit is already under way", "Cancel it first, or wait until it is done"));
                }
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(engine, &experiment).await?;
                self.fit = Some(Fitting::new(config, &experiment, &checkpoints, choice.kind, &device).await?);
                self.port.emit(Event::Chosen(choice));
            }
            Command::CancelFit => {
                if self.fit.take().is_none() {
                    return Err(UserError::new("No fit is under way", "Press Fit first"));
                }
                self.port.emit(Event::FitCancelled);
            }
        }
        Ok(())
    }

    async fn work(&mut self) {
        if self.phase == Phase::Running
            && let Err(error) = self.train().await
        {
            self.run = None;
            self.enter(Phase::Failed);
            self.port.emit(Event::Error(error));
        }
        if let Err(error) = self.fit().await {
            self.fit = None;
            self.port.emit(Event::FitCancelled);
            self.port.emit(Event::Error(error));
        }
        if let Err(error) = self.race().await {
            self.race = None;
            self.port.emit(Event::RaceCancelled);
            self.port.emit(Event::Error(error));
        }
    }

    async fn race(&mut self) -> Result<(), UserError> {
        let Some(race) = &mut self.race else { return Ok(()) };
        if race.advance(&mut self.port).await?
            && let Some(race) = self.race.take()
        {
            self.port.emit(Event::RaceDone(Box::new(RaceOutcome(race.finish()?))));
        }
        Ok(())
    }

    async fn train(&mut self) -> Result<(), UserError> {
        let Some(run) = &mut self.run else { return Ok(()) };
        match run.advance(&mut self.port).await? {
            Outcome::Going => {}
            Outcome::Held => {
                run.hold_after(None);
                self.enter(Phase::Paused);
            }
            Outcome::Done => self.end(Phase::Finished, None, None).await?,
            Outcome::Diverged(update) => {
                let cause = format!("The loss stopped being a number at step {}", update + 1);
                self.end(Phase::Failed, Some(cause.clone()), Some(update)).await?;
                self.port.emit(Event::Error(UserError::new(
                    format!("{cause}; everything before it is kept"),
                    "Lower the learning rate or weight decay, or go back to an earlier checkpoint",
                )));
            }
        }
        Ok(())
    }

    async fn fit(&mut self) -> Result<(), UserError> {
        let Some(fit) = &mut self.fit else { return Ok(()) };
        if fit.advance(&mut self.port).await?
            && let Some(fit) = self.fit.take()
        {
            let result = fit.finish(&mut self.port).await?;
            self.port.emit(Event::FitDone(Box::new(result.into())));
        }
        Ok(())
    }

    async fn end(&mut self, phase: Phase, early: Option<String>, diverged: Option<u32>) -> Result<(), UserError> {
        if let Some(mut run) = self.run.take() {
            let summary = run.finish(&mut self.port, early, diverged).await?;
            self.phase = phase;
            self.port.emit(Event::Phase { phase, step: summary.steps });
            self.port.emit(Event::Finished(summary));
        }
        Ok(())
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.port.emit(Event::Phase { phase, step: self.run.as_ref().map_or(0, Training::step) });
    }
}

fn validate(experiment: &Experiment) -> Result<(), UserError> {
    Ok(experiment.validate()?)
}
