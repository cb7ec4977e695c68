//! Networks that theory solves: no feature to be learned, or only the simplest, and still a delay.
//!
//! What happens in a transformer is argued about; here the date of the jump is a formula that a run can be held against.

use super::{Expected, Row};

const SHELF: &str = "Solvable networks";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "linear-teacher",
        title: "Grokking without features",
        shelf: SHELF,
        sentence: "Linear regression: the training rows are right by step 80, the test rows a thousand steps later, \
                 both on schedule",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "linear_teacher"),
            ("task.dimensions", "360"),
            ("task.samples", "1000"),
            ("loss", "squared_error"),
            ("model.architecture", "linear"),
            ("model.layer_scales", "w_in=0"),
            ("optimizer.name", "sgd"),
            ("optimizer.weight_decay", "0"),
            ("optimizer.learning_rate", "0.1"),
            ("steps", "3000"),
            ("logging.evaluate_every", "5"),
            ("logging.checkpoint_every", "250"),
        ],
        source: "Levi et al. 2023 (arXiv 2310.16441): teacher and student with 360 inputs and 400 training rows, \
                 gradient descent from zero",
        expected: Expected::note(
            "The paper's integral over the Marchenko–Pastur spectrum: training .99 at 81, test .95 at 981. Five \
                 runs here: 70–90 and 725–1,255; the spread is that of the smallest eigenvalue",
        )
        .memorised(60, 110)
        .understood(650, 1400),
        cost: "A tenth of a millisecond per update natively: at once",
        crosscoder: None,
    },
    Row {
        name: "separable-classes",
        title: "Right, and ever more certain",
        shelf: SHELF,
        sentence: "Logistic regression creeps to the widest margin: the test accuracy stands still while the test loss \
                 rises",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "logistic_teacher"),
            ("task.dimensions", "100"),
            ("task.samples", "1000"),
            ("task.train_fraction", "0.2"),
            ("loss", "logistic"),
            ("model.architecture", "linear"),
            ("optimizer.name", "sgd"),
            ("optimizer.weight_decay", "0"),
            ("optimizer.learning_rate", "0.5"),
            ("steps", "20000"),
            ("logging.evaluate_every", "100"),
            ("logging.checkpoint_every", "2000"),
        ],
        source: "After Soudry et al. 2018 (arXiv 1710.10345): gradient descent on separable classes, 100 inputs, 200 \
                 training rows",
        expected: Expected::note(
            "No date is published. Seed 0 here: training .99 at 12; the test loss is .23 at 163 and .37 at 20,000 \
                 with the accuracy at .89–.90, because the norm grows with log t",
        ),
        cost: "A tenth of a millisecond per update natively: two seconds",
        crosscoder: None,
    },
    Row {
        name: "constant-label",
        title: "At the edge of separability",
        shelf: SHELF,
        sentence: "Every answer is yes; nearly as many inputs as half the rows, and the network still finds a wrong \
                 reason first",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "constant_label"),
            ("task.dimensions", "400"),
            ("task.samples", "2000"),
            ("task.train_fraction", "0.41"),
            ("loss", "logistic"),
            ("model.architecture", "linear"),
            ("model.bias", "true"),
            ("model.init_scale", "3"),
            ("optimizer.name", "sgd"),
            ("optimizer.weight_decay", "0"),
            ("optimizer.learning_rate", "0.1"),
            ("steps", "3000"),
            ("logging.evaluate_every", "10"),
            ("logging.checkpoint_every", "300"),
        ],
        source: "After Beck et al. 2024 (arXiv 2410.04489): constant label, bias, inputs to training rows as 400 to \
                 820, just below the edge at one half",
        expected: Expected::note(
            "No date is published for this start. Five runs here: training .99 at 86–94, test .95 at 150–310, .99 \
                 at 560–1,190",
        ),
        cost: "A third of a millisecond per update natively: a second",
        crosscoder: None,
    },
    Row {
        name: "sparse-diagonal",
        title: "From dense to sparse",
        shelf: SHELF,
        sentence: "One of 64 bits decides; the network first spreads its weight over all, and at a date that theory \
                 names finds the one",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "parity"),
            ("task.bits", "64"),
            ("task.relevant", "1"),
            ("task.samples", "1040"),
            ("task.train_fraction", "0.0385"),
            ("loss", "logistic"),
            ("model.architecture", "diagonal"),
            ("model.init_scale", "8"),
            ("optimizer.name", "sgd"),
            ("optimizer.learning_rate", "0.005"),
            ("optimizer.weight_decay", "0.05"),
            ("steps", "16000"),
            ("logging.evaluate_every", "20"),
            ("logging.checkpoint_every", "1000"),
        ],
        source: "Lyu et al. 2023 (arXiv 2311.18817): diagonal linear network from a large start α, 40 training rows \
                 in 64 dimensions; the switch comes near log α/(η·decay)",
        expected: Expected::note(
            "The law says 8,318 for α = 8. Five runs here have test .95 at 4,840–10,100; with α = 2, 4 and 8 seed \
                 0 has it at 4,180, 6,940 and 9,720, steps of 2,760 and 2,780 where the law says 2,773",
        )
        .understood(5500, 12_500),
        cost: "A sixth of a millisecond per update natively: three seconds",
        crosscoder: None,
    },
    Row {
        name: "lazy-committee",
        title: "Lazy, then rich",
        shelf: SHELF,
        sentence: "A committee learns its rows before the rule; a twin of it that cannot learn features would have learned \
                 neither by then",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "quadratic_teacher"),
            ("task.dimensions", "20"),
            ("task.samples", "1000"),
            ("task.train_fraction", "0.2"),
            ("loss", "squared_error"),
            ("training.accuracy_threshold", "0.1"),
            ("model.architecture", "committee"),
            ("model.width", "200"),
            ("model.output_multiplier", "3"),
            ("model.centered", "true"),
            ("optimizer.name", "sgd"),
            ("optimizer.weight_decay", "0"),
            ("optimizer.learning_rate", "10"),
            ("steps", "6000"),
            ("logging.evaluate_every", "20"),
            ("logging.checkpoint_every", "500"),
        ],
        source: "After Kumar et al. 2023 (arXiv 2310.06110): committee with ε = .25 and α = 3 on a quadratic teacher, \
                 20 inputs and 200 training rows, so that D ≪ P ≪ D²",
        expected: Expected::note(
            "No date is published for this size. Three runs here: training .99 at 880–1,100, test .95 at \
                 1,960–3,780, right meaning a squared error of at most .1",
        ),
        cost: "Half a millisecond per update natively: three seconds",
        crosscoder: None,
    },
];
