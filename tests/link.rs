//! The share link: short, exact, and unmoved by hostile text.

#![allow(clippy::unwrap_used, reason = "a test that meets a surprise should stop right there")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grokscope::crosscoder::{CrosscoderConfig, crosscoder_preset, crosscoder_presets};
use grokscope::experiment::edit::{Editable, applying, replace};
use grokscope::experiment::link::{decode, encode};
use grokscope::experiment::randomness::{Purpose, Stream};
use grokscope::experiment::{Experiment, FieldKind, Link, preset, presets, with_value};
use sha2::{Digest, Sha256};

fn plain(experiment: &Experiment) -> Link {
    Link { experiment: experiment.clone(), crosscoder: None, fingerprint: None }
}

/// An ordinary link: a few settings changed, a fit, a fingerprint.
fn ordinary() -> Link {
    let edits = [("seed", "4242"), ("task.train_fraction", "0.55"), ("optimizer.weight_decay", "2.5"), ("steps", "2500")];
    let start = &preset("transformer-59-mirror").unwrap().experiment;
    let experiment = edits.iter().fold(start.clone(), |e, (path, text)| with_value(&e, path, text).unwrap());
    let crosscoder = CrosscoderConfig { sources: vec![250, 600, 1000], ..crosscoder_preset("births").unwrap().config.clone() };
    Link { experiment, crosscoder: Some(crosscoder), fingerprint: Some("00ff12ab34cd56ef".into()) }
}

/// A text of `kind`, uniform over its range or its choices.
fn any_text(kind: &FieldKind, stream: &mut Stream) -> String {
    match *kind {
        FieldKind::Integer { min, max } => (min + stream.below(max - min + 1)).to_string(),
        FieldKind::OptionalInteger { min, max, .. } => {
            if stream.below(2) == 0 {
                String::new()
            } else {
                (min + stream.below(max - min + 1)).to_string()
            }
        }
        FieldKind::Number { min, max, .. } => (min + (max - min) * stream.uniform()).to_string(),
        FieldKind::Numbers { .. } => format!("{},{}", stream.uniform(), stream.uniform()),
        FieldKind::Integers { .. } => {
            let mut steps: Vec<u64> = (0..stream.below(5)).map(|_| stream.below(3000)).collect();
            steps.sort_unstable();
            steps.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
        }
        FieldKind::Choice(options) => options[stream.below(options.len() as u64) as usize].0.into(),
        FieldKind::Choices(options) => {
            options.iter().filter(|_| stream.below(2) == 0).map(|(name, _)| *name).collect::<Vec<_>>().join(",")
        }
        FieldKind::Toggle => (stream.below(2) == 0).to_string(),
        FieldKind::Lines { .. } => ["", "3 set optimizer.weight_decay 1"][stream.below(2) as usize].into(),
        FieldKind::Text { .. } => ["Ünïcode 实验 = a&b#c", "", "a name\\\"quoted\""][stream.below(3) as usize].into(),
        FieldKind::Slug { .. } => ["births", "my-fit_2"][stream.below(2) as usize].into(),
    }
}

fn random_edits<T: Editable + Clone>(start: &T, count: u64, stream: &mut Stream) -> T {
    let mut config = start.clone();
    for _ in 0..count {
        let fields: Vec<_> = applying(&config);
        let field = fields[stream.below(fields.len() as u64) as usize];
        // A number with too many digits for a file is refused; the next draw will do.
        config = replace(&config, field.path, &any_text(&field.kind, stream)).unwrap_or(config);
    }
    config
}

#[test]
fn every_preset_makes_the_round_trip_in_few_characters() {
    for preset in presets() {
        let text = encode(&plain(&preset.experiment)).unwrap();
        assert_eq!(decode(&text).unwrap(), plain(&preset.experiment));
        assert!(text.len() < 80, "{}: {} characters", preset.name, text.len());
        for fit in crosscoder_presets() {
            let link = Link { crosscoder: Some(fit.config.clone()), ..plain(&preset.experiment) };
            assert_eq!(decode(&encode(&link).unwrap()).unwrap(), link);
        }
    }
}

#[test]
fn an_ordinary_link_makes_the_round_trip_in_at_most_300_characters() {
    let text = encode(&ordinary()).unwrap();
    assert_eq!(decode(&text).unwrap(), ordinary());
    assert!(text.len() <= 300, "{} characters", text.len());
    assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
}

