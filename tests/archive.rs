//! The archive: whole round trips, and clear words about broken ones.

#![allow(clippy::unwrap_used, reason = "a test that meets a surprise should stop right there")]

use grokscope::crosscoder::{
    Absence, CrosscoderResult, EtaSquared, FitRow, GridDescriptors, GroupDescriptors, Latent, LatentClass, RepresentationShare,
    SourceInfo, Twins, crosscoder_preset,
};
use grokscope::experiment::preset;
use grokscope::record::{
    Archive, Checkpoint, EventKind, Fingerprint, MeasureTable, MetricRow, NamedTensor, RunEvent, RunSummary, Value, Weights,
    unzip_files, zip_files,
};

fn weights(step: u32) -> Weights {
    let tensor = |name: &str, shape: [usize; 2]| NamedTensor {
        name: name.into(),
        shape: shape.to_vec(),
        values: (0..shape[0] * shape[1]).map(|i| (i as f32 + 0.1) / (step as f32 + 3.0)).collect(),
    };
    Weights { tensors: vec![tensor("w_in", [4, 3]), tensor("w_out", [3, 2])] }
}

fn crosscoder(name: &str) -> CrosscoderResult {
    let mut config = crosscoder_preset("births").unwrap().config.clone();
    config.name = name.into();
    config.sources = vec![1, 1];
    let source = SourceInfo { step: 1, width: 3, scale: 1.25, gamma: 0.1, hook: None, run: None };
    let latent = |index, class| Latent {
        index,
        norms: vec![0.1, 2.0 / 3.0],
        relative: vec![0.15, 1.0],
        class,
        nu_epsilon: vec![Some(0.13), None],
        confirmed: index == 0,
        density: 0.25,
        density_train: 0.2,
        density_test: 0.3,
        eta_squared: EtaSquared { a: 0.0, b: 0.01, sum: 0.9, difference: 0.02 },
        birth: Some(1),
        lifespan: 0.5,
        largest_rise: Some(1),
        cosines: vec![Some(1.0), None, None, Some(1.0)],
        nu_r: vec![Some(0.7), Some(1.0)],
        absences: vec![Some(Absence::Decoupled), None],
        train_selectivity: Some(-0.2),
        grid: Some(GridDescriptors {
            share_a: 0.0,
            share_b: 0.01,
            share_sum: 0.9,
            share_difference: 0.02,
            memorisation: 0.07,
            concentration: 0.3,
            strongest_wave: [5, -5],
            peak_residue: 17,
            bump_width: 0.1,
            active_residues: 0.25,
        }),
        group: Some(GroupDescriptors {
            answer: 1.0,
            class_function: 0.25,
            representations: vec![0.5, 0.5],
            strongest: Some(RepresentationShare { label: "d=3 #1".into(), share: 0.5 }),
        }),
        ..Latent::default()
    };
    CrosscoderResult {
        baselines: Vec::new(),
        config,
        sources: vec![source.clone(), source],
        curves: vec![FitRow { step: 10, loss: 1.5, l0: 40.0, dead_share: 0.0, explained_variance: vec![0.9, 0.95] }],
        explained_variance: vec![0.9, 0.95],
        predicted: vec![0.5, 0.25],
        l0: 40.25,
        l0_per_source: Vec::new(),
        l0_quantiles: [20.0, 60.0],
        alive: 1,
        shared: 0,
        emergent: 1,
        emergent_confirmed: 1,
        vanished: 0,
        residue_energy_share: 0.82,
        latents: vec![latent(0, LatentClass::Emergent), latent(1, LatentClass::Dead)],
        causal: None,
        twins: vec![Twins { latents: [1, 0], homes: [0, 1], cosine: 0.95 }],
        origin: None,
        wall_seconds: 1.5,
        activations: vec![0.0, 1.0, 0.1, 0.2, 0.0, 3.5],
        weights: weights(7).to_safetensors(None).unwrap(),
    }
}

