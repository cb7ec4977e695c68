//! The engines of this process and the choice between them, with the reasons kept for the capability card.
//!
//! A GPU is trusted only after it repeated the CPU's numbers (`self_test.rs`), never chosen over the CPU when it is software,
//! and then chosen only if it is faster at the experiment at hand. It is initialised once and kept: burn cannot do it twice.

use super::BUILD;
use super::capability::{AdapterReport, Capability, EngineChoice, EngineKind, EngineWish};
use super::self_test::compare_with_cpu;
use crate::experiment::Experiment;
use crate::record::UserError;
use crate::train::Trainer;
use burn::tensor::Device;

/// Updates made to warm an engine before it is timed, and updates timed.
const WARM: u32 = 2;
const TIMED: u32 = 4;

/// The engines at hand.
pub struct Engines {
    capability: Capability,
    cpu_label: String,
    cpu_exact: bool,
    gpu: Option<Gpu>,
    now_ms: fn() -> f64,
}

struct Gpu {
    device: Device,
    /// Why it may not be used, if so.
    distrust: Option<String>,
}

impl Engines {
    /// The CPU, and what is known of the GPU so far. `now_ms` is a monotonic clock.
    pub fn new(cpu_label: &str, cpu_exact: bool, adapter: Option<AdapterReport>, now_ms: fn() -> f64) -> Self {
        let (gpu_usable, reasons) = judge(adapter.as_ref());
        let capability = Capability { adapter, gpu_usable, reasons, build: BUILD.to_owned() };
        Self { capability, cpu_label: cpu_label.to_owned(), cpu_exact, gpu: None, now_ms }
    }

    /// What is known now.
    pub fn capability(&self) -> &Capability {
        &self.capability
    }

    /// Initialises and tests a GPU that looks usable; keeps the findings. True if anything new was learnt.
    pub async fn examine(&mut self) -> bool {
        if !self.capability.gpu_usable || self.gpu.is_some() {
            return false;
        }
        if let Err(error) = self.gpu().await {
            self.capability.gpu_usable = false;
            // A failed self-test has already been written down.
            if self.capability.reasons.last() != Some(&error.cause) {
                self.capability.reasons.push(error.cause);
            }
        }
        true
    }

    /// Chooses an engine for `experiment`.
    ///
    /// # Errors
    /// If the GPU was asked for and cannot be used.
    pub async fn choose(&mut self, wish: EngineWish, experiment: &Experiment) -> Result<(Device, EngineChoice), UserError> {
        self.choose_for(wish, core::slice::from_ref(experiment)).await
    }

    /// As [`Engines::choose`], for networks that train at once: sixty-four keep a GPU busy where one does not.
    ///
    /// # Errors
    /// As [`Engines::choose`].
    pub async fn choose_for(
        &mut self,
        wish: EngineWish,
        experiments: &[Experiment],
    ) -> Result<(Device, EngineChoice), UserError> {
        match wish {
            EngineWish::Cpu => Ok((Device::flex(), self.cpu("You asked for the CPU".to_owned()))),
            EngineWish::Gpu => {
                let device = self.gpu().await?;
                Ok((device, self.gpu_choice("You asked for the GPU".to_owned())))
            }
            EngineWish::Auto if !self.capability.gpu_usable => {
                let reason = self.capability.reasons.last().cloned().unwrap_or_else(|| "No GPU was found".to_owned());
                Ok((Device::flex(), self.cpu(reason)))
            }
            EngineWish::Auto => {
                let device = match self.gpu().await {
                    Ok(device) => device,
                    Err(error) => return Ok((Device::flex(), self.cpu(error.cause))),
                };
                let cpu_ms = self.time(experiments, true, &Device::flex()).await?;
                let Ok(gpu_ms) = self.time(experiments, false, &device).await else {
                    return Ok((Device::flex(), self.cpu("The GPU failed at this experiment".to_owned())));
                };
                let measured = format!("Measured on this experiment: CPU {cpu_ms:.1} ms, GPU {gpu_ms:.1} ms per update");
                if gpu_ms < cpu_ms { Ok((device, self.gpu_choice(measured))) } else { Ok((Device::flex(), self.cpu(measured))) }
            }
        }
    }

    /// Chooses an engine for work without a network, on which engines could be timed: the CPU, unless the GPU was asked for.
    ///
    /// # Errors
    /// As [`Engines::choose`].
    pub async fn choose_untimed(&mut self, wish: EngineWish) -> Result<(Device, EngineChoice), UserError> {
        match wish {
            EngineWish::Cpu => Ok((Device::flex(), self.cpu("You asked for the CPU".to_owned()))),
            EngineWish::Gpu => Ok((self.gpu().await?, self.gpu_choice("You asked for the GPU".to_owned()))),
            EngineWish::Auto => {
                let reason = "There is no network in the file to time engines with; ask for the GPU to have it".to_owned();
                Ok((Device::flex(), self.cpu(reason)))
            }
        }
    }

    fn cpu(&self, reason: String) -> EngineChoice {
        EngineChoice { kind: EngineKind::Cpu, label: self.cpu_label.clone(), exact: self.cpu_exact, reasons: vec![reason] }
    }

