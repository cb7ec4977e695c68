//! A report on planted numbers: everything that was measured is in it, and what was not checked is said.

use super::*;
use crate::crosscoder::{Latent, Null, crosscoder_preset, null_of, test_fits};
use crate::experiment::preset;
use crate::plot::Theme;
use crate::record::MeasureTable;

fn draw(picture: &Picture<'_>, width: u32, height: u32) -> String {
    picture.to_svg(width, height, &Theme::light()).unwrap()
}

fn fit(steps: [u32; 2], causal: Option<CausalResult>) -> CrosscoderResult {
    let latent = |index: u32, class: LatentClass, relative: [f32; 2]| Latent {
        index,
        class,
        relative: relative.to_vec(),
        norms: relative.to_vec(),
        birth: (class == LatentClass::Emergent).then_some(1),
        absences: vec![(class == LatentClass::Emergent).then_some(Absence::Confirmed), None],
        ..Latent::default()
    };
    CrosscoderResult {
        config: CrosscoderConfig { sources: steps.to_vec(), ..crosscoder_preset("births").unwrap().config.clone() },
        explained_variance: vec![0.9, 0.8],
        l0: 2.0,
        l0_quantiles: [1.0, 3.0],
        alive: 2,
        shared: 1,
        emergent: 1,
        emergent_confirmed: 1,
        residue_energy_share: 0.5,
        causal,
        activations: vec![0.0, 1.0, 1.0, 0.0, 0.0, 1.0],
        ..test_fits::fit(&steps, vec![latent(0, LatentClass::Stable, [1.0, 0.9]), latent(1, LatentClass::Emergent, [0.0, 1.0])])
    }
}

fn causal(rise: f64, moved: f64) -> CausalResult {
    let effect = |test_loss| Effect { test_loss, ..Effect::default() };
    let band = |upper| Some(Band { median: 0.0, upper });
    let set = SetEffect {
        class: LatentClass::Emergent,
        count: 1,
        zero: effect(0.1 + rise),
        mean: effect(0.1),
        resample: effect(0.1),
        random: band(0.01),
        matched: None,
        moved: band(moved),
    };
    let source = SourceEffects {
        label: String::new(),
        step: 900,
        clean: effect(0.1),
        spliced: effect(0.1),
        nothing: effect(3.0),
        mean: effect(3.0),
        loss_recovered: Some(1.0),
        sets: vec![set],
        keep: Vec::new(),
        remove: Vec::new(),
    };
    CausalResult { sources: vec![source], ..CausalResult::default() }
}

fn archive() -> Archive {
    let row = |step| MetricRow {
        step,
        train_loss: 0.1,
        test_loss: 0.5,
        train_accuracy: 1.0,
        test_accuracy: 1.0,
        weight_norm: 1.0,
        probe_accuracy: None,
    };
    let mut experiment = preset("transformer-59-mirror").unwrap().experiment.clone();
    experiment.name = "a <b> run".into();
    Archive {
        experiment,
        rows: [0, 900].map(row).to_vec(),
        checkpoints: Vec::new(),
        summary: None,
        events: Vec::new(),
        crosscoders: Vec::new(),
        measures: MeasureTable::default(),
    }
}

#[test]
fn a_report_is_one_file_with_all_that_was_measured() {
    let text = report(&archive(), &[fit([200, 900], Some(causal(1.5, 0.02)))], &draw).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"));
    assert_eq!(text.matches("<svg").count(), 2);
    assert!(text.contains("a &lt;b&gt; run: what was born") && !text.contains("<b>"), "names are text");
    for words in [
        "finds 1 that were born, 1 of them confirmed",
        "<td>emergent</td><td>1</td><td>+1.5000</td>",
        "1 born",
        "&quot;hook&quot;: &quot;resid_post&quot;",
    ] {
        assert!(text.contains(words), "{words}");
    }
    // Nothing is fetched from elsewhere.
    for link in ["src=", "href=", "@import", "<script"] {
        assert!(!text.contains(link), "{link}");
    }
    assert!(report(&archive(), &[], &draw).is_err());
}

#[test]
fn what_was_not_checked_or_did_not_come_out_is_said() {
    let said = |fits: &[CrosscoderResult]| doubts(&archive(), fits).join("\n");
    let alone = said(&[fit([200, 900], None)]);
    for words in ["At step 900 the dictionary explains 80%", "no null fit", "One fit seed", "Nothing was taken out"] {
        assert!(alone.contains(words), "{words}: {alone}");
    }
    let base = fit([200, 900], Some(causal(1.5, 0.02)));
    let null = CrosscoderResult { config: null_of(&base.config, Null::Repeated), emergent: 0, ..fit([900, 900], None) };
    let seeded =
        CrosscoderResult { config: CrosscoderConfig { seed: 7, name: "births-2".into(), ..base.config.clone() }, ..base.clone() };
    let checked = said(&[base.clone(), null.clone(), seeded.clone()]);
    for words in ["no null fit", "One fit seed", "Nothing was taken out", "moved as far"] {
        assert!(!checked.contains(words), "{words}: {checked}");
    }
    assert!(
        checked.contains("not enough other latents for a control with latents as strong") && checked.contains("(training seed ")
    );
    assert!(said(&[fit([200, 900], Some(causal(1.5, 0.9)))]).contains("moved as far"));
    let loud = CrosscoderResult { emergent: 5, alive: 100, ..null.clone() };
    assert!(said(&[base.clone(), loud]).contains("5 births and 0 deaths among 100 latents"));
    // Every null is told with what it must show, and a doubt is made of one that does not, or was not made.
    let shuffled = CrosscoderResult {
        config: null_of(&base.config, Null::ShuffledPairs),
        shared: 0,
        predicted: vec![0.001, 0.3],
        ..fit([200, 900], None)
    };
    let doubted = said(&[base.clone(), null.clone(), shuffled.clone()]);
    assert!(doubted.contains("predict at most 30.0%") && doubted.contains("Not made: the nulls untrained, permuted_labels"));
    assert!(doubted.contains("With shuffled pairing 1 latents look born"));
    assert!(!doubted.contains("births and 0 deaths"), "the repeated checkpoint is as it must be: {doubted}");
    let told = report(&archive(), &[base.clone(), null, shuffled], &draw).unwrap();
    for words in
        ["<td>Shuffled pairing</td>", "no births and no deaths", "0 of 2 latents in all checkpoints (1 births)", "<td>no</td>"]
    {
        assert!(told.contains(words), "{words}");
    }

    let text = report(&archive(), &[base, seeded], &draw).unwrap();
    assert!(text.contains("Of 1 emergent latents 100% are found again by 1 fits with other seeds, 100% with the same class"));
}
