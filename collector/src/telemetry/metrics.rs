//! Who reads the metrics: Prometheus on a page, and OTLP backends that they are pushed to.

use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::periodic_reader_with_async_runtime::PeriodicReader;
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use opentelemetry_sdk::runtime::Tokio;
use prometheus::{Registry, TextEncoder};

use super::{Sources, export, logs, readings};
use crate::config::OwnTelemetry;
use crate::error::Error;

/// How long the last push may take.
const LAST: Duration = Duration::from_secs(2);

/// Label sets that an instrument may have; further ones are counted as one. The SDK sets room aside for as many, and by
/// default for 2,000: with our instruments some 13 MiB that nobody fills. The control build counts by every text.
const LABEL_SETS: usize = if cfg!(feature = "control") { 2000 } else { 400 };

/// The provider of all instruments, and its readers.
pub(crate) struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
}

/// Where an instrument's numbers go when somebody reads.
pub(crate) type Put<'a, T> = &'a mut dyn FnMut(T, &[KeyValue]);

/// Makes instruments that are read from [`Sources`] for as long as these are there.
pub(crate) struct Instruments<'a> {
    meter: &'a Meter,
    sources: Weak<Sources>,
}

impl Metrics {
    /// Starts the readers. Needs the runtime, since pushing does.
    pub(crate) fn start(settings: &OwnTelemetry) -> Result<Self, Error> {
        let registry = Registry::new();
        let failed = |why: &dyn std::fmt::Display| Error::Export {
            setting: "service.telemetry.metrics".to_owned(),
            why: why.to_string(),
        };
        let names = settings.page;
        let mut page = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        page = page.scope_info_enabled(names.scope);
        page = if names.suffix { page } else { page.without_counter_suffixes() };
        page = if names.units { page } else { page.without_units() };
        let mut provider = SdkMeterProvider::builder().with_resource(export::resource(settings));
        provider =
            provider.with_view(|_: &Instrument| Stream::builder().with_cardinality_limit(LABEL_SETS).build().ok());
        provider = provider.with_reader(page.build().map_err(|e| failed(&e))?);
        for push in &settings.metrics {
            let exporter = export::metrics(&push.target)?;
            let reader = PeriodicReader::builder(exporter, Tokio).with_interval(push.every).with_timeout(push.timeout);
            provider = provider.with_reader(reader.build());
        }
        Ok(Self { provider: provider.build(), registry })
    }

    /// Where instruments are made.
    pub(crate) fn meter(&self) -> Meter {
        let scope = InstrumentationScope::builder("marquetry").with_version(crate::VERSION).build();
        self.provider.meter_with_scope(scope)
    }

    /// Makes everything readable that is counted elsewhere.
    pub(crate) fn read(&self, sources: &Arc<Sources>) {
        readings::all(&Instruments { meter: &self.meter(), sources: Arc::downgrade(sources) });
    }

    /// Writes the page that Prometheus reads.
    pub(crate) fn page(&self) -> impl Fn() -> String + Send + Sync + use<> {
        let registry = self.registry.clone();
        move || {
            let mut families = registry.gather();
            for family in &mut families {
                // Names that say `_total` themselves get it once.
                if let Some(name) = family.name().strip_suffix("_total_total") {
                    family.set_name(format!("{name}_total"));
                }
            }
            TextEncoder::new().encode_to_string(&families).unwrap_or_default()
        }
    }

    /// Pushes what is new, for a last time.
    pub(crate) async fn stop(self) {
        let Self { provider, .. } = self;
        logs::within(LAST, "metrics", move || provider.shutdown().map_err(|e| e.to_string())).await;
    }
}

impl Instruments<'_> {
    /// Something that only grows. Names that end in their unit have none besides, or a page with units would say it twice.
    pub(crate) fn counter(
        &self,
        name: impl Into<String>,
        unit: &'static str,
        about: impl Into<String>,
        read: impl Fn(&Sources, Put<'_, u64>) + Send + Sync + 'static,
    ) {
        let sources = self.sources.clone();
        let builder = self.meter.u64_observable_counter(name.into()).with_unit(unit).with_description(about.into());
        builder
            .with_callback(move |observer| {
                if let Some(sources) = sources.upgrade() {
                    read(&sources, &mut |n, labels| observer.observe(n, labels));
                }
            })
            .build();
    }

    /// The same in fractions.
    pub(crate) fn seconds(
        &self,
        name: &'static str,
        unit: &'static str,
        about: &'static str,
        read: impl Fn(&Sources, Put<'_, f64>) + Send + Sync + 'static,
    ) {
        let sources = self.sources.clone();
        let builder = self.meter.f64_observable_counter(name).with_unit(unit).with_description(about);
        builder
            .with_callback(move |observer| {
                if let Some(sources) = sources.upgrade() {
                    read(&sources, &mut |n, labels| observer.observe(n, labels));
                }
            })
            .build();
    }

    /// Something that comes and goes.
    pub(crate) fn gauge(
        &self,
        name: &'static str,
        unit: &'static str,
        about: &'static str,
        read: impl Fn(&Sources, Put<'_, f64>) + Send + Sync + 'static,
    ) {
        let sources = self.sources.clone();
        let builder = self.meter.f64_observable_gauge(name).with_unit(unit).with_description(about);
        builder
            .with_callback(move |observer| {
                if let Some(sources) = sources.upgrade() {
                    read(&sources, &mut |n, labels| observer.observe(n, labels));
                }
            })
            .build();
    }
}
