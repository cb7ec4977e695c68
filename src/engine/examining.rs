//! Measures of the runs of a race: one run after another, all its checkpoints, single numbers only.
//!
//! A race of forty runs would keep megabytes of spectra that nobody compares over seeds; lists are for the view of one run.

use super::capability::EngineKind;
use super::measuring::Measuring;
use super::message::{Command, Event, MeasureOrder};
use super::port::Port;
use crate::experiment::Experiment;
use crate::measure::{Cost, measure};
use crate::record::{Checkpoint, MeasureTable, UserError, Value};
use burn::tensor::Device;
use std::collections::VecDeque;

/// Runs that wait to be measured, and the tables of those that are.
pub(super) struct Examining {
    waiting: VecDeque<(Experiment, Vec<Checkpoint>, MeasureTable)>,
    under_way: Option<(Measuring, MeasureTable)>,
    done: Vec<MeasureTable>,
    /// Names of measures that checkpoints can answer, and whether what training measures is wanted too.
    names: Vec<String>,
    wants_live: bool,
    beside: (EngineKind, Device),
}

impl Examining {
    pub(super) fn new(
        runs: Vec<(Experiment, Vec<Checkpoint>, MeasureTable)>,
        names: Vec<String>,
        beside: (EngineKind, Device),
    ) -> Self {
        let is_live = |name: &String| measure(name).is_ok_and(|measure| measure.cost == Cost::Training);
        let (live, names): (Vec<String>, Vec<String>) = names.into_iter().partition(is_live);
        Self { waiting: runs.into(), under_way: None, done: Vec::new(), names, wants_live: !live.is_empty(), beside }
    }

    /// A little work. True when all runs are measured.
    ///
    /// # Errors
    /// If the device stopped answering.
    pub(super) async fn advance(&mut self, port: &mut impl Port) -> Result<bool, UserError> {
        let Some((measuring, table)) = &mut self.under_way else {
            return self.begin();
        };
        if measuring.advance(&mut Aside { port, table }, false).await?
            && let Some((_, table)) = self.under_way.take()
        {
            self.done.push(table);
        }
        Ok(false)
    }

    /// Takes up the next run. True if there is none.
    fn begin(&mut self) -> Result<bool, UserError> {
        let Some((experiment, checkpoints, live)) = self.waiting.pop_front() else { return Ok(true) };
        let table = if self.wants_live { live } else { MeasureTable::default() };
        // A run that was broken from the start has nothing to measure.
        if checkpoints.is_empty() || self.names.is_empty() {
            self.done.push(table);
            return Ok(false);
        }
        let steps = checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
        let order = MeasureOrder { checkpoints, steps, measures: self.names.clone() };
        self.under_way = Some((Measuring::new(experiment, &order, self.beside.0, &self.beside.1)?, table));
        Ok(false)
    }

    /// One table per run.
    pub(super) fn finish(self) -> Vec<MeasureTable> {
        self.done
    }
}

/// A port that keeps what is measured instead of sending it.
struct Aside<'a, P: Port> {
    port: &'a mut P,
    table: &'a mut MeasureTable,
}

impl<P: Port> Port for Aside<'_, P> {
    fn emit(&mut self, event: Event) {
        match event {
            Event::Keys(step, keys) => self.table.keys = Some((step, keys)),
            Event::Measured(step, mut values) => {
                values.retain(|_, value| !matches!(value, Value::List(_)));
                self.table.add(step, values);
            }
            _ => {}
        }
    }

    fn poll(&mut self) -> Option<Command> {
        None
    }

    async fn wait(&mut self) -> Option<Command> {
        None
    }

    async fn breathe(&mut self) {
        self.port.breathe().await;
    }

    fn now_ms(&self) -> f64 {
        self.port.now_ms()
    }
}
