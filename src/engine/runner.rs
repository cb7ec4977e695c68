//! The runner: takes commands, keeps the life-cycle, and gives each piece of work its turn.

use super::capability::EngineWish;
use super::engines::Engines;
use super::fitting::{Fitting, activations};
use super::looking::Looking;
use super::measuring::Measuring;
use super::message::{Command, Event, Ground, LookOrder, RaceOutcome};
use super::phase::Phase;
use super::port::Port;
use super::racing::Racing;
use super::set_trying::SetTrying;
use super::surveying::Surveying;
use super::theorising::{theorise, theorise_run};
use super::training::{Outcome, Training};
use super::trying::attempt;
use crate::crosscoder::views::compare;
use crate::crosscoder::{CrosscoderResult, similarity};
use crate::experiment::Experiment;
use crate::measure::Look;
use crate::record::{UserError, Weights};
use crate::task::Dataset;
use crate::theory::RunView;

/// The engine for measures and looks: the CPU, which is exact and leaves a run on the GPU its queue.
const BESIDE: EngineWish = EngineWish::Cpu;

/// Milliseconds of passes at a stretch.
const STRETCH_MS: f64 = 50.0;

/// Serves one asker until the port closes.
pub async fn serve(port: impl Port, engines: Engines) {
    let mut runner = Runner {
        port,
        engines,
        phase: Phase::Idle,
        run: None,
        fit: None,
        race: None,
        measures: None,
        looks: None,
        set: None,
        survey: None,
    };
    runner.port.emit(Event::Ready(runner.engines.capability().clone()));
    if runner.engines.examine().await {
        runner.port.emit(Event::Ready(runner.engines.capability().clone()));
    }
    loop {
        while let Some(command) = runner.port.poll() {
            runner.obey(command).await;
        }
        if runner.has_work() {
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
    measures: Option<Measuring>,
    looks: Option<Looking>,
    set: Option<SetTrying>,
    survey: Option<Surveying>,
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
                let (cpu, kind) = self.engines.choose(BESIDE, &config.experiment).await?;
                self.race = Some(Racing::new(config, choice, &device, (kind.kind, cpu))?);
            }
            Command::CancelRace => {
                if self.race.take().is_none() {
                    return Err(UserError::new("No race is under way", "Start one first"));
                }
                self.port.emit(Event::RaceCancelled);
            }
            Command::Fit { config, experiment, checkpoints, others, engine } => {
                self.refuse_second_fit()?;
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(engine, &experiment).await?;
                self.fit = Some(Fitting::new(config, &experiment, &checkpoints, others, choice.kind, &device).await?);
                self.port.emit(Event::Chosen(choice));
            }
            Command::FitActivations { config, file, engine } => {
                self.refuse_second_fit()?;
                let (device, choice) = self.engines.choose_untimed(engine).await?;
                self.fit = Some(Fitting::of_activations(config, &file, choice.kind, &device).await?);
                self.port.emit(Event::Chosen(choice));
            }
            Command::OpenDictionary { config, file, beside, ground, engine } => {
                self.refuse_second_fit()?;
                let begun = self.port.now_ms();
                let (device, choice) = match &ground {
                    Ground::Run(experiment, _) => {
                        validate(experiment)?;
                        self.engines.choose(engine, experiment).await?
                    }
                    Ground::Activations(_) => self.engines.choose_untimed(BESIDE).await?,
                };
                let mut fit = Fitting::of_dictionary(config, &file, beside.as_deref(), ground, choice.kind, &device).await?;
                fit.add_worked(self.port.now_ms() - begun);
                self.fit = Some(fit);
                self.port.emit(Event::Chosen(choice));
            }
            Command::Measure(experiment, order) => {
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(BESIDE, &experiment).await?;
                self.measures = Some(Measuring::new(experiment, &order, choice.kind, &device)?);
            }
            Command::CancelMeasures => {
                let worked_ms = self.measures.take().map_or(0.0, |measures| measures.worked_ms());
                self.port.emit(Event::MeasuresDone { worked_ms });
            }
            Command::Compare(experiment, hook, checkpoints) => {
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(BESIDE, &experiment).await?;
                let data = Dataset::new(&experiment.task, experiment.seed)?;
                let steps: Vec<u32> = checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
                let sources = activations(&steps, hook, &experiment, &checkpoints, &data, choice.kind, &device).await?;
                self.port.emit(Event::Compared(hook, steps, similarity(&sources)));
            }
            Command::Try(experiment, order) => {
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(BESIDE, &experiment).await?;
                let tried = attempt(&experiment, order, choice.kind, &device).await;
                self.port.emit(tried.map_or_else(Event::TrialRefused, |trial| Event::Tried(Box::new(trial))));
            }
            Command::TrySet(experiment, order) => {
                validate(&experiment)?;
                let (device, choice) = self.engines.choose(BESIDE, &experiment).await?;
                self.set = None;
                match SetTrying::new(&experiment, *order, choice.kind, &device).await {
                    Ok(set) => self.set = Some(set),
                    Err(error) => self.port.emit(Event::SetRefused(error)),
                }
            }
            Command::Agree(fits) => {
                let [ours, theirs] = (*fits).map(CrosscoderResult::from);
                let names = [&ours, &theirs].map(|fit| fit.config.name.clone());
                self.port.emit(Event::Agreed(names, compare(&ours, &theirs)));
            }
            Command::CancelSet => self.set = None,
            Command::Look(experiment, order) => {
                let step = order.checkpoint.step;
                match self.look(experiment, &order).await {
                    Ok(look) => self.port.emit(Event::Looked(Box::new(look))),
                    // A picture that cannot be drawn is no failure of the run.
                    Err(error) => self.port.emit(Event::LookRefused(step, error)),
                }
            }
            Command::Theorise { panel, settings } => {
                let found = theorise(&panel, &settings);
                self.tell(panel, found);
            }
            Command::TheoriseRun { panel, experiment, rows, measures } => {
                let found = theorise_run(&panel, &RunView { experiment: &experiment, rows: &rows, measures: &measures });
                self.tell(panel, found);
            }
            Command::Survey { number, panel, settings, engine } => {
                let (device, choice) = self.engines.choose_untimed(BESIDE).await?;
                self.survey = None;
                match Surveying::new(number, (&panel, &settings), engine, (choice.kind, device)) {
                    Ok(survey) => self.survey = Some(survey),
                    Err(error) => self.port.emit(Event::SurveyRefused(number, error)),
                }
            }
            Command::CancelSurvey => self.survey = None,
            Command::PauseFit => self.pause_fit(true)?,
            Command::ContinueFit => self.pause_fit(false)?,
            Command::CancelFit => {
                if self.fit.take().is_none() {
                    return Err(UserError::new("No fit is under way", "Press Fit first"));
                }
                self.port.emit(Event::FitCancelled);
            }
        }
        Ok(())
    }

    /// A theory that does not speak of such a system is no failure of the run.
    fn tell(&mut self, panel: String, found: Result<crate::theory::Outcome, UserError>) {
        self.port.emit(match found {
            Ok(outcome) => Event::Theory(panel, outcome),
            Err(error) => Event::TheoryRefused(panel, error),
        });
    }

    fn refuse_second_fit(&self) -> Result<(), UserError> {
        match self.fit {
            None => Ok(()),
            Some(_) => Err(UserError::new("A fit is already under way", "Cancel it first, or wait until it is done")),
        }
    }

    fn has_work(&self) -> bool {
        let beside = self.race.is_some() || self.measures.is_some() || self.set.is_some() || self.survey.is_some();
        self.phase == Phase::Running || self.is_fitting() || beside
    }

    fn is_fitting(&self) -> bool {
        self.fit.as_ref().is_some_and(|fit| !fit.is_paused())
    }

    fn pause_fit(&mut self, is_paused: bool) -> Result<(), UserError> {
        let fit = self.fit.as_mut().ok_or_else(|| UserError::new("No fit is under way", "Press Fit first"))?;
        fit.pause(is_paused);
        self.port.emit(Event::FitPaused(is_paused));
        Ok(())
    }

    async fn look(&mut self, experiment: Experiment, order: &LookOrder) -> Result<Look, UserError> {
        if self.looks.as_ref().is_none_or(|looks| !looks.is_of(&experiment)) {
            validate(&experiment)?;
            let first = Weights::from_safetensors(&order.first.as_ref().unwrap_or(&order.checkpoint).weights)?;
            let (device, choice) = self.engines.choose(BESIDE, &experiment).await?;
            self.looks = Some(Looking::new(experiment, &first, choice.kind, &device)?);
        }
        match &mut self.looks {
            Some(looks) => looks.look(order).await,
            None => Err(UserError::new("The checkpoint could not be looked into", "Move the time slider and back")),
        }
    }

    async fn work(&mut self) {
        let begun = self.port.now_ms();
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
        if let Err(error) = self.measure(begun).await {
            let worked_ms = self.measures.take().map_or(0.0, |measures| measures.worked_ms());
            // The reason first: whoever hears of the end alone would ask again.
            self.port.emit(Event::Error(error));
            self.port.emit(Event::MeasuresDone { worked_ms });
        }
        if let Err(error) = self.try_set().await {
            self.set = None;
            self.port.emit(Event::SetRefused(error));
        }
        if let Err(error) = self.survey().await
            && let Some(survey) = self.survey.take()
        {
            self.port.emit(Event::SurveyRefused(survey.number(), error));
        }
        if let Err(error) = self.race().await {
            self.race = None;
            self.port.emit(Event::RaceCancelled);
            self.port.emit(Event::Error(error));
        }
    }

    /// Measures, but never at the cost of more than a tenth of a run under way, which has worked since `begun`.
    async fn measure(&mut self, begun: f64) -> Result<(), UserError> {
        let Some(measures) = &mut self.measures else { return Ok(()) };
        let is_training = self.phase == Phase::Running;
        if is_training {
            measures.trained(self.port.now_ms() - begun);
            if !measures.may_work() {
                return Ok(());
            }
        }
        if measures.advance(&mut self.port, is_training).await? {
            let worked_ms = measures.worked_ms();
            self.measures = None;
            self.port.emit(Event::MeasuresDone { worked_ms });
        }
        Ok(())
    }

    /// Passes of the set under way, as long as a tick lasts.
    async fn try_set(&mut self) -> Result<(), UserError> {
        let Some(set) = &mut self.set else { return Ok(()) };
        let begun = self.port.now_ms();
        let mut is_done = false;
        while !is_done && self.port.now_ms() - begun < STRETCH_MS {
            is_done = set.advance().await?;
        }
        self.port.emit(Event::SetProgress(set.done()));
        if is_done && let Some(set) = self.set.take() {
            self.port.emit(Event::SetTried(Box::new(set.finish())));
        }
        Ok(())
    }

    async fn survey(&mut self) -> Result<(), UserError> {
        let Some(survey) = &mut self.survey else { return Ok(()) };
        if survey.advance(&mut self.port, &mut self.engines).await? {
            self.survey = None;
        }
        Ok(())
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
        let Some(fit) = self.fit.as_mut().filter(|fit| !fit.is_paused()) else { return Ok(()) };
        if fit.advance(&mut self.port).await?
            && let Some(fit) = self.fit.take()
        {
            let result = fit.finish()?;
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
