//! The loss of an experiment with what may be laid around any loss: temperature and label smoothing.
//!
//! Both are done here once, so that a new loss has neither to think of them nor to forget them. Smoothing belongs to training
//! alone: curves show the plain loss, since a floor of its own would hide the fall that they are looked at for.

#[cfg(feature = "compute")]
use super::Loss;
use super::{Answer, Soft, loss_of};
use crate::experiment::field::{Field, FieldKind, above};
use crate::experiment::{Experiment, FieldError};
#[cfg(feature = "compute")]
use crate::record::UserError;
#[cfg(feature = "compute")]
use burn::tensor::{Device, Tensor, TensorData};

static FIELDS: &[Field] = &[
    Field::new(
        "training.label_smoothing",
        "Label smoothing",
        "Share of each target that is spread evenly over all classes (Szegedy et al., 1512.00567)",
        FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: false, max_exclusive: true },
    )
    .neutral("0")
    .live(),
    Field::new("training.temperature", "Temperature", "The loss sees the outputs divided by it", above(0.0, 100.0))
        .neutral("1")
        .live(),
];

/// The settings that all losses share.
pub fn objective_fields() -> &'static [Field] {
    FIELDS
}

/// Outputs that the network of `experiment` needs for a task of this many classes (1 for a real-valued answer).
pub fn outputs(experiment: &Experiment, classes: usize) -> usize {
    loss_of(experiment).map_or(classes, |loss| (loss.outputs)(experiment, classes))
}

/// Reasons why the loss does not fit a task of this many classes (1 for a real-valued answer) or its own settings.
pub fn check(experiment: &Experiment, classes: usize) -> Vec<FieldError> {
    let Some(loss) = loss_of(experiment) else { return Vec::new() };
    let label = loss.kind.label;
    let mut errors = Vec::new();
    let mut refuse = |path: &str, cause: String, remedy: &str| errors.push(FieldError::new(path, cause, remedy));
    match loss.answer {
        Answer::Value if classes != 1 => {
            refuse("loss", format!("{label} compares numbers, and the answers of this task are classes"), "Use cross_entropy");
        }
        Answer::Class | Answer::BinaryClass if classes == 1 => {
            refuse("loss", format!("{label} compares classes, and the answers of this task are numbers"), "Use squared_error");
        }
        Answer::BinaryClass if classes != 2 => {
            refuse("loss", format!("{label} is made for two classes, and this task has {classes}"), "Use cross_entropy");
        }
        _ => {}
    }
    if experiment.training.number("label_smoothing") > 0.0 && (loss.soft == Soft::No || loss.is_for_values()) {
        refuse("training.label_smoothing", format!("{label} has no meaning for a smoothed label"), "Use 0");
    }
    if experiment.stage.text("use") == "distill" && loss.soft != Soft::Probabilities {
        refuse("loss", format!("{label} cannot learn from another network's probabilities"), "Use cross_entropy");
    }
    errors
}

/// The loss of one or several experiments of one shape, with temperature, smoothing and class codes.
#[cfg(feature = "compute")]
#[derive(Debug)]
pub struct Objective {
    loss: Box<dyn Loss>,
    /// T, unless it is 1.
    temperature: Option<f64>,
    /// Share s, and the mean of all codes, `[replica, 1, output]`; none at s = 0.
    smoothing: Option<(f64, Tensor<3>)>,
    /// `[replica][class][output]`; a single entry where all replicas have the same codes.
    codes: Vec<Vec<Vec<f32>>>,
    outputs: usize,
}

#[cfg(feature = "compute")]
impl Objective {
    /// For one experiment per replica and a task of this many classes (1 for a real-valued answer). All settings but the seed
    /// are those of the first. `device` is the one that outputs and targets will be on.
    ///
    /// # Errors
    /// If there is no such loss.
    pub fn new(experiments: &[Experiment], classes: usize, device: &Device) -> Result<Self, UserError> {
        let Some((first, kind)) = experiments.first().and_then(|first| Some((first, loss_of(first)?))) else {
            return Err(UserError::new("The experiment names no loss that exists", "Use loss=cross_entropy"));
        };
        let own = |experiment: &Experiment| (kind.codes)(experiment, classes);
        // Codes that depend on the seed differ between any two seeds, so one other seed tells.
        let other = experiments.iter().find(|e| e.seed != first.seed);
        let is_shared = other.is_none_or(|other| own(other) == own(first));
        let codes: Vec<Vec<Vec<f32>>> = if is_shared { vec![own(first)] } else { experiments.iter().map(own).collect() };
        let outputs = (kind.outputs)(first, classes);
        let share = first.training.number("label_smoothing");
        let smoothing = (share > 0.0 && !codes[0].is_empty()).then(|| (share, mean_code(&codes, outputs, device)));
        let temperature = Some(first.training.number("temperature")).filter(|t| *t > 0.0 && *t != 1.0);
        Ok(Self { loss: (kind.build)(experiments, classes, device), temperature, smoothing, codes, outputs })
    }

