//! Perceptrons: the fastest honest groks there are.

use super::{Expected, Row};

const SHELF: &str = "Perceptrons";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "quadratic-31",
        title: "Grokking in seconds",
        shelf: SHELF,
        sentence: "A tiny network first learns its training pairs by heart; long after, it suddenly understands addition",
        from: "",
        edits: &[],
        source: "The quadratic network of Gromov 2023 (arXiv 2301.02679) and Doshi et al. 2023 (arXiv 2310.13061), scaled down",
        expected: Expected::note(
            "Median over at least five seeds; measured in C and f32: training .99 at step 9–10, test .95 near 115, .99 \
             near 130",
        )
        .memorised(7, 14)
        .understood(95, 140),
        cost: "5 ms per update in the browser on one core of a server processor, evaluation apart: two or three seconds",
        crosscoder: None,
    },
    Row {
        name: "quadratic-97",
        title: "The published quadratic network",
        shelf: SHELF,
        sentence: "The same story with 97 numbers, as published: it memorises by step 26 and generalises by step 44",
        from: "quadratic-31",
        edits: &[("steps", "150"), ("task.modulus", "97"), ("task.train_fraction", "0.5"), ("model.width", "500")],
        source: "Doshi et al. 2023 (arXiv 2310.13061): p = 97, N = 500, half of the pairs, AdamW 0.01, decay 5",
        expected: Expected::note(
            "Median over at least five seeds; the published notebook reaches 100% at 26 and 44, our own measurement .99 \
             at 19 and 41",
        )
        .memorised(15, 30)
        .understood(36, 46),
        cost: "75 ms per update in the browser on one core of a server processor: three seconds to the jump, twelve in all",
        crosscoder: None,
    },
    Row {
        name: "quadratic-31-slow",
        title: "Grokking for the lecture hall",
        shelf: SHELF,
        sentence: "A third of the learning rate: the same story, slow enough to talk over",
        from: "quadratic-31",
        edits: &[("optimizer.learning_rate", "0.003"), ("steps", "600")],
        source: "Setting of Grokscope: quadratic-31 at learning rate .003",
        expected: Expected::note(
            "Three measured seeds of an independent program: training .99 at 24, test .95 at 252–271, .99 at 293–327",
        )
        .memorised(20, 30)
        .understood(230, 300),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "quadratic-59",
        title: "Fifty-nine numbers, a third of the pairs",
        shelf: SHELF,
        sentence: "A larger circle of numbers, and the jump still comes within two hundred updates",
        from: "quadratic-31",
        edits: &[("task.modulus", "59"), ("task.train_fraction", "0.3"), ("steps", "300")],
        source: "Setting of Grokscope: quadratic-31 with 59 numbers",
        expected: Expected::note("Independent program, one seed: training .99 at 14, test .99 at 109")
            .memorised(9, 22)
            .understood(70, 150),
        cost: "8 ms per update natively: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "pair-mlp-67",
        title: "The network of the PAIR essay",
        shelf: SHELF,
        sentence: "Embedding and 24 neurons: it memorises within hundreds of updates and groks after tens of thousands",
        from: "quadratic-31",
        edits: &[
            ("seed", "165"),
            ("loss", "cross_entropy"),
            ("task.modulus", "67"),
            ("task.split", "mirror"),
            ("model.architecture", "embedding_mlp"),
            ("model.embed_width", "500"),
            ("model.embedding", "tied"),
            ("model.combine", "sum"),
            ("model.width", "24"),
            ("optimizer.learning_rate", "0.001"),
            ("optimizer.weight_decay", "1"),
            ("steps", "45000"),
            ("logging.evaluate_every", "100"),
            ("logging.checkpoint_every", "1500"),
        ],
        source: "Pearce et al. 2023, the PAIR explorable on grokking: 500-dimensional tied embedding, 24 ReLU neurons, 40% of unordered pairs",
        expected: Expected::note(
            "Not the essay's start: here the embedding starts a quarter as large and the linear layers a little larger, \
             and Adam's ε is 67 times smaller against the loss. So it memorises at 259 and groks at 8,600, where the \
             essay's run has training 99% at 300 and test 90% at 39,900; pair-mlp-67-as-started has its start",
        )
        .memorised(150, 900),
        cost: "20 ms per update natively: a quarter of an hour; the recorded run shows it at once",
        crosscoder: None,
    },
    Row {
        name: "devinterp-53",
        title: "The network of the learning coefficient",
        shelf: SHELF,
        sentence: "A small embedding network whose memory dissolves over eighteen thousand updates",
        from: "quadratic-31",
        edits: &[
            ("loss", "cross_entropy"),
            ("task.modulus", "53"),
            ("model.architecture", "embedding_mlp"),
            ("model.embed_width", "12"),
            ("model.width", "48"),
            ("model.activation", "gelu"),
            ("model.bias", "true"),
            ("optimizer.name", "adam"),
            ("optimizer.betas", "0.9,0.999"),
            ("optimizer.learning_rate", "0.005"),
            ("optimizer.weight_decay", "0.0002"),
            ("batch_size", "128"),
            ("steps", "25000"),
            ("logging.evaluate_every", "50"),
            ("logging.checkpoint_every", "500"),
        ],
        source: "The grokking notebook of devinterp (Timaeus): embedding 12, 48 GELU neurons, Adam .005, coupled decay .0002, batches of 128",
        expected: Expected::note(
            "Not the notebook's start: here the embedding starts at deviation .29 instead of 1 and the unembedding larger. \
             The notebook has training 100% near 2,000 and test 99% near 18,500; here seed 0 memorises at 1,600 and has \
             .80 of the test after 25,000; devinterp-53-as-started has its start",
        )
        .memorised(1000, 4000),
        cost: "1 ms per update natively: half a minute",
        crosscoder: None,
    },
    Row {
        name: "quadratic-31-030",
        title: "Three tenths of the pairs",
        shelf: SHELF,
        sentence: "With fewer pairs the same network waits five times as long",
        from: "quadratic-31",
        edits: &[("task.train_fraction", "0.3"), ("steps", "1200")],
        source: "Setting of Grokscope: quadratic-31 with 30% of the pairs",
        expected: Expected::note(
            "Independent program, three seeds: test .5 at 192–244, .95 at 466–537, .99 at 657–717; three runs \
                 here have .95 at 465–635",
        )
        .memorised(6, 14)
        .understood(350, 750),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "quadratic-31-slowest",
        title: "Grokking in slow motion",
        shelf: SHELF,
        sentence: "A tenth of the learning rate: the network memorises at sixty updates and understands at six hundred",
        from: "quadratic-31",
        edits: &[("optimizer.learning_rate", "0.001"), ("steps", "1200")],
        source: "Setting of Grokscope: quadratic-31 at learning rate .001",
        expected: Expected::note(
            "Independent program, three seeds: training .99 at 56–62, test .5 at 412–419, .95 at 667–717, .99 at \
                 781–814; three runs here have .95 at 665–677",
        )
        .memorised(45, 75)
        .understood(530, 900),
        cost: "2 ms per update natively, 5 in the browser on one core of a server processor: a few seconds",
        crosscoder: None,
    },
    Row {
        name: "quadratic-23",
        title: "The smallest circle",
        shelf: SHELF,
        sentence: "Twenty-three numbers and sixty-four neurons: the smallest network here that still waits before it \
                 understands",
        from: "quadratic-31",
        edits: &[("task.modulus", "23"), ("task.train_fraction", "0.5"), ("model.width", "64"), ("steps", "250")],
        source: "Setting of Grokscope: quadratic-31 with 23 numbers and 64 neurons",
        expected: Expected::note(
            "Independent program: test .99 near 130; five runs here have training .99 at 31–42, test .95 at \
                 104–120 and .99 at 109–131",
        )
        .understood(80, 150),
        cost: "A fifth of a millisecond per update natively: at once",
        crosscoder: None,
    },
    Row {
        name: "pair-mlp-67-as-started",
        title: "The PAIR essay, from its own start",
        shelf: SHELF,
        sentence: "The essay's network with the essay's starting weights: seventy times as long in the dark as it took \
                 to memorise",
        from: "pair-mlp-67",
        edits: &[("model.layer_scales", "embed=3.86,w_in=.88,w_out=.88"), ("optimizer.epsilon", "6.7e-7")],
        source: "Pearce et al. 2023, the PAIR explorable on grokking, from its notebook: embedding with deviation \
                 √(2/67), linear layers with .88/√(inputs), and a loss that is also averaged over the 67 answers, \
                 which for Adam is an ε 67 times as large",
        expected: Expected::note(
            "The notebook's saved run, one seed in 64 bits: training 99% at 300, test 90% at 39,900, 99% at \
                 40,800. Here seed 165, with other draws and in 32 bits, memorises at 284 and reaches .9 of the test \
                 at 20,200, half the published wait; the norm of the weights goes from 37 over 53 to 28, published \
                 37, 54, 29. No band of understanding: the published date did not come out",
        )
        .memorised(150, 600),
        cost: "20 ms per update natively: a quarter of an hour; the recorded run shows it at once",
        crosscoder: None,
    },
    Row {
        name: "devinterp-53-as-started",
        title: "The learning coefficient, from its own start",
        shelf: SHELF,
        sentence: "The notebook's starting weights: memory within two thousand updates, understanding after eighteen \
                 thousand",
        from: "devinterp-53",
        edits: &[("model.layer_scales", "embed=3.46,w_in=.82,unembed=.58")],
        source: "The grokking notebook of devinterp (Timaeus), with PyTorch's starts: embedding with deviation 1, \
                 linear layers uniform in ±1/√(inputs); its biases start at 0 here",
        expected: Expected::note(
            "The notebook, one seed: training 100% near 2,000, test 99% near 18,500. Here seed 0 memorises at \
                 1,250 and has .99 of the test at 19,050, seed 1 memorises at 1,550 and has .95 at 22,000; by the \
                 notebook's own words not every seed groks in its 25,000 updates",
        )
        .memorised(1000, 4000)
        .understood(12_000, 25_000),
        cost: "1 ms per update natively: half a minute",
        crosscoder: None,
    },
];
