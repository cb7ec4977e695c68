//! Activations of networks that were not trained here.
//!
//! Without them the room knows only its own networks, while most questions of before and after are asked of others. The format
//! is one safetensors file that ten lines of Python write (docs/python.md). Rejected: a folder of .npy files, whose rows and
//! order only a naming rule would keep together.
//!
//! | Tensor | Shape, type | |
//! |---|---|---|
//! | `activations.0`, `activations.1`, … | `[rows, d]`, float | one per source, in order |
//! | or `source.NAME` | `[rows, d]`, float | the same; whole numbers as names are steps and give the order, else the alphabet does |
//! | `labels` | `[rows]`, whole numbers below 65,536 | optional: the class of each row |
//! | `a`, `b` | `[rows]`, whole numbers below 65,536 | optional, both or none: the two inputs |
//! | `train_mask` | `[rows]`, 0 or 1 | optional: rows the network was trained on; without it, all of them |
//!
//! Row r is the same input in every tensor. Activations are raw: the fit centres and scales them.

use super::super::origin::{ForeignRows, KnownRows};
use super::super::source::{Place, Source, prepare};
use super::tensors::Tensors;
use crate::record::UserError;

const NUMBERED: &str = "activations.";
const NAMED: &str = "source.";

/// Activations of S ≥ 2 sources on the same rows, with what is known about the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalActivations {
    /// The sources, `[rows, d]` each, in order. `step` is the step that names the source, else its place.
    pub sources: Vec<Source>,
    /// A name per source.
    pub names: Vec<String>,
    /// What is known of the rows.
    pub known: KnownRows,
}

impl ExternalActivations {
    /// Reads the format described in this file.
    ///
    /// # Errors
    /// If there are fewer than two sources, their rows differ in number, a number is not finite, a source does not vary, or a
    /// tensor is of another type or unknown.
    pub fn read(bytes: &[u8]) -> Result<Self, UserError> {
        let file = Tensors::open(bytes)?;
        file.only("a file of activations", |name| is_source(name) || ["labels", "a", "b", "train_mask"].contains(&name))?;
        let tensors = sources_in_order(&file)?;
        let rows = file.shape(&tensors[0].tensor).first().copied().unwrap_or(0);
        let mut sources = tensors.iter().map(|found| source(&file, found, rows)).collect::<Result<Vec<_>, _>>()?;
        apart_by_width(&mut sources);
        let per_row = |name: &str| if file.has(name) { of_rows(&file, name, rows).map(Some) } else { Ok(None) };
        let inputs = match (per_row("a")?, per_row("b")?) {
            (Some(a), Some(b)) => Some(a.into_iter().zip(b).collect()),
            (None, None) => None,
            _ => return Err(UserError::new("Of the inputs a and b only one is given", "Save both, or neither")),
        };
        let train_mask = per_row("train_mask")?;
        if train_mask.iter().flatten().any(|&value| value > 1) {
            return Err(UserError::new("Tensor train_mask holds other numbers than 0 and 1", "Save it as booleans"));
        }
        Ok(Self {
            names: tensors.into_iter().map(|found| found.name).collect(),
            sources,
            known: KnownRows {
                count: rows,
                labels: per_row("labels")?,
                inputs,
                train_mask: train_mask.map(|mask| mask.into_iter().map(|value| value == 1).collect()),
            },
        })
    }

    /// What goes into the result of a fit to these activations; `file` is the name of the file.
    pub fn foreign_rows(&self, file: &str) -> ForeignRows {
        ForeignRows { file: file.to_owned(), names: self.names.clone(), rows: self.known.clone() }
    }
}

/// Whether a tensor of this name holds a source.
pub(super) fn is_source(name: &str) -> bool {
    name.starts_with(NUMBERED) || name.starts_with(NAMED)
}

/// A tensor that holds a source.
struct Found {
    tensor: String,
    name: String,
    step: u32,
}

fn sources_in_order(file: &Tensors) -> Result<Vec<Found>, UserError> {
    let with = |prefix: &str| -> Vec<String> {
        file.names().into_iter().filter_map(|name| name.strip_prefix(prefix)).map(str::to_string).collect()
    };
    let (numbered, named) = (with(NUMBERED), with(NAMED));
    if !numbered.is_empty() && !named.is_empty() {
        return Err(UserError::new(
            "Sources are named in two ways, activations.N and source.NAME",
            "Name all of them in one way",
        ));
    }
    let (prefix, names) = if named.is_empty() { (NUMBERED, numbered) } else { (NAMED, named) };
    if names.len() < 2 {
        return Err(UserError::new(
            format!(
                "The file holds {} of the at least two sources of a crosscoder; its tensors are {}",
                names.len(),
                file.names().join(", ")
            ),
            "Save activations.0, activations.1, …, one per checkpoint",
        ));
    }
    let numbers: Option<Vec<u32>> = names.iter().map(|name| name.parse().ok()).collect();
    let mut found: Vec<Found> = names
        .iter()
        .enumerate()
        .map(|(place, name)| Found {
            tensor: format!("{prefix}{name}"),
            name: name.clone(),
            step: numbers.as_ref().map_or(place as u32, |numbers| numbers[place]),
        })
        .collect();
    found.sort_by_key(|found| found.step);
    if prefix == NUMBERED && found.iter().enumerate().any(|(place, found)| found.name != place.to_string()) {
        let names: Vec<&str> = found.iter().map(|found| found.tensor.as_str()).collect();
        return Err(UserError::new(
            format!("The sources are {}, not activations.0 to activations.{}", names.join(", "), names.len() - 1),
            "Number them from 0 without a gap, or name them source.NAME",
        ));
    }
    Ok(found)
}