    /// Outputs of the network.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The code of each label: `labels[replica][row]` → `[replica, row, output]`.
    pub fn targets(&self, labels: &[impl AsRef<[u16]>], device: &Device) -> Tensor<3> {
        let rows = labels.first().map_or(0, |list| list.as_ref().len());
        let mut values = Vec::with_capacity(labels.len() * rows * self.outputs);
        for (replica, list) in labels.iter().enumerate() {
            let codes = self.codes.get(replica).unwrap_or(&self.codes[0]);
            for label in list.as_ref() {
                match codes.get(usize::from(*label)) {
                    Some(code) => values.extend_from_slice(code),
                    None => values.extend(core::iter::repeat_n(0.0, self.outputs)),
                }
            }
        }
        Tensor::from_data(TensorData::new(values, [labels.len(), rows, self.outputs]), device)
    }

    /// Real-valued answers: `values[replica][row]` → `[replica, row, 1]`.
    pub fn value_targets(&self, values: &[impl AsRef<[f32]>], device: &Device) -> Tensor<3> {
        let rows = values.first().map_or(0, |list| list.as_ref().len());
        let flat: Vec<f32> = values.iter().flat_map(|list| list.as_ref()).copied().collect();
        Tensor::from_data(TensorData::new(flat, [values.len(), rows, 1]), device)
    }

    /// Loss of each row without smoothing, which is what curves show.
    ///
    /// # Shapes
    /// - outputs, targets (codes or values): `[replica, row, output]`
    /// - answer: `[replica, row, 1]`, in nats for the entropies, else in squared units or margins
    pub fn per_row(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        self.loss.per_row(self.tempered(outputs), targets)
    }

    /// The loss that training minimises, of each row, `[replica, row, 1]`, and its gradient with respect to the outputs divided
    /// by `rows`, `[replica, row, output]`: the number of rows for the gradient of their mean, 1 for that of each row.
    pub fn slope(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        if self.smoothing.is_some() {
            return self.slope_soft(outputs, targets, rows);
        }
        let (loss, gradient) = self.loss.slope(self.tempered(outputs), targets, rows);
        (loss, self.tempered(gradient))
    }

    /// As [`Objective::slope`], with targets anywhere between the codes: of distillation, (1 − w)·code + w·teacher. Smoothing
    /// acts on them too.
    pub fn slope_soft(&self, outputs: Tensor<3>, targets: Tensor<3>, rows: usize) -> (Tensor<3>, Tensor<3>) {
        let targets = match &self.smoothing {
            Some((share, mean)) => targets.mul_scalar(1.0 - share) + mean.clone().mul_scalar(*share),
            None => targets,
        };
        let (loss, gradient) = self.loss.slope_soft(self.tempered(outputs), targets, rows);
        (loss, self.tempered(gradient))
    }

    /// 1 where the answer counts as right, else 0: `[replica, row, 1]`. Targets are codes or values.
    pub fn correct(&self, outputs: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
        self.loss.correct(self.tempered(outputs), targets)
    }

    /// What a teacher's outputs, divided by its own `temperature`, say as soft targets: `[replica, row, output]`, probabilities
    /// where the loss is an entropy.
    pub fn as_targets(&self, outputs: Tensor<3>, temperature: f64) -> Tensor<3> {
        self.loss.as_targets(outputs.div_scalar(temperature))
    }

    /// Outputs divided by T on the way in, and the gradient by the same T on the way back.
    fn tempered(&self, tensor: Tensor<3>) -> Tensor<3> {
        match self.temperature {
            Some(temperature) => tensor.div_scalar(temperature),
            None => tensor,
        }
    }
}

/// Mean over classes, `[replica, 1, output]`.
#[cfg(feature = "compute")]
fn mean_code(codes: &[Vec<Vec<f32>>], outputs: usize, device: &Device) -> Tensor<3> {
    let mean =
        |codes: &Vec<Vec<f32>>, output: usize| codes.iter().map(|code| f64::from(code[output])).sum::<f64>() / codes.len() as f64;
    let values: Vec<f32> = codes.iter().flat_map(|c| (0..outputs).map(move |output| mean(c, output) as f32)).collect();
    Tensor::from_data(TensorData::new(values, [codes.len(), 1, outputs]), device)
}