#[test]
fn random_experiments_and_fits_make_the_round_trip() {
    let mut stream = Stream::new(1, Purpose::Planted, 0);
    let mut valid = 0;
    for round in 0..600 {
        let start = &presets()[round % presets().len()].experiment;
        let count = 1 + stream.below(4);
        let experiment = random_edits(start, count, &mut stream);
        let fit = random_edits(&crosscoder_presets()[round % 2].config, 3, &mut stream);
        let link = Link { experiment, crosscoder: Some(fit), fingerprint: Some(format!("{round:016x}")) };
        let Ok(text) = encode(&link) else { continue };
        // A fit that breaks a rule of its own (k above its latents, more than all latents shared) is refused on arrival.
        match decode(&text) {
            Ok(back) => {
                assert_eq!(back, link);
                assert!(text.len() <= 500, "{} characters", text.len());
                valid += 1;
            }
            Err(error) => {
                let rules = [
                    "k: ",
                    "k_start: ",
                    "latents: ",
                    "prefixes: ",
                    "shared_latents: ",
                    "dedicated_latents: ",
                    "more_hooks: ",
                    "mask: ",
                    "aux: ",
                    "sources: ",
                    "probe: ",
                ];
                assert!(rules.iter().any(|rule| error.cause.starts_with(rule)), "{error}");
            }
        }
    }
    assert!(valid > 100, "{valid}");
}

#[test]
fn an_invalid_experiment_gets_no_link() {
    let mut experiment = preset("quadratic-31").unwrap().experiment.clone();
    experiment.task.train_fraction = 2.0;
    assert!(encode(&plain(&experiment)).unwrap_err().cause.contains("task.train_fraction"));
    for fingerprint in ["", "00FF12ab34cd56ef", "+0ff12ab34cd56ef", "00ff12ab34cd56ef0"] {
        assert!(encode(&Link { fingerprint: Some(fingerprint.into()), ..ordinary() }).is_err(), "{fingerprint}");
    }
}

#[test]
fn an_experiment_that_no_link_can_hold_gets_none() {
    // A table of numbers that do not compress: 16,384 characters are the most that is read back.
    let mut stream = Stream::new(7, Purpose::Planted, 0);
    let of_size = |n: u64, stream: &mut Stream| {
        let rows: Vec<String> =
            (0..n).map(|_| (0..n).map(|_| stream.below(n).to_string()).collect::<Vec<_>>().join(" ")).collect();
        let start = preset("quadratic-31").unwrap().experiment.clone();
        let start = with_value(&start, "task.operation", "table").unwrap();
        with_value(&start, "task.table", &rows.join("/")).unwrap()
    };
    let small = plain(&of_size(24, &mut stream));
    assert_eq!(decode(&encode(&small).unwrap()).unwrap(), small);
    let large = plain(&of_size(120, &mut stream));
    assert_eq!(large.experiment.validate(), Ok(()));
    let error = encode(&large).unwrap_err();
    assert!(error.cause.contains("16384") && error.remedy.contains("file"), "{error}");
}

#[test]
fn every_change_of_one_character_is_noticed() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ %\0";
    let text = encode(&ordinary()).unwrap().into_bytes();
    for at in 0..text.len() {
        for letter in ALPHABET.iter().filter(|l| **l != text[at]) {
            let mut damaged = text.clone();
            damaged[at] = *letter;
            // A space at an end is trimmed away, which is a truncation and must fail as well.
            assert!(decode(std::str::from_utf8(&damaged).unwrap()).is_err(), "{at} {letter}");
        }
    }
}

#[test]
fn every_truncation_extension_and_swap_is_noticed() {
    let text = encode(&ordinary()).unwrap();
    for end in 0..text.len() {
        assert!(decode(&text[..end]).is_err(), "cut at {end}");
        assert!(decode(&text[end + 1..]).is_err(), "cut before {end}");
    }
    assert!(decode(&format!("{text}A")).is_err() && decode(&format!("{text}{text}")).is_err());
    assert_eq!(decode(&format!(" {text}\n")).unwrap(), ordinary());
}

