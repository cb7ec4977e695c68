//! The inputs on which a latent fires most: what a map of thousands of cells cannot name.

use crate::task::Dataset;

/// On which side of the network's split an input lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSide {
    /// The network was trained on it.
    Train,
    /// It was tested on it.
    Test,
    /// Neither: set apart.
    Probe,
}

impl InputSide {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Probe => "set apart",
        }
    }
}

/// An input on which a latent fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopInput {
    /// Its row, from 0.
    pub row: u32,
    /// First token.
    pub a: u16,
    /// Second token.
    pub b: u16,
    /// The true answer.
    pub answer: u16,
    /// f, in the units of the activations.
    pub activation: f32,
    /// Its side.
    pub side: InputSide,
}

/// The `count` inputs of largest activation, whatever its sign, in `values` `[rows]`, strongest first and equals in the order of
/// `data`; fewer if the latent fires on fewer.
pub fn top_inputs(values: &[f32], data: &Dataset, count: usize) -> Vec<TopInput> {
    let mut firing: Vec<(usize, f32)> = values.iter().copied().enumerate().filter(|(_, f)| *f != 0.0).collect();
    firing.sort_by(|x, y| y.1.abs().total_cmp(&x.1.abs()));
    let input = |(index, activation): (usize, f32)| {
        let row = data.rows.get(index)?;
        let side = match data.is_train(index) {
            true => InputSide::Train,
            false if data.probe.binary_search(&(index as u32)).is_ok() => InputSide::Probe,
            false => InputSide::Test,
        };
        Some(TopInput { row: index as u32, a: row.a, b: row.b, answer: row.label, activation, side })
    };
    firing.into_iter().filter_map(input).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Row;

    /// a + b modulo 3: (0, 0) is trained on, (0, 1) set apart.
    fn data() -> Dataset {
        let rows: Vec<Row> = (0..3).flat_map(|a| (0..3).map(move |b| Row { a, b, label: (a + b) % 3 })).collect();
        let train_mask = (0..9).map(|row| row == 0).collect();
        Dataset { rows, train: vec![0], probe: vec![1], test: (2..9).collect(), train_mask, ..Dataset::default() }
    }

    #[test]
    fn the_strongest_come_first_and_equals_keep_their_order() {
        let values = [0.5, 2.0, 0.0, 0.5, 9.0, 0.0, 0.0, 0.0, 0.1];
        let found = top_inputs(&values, &data(), 4);
        let told: Vec<_> = found.iter().map(|input| (input.a, input.b, input.answer, input.activation)).collect();
        assert_eq!(told, [(1, 1, 2, 9.0), (0, 1, 1, 2.0), (0, 0, 0, 0.5), (1, 0, 1, 0.5)]);
        let sides: Vec<_> = found.iter().map(|input| input.side).collect();
        assert_eq!(sides, [InputSide::Test, InputSide::Probe, InputSide::Train, InputSide::Test]);
    }

    #[test]
    fn a_strong_negative_activation_is_strong() {
        let found = top_inputs(&[0.5, -2.0, 0.0, 1.0], &data(), 2);
        assert_eq!(found.iter().map(|input| input.activation).collect::<Vec<_>>(), [-2.0, 1.0]);
    }

    #[test]
    fn inputs_on_which_it_is_silent_are_left_out() {
        assert_eq!(top_inputs(&[0.0, 0.0, 1.0], &data(), 10).len(), 1);
        assert!(top_inputs(&[0.0; 9], &data(), 10).is_empty() && top_inputs(&[], &data(), 10).is_empty());
    }
}
