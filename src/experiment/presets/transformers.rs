//! Transformers: the networks whose circuits were read.

use super::{Expected, Row};

const SHELF: &str = "Transformers";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "transformer-59-mirror",
        // Of the seeds measured here the one whose delay a room sees best; the note says what the others do.
        title: "A transformer groks",
        shelf: SHELF,
        sentence: "A transformer knows its training pairs by step 150, knows nothing else for hundreds of steps, then jumps",
        from: "quadratic-31",
        edits: &[
            ("seed", "2"),
            ("steps", "1000"),
            ("loss", "cross_entropy"),
            ("task.modulus", "59"),
            ("task.train_fraction", "0.64"),
            ("task.split", "mirror"),
            ("model.architecture", "transformer"),
            ("optimizer.learning_rate", "0.003"),
            ("optimizer.weight_decay", "3"),
            ("optimizer.warmup_steps", "10"),
            ("logging.evaluate_every", "10"),
            ("logging.checkpoint_every", "50"),
        ],
        source: "Setting of Grokscope: a small version of the one-layer transformer of Nanda et al. 2023 (arXiv 2301.05217), \
                 with (a, b) and (b, a) kept on one side so that no test answer can be copied from its mirror",
        expected: Expected::note(
            "Seeds differ widely: test accuracy .5 comes at 320, 370 and 680 with the seeds 0, 1 and 2 (this one), and at \
             162–627 in four runs of an independent program; training .99 at 114–150 in all",
        )
        .memorised(114, 150)
        .understood(162, 850),
        cost: "26 ms per update in the browser on one core of a server processor: half a minute",
        crosscoder: Some("births"),
    },
    Row {
        name: "transformer-59",
        title: "A transformer with mirrored pairs",
        shelf: SHELF,
        sentence: "With (b, a) often in training, the test accuracy first rests on a plateau and only then rises to 1",
        from: "transformer-59-mirror",
        edits: &[("seed", "0"), ("steps", "1500"), ("task.train_fraction", "0.4"), ("task.split", "random")],
        source: "Setting of Grokscope: as transformer-59-mirror with the split of the papers, each ordered pair on its own",
        expected: Expected::note(
            "Four measured seeds; the band of t_gen is that of test .99 (429, 431, 471, 1,070), .95 comes a little \
             earlier",
        )
        .memorised(127, 146)
        .understood(429, 1071),
        cost: "16 ms per update in the browser on one core of a server processor: half a minute",
        crosscoder: None,
    },
    Row {
        name: "transformer-113",
        title: "The transformer of the progress measures",
        shelf: SHELF,
        sentence: "The network whose circuit was read: it computes addition with rotations, and learns them late",
        from: "transformer-59",
        edits: &[
            ("steps", "2000"),
            ("task.modulus", "113"),
            ("task.train_fraction", "0.5"),
            ("model.d_model", "128"),
            ("model.mlp_width", "512"),
            ("optimizer.learning_rate", "0.001"),
            ("optimizer.weight_decay", "1"),
            ("logging.evaluate_every", "20"),
            ("logging.checkpoint_every", "100"),
        ],
        source: "Nanda et al. 2023 (arXiv 2301.05217), with half of the pairs instead of .3: the same story in 1,000 steps instead \
                 of 8,000; set task.train_fraction for the others",
        expected: Expected::note(
            "One saved run of the authors: training loss below .1 at 163, test loss below .1 at 956; five runs here have \
             it at 400–740",
        )
        .low_test_loss(500, 2000),
        cost: "330 ms per update in the browser on one core of a server processor, so eleven minutes; made for a GPU",
        crosscoder: None,
    },
    Row {
        name: "historic-division-97",
        title: "Division, after the first figure",
        shelf: SHELF,
        sentence: "The task of the figure that gave grokking its name, with weight decay so that the wait fits into a session",
        from: "transformer-113",
        edits: &[
            ("steps", "5000"),
            ("batch_size", "512"),
            ("task.operation", "div"),
            ("task.modulus", "97"),
            ("logging.evaluate_every", "50"),
            ("logging.checkpoint_every", "500"),
        ],
        source: "After Power et al. 2022 (arXiv 2201.02177): division mod 97, half of the rows, AdamW 0.001, batches of 512",
        expected: Expected::note(
            "No band: the original has two layers with LayerNorm and no weight decay, and its curve needs about a million \
             updates. Here are one layer and decay 1, which shortens the wait; others with decay 1 did not get the \
             published picture either, so this is history and not a test",
        ),
        cost: "32 ms per update in the browser on one core of a server processor: three minutes",
        crosscoder: None,
    },
    Row {
        name: "transformer-59-decay-5",
        title: "More decay, hardly a wait",
        shelf: SHELF,
        sentence: "With decay 5 instead of 3 the test curve follows the training curve almost at once",
        from: "transformer-59",
        edits: &[("optimizer.weight_decay", "5"), ("steps", "800")],
        source: "Setting of Grokscope: transformer-59 with weight decay 5",
        expected: Expected::note(
            "Independent program: test .99 at 258–308; ten runs here have it at 220–710, three of them not within 800",
        )
        .memorised(100, 170)
        .understood(200, 400),
        cost: "16 ms per update in the browser on one core of a server processor: a quarter of a minute",
        crosscoder: None,
    },
    Row {
        name: "transformer-59-gelu",
        title: "The transformer with GELU",
        shelf: SHELF,
        sentence: "The same network with a smooth non-linearity",
        from: "transformer-59",
        edits: &[("model.activation", "gelu"), ("steps", "1500")],
        source: "Setting of Grokscope: transformer-59 with GELU",
        expected: Expected::note("Independent program, one seed: test .99 at 741").understood(400, 1500),
        cost: "20 ms per update in the browser on one core of a server processor: half a minute",
        crosscoder: None,
    },
    Row {
        name: "transformer-97-no-delay",
        title: "A transformer that hardly waits",
        shelf: SHELF,
        sentence: "A high learning rate with little decay: half of the pairs are enough to understand within 500 updates",
        from: "transformer-59",
        edits: &[
            ("task.modulus", "97"),
            ("task.train_fraction", "0.5"),
            ("model.d_model", "128"),
            ("model.mlp_width", "512"),
            ("optimizer.learning_rate", "0.01"),
            ("optimizer.weight_decay", "0.5"),
            ("steps", "700"),
            ("logging.evaluate_every", "10"),
            ("logging.checkpoint_every", "50"),
        ],
        source: "The transformer of Doshi et al. 2023 (arXiv 2310.13061): p = 97, learning rate .01, weight decay .5, no LayerNorm",
        expected: Expected::note(
            "Saved notebook: training 100% at 110, test 95% at 370, 100% at 450; width and heads are those of Nanda et \
             al. here",
        )
        .memorised(60, 200)
        .understood(130, 700),
        cost: "100 ms per update natively: a minute",
        crosscoder: None,
    },
    Row {
        name: "clock-pizza-59",
        title: "Between clock and pizza",
        shelf: SHELF,
        sentence: "With attention held half-way to uniform the network learns addition another way",
        from: "transformer-59",
        edits: &[
            ("task.train_fraction", "0.8"),
            ("model.d_model", "128"),
            ("model.mlp_width", "512"),
            ("model.attention_uniformity", "0.5"),
            ("optimizer.learning_rate", "0.001"),
            ("optimizer.weight_decay", "2"),
            ("steps", "2000"),
        ],
        source: "Zhong et al. 2023 (arXiv 2306.17844): p = 59, 80% of the pairs, attention interpolated to uniform; they train 20,000 epochs",
        expected: Expected::note("No published time to compare with: the paper looks at the circuit, not at the delay"),
        cost: "40 ms per update natively: a minute and a half",
        crosscoder: None,
    },
    Row {
        name: "power-division-97",
        title: "Division with two layers",
        shelf: SHELF,
        sentence: "The architecture of the first paper on grokking: two layers with LayerNorm",
        from: "historic-division-97",
        edits: &[("model.layers", "2"), ("model.norm", "post"), ("model.positions", "sinusoidal"), ("steps", "3000")],
        source: "Power et al. 2022 (arXiv 2201.02177): 2 layers, 4 heads, width 128, LayerNorm after each residual; with weight decay 1 instead of the figure's 0",
        expected: Expected::note(
            "No band: the published figure needs a million updates without decay, and others with decay 1 did not get it \
             either",
        ),
        cost: "60 ms per update natively: three minutes",
        crosscoder: None,
    },
    Row {
        name: "transformer-113-040",
        title: "The published transformer, fewer pairs",
        shelf: SHELF,
        sentence: "Two fifths of the pairs: the same circuit, three times the wait",
        from: "transformer-113",
        edits: &[("task.train_fraction", "0.4"), ("steps", "6500"), ("logging.checkpoint_every", "250")],
        source: "Nanda et al. 2023 (arXiv 2301.05217) with 40% of the pairs",
        expected: Expected::note("One saved run of the authors: test loss below .1 at 3,109").low_test_loss(1600, 6200),
        cost: "150 ms per update natively: a quarter of an hour; made for a GPU",
        crosscoder: None,
    },
    Row {
        name: "transformer-31",
        title: "The smallest transformer",
        shelf: SHELF,
        sentence: "Thirty-one numbers: cheap enough for a race over seeds, and the seeds differ a lot",
        from: "transformer-59",
        edits: &[("task.modulus", "31"), ("task.train_fraction", "0.5"), ("steps", "3000")],
        source: "Setting of Grokscope: transformer-59 with 31 numbers and half of the pairs",
        expected: Expected::note(
            "Independent program, four seeds: test .99 at 546, 694, 2,026 and never; three runs here have \
                 training .99 at 80–90, test .95 at 470, 590 and 1,670",
        )
        .memorised(60, 140)
        .understood(400, 2100),
        cost: "2 ms per update natively: six seconds",
        crosscoder: None,
    },
    Row {
        name: "transformer-59-decay-1",
        title: "Less decay, a long wait",
        shelf: SHELF,
        sentence: "With decay 1 instead of 3 the transformer sits on its plateau for thousands of updates",
        from: "transformer-59",
        edits: &[("optimizer.weight_decay", "1"), ("steps", "4000"), ("logging.checkpoint_every", "100")],
        source: "Setting of Grokscope: transformer-59 with weight decay 1",
        expected: Expected::note(
            "Independent program, one seed: test .95 at 2,009, .99 at 2,126; here .95 at 1,930 and 3,260 with the \
                 seeds 0 and 1",
        )
        .memorised(70, 150)
        .understood(1300, 3400),
        cost: "10 ms per update natively: forty seconds",
        crosscoder: None,
    },
    Row {
        name: "mlx-division-97",
        title: "A modern transformer",
        shelf: SHELF,
        sentence: "RMSNorm, rotary positions, a gated MLP and dropout: division with the parts of today's language models",
        from: "historic-division-97",
        edits: &[
            ("model.layers", "2"),
            ("model.heads", "1"),
            ("model.norm", "rms"),
            ("model.positions", "rope"),
            ("model.activation", "silu"),
            ("model.bias", "none"),
            ("model.gated", "true"),
            ("training.dropout", "0.2"),
            ("steps", "4000"),
            ("logging.evaluate_every", "20"),
            ("logging.checkpoint_every", "250"),
        ],
        source: "The repository mlx-grokking: division mod 97, two layers with one head, width 128, dropout .2, decay \
                 1, batches of 512; dropout acts on the last layer only here, and the weights start as in \
                 transformer-113",
        expected: Expected::note(
            "The repository's figure, one seed: training 95% near 350, validation 95% near 1,200 updates. Here \
                 seed 0 memorises at 280 and has .95 of the test at 1,840; seed 1 memorises at 280 and has not \
                 understood by 2,000",
        )
        .memorised(175, 700)
        .understood(600, 2400),
        cost: "60 ms per update natively: four minutes",
        crosscoder: None,
    },
    Row {
        name: "benchmark-97",
        title: "The network of the predictors",
        shelf: SHELF,
        sentence: "One head, no normalisation, three tenths of the pairs: the setting on which nine early warnings of \
                 grokking were compared",
        from: "transformer-113",
        edits: &[
            ("task.modulus", "97"),
            ("task.train_fraction", "0.3"),
            ("model.heads", "1"),
            ("steps", "10000"),
            ("logging.checkpoint_every", "500"),
        ],
        source: "The repository grokking-benchmark: p = 97, 30% of the pairs, one layer with one head, AdamW .001 \
                 with decay 1, 10,000 epochs",
        expected: Expected::note("The repository, three runs: test .9 at 3,760, 4,806 and 5,739.").understood(1900, 10_000),
        cost: "40 ms per update natively: six minutes; too slow to watch in a browser",
        crosscoder: None,
    },
];
