use super::*;
use crate::experiment::settings::Settings;

fn named(operation: &str, settings: Settings, train_fraction: f64, split: &str) -> TaskConfig {
    TaskConfig { operation: operation.into(), settings, train_fraction, split: split.into(), label_noise: 0.0 }
}

fn task(operation: &str, modulus: u32, train_fraction: f64, split: &str) -> TaskConfig {
    named(operation, Settings::default().with("modulus", modulus), train_fraction, split)
}

fn with_probe(mut task: TaskConfig, share: f64) -> TaskConfig {
    task.settings = task.settings.with("probe_fraction", share);
    task
}

const ALL: [&str; 4] = ["add", "sub", "mul", "div"];

#[test]
fn the_landing_task_has_961_rows_of_which_384_are_for_training() {
    let data = Dataset::new(&task("add", 31, 0.4, "random"), 0).unwrap();
    assert_eq!((data.rows.len(), data.train.len(), data.test.len()), (961, 384, 577));
    assert_eq!(data.sizes, Sizes { rows: 961, tokens: 31, width: 0, classes: 31 });
}

#[test]
fn division_by_97_has_9312_rows_and_no_zero_divisor() {
    let data = Dataset::new(&task("div", 97, 0.5, "random"), 0).unwrap();
    assert_eq!((data.rows.len(), data.train.len()), (9312, 4656));
    assert!(data.rows.iter().all(|r| r.b != 0));
}

#[test]
fn mirror_units_of_59_are_1770_and_1133_of_them_train() {
    let config = task("add", 59, 0.64, "mirror");
    assert_eq!(split_units(&config), 1770);
    let data = Dataset::new(&config, 0).unwrap();
    let unordered = data.train.iter().filter(|i| data.rows[**i as usize].a <= data.rows[**i as usize].b).count();
    assert_eq!(unordered, 1133);
}

/// Hashes of labels, training rows, test rows and noisy labels, taken before tasks became kinds: recorded runs depend on them.
#[test]
fn the_first_four_tasks_draw_the_rows_that_they_always_drew() {
    let known: [(&str, &str, usize, u64); 8] = [
        ("add", "random", 63, 0x5492_284b_73fe_3f9b),
        ("add", "mirror", 66, 0xf9fa_fc7a_626e_1a82),
        ("sub", "random", 63, 0xf7e1_cbe7_b01b_8288),
        ("sub", "mirror", 66, 0xd5f6_881e_082c_b4c9),
        ("mul", "random", 63, 0xdbc1_68c5_5046_5bb9),
        ("mul", "mirror", 66, 0x8bfe_f145_0e46_f318),
        ("div", "random", 58, 0x6c4d_1652_2873_ebc7),
        ("div", "mirror", 55, 0x2da4_55d3_5315_c480),
    ];
    for (operation, split, rows, hash) in known {
        let data = Dataset::new(&TaskConfig { label_noise: 0.25, ..task(operation, 13, 0.37, split) }, 5).unwrap();
        let labels = data.rows.iter().map(|row| u64::from(row.label));
        let sides = data.train.iter().chain(&data.test).map(|row| u64::from(*row));
        let all = labels.chain(sides).chain(data.train_labels.iter().map(|label| u64::from(*label)));
        let found = all.fold(0xcbf2_9ce4_8422_2325_u64, |hash, x| (hash ^ x).wrapping_mul(0x100_0000_01b3));
        assert_eq!((data.train.len(), found), (rows, hash), "{operation} {split}");
    }
}

#[test]
fn every_row_is_on_exactly_one_side_and_all_sides_ascend() {
    for operation in ALL {
        for split in super::super::splits().iter().map(|split| split.kind.name) {
            for probe in [0.0, 0.2] {
                let config = with_probe(task(operation, 13, 0.37, split), probe);
                let Ok(data) = Dataset::new(&config, 5) else {
                    assert_eq!((split, operation != "add"), ("guided", true));
                    continue;
                };
                let counts = side_counts(&config, 5);
                let found = [&data.train, &data.test, &data.probe].map(|side| side.len() as u32);
                assert_eq!((counts.rows, [counts.train, counts.test, counts.probe]), (data.rows.len() as u32, found), "{split}");
                assert_eq!(row_counts(&config, 5), (counts.rows, counts.train));
                assert_eq!(train_mask(&config, 5), data.train_mask);
                assert!(data.train.is_sorted() && data.test.is_sorted() && data.probe.is_sorted());
                let mut all = [data.train.clone(), data.test.clone(), data.probe.clone()].concat();
                all.sort_unstable();
                assert_eq!(all, (0..data.rows.len() as u32).collect::<Vec<_>>());
                assert!((0..data.rows.len()).all(|i| data.is_train(i) == data.train.contains(&(i as u32))));
            }
        }
    }
}

