//! Whole runs: published bands over seeds, replicas against single runs, repeatability, interruptions and bad ends.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use burn::tensor::Device;
use grokscope::engine::capability::EngineWish;
use grokscope::engine::message::{Command, Resume};
use grokscope::experiment::{Experiment, preset};
use grokscope::measure::delay::{Delay, delay};
use grokscope::model::{Model, upload};
use grokscope::record::{MetricRow, Weights};
use grokscope::task::{Answers, Domain, rule_of};
use grokscope::train::{Batch, Extras, HostRows, Objective, Trainer, gradients};
use support::{changed, converse_with, median, run, start};

/// Trains `experiments` as replicas, evaluating every step.
fn replicas(experiments: &[Experiment]) -> (Vec<Vec<MetricRow>>, Vec<Weights>) {
    let mut trainer = Trainer::new(experiments, true, &Device::flex()).unwrap();
    let mut rows = vec![Vec::new(); experiments.len()];
    for _ in 0..experiments[0].steps {
        pollster::block_on(trainer.advance()).unwrap();
        trainer.evaluate();
        for evaluation in pollster::block_on(trainer.read()).unwrap().rows {
            for (rows, row) in rows.iter_mut().zip(evaluation) {
                rows.push(row);
            }
        }
    }
    (rows, pollster::block_on(trainer.weights()).unwrap())
}

fn delays(name: &str, seeds: u64) -> Vec<Delay> {
    let base = preset(name).unwrap().experiment.clone();
    let experiments: Vec<Experiment> = (0..seeds).map(|seed| Experiment { seed, ..base.clone() }).collect();
    replicas(&experiments).0.iter().map(|rows| delay(rows, true)).collect()
}

#[test]
fn quadratic_31_groks_inside_the_measured_band_over_five_seeds() {
    // Reference: grokking settings measured with an independent C program (p=31, N=256, f=.4, wd 5).
    let delays = delays("quadratic-31", 5);
    let t_mem = median(delays.iter().map(|d| d.t_mem.unwrap()).collect());
    let t_gen = median(delays.iter().map(|d| d.t_gen.unwrap()).collect());
    let t_gen_99 = median(delays.iter().map(|d| d.t_gen_99.unwrap()).collect());
    eprintln!("t_mem {t_mem} t_gen {t_gen} t_gen_99 {t_gen_99}");
    assert!((7..=14).contains(&t_mem), "{delays:?}");
    assert!((95..=140).contains(&t_gen), "{delays:?}");
    assert!((105..=165).contains(&t_gen_99), "{delays:?}");
    assert!(t_gen >= 8 * t_mem, "{delays:?}");
}

#[test]
fn quadratic_97_groks_inside_the_published_band() {
    // Reference: Doshi et al. 2310.13061, train 100 % at 26, test 95 % at 36–46.
    let delays = delays("quadratic-97", 2);
    for found in &delays {
        assert!((12..=30).contains(&found.t_mem.unwrap()), "{delays:?}");
        assert!((30..=50).contains(&found.t_gen.unwrap()), "{delays:?}");
    }
}

#[test]
fn four_replicas_equal_four_single_runs() {
    let base = changed("quadratic-31", &[("steps", "60")]);
    let mut experiments: Vec<Experiment> = (0..4).map(|seed| Experiment { seed, ..base.clone() }).collect();
    experiments[1].optimizer.learning_rate = 0.003;
    experiments[2].optimizer.weight_decay = 1.0;
    experiments[3].optimizer.warmup_steps = 10;
    let (rows, weights) = replicas(&experiments);
    for (index, experiment) in experiments.iter().enumerate() {
        let (alone, weights_alone) = replicas(std::slice::from_ref(experiment));
        for (a, b) in rows[index].iter().zip(&alone[0]) {
            assert!((a.train_loss - b.train_loss).abs() <= 1e-4 * b.train_loss, "replica {index}: {a:?} against {b:?}");
        }
        for (a, b) in weights[index].tensors.iter().zip(&weights_alone[0].tensors) {
            let worst = a.values.iter().zip(&b.values).map(|(x, y)| (x - y).abs()).fold(0f32, f32::max);
            assert!(worst < 1e-3, "replica {index} {}: {worst}", a.name);
        }
    }
}

