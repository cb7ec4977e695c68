//! Does the network treat its two inputs alike? A clock does not, a pizza does.
//!
//! Two networks with the same accuracy and the same Fourier spectrum may add angles or average vectors (Zhong et al.), and only
//! how an answer depends on the two embeddings tells them apart. One question is a whole diagonal {(a, a + d)}: no token occurs
//! twice on the same side of it, so that one backward pass serves p triples.

use super::facts::{Facts, needs_classes, needs_pairs};
use super::flat::{cosine, draws};
use super::inquiry::{Answer, Inquiry, Question, Turn, confused};
use super::kind::{Column, Cost, Measure, Work, no_hooks};
use super::tokens::has_embedding;
use crate::experiment::Experiment;
use crate::record::{UserError, Value};

/// The registration.
pub(super) const MEASURE: Measure = Measure {
    name: "gradient_symmetricity",
    label: "Gradient symmetricity",
    definition: "Mean of cos(∂Q_abc/∂E_a, ∂Q_abc/∂E_b) over triples (a, b, c), Q_abc the logit of class c for the input (a, b), E \
                 the embedding; at least 100 triples where there are so many pairs: all pairs of the data on random diagonals \
                 (a, a + d), d = 0 … p−1, at least 4 of them, with a random class for each pair",
    source: "Zhong et al. 2306.17844, Definition 4.1 (there 100 random triples)",
    not_evidence_of: "A high value does not show that the network is a pizza: every function of E_a + E_b is symmetric, also at the \
                      start of training",
    cost: Cost::Sampling,
    columns: &[Column::new("gradient_symmetricity", "gradient symmetricity").within(-1.0, 1.0)],
    hooks: no_hooks,
    needs_keys: false,
    applies,
    work: Work::asking(begin),
};

/// Fewest triples (Zhong et al.).
const TRIPLES: usize = 100;
/// Fewest diagonals, so that one unlucky difference does not decide.
const DIAGONALS: usize = 4;

fn applies(experiment: &Experiment) -> Result<(), UserError> {
    needs_pairs(experiment)?;
    needs_classes(experiment)?;
    if !has_embedding(experiment) {
        return Err(UserError::new(
            "This measure compares gradients of two embeddings, and this network has none",
            "Use a transformer or a perceptron with embedding",
        ));
    }
    let settings = &experiment.model.settings;
    match settings.text("embedding") {
        "tied" => Err(tied("model.embedding=shared")),
        _ if settings.is_on("tied") => Err(tied("model.tied=false")),
        "separate" => Err(UserError::new(
            "The embeddings of a and b lie in two spaces, so an angle between gradients in them has no meaning",
            "Use model.embedding=shared",
        )),
        _ => Ok(()),
    }
}

fn tied(remedy: &str) -> UserError {
    UserError::new("The embedding is the unembedding too, so its gradient is not only about reading", format!("Use {remedy}"))
}

fn begin(facts: &Facts<'_>) -> Result<Box<dyn Inquiry>, UserError> {
    let tokens = facts.data.sizes.tokens as usize;
    let classes = u64::from(facts.data.sizes.classes);
    let mut stream = draws(facts, MEASURE.name, 0);
    let (mut questions, mut count) = (Vec::new(), 0);
    for d in stream.permutation(tokens) {
        if questions.len() >= DIAGONALS && count >= TRIPLES {
            break;
        }
        let on_diagonal = |row: &&crate::task::Row| (usize::from(row.a) + d as usize) % tokens == usize::from(row.b);
        let pairs = facts.data.rows.iter().filter(on_diagonal);
        let triples: Vec<_> = pairs.map(|row| (row.a, row.b, stream.below(classes) as u16)).collect();
        if !triples.is_empty() {
            count += triples.len();
            questions.push(triples);
        }
    }
    let all = questions.len();
    Ok(Box::new(Symmetricity { questions: questions.into_iter(), all, asked: 0, cosines: Vec::new() }))
}