/// A link with any body and a correct checksum.
fn forged(body: &[u8]) -> String {
    let mut bytes = body.to_vec();
    bytes.extend(crc32fast::hash(body).to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_newer_link_is_told_apart_from_a_damaged_one() {
    let error = decode(&forged(&[2, 1, 2, 3])).unwrap_err();
    assert!(error.cause.contains("newer Grokscope"), "{error}");
    let bytes = URL_SAFE_NO_PAD.decode(encode(&ordinary()).unwrap()).unwrap();
    let mut newer = bytes[..bytes.len() - 4].to_vec();
    newer[0] = 2;
    assert!(decode(&forged(&newer)).unwrap_err().cause.contains("newer"));
    newer[0] = 0;
    assert!(decode(&forged(&newer)).unwrap_err().cause.contains("damaged"));
}

#[test]
fn random_bytes_with_a_correct_checksum_are_refused_without_a_panic() {
    let mut stream = Stream::new(2, Purpose::Planted, 0);
    for _ in 0..5000 {
        let raw: Vec<u8> = (0..stream.below(200)).map(|_| stream.below(256) as u8).collect();
        // As it is, as a deflate stream, and as the payload inside one.
        let versioned = |body: &[u8]| [&[1u8], body].concat();
        for body in [raw.clone(), versioned(&raw), versioned(&miniz_oxide::deflate::compress_to_vec(&raw, 1))] {
            assert!(decode(&forged(&body)).is_err());
        }
        let text: String = raw.iter().map(|b| char::from(*b)).collect();
        assert!(decode(&text).is_err());
    }
}

#[test]
fn mutated_payloads_never_panic_and_never_give_an_invalid_experiment() {
    let bytes = URL_SAFE_NO_PAD.decode(encode(&ordinary()).unwrap()).unwrap();
    let payload = miniz_oxide::inflate::decompress_to_vec(&bytes[1..bytes.len() - 4]).unwrap();
    let mut stream = Stream::new(3, Purpose::Planted, 0);
    for _ in 0..3000 {
        let mut mutated = payload.clone();
        for _ in 0..=stream.below(3) {
            let at = stream.below(mutated.len() as u64) as usize;
            mutated[at] = stream.below(256) as u8;
        }
        let body = [&[1u8], miniz_oxide::deflate::compress_to_vec(&mutated, 1).as_slice()].concat();
        if let Ok(link) = decode(&forged(&body)) {
            assert_eq!(link.experiment, ordinary().experiment, "the hash of the experiment must hold");
        }
    }
}

#[test]
fn a_bomb_is_bounded() {
    // 64 MB of zeros deflate to 64 KB and more, so the text limit and the payload limit are both tried.
    for size in [100_000, 8_000_000, 64_000_000] {
        let body = [&[1u8], miniz_oxide::deflate::compress_to_vec(&vec![0u8; size], 9).as_slice()].concat();
        let start = std::time::Instant::now();
        assert!(decode(&forged(&body)).is_err());
        assert!(start.elapsed().as_millis() < 500);
    }
    assert!(decode(&"A".repeat(10_000_000)).unwrap_err().cause.contains("too long"));
}

#[test]
fn a_preset_that_changed_since_is_noticed() {
    let bytes = URL_SAFE_NO_PAD.decode(encode(&ordinary()).unwrap()).unwrap();
    let payload = miniz_oxide::inflate::decompress_to_vec(&bytes[1..bytes.len() - 4]).unwrap();
    // Another preset under the same edits stands for the changed one.
    let name = b"transformer-59-mirror";
    let at = payload.windows(name.len()).position(|w| w == name).unwrap();
    let mut other = payload.clone();
    other.splice(at - 1..at + name.len(), [&[14u8], b"transformer-59".as_slice()].concat());
    let body = [&[1u8], miniz_oxide::deflate::compress_to_vec(&other, 9).as_slice()].concat();
    assert!(decode(&forged(&body)).unwrap_err().cause.contains("has changed since"));
}

#[test]
fn presets_mean_what_they_meant() {
    let hash = |json: String| Sha256::digest(json).iter().take(8).map(|b| format!("{b:02x}")).collect::<String>();
    let found: Vec<(&str, String)> = presets()
        .iter()
        .map(|p| (p.name, hash(p.experiment.to_json())))
        .chain(crosscoder_presets().iter().map(|p| (p.name, hash(p.config.to_json()))))
        .collect();
    // A change here breaks every link that was made against the preset: rather add a new one.
    let pinned = [
        ("quadratic-31", "dc243811a93fdd30"),
        ("quadratic-97", "c4af6e7b159dccd2"),
        ("quadratic-31-slow", "206246bb196150d9"),
        ("quadratic-59", "18924f7721675931"),
        ("pair-mlp-67", "e58230fbce617ff9"),
        ("devinterp-53", "e35cc3c38d140a9a"),
        ("quadratic-31-030", "cf43c3ab7a7b3ef9"),
        ("quadratic-31-slowest", "d6fd425d2a06124e"),
        ("quadratic-23", "5fd229bde4ca3799"),
        ("pair-mlp-67-as-started", "3dd15401ccf3396c"),
        ("devinterp-53-as-started", "4ab1ef42e1a40e6f"),
        ("transformer-59-mirror", "defb1de0ec969dd3"),
        ("transformer-59", "964f663c979cc4be"),
        ("transformer-113", "997fab2c36084b94"),
        ("historic-division-97", "0f31cf02a49712a9"),
        ("transformer-59-decay-5", "054c5c5eefbb0420"),
        ("transformer-59-gelu", "70424fe01db701ee"),
        ("transformer-97-no-delay", "fb074feff1270a72"),
        ("clock-pizza-59", "594983abfe42588f"),
        ("power-division-97", "1bb7fea310d73abe"),
        ("transformer-113-040", "61df4a2ff66f85ec"),
        ("transformer-31", "1833d468fc738482"),
        ("transformer-59-decay-1", "96c687af3471181d"),
        ("mlx-division-97", "868a25869b7a505a"),
        ("benchmark-97", "022930cec2e8ffd9"),
        ("grokfast-31", "6bb471a310bc9314"),
        ("grokfast-97", "ee9b4b315bfcb6d2"),
        ("perp-grad-113", "6e0fa3e6f839da07"),
        ("stable-max-31", "ba3f58c2d7c49917"),
        ("muon-31", "8369b87ebf792044"),
        ("norm-clamp-31", "20e4cbc02956885a"),
        ("distilled-31", "3b409302bb93a570"),
        ("transfer-31", "da959933299f4eb4"),
        ("grokfast-97-window", "f6e3383283c1de40"),
        ("grokfast-97-without", "dab2d0f977142d85"),
        ("perp-grad-transformer-113", "018c9fa32dfe80c3"),
        ("norm-clamp-113", "cc73a81f02717764"),
        ("muon-113", "8386f5e3f86cf7e4"),
        ("hysteresis-31", "9e7593febbb765ec"),
        ("decay-0-31", "7ae13d4e5c7e92a1"),
        ("decay-1-31", "cd3dcb2650a0d094"),
        ("decay-20-31", "8beab3e246d45574"),
        ("semi-grok-31", "a085f73735a5705c"),
        ("label-noise-31", "8c61b2dec601b397"),
        ("random-labels-31", "8d0a196ad59b343b"),
        ("never-31", "391d52b5752b06a9"),
        ("decay-2-31", "680dab3261c12067"),
        ("decay-10-31", "aa508116cc3ad946"),
        ("multiplication-31", "36c229c0a7e3edbb"),
        ("squares-31", "3daad94926db0b7b"),
        ("s4", "2cf11adceabc2c7e"),
        ("a5", "a7c1441f6c4bb985"),
        ("s5-mlp", "a0e836082a441561"),
        ("liu-toy", "7407b36236668574"),
        ("liu-toy-fast", "f5369eac90e134f2"),
        ("parity-40", "5839ce4306bc9489"),
        ("digits-8", "ee90e8880c06e528"),
        ("formula-31", "2d36fb3863ce56e1"),
        ("division-31", "1393e8804493df7e"),
        ("linear-teacher", "40fda95f0d7407b6"),
        ("separable-classes", "ab531cb4c14a769d"),
        ("constant-label", "cf88ec8bc57ef39f"),
        ("sparse-diagonal", "f96ed07e65c5cdf6"),
        ("lazy-committee", "ee0b14acc79ac8af"),
        ("births", "53cb26a9afe20eb2"),
        ("nested", "7e65a5c5cb900947"),
        ("own-budgets", "0d84a213851d5158"),
        ("batch-top-k", "71188c19a85e5cf3"),
    ];
    assert_eq!(found, pinned.map(|(name, hash)| (name, hash.to_string())));
}