fn source(file: &Tensors, found: &Found, rows: usize) -> Result<Source, UserError> {
    let name = &found.tensor;
    let values = file.floats(name)?;
    let width = match file.shape(name)[..] {
        [own, width] if own * width > 0 => {
            if own != rows {
                return Err(UserError::new(
                    format!("Tensor {name} has {own} rows, the first source {rows}"),
                    "Save the same inputs in the same order for every source",
                ));
            }
            width
        }
        ref other => {
            return Err(UserError::new(
                format!("Tensor {name} has the shape {other:?}, not [rows, width]"),
                "Save one vector per input, e.g. that of one position",
            ));
        }
    };
    let source = Source { step: found.step, width, values, place: Place::default() };
    prepare(&source).map_err(|error| {
        UserError::new(format!("Tensor {name}: {}", error.cause), "Check the hook, and leave that source out")
    })?;
    Ok(source)
}

/// Vectors of different widths cannot be compared, so a latent has a life only among sources of one width: each width is a place
/// of its own.
fn apart_by_width(sources: &mut [Source]) {
    let mut widths: Vec<usize> = Vec::new();
    for source in sources {
        let known = widths.iter().position(|width| *width == source.width);
        let layer = known.unwrap_or_else(|| {
            widths.push(source.width);
            widths.len() - 1
        });
        source.place = Place { run: 0, layer: layer as u32 };
    }
}