struct Symmetricity {
    questions: std::vec::IntoIter<Vec<(u16, u16, u16)>>,
    all: usize,
    asked: usize,
    cosines: Vec<f64>,
}

impl Inquiry for Symmetricity {
    fn next(&mut self, answer: Option<Answer>) -> Result<Turn, UserError> {
        match answer {
            Some(Answer::EmbeddingSlope(slopes)) => {
                let wide = |slope: &[f32]| slope.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
                // A gradient of zero (dead neurons) has no direction.
                self.cosines.extend(slopes.iter().filter_map(|[a, b]| cosine(&wide(a), &wide(b))));
                self.asked += 1;
            }
            Some(_) => return Err(confused()),
            None => {}
        }
        if let Some(triples) = self.questions.next() {
            return Ok(Turn::Ask(Question::EmbeddingSlope { triples }));
        }
        let value = if self.cosines.is_empty() {
            Value::Absent("No logit depends on both embeddings".into())
        } else {
            Value::Number(self.cosines.iter().sum::<f64>() / self.cosines.len() as f64)
        };
        Ok(Turn::Done(vec![value]))
    }

    fn progress(&self) -> f32 {
        self.asked as f32 / self.all.max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Case, ask, changed};
    use super::*;

    fn transformer() -> Case {
        Case::of(changed("transformer-59", &[]))
    }

    /// A network linear in the embeddings: Q = u_c·E_a + sign·u_c·E_b.
    fn linear(case: &Case, sign: f32) -> f64 {
        let mut triples_seen = 0;
        let found = ask(&MEASURE, case, |question| {
            let Question::EmbeddingSlope { triples } = question else { panic!("{question:?}") };
            let mut sides = [triples.iter().map(|t| t.0).collect::<Vec<_>>(), triples.iter().map(|t| t.1).collect()];
            for side in &mut sides {
                side.sort_unstable();
                side.dedup();
                assert_eq!(side.len(), triples.len(), "a token occurs twice");
            }
            triples_seen += triples.len();
            let slope = |c: u16| vec![f32::from(c) + 1.0, 2.0, -f32::from(c)];
            let slopes = triples.iter().map(|(_, _, c)| [slope(*c), slope(*c).into_iter().map(|v| sign * v).collect()]);
            Answer::EmbeddingSlope(slopes.collect())
        });
        assert!(triples_seen >= TRIPLES);
        found.unwrap()[0].number().unwrap()
    }

    #[test]
    fn a_sum_of_embeddings_is_symmetric_and_their_difference_is_not() {
        let case = transformer();
        assert!((linear(&case, 1.0) - 1.0).abs() < 1e-9 && (linear(&case, -1.0) + 1.0).abs() < 1e-9);
    }

    #[test]
    fn tasks_without_all_pairs_are_asked_about_the_pairs_that_they_have() {
        let case = Case::of(changed("power-division-97", &[]));
        assert!((linear(&case, 1.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn dead_networks_give_a_reason_and_unsuitable_ones_are_told_what_suits() {
        let dead = ask(&MEASURE, &transformer(), |question| {
            let Question::EmbeddingSlope { triples } = question else { panic!("{question:?}") };
            Answer::EmbeddingSlope(vec![[vec![0.0; 4], vec![1.0; 4]]; triples.len()])
        });
        assert!(matches!(&dead.unwrap()[0], Value::Absent(_)));
        assert!(applies(&transformer().experiment).is_ok());
        assert!(applies(&changed("quadratic-31", &[])).unwrap_err().remedy.contains("transformer"));
        assert!(applies(&changed("transformer-59", &[("model.tied", "true")])).unwrap_err().remedy.contains("tied=false"));
        assert!(applies(&changed("s5-mlp", &[("model.embedding", "separate")])).unwrap_err().remedy.contains("shared"));
    }
}