fn measures() -> MeasureTable {
    let mut table = MeasureTable { keys: Some((130, vec![5, 2])), ..MeasureTable::default() };
    let values = [("gini", Value::Number(0.25)), ("spectrum", Value::List(vec![0.5, 0.5])), ("llc", Value::Absent("why".into()))];
    table.add(130, values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    table
}

fn archive() -> Archive {
    let row = |step| MetricRow {
        step,
        train_loss: 1.0 / (step as f32 + 1.0),
        test_loss: 4.1,
        train_accuracy: 1.0,
        test_accuracy: 0.017,
        weight_norm: 33.5,
        probe_accuracy: None,
    };
    let summary = RunSummary {
        t_mem: Some(10),
        t_gen: None,
        t_gen_99: None,
        t_half: Some(20),
        steps: 130,
        engine: "CPU (native, AVX2)".into(),
        exact: true,
        build: "0.1.0 x86_64".into(),
        fingerprint: "00ff12ab34cd56ef".into(),
        wall_seconds: 1.25,
        ended_early: Some("Stopped".into()),
    };
    Archive {
        experiment: preset("quadratic-31").unwrap().experiment.clone(),
        rows: vec![row(0), row(1), row(130)],
        checkpoints: [0, 1, 130].map(|step| Checkpoint { step, weights: weights(step).to_safetensors(None).unwrap() }).to_vec(),
        summary: Some(summary),
        events: vec![RunEvent { step: 0, kind: EventKind::Engine, text: "CPU: no adapter".into() }],
        crosscoders: vec![crosscoder("births"), crosscoder("births-null"), crosscoder("births")],
        measures: measures(),
    }
}

/// Fits in the order in which they are read: by folder.
fn sorted(mut archive: Archive) -> Archive {
    archive.crosscoders.sort_by(|a, b| a.config.name.cmp(&b.config.name));
    archive
}

#[test]
fn a_run_makes_the_round_trip_through_files_and_zip_to_the_byte() {
    let archive = archive();
    assert_eq!(Archive::from_files(archive.to_files().unwrap()).unwrap(), sorted(archive.clone()));
    let zip = archive.to_zip().unwrap();
    assert_eq!(zip, archive.to_zip().unwrap());
    let back = Archive::from_zip(&zip).unwrap();
    assert_eq!(back, sorted(archive));
    assert_eq!(back.to_zip().unwrap(), Archive::from_zip(&back.to_zip().unwrap()).unwrap().to_zip().unwrap());
}

#[test]
fn the_files_have_the_names_of_the_layout() {
    let names: Vec<String> = archive().to_files().unwrap().into_iter().map(|(name, _)| name).collect();
    let fit = ["summary.json", "latents.csv", "curves.csv", "activations.safetensors", "weights.safetensors"];
    let mut expected = vec![
        "experiment.json".to_string(),
        "metrics.csv".into(),
        "summary.json".into(),
        "events.json".into(),
        "checkpoints/step-00000000.safetensors".into(),
        "checkpoints/step-00000001.safetensors".into(),
        "checkpoints/step-00000130.safetensors".into(),
        "measures.csv".into(),
        "measures.json".into(),
    ];
    for folder in ["births", "births-null", "births-2"] {
        expected.extend(fit.iter().map(|name| format!("crosscoders/{folder}/{name}")));
    }
    assert_eq!(names, expected);
}

#[test]
fn a_run_that_was_cut_short_reads_as_far_as_it_got() {
    let cut = Archive {
        rows: vec![],
        checkpoints: vec![],
        summary: None,
        events: vec![],
        crosscoders: vec![],
        measures: MeasureTable::default(),
        ..archive()
    };
    assert_eq!(Archive::from_zip(&cut.to_zip().unwrap()).unwrap(), cut);
    let mut files = cut.to_files().unwrap();
    files.retain(|(name, _)| name != "events.json");
    assert_eq!(Archive::from_files(files).unwrap(), cut);
}

#[test]
fn the_tables_beside_the_json_have_one_column_for_each_source() {
    let files = archive().to_files().unwrap();
    let text = |name: &str| String::from_utf8(files.iter().find(|(n, _)| n == name).unwrap().1.clone()).unwrap();
    for (name, columns) in [("latents", 10 + 6 + 9 + 4 + 4), ("curves", 4 + 2)] {
        let table = text(&format!("crosscoders/births/{name}.csv"));
        assert!(table.lines().all(|line| line.split(',').count() == columns), "{table}");
    }
    assert!(text("crosscoders/births/latents.csv").contains("\n0,emergent,true,0.25,"));
    assert!(
        text("crosscoders/births/latents.csv")
            .contains(",0.13,,1,,0.5,1,-0.2,0.07,0.3,17,0.1,0.7,1,decoupled,,1,0.25,d=3 #1,0.5\n")
    );
    let summary: serde_json::Value = serde_json::from_str(&text("crosscoders/births/summary.json")).unwrap();
    let keys = "explained_variance l0 alive shared emergent emergent_confirmed vanished residue_energy_share";
    assert!(keys.split(' ').all(|key| summary.get(key).is_some_and(|v| !v.is_null())), "{summary}");
}

#[test]
fn the_fingerprint_of_an_archive_is_that_of_its_run() {
    let archive = archive();
    let mut fingerprint = Fingerprint::new(&archive.experiment);
    [0, 1, 130].iter().for_each(|step| fingerprint.add(*step, &weights(*step)));
    assert_eq!(archive.fingerprint().unwrap(), fingerprint.hex());
    let mut edited = archive.clone();
    edited.checkpoints[1].weights = weights(2).to_safetensors(None).unwrap();
    assert_ne!(edited.fingerprint().unwrap(), fingerprint.hex());
}

#[test]
fn a_missing_or_broken_part_is_named() {
    let without = |name: &str| {
        let mut files = archive().to_files().unwrap();
        files.retain(|(n, _)| n != name);
        Archive::from_files(files).unwrap_err().cause
    };
    assert!(without("experiment.json").contains("no experiment.json"));
    assert!(without("metrics.csv").contains("no metrics.csv"));
    assert!(without("crosscoders/births/summary.json").contains("no crosscoders/births/summary.json"));
    for name in
        archive().to_files().unwrap().into_iter().map(|(name, _)| name).filter(|n| !n.ends_with("s.csv") || n == "metrics.csv")
    {
        let mut files = archive().to_files().unwrap();
        let file = files.iter_mut().find(|(n, _)| *n == name).unwrap();
        file.1 = b"\xff{ broken".to_vec();
        let cause = Archive::from_files(files).unwrap_err().cause;
        assert!(cause.contains(&name), "{name}: {cause}");
    }
}

#[test]
fn every_cut_and_every_changed_byte_of_a_zip_is_survived_and_never_gives_another_run() {
    let archive = Archive { crosscoders: vec![], ..archive() };
    let zip = archive.to_zip().unwrap();
    for end in 0..zip.len() {
        assert!(Archive::from_zip(&zip[..end]).is_err(), "cut at {end}");
    }
    let mut survived = 0;
    for at in 0..zip.len() {
        let mut damaged = zip.clone();
        damaged[at] ^= 0x5a;
        if let Ok(back) = Archive::from_zip(&damaged) {
            // Dates, attributes and spare header fields may change; a renamed optional file may vanish; contents may not.
            assert_eq!((&back.experiment, &back.rows), (&archive.experiment, &archive.rows), "{at}");
            assert!(back.checkpoints.iter().all(|c| archive.checkpoints.iter().any(|d| c.weights == d.weights)), "{at}");
            survived += 1;
        }
    }
    assert!(survived < zip.len() / 2, "{survived} of {}", zip.len());
    assert!(Archive::from_zip(b"").unwrap_err().cause.contains("no whole zip"));
    assert!(Archive::from_zip(b"not a zip at all").is_err());
}

#[test]
fn paths_that_lead_out_of_the_folder_are_ignored() {
    let mut files = archive().to_files().unwrap();
    for path in ["../evil", "/etc/passwd", "checkpoints/../../x", "a\\b", "C:/x", "./experiment.json"] {
        files.push((path.into(), b"evil".to_vec()));
    }
    let zip = zip_files(files).unwrap();
    let read = unzip_files(&zip, 1 << 20).unwrap();
    assert!(read.iter().all(|(path, bytes)| !path.contains("..") && bytes != b"evil"));
    assert_eq!(Archive::from_zip(&zip).unwrap(), sorted(archive()));
}

#[test]
fn a_folder_around_the_files_is_taken_off() {
    let files = archive().to_files().unwrap().into_iter().map(|(path, bytes)| (format!("my run/{path}"), bytes)).collect();
    assert_eq!(Archive::from_zip(&zip_files(files).unwrap()).unwrap(), sorted(archive()));
}

#[test]
fn a_bomb_is_bounded_by_what_it_inflates_to() {
    let zip = zip_files(vec![("experiment.json".into(), vec![b' '; 5_000_000]), ("metrics.csv".into(), vec![b' '; 5_000_000])])
        .unwrap();
    assert!(zip.len() < 50_000);
    assert!(unzip_files(&zip, 6_000_000).unwrap_err().cause.contains("more than 6 MB"));
    assert_eq!(unzip_files(&zip, 10_000_000).unwrap().len(), 2);
}

#[test]
fn every_recorded_preset_comes_with_a_run_of_itself_whole_or_saying_where_it_was_cut_off() {
    for preset in grokscope::experiment::presets().iter().filter(|preset| preset.is_recorded()) {
        let path = format!("{}/www/recorded/{}.grok.zip", env!("CARGO_MANIFEST_DIR"), preset.name);
        let archive = Archive::from_zip(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(archive.experiment, preset.experiment);
        let summary = archive.summary.unwrap();
        assert_eq!(archive.rows.last().map(|row| row.step), Some(summary.steps));
        match &summary.ended_early {
            None => assert_eq!(summary.steps, preset.experiment.steps),
            // A run that was cut off shows the story all the same, or it would not be here.
            Some(why) => assert!(why.contains("170,000") && summary.t_gen.is_some(), "{}", preset.name),
        }
    }
}
