//! What weight decay, data and noise decide: the phases, the hysteresis, the controls that must not grok.

use super::{Expected, Row};

const SHELF: &str = "Phases and controls";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "hysteresis-31",
        title: "Grok, then lose the data",
        shelf: SHELF,
        sentence: "It understands with half of the pairs; then most are taken away, and much of the understanding stays",
        from: "quadratic-31",
        edits: &[
            ("task.train_fraction", "0.5"),
            ("steps", "1500"),
            ("timeline", "200 set task.train_fraction 0.2"),
            ("logging.evaluate_every", "5"),
            ("logging.checkpoint_every", "50"),
        ],
        source: "Setting of Grokscope, after Varma et al. 2023 (arXiv 2309.02390): ungrokking as a first-order transition",
        expected: Expected::note(
            "Independent program, three seeds: .61–.69 of the test answers stay right, against .10–.14 from scratch at \
             the same share; five runs here: .62–.70",
        )
        .understood(40, 90)
        .last_test_accuracy(0.55, 0.75),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "decay-0-31",
        title: "No weight decay",
        shelf: SHELF,
        sentence: "The same network without decay memorises and stays there",
        from: "quadratic-31",
        edits: &[
            ("optimizer.weight_decay", "0"),
            ("steps", "2000"),
            ("logging.evaluate_every", "10"),
            ("logging.checkpoint_every", "100"),
        ],
        source: "Setting of Grokscope: quadratic-31 with weight decay 0",
        expected: Expected::note("Independent program: no grok within 2,000 updates").memorised(7, 20).never_understood(),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: ten seconds",
        crosscoder: None,
    },
    Row {
        name: "decay-1-31",
        title: "A fifth of the decay",
        shelf: SHELF,
        sentence: "Five times less decay, five times the wait",
        from: "quadratic-31",
        edits: &[("optimizer.weight_decay", "1"), ("steps", "1200"), ("logging.checkpoint_every", "20")],
        source: "Setting of Grokscope: quadratic-31 with weight decay 1",
        expected: Expected::note("Independent program: test .5 at 374, .99 at 661").memorised(7, 14).understood(400, 750),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: six seconds",
        crosscoder: None,
    },
    Row {
        name: "decay-20-31",
        title: "Too much decay",
        shelf: SHELF,
        sentence: "So much decay that even the training pairs are not held",
        from: "quadratic-31",
        edits: &[("optimizer.weight_decay", "20"), ("steps", "800"), ("logging.checkpoint_every", "20")],
        source: "Setting of Grokscope: quadratic-31 with weight decay 20",
        expected: Expected::note("Independent program: training .99 at 40, test never .95").never_understood(),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: four seconds",
        crosscoder: None,
    },
    Row {
        name: "semi-grok-31",
        title: "Not quite enough data",
        shelf: SHELF,
        sentence: "A quarter of the pairs: it understands half and never more",
        from: "quadratic-31",
        edits: &[
            ("task.train_fraction", "0.25"),
            ("steps", "1700"),
            ("logging.evaluate_every", "5"),
            ("logging.checkpoint_every", "50"),
        ],
        source: "Setting of Grokscope: quadratic-31 with a quarter of the pairs; semi-grokking after Varma et al. 2023 (arXiv 2309.02390)",
        expected: Expected::note(
            "Independent program, three seeds: test .5 at 758–927, .95 not within 1,700; five runs here end at .64–.71",
        )
        .never_understood()
        .last_test_accuracy(0.45, 0.95),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: eight seconds",
        crosscoder: None,
    },
    Row {
        name: "label-noise-31",
        title: "A third of the labels wrong",
        shelf: SHELF,
        sentence: "It memorises the wrong labels and still finds the rule",
        from: "quadratic-31",
        edits: &[
            ("task.train_fraction", "0.5"),
            ("task.label_noise", "0.35"),
            ("optimizer.weight_decay", "15"),
            ("steps", "600"),
        ],
        source: "After Doshi et al. 2023 (arXiv 2310.13061): phases of label noise by weight decay",
        expected: Expected::note(
            "The paper's phases at 35% noise: decay 0 memory and rule side by side, 5 partial, 15 full inversion, 20 \
             forgetting",
        ),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "random-labels-31",
        title: "Nothing to understand",
        shelf: SHELF,
        sentence: "Random answers: memory is all there is, and the test stays at chance",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "random_labels"),
            ("optimizer.weight_decay", "0.1"),
            ("steps", "1000"),
            ("logging.evaluate_every", "5"),
            ("logging.checkpoint_every", "50"),
        ],
        source: "Setting of Grokscope: a control that must not grok",
        expected: Expected::note("Test accuracy stays near 1/31, which is 3.2%")
            .never_understood()
            .last_test_accuracy(0.0, 0.065),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: five seconds",
        crosscoder: None,
    },
    Row {
        name: "never-31",
        title: "A rule that is not learned",
        shelf: SHELF,
        sentence: "x³ + xy² + y has a rule, and no network of this kind has found it",
        from: "quadratic-31",
        edits: &[
            ("task.operation", "cubic_mixed"),
            ("task.train_fraction", "0.5"),
            ("steps", "1500"),
            ("logging.evaluate_every", "10"),
            ("logging.checkpoint_every", "100"),
        ],
        source: "Power et al. 2022 (arXiv 2201.02177): never learned, up to 95% of the pairs",
        expected: Expected::note("A control: no grok").never_understood(),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: eight seconds",
        crosscoder: None,
    },
    Row {
        name: "decay-2-31",
        title: "Two fifths of the decay",
        shelf: SHELF,
        sentence: "Between the extremes the wait is inversely proportional to the decay",
        from: "quadratic-31",
        edits: &[("optimizer.weight_decay", "2"), ("steps", "600")],
        source: "Setting of Grokscope: quadratic-31 with weight decay 2",
        expected: Expected::note(
            "Independent program: test .5 at 189, .99 at 314; three runs here have .95 at 265–275, .99 at 296–315",
        )
        .memorised(6, 14)
        .understood(190, 380),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "decay-10-31",
        title: "Twice the decay",
        shelf: SHELF,
        sentence: "More decay than this, and the training pairs are no longer held: the wait no longer shrinks",
        from: "quadratic-31",
        edits: &[("optimizer.weight_decay", "10"), ("steps", "600")],
        source: "Setting of Grokscope: quadratic-31 with weight decay 10",
        expected: Expected::note(
            "Independent program: test .5 at 74, .95 at 151; three runs here have training .99 at 14–15, test .95 \
                 at 112–113",
        )
        .understood(95, 190),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
];