#[test]
fn a_larger_training_fraction_contains_every_smaller_one() {
    let twelve = |operation: &str| named(operation, Settings::default().with("modulus", 12).with("tokens", 12), 0.5, "random");
    for split in super::super::splits().iter().map(|split| split.kind.name) {
        for probe in [0.0, 0.15] {
            let at = |train_fraction: f64| {
                let config = TaskConfig { train_fraction, split: split.into(), ..with_probe(twelve("addition"), probe) };
                Dataset::new(&config, 3).unwrap().train
            };
            let (small, middle, large) = (at(0.2), at(0.5), at(0.7));
            assert!(small.iter().all(|row| middle.contains(row)) && middle.iter().all(|row| large.contains(row)), "{split}");
            assert!(small.len() < middle.len() && middle.len() < large.len(), "{split}");
        }
    }
}

#[test]
fn the_probe_is_its_share_and_stays_when_the_training_fraction_moves() {
    let at = |train_fraction: f64| Dataset::new(&with_probe(task("add", 31, train_fraction, "random"), 0.1), 7).unwrap();
    let (few, many) = (at(0.2), at(0.6));
    assert_eq!((few.probe.len(), few.train.len(), many.train.len()), (96, 192, 577));
    assert_eq!(few.probe, many.probe);
    assert!(many.probe.iter().all(|row| !many.train.contains(row) && !many.test.contains(row)));
    let without = Dataset::new(&task("add", 31, 0.2, "random"), 7).unwrap();
    assert!(without.probe.is_empty());
    let kept = without.train.iter().filter(|row| few.train.contains(row)).count();
    let lost = without.train.iter().filter(|row| few.probe.contains(row)).count();
    assert_eq!(kept + lost, without.train.len(), "only probe rows leave the training set");
}

#[test]
fn a_mirror_split_never_parts_a_pair_and_counts_its_units() {
    for operation in ALL {
        let config = task(operation, 17, 0.5, "mirror");
        for seed in 0..5 {
            let data = Dataset::new(&config, seed).unwrap();
            let side = |a: u16, b: u16| data.rows.iter().position(|r| (r.a, r.b) == (a, b)).map(|i| data.is_train(i));
            let mut units = 0;
            for (row, pair) in (0..).zip(&data.rows) {
                let mirror = side(pair.b, pair.a);
                assert!(mirror.is_none() || mirror == side(pair.a, pair.b));
                assert_eq!(data.mirror_of(row).map(|i| data.is_train(i as usize)), mirror);
                units += u32::from(mirror.is_none() || pair.a <= pair.b);
            }
            assert_eq!(units, split_units(&config), "{operation}");
        }
    }
}

#[test]
fn labels_solve_the_rule_by_brute_force() {
    let p = 23;
    for operation in ALL {
        for row in &Dataset::new(&task(operation, p, 0.5, "random"), 0).unwrap().rows {
            let (a, b) = (u32::from(row.a), u32::from(row.b));
            let expected: Vec<u32> = (0..p)
                .filter(|y| match operation {
                    "add" => (a + b) % p == *y,
                    "sub" => (y + b) % p == a,
                    "mul" => (0..b).fold(0, |sum, _| (sum + a) % p) == *y,
                    _ => y * b % p == a,
                })
                .collect();
            assert_eq!(expected, [u32::from(row.label)], "{operation} {a} {b}");
        }
    }
}

#[test]
fn the_same_seed_draws_the_same_split_and_another_seed_another() {
    let config = TaskConfig { label_noise: 0.2, ..task("add", 31, 0.4, "random") };
    assert_eq!(Dataset::new(&config, 7).unwrap(), Dataset::new(&config, 7).unwrap());
    assert_ne!(Dataset::new(&config, 7).unwrap().train, Dataset::new(&config, 8).unwrap().train);
}

#[test]
fn label_noise_replaces_exactly_its_share_by_wrong_labels_and_spares_the_split() {
    let clean = Dataset::new(&task("add", 31, 0.4, "random"), 3).unwrap();
    let config = TaskConfig { label_noise: 0.25, ..task("add", 31, 0.4, "random") };
    let noisy = Dataset::new(&config, 3).unwrap();
    assert_eq!((&clean.train, &clean.rows), (&noisy.train, &noisy.rows));
    let wrong = clean.train_labels.iter().zip(&noisy.train_labels).filter(|(a, b)| a != b).count();
    assert_eq!(wrong, 96);
    assert!(noisy.train_labels.iter().all(|y| *y < 31));
}

/// Small settings for each task that is not on pairs modulo p.
fn vectors() -> [TaskConfig; 3] {
    let parity = Settings::default().with("bits", 8).with("relevant", 2).with("samples", 100).with("bias", 0.5);
    let teacher = Settings::default().with("dimensions", 5).with("samples", 100).with("noise", 0.1);
    [
        named("parity", parity, 0.5, "random"),
        named("linear_teacher", teacher.clone(), 0.5, "random"),
        named("constant_label", teacher, 0.5, "random"),
    ]
}