fn of_rows(file: &Tensors, name: &str, rows: usize) -> Result<Vec<u16>, UserError> {
    let values = file.whole(name)?;
    if values.len() == rows {
        Ok(values)
    } else {
        let cause = format!("Tensor {name} holds {} numbers for {rows} rows", values.len());
        Err(UserError::new(cause, "Save one number per row of the activations"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::analysis::{AnalysisInput, analyse};
    use super::super::dictionary::Dictionary;
    use super::super::dictionary::tests::tiny;
    use super::super::tensors::tests::{file, typed};
    use super::*;
    use crate::task::{Row, Sizes};
    use safetensors::Dtype;

    type Part<'a> = (&'a str, &'a [usize], &'a [f32]);

    const X: [f32; 6] = [1.0, 2.0, 3.0, -1.0, 0.0, 5.0];

    fn read(parts: &[Part]) -> Result<ExternalActivations, UserError> {
        ExternalActivations::read(&file(parts))
    }

    #[test]
    fn sources_labels_inputs_and_mask_are_read() {
        let found = read(&[
            ("activations.0", &[3, 2], &X),
            ("activations.1", &[3, 1], &X[..3]),
            ("labels", &[3], &[0.0, 4.0, 1.0]),
            ("a", &[3], &[0.0, 1.0, 2.0]),
            ("b", &[3], &[5.0, 0.0, 1.0]),
            ("train_mask", &[3], &[1.0, 0.0, 1.0]),
        ])
        .unwrap();
        assert_eq!(found.sources[0], Source { step: 0, width: 2, values: X.to_vec(), place: Place::default() });
        assert_eq!((found.sources[1].width, found.known.count), (1, 3));
        assert_ne!(found.sources[0].place, found.sources[1].place, "vectors of different widths do not compare");
        let data = found.known.dataset();
        assert_eq!(data.sizes, Sizes { rows: 3, tokens: 6, width: 0, classes: 5 });
        assert_eq!(data.rows[1], Row { a: 1, b: 0, label: 4 });
        assert_eq!((data.train, data.test, data.train_labels), (vec![0, 2], vec![1], vec![0, 1]));
    }

    #[test]
    fn steps_as_names_give_the_order_and_other_names_are_sorted() {
        let steps = read(&[("source.1000", &[3, 2], &X), ("source.250", &[3, 2], &X), ("source.30", &[3, 2], &X)]).unwrap();
        assert_eq!(steps.names, ["30", "250", "1000"]);
        assert_eq!(steps.sources.iter().map(|s| s.step).collect::<Vec<_>>(), [30, 250, 1000]);
        let names = read(&[("source.chat", &[3, 2], &X), ("source.base", &[3, 2], &X)]).unwrap();
        assert_eq!((names.names[0].as_str(), names.sources[1].step), ("base", 1));
        let eleven: Vec<String> = (0..11).map(|i| format!("activations.{i}")).collect();
        let parts: Vec<Part> = eleven.iter().map(|name| (name.as_str(), &[3usize, 2][..], &X[..])).collect();
        assert_eq!(read(&parts).unwrap().names[10], "10");
    }

    #[test]
    fn rows_of_which_nothing_is_known_are_one_class_of_training_rows() {
        let data = read(&[("activations.0", &[3, 2], &X), ("activations.1", &[3, 2], &X)]).unwrap().known.dataset();
        assert_eq!(data.sizes, Sizes { rows: 3, tokens: 0, width: 0, classes: 1 });
        assert_eq!((data.train.len(), data.test.len()), (3, 0));
    }

    #[test]
    fn a_dictionary_is_analysed_on_rows_of_which_nothing_is_known() {
        let found =
            read(&[("activations.0", &[2, 2], &[1.0, 2.0, 0.0, -1.0]), ("activations.1", &[2, 2], &[2.0, 1.0, -3.0, 0.0])]);
        let (found, dictionary) = (found.unwrap(), tiny());
        let of_sources = |part: fn(&Dictionary, usize) -> &[f32]| [part(&dictionary, 0).to_vec(), part(&dictionary, 1).to_vec()];
        let analysis = analyse(&AnalysisInput {
            sources: &found.sources,
            codes: &dictionary.codes(&found.sources).unwrap(),
            decoders: &of_sources(Dictionary::decoder_of),
            biases: &of_sources(Dictionary::bias_of),
            data: &found.known.dataset(),
            held: &[0, 1],
        })
        .unwrap();
        // Three latents fire on row 0, one on row 1.
        assert_eq!((analysis.alive, analysis.l0), (3, 2.0));
    }

    #[test]
    fn each_fault_is_refused_by_name() {
        let cause = |parts: &[Part]| read(parts).unwrap_err().cause;
        let two = |more: Part| {
            let parts: [Part; 3] = [("activations.0", &[3, 2], &X), ("activations.1", &[3, 2], &X), more];
            read(&parts).unwrap_err().cause
        };
        let with_second = |second: Part| cause(&[("activations.0", &[3, 2], &X), second]);
        assert!(cause(&[("activations.0", &[3, 2], &X)]).contains("holds 1 of"));
        assert!(cause(&[("labels", &[1], &[0.0])]).contains("holds 0 of"));
        assert!(with_second(("activations.2", &[3, 2], &X)).contains("activations.2, not"));
        assert!(with_second(("source.late", &[3, 2], &X)).contains("two ways"));
        assert!(with_second(("activations.1", &[2, 3], &X)).contains("2 rows"));
        assert!(with_second(("activations.1", &[6], &X)).contains("[6]"));
        assert!(with_second(("activations.1", &[3, 0], &[])).contains("[3, 0]"));
        assert!(with_second(("activations.1", &[3, 1], &[1.0, f32::NAN, 0.0])).contains("not finite"));
        assert!(with_second(("activations.1", &[3, 1], &[f32::INFINITY, 1.0, 0.0])).contains("not finite"));
        assert!(with_second(("activations.1", &[3, 1], &[4.0; 3])).contains("the same for every input"));
        assert!(two(("labels", &[2], &[0.0; 2])).contains("2 numbers for 3 rows"));
        assert!(two(("labels", &[3], &[0.0, 0.5, 1.0])).contains("whole numbers"));
        assert!(two(("a", &[3], &[0.0; 3])).contains("only one"));
        assert!(two(("train_mask", &[3], &[0.0, 2.0, 1.0])).contains("0 and 1"));
        assert!(two(("logits", &[3], &[0.0; 3])).contains("logits"));
        assert!(ExternalActivations::read(b"\x80\x04pickle").unwrap_err().cause.contains("pickle"));
        assert!(ExternalActivations::read(&typed("activations.0", Dtype::I32, &[1], &[0; 4])).is_err());
    }

    #[test]
    fn integers_are_no_activations() {
        let bytes: Vec<u8> = (0..12i32).flat_map(i32::to_le_bytes).collect();
        let view =
            |part: std::ops::Range<usize>| safetensors::tensor::TensorView::new(Dtype::I32, vec![3, 2], &bytes[part]).unwrap();
        let file = safetensors::serialize([("source.0", view(0..24)), ("source.1", view(24..48))], None).unwrap();
        assert!(ExternalActivations::read(&file).unwrap_err().cause.contains("I32, not floating-point"));
    }
}