#[test]
fn an_online_run_trains_on_the_rows_that_its_task_draws_for_each_update() {
    // Reference: the loss of those rows, drawn from the task and scored apart from the trainer, at the weights before the update.
    let settings = [
        ("task.operation", "parity"),
        ("task.bits", "12"),
        ("task.online", "true"),
        ("task.samples", "200"),
        ("loss", "cross_entropy"),
        ("batch_size", "16"),
        ("model.activation", "relu"),
        ("model.width", "20"),
        ("steps", "6"),
        ("logging.checkpoint_every", "2"),
    ];
    let experiment = changed("quadratic-31", &settings);
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    let mut trainer = Trainer::new(std::slice::from_ref(&experiment), true, &device).unwrap();
    let rule = rule_of(&experiment).unwrap();
    let loss = Objective::new(std::slice::from_ref(&experiment), 2, &tracked).unwrap();
    let model = Model::new(&experiment, &tracked).unwrap();
    let mut seen = Vec::new();
    for step in 0..3 {
        let weights = pollster::block_on(trainer.weights()).unwrap();
        pollster::block_on(trainer.advance()).unwrap();
        let (_, ours) = pollster::block_on(trainer.read()).unwrap().losses.remove(0);
        let Some((Domain::Vectors(vectors), Answers::Labels(labels))) = rule.fresh(experiment.seed, step, 16) else {
            unreachable!("parity draws vectors")
        };
        let pairs = labels.into_iter().map(|label| ((0, 0), label)).collect();
        let rows = HostRows { pairs, vectors: vectors.clone(), ..HostRows::default() };
        let batch = Batch::new(&[rows], rule.sizes(), &loss, true, &tracked);
        let parameters = upload(&weights, model.specs(), "", &device).unwrap();
        let (expected, _) = gradients(&model, &loss, &parameters, &batch, Extras::default());
        let expected = expected.into_data().try_into_vec::<f32>().unwrap()[0];
        assert!((ours[0] - expected).abs() < 1e-6, "update {step}: {} against {expected}", ours[0]);
        assert!(!seen.contains(&vectors));
        seen.push(vectors);
    }
    // A fresh row is a function of seed and step, so a resumed run sees the same.
    let whole = run(&experiment);
    let (_, point) = whole.resume_points.iter().find(|(step, _)| *step == 4).unwrap().clone();
    let resume = Some(Resume { point, rows: whole.rows.clone(), wall_seconds: 0.0 });
    let rest = converse_with(vec![Command::Start { experiment, engine: EngineWish::Cpu, resume }], Vec::new());
    assert_eq!(rest.checkpoints.last(), whole.checkpoints.last());
}

#[test]
fn two_runs_are_bit_identical_and_another_seed_is_not() {
    let experiment = changed("quadratic-31", &[("steps", "40")]);
    let (a, b) = (run(&experiment), run(&experiment));
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.checkpoints, b.checkpoints);
    assert_eq!(a.summary.unwrap().fingerprint, b.summary.as_ref().unwrap().fingerprint);
    let other = run(&changed("quadratic-31", &[("steps", "40"), ("seed", "1")]));
    assert_ne!(other.summary.unwrap().fingerprint, b.summary.unwrap().fingerprint);
}

#[test]
fn evaluating_more_often_does_not_change_training() {
    let often = run(&changed("quadratic-31", &[("steps", "40")]));
    let seldom = run(&changed("quadratic-31", &[("steps", "40"), ("logging.evaluate_every", "40")]));
    assert!(seldom.rows.len() < often.rows.len());
    assert_eq!(seldom.checkpoints.last(), often.checkpoints.last());
}