#[test]
fn vectors_come_with_their_rows_and_only_classes_can_be_noisy() {
    let [parity, linear, constant] = vectors();
    let data = Dataset::new(&parity, 1).unwrap();
    assert_eq!((data.rows.len(), data.vectors.len(), data.train_labels.len(), data.values.len()), (100, 800, 50, 0));
    assert_eq!(data.vector(3), &data.vectors[24..32]);
    assert!(data.mirror_of(3).is_none() && !data.is_pairs());
    let data = Dataset::new(&linear, 1).unwrap();
    assert_eq!((data.rows.len(), data.vectors.len(), data.train_labels.len(), data.values.len()), (100, 500, 0, 100));
    // With two classes a wrong label is the other one.
    let noisy = Dataset::new(&TaskConfig { label_noise: 0.2, ..constant }, 1).unwrap();
    assert_eq!(noisy.train_labels.iter().filter(|label| **label == 0).count(), 10);
    let errors = check(&TaskConfig { label_noise: 0.2, ..linear });
    assert_eq!(errors.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), ["task.label_noise"]);
}

#[cfg(feature = "compute")]
#[test]
fn digits_can_be_divided_like_everything_else() {
    let config = named("digits", Settings::default(), 0.5, "random");
    let data = Dataset::new(&config, 0).unwrap();
    assert_eq!((data.rows.len(), data.train.len(), data.vectors.len()), (1797, 899, 1797 * 64));
    assert_eq!(row_counts(&config, 0), (1797, 899));
}

#[test]
fn what_cannot_be_split_is_refused_with_a_remedy() {
    let error = Dataset::new(&task("div", 96, 0.5, "random"), 0).unwrap_err();
    assert!(error.remedy.contains("97"), "{error}");
    assert!(Dataset::new(&task("add", 5, 0.001, "random"), 0).is_err());
    assert!(Dataset::new(&task("add", 5, 0.999, "random"), 0).is_err());
    assert!(Dataset::new(&with_probe(task("add", 5, 0.7, "random"), 0.4), 0).is_err());
    assert!(Dataset::new(&task("nothing", 5, 0.5, "random"), 0).is_err());
    assert!(Dataset::new(&task("add", 5, 0.5, "nothing"), 0).is_err());
    assert_eq!(side_counts(&task("div", 96, 0.5, "random"), 0), SideCounts::default());
}

#[test]
fn a_check_names_the_setting_and_one_that_works() {
    let path = |task: &TaskConfig| check(task).first().map(|error| error.path.clone());
    for operation in ALL {
        assert_eq!(path(&task(operation, 31, 0.4, "mirror")), None, "{operation}");
    }
    assert_eq!(path(&task("div", 30, 0.4, "random")).as_deref(), Some("task.modulus"));
    assert_eq!(path(&task("nothing", 31, 0.4, "random")).as_deref(), Some("task.operation"));
    assert_eq!(path(&task("add", 31, 0.4, "nothing")).as_deref(), Some("task.split"));
    let tight = with_probe(task("add", 31, 0.7, "random"), 0.35);
    let error = check(&tight).remove(0);
    assert_eq!(error.path, "task.probe_fraction");
    let remedy: f64 = error.remedy.trim_start_matches("Use ").parse().unwrap();
    assert!(remedy > 0.29);
    assert!(check(&with_probe(task("add", 31, 0.7, "random"), remedy)).is_empty());
    assert!(Dataset::new(&with_probe(task("add", 31, 0.7, "random"), remedy), 0).is_ok());
}

#[test]
fn test_rows_whose_mirror_is_known_are_counted_one_by_one() {
    // Reference: the split itself, row by row.
    for (operation, split, fraction) in [("add", "random", 0.4), ("mul", "random", 0.7), ("add", "rows", 0.5)] {
        let config = with_probe(task(operation, 13, fraction, split), 0.1);
        let data = Dataset::new(&config, 3).unwrap();
        let known = data.test.iter().filter(|row| data.mirror_of(**row).is_some_and(|mirror| data.is_train(mirror as usize)));
        assert_eq!(mirrored_test_rows(&config, 3), Some(known.count() as u32), "{operation} {split}");
    }
    assert_eq!(mirrored_test_rows(&task("add", 13, 0.5, "mirror"), 3), Some(0), "a pair and its mirror are on one side");
    assert_eq!(mirrored_test_rows(&task("sub", 13, 0.5, "random"), 3), None);
    assert_eq!(mirrored_test_rows(&named("digits", Settings::default(), 0.5, "random"), 3), None);
}

#[test]
fn label_noise_is_refused_where_every_update_draws_its_own_rows() {
    let settings = Settings::default().with("bits", 12).with("relevant", 3).with("samples", 100).with("bias", 0.5);
    let noisy =
        |online: bool| TaskConfig { label_noise: 0.1, ..named("parity", settings.clone().with("online", online), 0.5, "random") };
    assert_eq!(check(&noisy(false)), []);
    let refused = check(&noisy(true));
    assert_eq!((refused.len(), refused[0].path.as_str()), (1, "task.label_noise"));
    assert!(refused[0].remedy.contains("task.online=false"));
}
