//! The fits that a claim about births needs: one fit alone proves nothing.
//!
//! Whoever presses one button should get the controls too: the null fit, which shows what the method makes up; a fit of another
//! seed, which shows what is found again; and a counted code, which tells another story about the same network. One null takes away one
//! thing only, so the others can be asked for; each costs another fit.

use super::config::CrosscoderConfig;
use super::null::{Null, null_of};
use super::presets::crosscoder_preset;
use crate::record::UserError;

/// The fits of the whole story, in the order in which they are made, each with what it is for. `sources` are the steps to compare;
/// with `all_nulls` every null is made, else the repeated checkpoint only.
///
/// # Errors
/// If a preset is missing.
pub fn story(sources: &[u32], seed: u64, all_nulls: bool) -> Result<Vec<(CrosscoderConfig, &'static str)>, UserError> {
    let of = |name: &str| -> Result<CrosscoderConfig, UserError> {
        Ok(CrosscoderConfig { sources: sources.to_vec(), seed, ..crosscoder_preset(name)?.config.clone() })
    };
    let births = of("births")?;
    let again = CrosscoderConfig { name: "births-again".into(), seed: seed + 1, probe: false, ..births.clone() };
    let contrast = CrosscoderConfig { probe: false, ..of("batch-top-k")? };
    let mut all = vec![(births.clone(), "what was born"), (null_of(&births, Null::Repeated), "what the method makes up")];
    if all_nulls {
        let further = [
            (Null::ShuffledPairs, "what is shared by chance"),
            (Null::Untrained, "what is born where nothing was learnt"),
            (Null::PermutedLabels, "what order the descriptors find in noise"),
        ];
        all.extend(further.map(|(null, what)| (null_of(&births, null), what)));
    }
    all.extend([(again, "what another seed finds again"), (contrast, "what a counted code sees")]);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_has_its_controls_under_names_of_their_own() {
        let story = story(&[250, 600, 1000], 3, false).unwrap();
        let names: Vec<&str> = story.iter().map(|(config, _)| config.name.as_str()).collect();
        assert_eq!(names, ["births", "births-null", "births-again", "batch-top-k"]);
        let longer = super::story(&[250, 600, 1000], 3, true).unwrap();
        let nulls: Vec<Null> = longer.iter().map(|(config, _)| config.null).filter(|null| *null != Null::None).collect();
        assert_eq!(nulls, Null::ALL);
        assert_eq!(longer.len(), story.len() + 3);
        assert_eq!(story[1].0.sources, [1000; 3]);
        assert_eq!((story[0].0.seed, story[2].0.seed), (3, 4));
        assert!(story[0].0.probe && story[1..].iter().all(|(config, _)| !config.probe));
    }
}