    fn gpu_choice(&self, reason: String) -> EngineChoice {
        let name = self.capability.adapter.as_ref().map_or("native adapter", |a| a.name.as_str());
        EngineChoice { kind: EngineKind::Gpu, label: format!("GPU ({name})"), exact: false, reasons: vec![reason] }
    }

    /// The tested GPU.
    async fn gpu(&mut self) -> Result<Device, UserError> {
        let remedy = "Use the CPU engine; it is exact and needs nothing";
        if let Some(adapter) = &self.capability.adapter {
            if let Some(obstacle) = obstacle(adapter) {
                return Err(UserError::new(obstacle, remedy));
            }
        } else if cfg!(target_arch = "wasm32") {
            return Err(UserError::new("This browser offers no WebGPU adapter", remedy));
        }
        if self.gpu.is_none() {
            let device = initialise().await.map_err(|cause| UserError::new(cause, remedy))?;
            let distrust = match compare_with_cpu(&device).await {
                Ok(report) if report.passed() => {
                    self.capability.reasons.push(report.to_string());
                    None
                }
                Ok(report) => Some(report.to_string()),
                Err(error) => Some(error.cause),
            };
            if let Some(reason) = &distrust {
                self.capability.gpu_usable = false;
                self.capability.reasons.push(reason.clone());
            }
            self.gpu = Some(Gpu { device, distrust });
        }
        match &self.gpu {
            Some(Gpu { device, distrust: None }) => Ok(device.clone()),
            Some(Gpu { distrust: Some(reason), .. }) => Err(UserError::new(reason.clone(), remedy)),
            None => Err(UserError::new("The GPU could not be initialised", remedy)),
        }
    }

    /// Milliseconds per update of `experiments` together, after a warm-up.
    async fn time(&self, experiments: &[Experiment], gather: bool, device: &Device) -> Result<f64, UserError> {
        let mut trainer = Trainer::new(experiments, gather, device)?;
        for _ in 0..WARM {
            trainer.advance().await?;
        }
        trainer.read().await?;
        let begun = (self.now_ms)();
        for _ in 0..TIMED {
            trainer.advance().await?;
        }
        trainer.read().await?;
        Ok(((self.now_ms)() - begun) / f64::from(TIMED))
    }
}

#[cfg(feature = "gpu")]
async fn initialise() -> Result<Device, String> {
    Device::wgpu_options().init_async().await.map_err(|error| format!("The GPU could not be initialised ({error})"))
}

#[cfg(not(feature = "gpu"))]
async fn initialise() -> Result<Device, String> {
    Err("This build has no GPU engine (build it with --features cli,gpu)".to_owned())
}

/// Whether the adapter may be chosen automatically, and the facts in words.
pub fn judge(adapter: Option<&AdapterReport>) -> (bool, Vec<String>) {
    let Some(adapter) = adapter else {
        return (false, vec!["This browser offers no WebGPU adapter, so the CPU computes".to_owned()]);
    };
    if let Some(obstacle) = obstacle(adapter) {
        return (false, vec![obstacle]);
    }
    if adapter.software {
        return (false, vec![format!("The adapter {} is software: slower than the CPU engine", adapter.name)]);
    }
    (true, vec![format!("WebGPU adapter: {}", adapter.name)])
}

/// What keeps the adapter from running at all.
fn obstacle(adapter: &AdapterReport) -> Option<String> {
    if !adapter.timestamp_query {
        // cubecl-wgpu 0.11.3 panics when it creates its stream on such an adapter; delete when it has another timer.
        return Some(format!("The adapter {} has no timestamp-query, which the GPU runtime needs", adapter.name));
    }
    if adapter.max_storage_buffers < 8 {
        return Some(format!(
            "The adapter {} allows only {} storage buffers per stage; 8 are needed",
            adapter.name, adapter.max_storage_buffers
        ));
    }
    if adapter.max_binding_bytes < 128 << 20 {
        return Some(format!(
            "The adapter {} allows buffers of only {} MiB; 128 are needed",
            adapter.name,
            adapter.max_binding_bytes >> 20
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> AdapterReport {
        AdapterReport {
            name: "nvidia ada-lovelace".into(),
            software: false,
            timestamp_query: true,
            max_storage_buffers: 10,
            max_binding_bytes: 1 << 30,
        }
    }

    #[test]
    fn a_hardware_adapter_with_all_features_may_be_chosen() {
        assert!(judge(Some(&good())).0);
    }

    #[test]
    fn a_software_adapter_is_never_chosen_over_the_cpu_but_can_be_asked_for() {
        let adapter = AdapterReport { software: true, ..good() };
        assert!(!judge(Some(&adapter)).0);
        assert_eq!(obstacle(&adapter), None);
    }

    #[test]
    fn each_missing_thing_is_named() {
        for (adapter, word) in [
            (AdapterReport { timestamp_query: false, ..good() }, "timestamp-query"),
            (AdapterReport { max_storage_buffers: 4, ..good() }, "storage buffers"),
            (AdapterReport { max_binding_bytes: 1 << 20, ..good() }, "MiB"),
        ] {
            let (usable, reasons) = judge(Some(&adapter));
            assert!(!usable && reasons[0].contains(word), "{reasons:?}");
        }
        assert!(!judge(None).0);
    }
}