#[test]
fn a_run_resumed_from_a_saved_point_ends_with_the_same_fingerprint() {
    for name in ["quadratic-31", "historic-division-97"] {
        let steps = if name == "quadratic-31" { "40" } else { "20" };
        let mut experiment = changed(name, &[("steps", steps), ("logging.checkpoint_every", "5")]);
        if name != "quadratic-31" {
            // Mini-batches of a smaller network: the same code in a tenth of the time.
            for (path, value) in
                [("task.modulus", "13"), ("batch_size", "40"), ("model.d_model", "16"), ("model.mlp_width", "32")]
            {
                experiment = grokscope::experiment::with_value(&experiment, path, value).unwrap();
            }
        }
        let whole = run(&experiment);
        let middle = whole.resume_points.len() / 2;
        let (step, point) = whole.resume_points[middle].clone();
        assert!(step > 0 && step < experiment.steps);
        let resume = Some(Resume { point, rows: whole.rows.clone(), wall_seconds: 1.0 });
        let rest =
            converse_with(vec![Command::Start { experiment: experiment.clone(), engine: EngineWish::Cpu, resume }], Vec::new());
        assert_eq!(rest.errors, []);
        assert_eq!(rest.checkpoints.last(), whole.checkpoints.last(), "{name}");
        let (a, b) = (rest.summary.unwrap(), whole.summary.unwrap());
        assert_eq!((a.fingerprint, a.t_mem, a.t_gen), (b.fingerprint, b.t_mem, b.t_gen), "{name}");
    }
}

#[test]
fn a_diverging_run_stops_says_at_which_update_and_keeps_its_rows() {
    // Without a memory of past squares each update is as large as the momentum is old: it blows up within a few dozen.
    let wild = [("optimizer.weight_decay", "0"), ("optimizer.learning_rate", "10"), ("optimizer.betas", "[0.9, 0.0]")];
    let experiment = changed("quadratic-31", &wild);
    let record = converse_with(vec![start(&experiment)], Vec::new());
    let summary = record.summary.unwrap();
    assert!(summary.ended_early.as_ref().is_some_and(|why| why.contains("step")), "{summary:?}");
    assert!(
        record.errors[0].cause.contains(&format!("stopped being a number at step {}", summary.steps + 1)),
        "{summary:?} {:?}",
        record.errors
    );
    assert!(!record.rows.is_empty() && record.rows.iter().all(|row| row.train_loss.is_finite()));
    for checkpoint in &record.checkpoints {
        assert!(Weights::from_safetensors(&checkpoint.weights).unwrap().norm().is_finite());
    }
}

#[test]
fn stopping_keeps_the_last_weights_and_a_second_start_is_refused_meanwhile() {
    let experiment = changed("quadratic-31", &[]);
    let record = converse_with(vec![start(&experiment), Command::Step(7), start(&experiment)], vec![Command::Stop]);
    assert_eq!(record.errors.len(), 1);
    assert!(record.errors[0].cause.contains("already under way"));
    let summary = record.summary.as_ref().unwrap();
    assert_eq!(summary.steps, 7);
    assert_eq!(record.checkpoints.last().unwrap().step, 7);
    assert_eq!(record.row(7).step, 7);
}

#[test]
fn an_impossible_experiment_is_refused_before_anything_runs() {
    let mut experiment = changed("quadratic-31", &[]);
    experiment.task.operation = "div".into();
    experiment.task.settings = experiment.task.settings.with("modulus", 12);
    let record = converse_with(vec![start(&experiment)], Vec::new());
    assert!(record.summary.is_none() && record.rows.is_empty());
    assert!(record.errors[0].to_string().contains("prime"), "{:?}", record.errors);
}

#[test]
fn checkpoints_read_back_in_python() {
    let record = run(&changed("quadratic-31", &[("steps", "10")]));
    let checkpoint = record.checkpoints.last().unwrap();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), &checkpoint.weights).unwrap();
    // The safetensors format by its definition, with nothing but Python's standard library.
    let script = "import json,struct,sys\n\
        b=open(sys.argv[1],'rb').read(); n=struct.unpack('<Q',b[:8])[0]; h=json.loads(b[8:8+n]); t=h['w_in']\n\
        s,e=t['data_offsets']; v=struct.unpack(f'<{(e-s)//4}f',b[8+n+s:8+n+e])\n\
        print(t['dtype'],t['shape'],'%.9e'%v[3])";
    let Ok(output) = std::process::Command::new("python3").args(["-c", script]).arg(path.path()).output() else {
        eprintln!("skipped: there is no python3 here");
        return;
    };
    let weights = Weights::from_safetensors(&checkpoint.weights).unwrap();
    let expected = format!("F32 [62, 256] {:.9e}", weights.get("w_in").unwrap().values[3]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let normal = |text: &str| text.trim().replace("e-0", "e-").replace("e+0", "e");
    assert_eq!(normal(&printed), normal(&expected));
}
