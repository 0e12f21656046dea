import { setImmediate } from 'node:timers/promises'
import { ConfigError } from '../../config.ts'
import { loadPackages, type Packages } from './packages.ts'
import { readOtlpSettings, type OtlpSettings, type Variables } from './settings.ts'
import { diagnosticLogger } from './diagnostic-logger.ts'

/** The longest time in which the last spans are sent when the process ends, in ms. */
const flushMs = 1000

/** Sends the last spans, within a time limit. */
export type FlushSpans = () => Promise<void>

/**
 * Registers the SDK of OpenTelemetry, which sends the spans of this process to a collector by OTLP over HTTP, as the
 * `OTEL_*` variables of the process say.
 *
 * @param variables - The variables of the process. The packages of the SDK read the same variables.
 * @param warn - Receives warnings and errors of the SDK, for example of a collector that cannot be reached.
 * @returns A function that sends the last spans. It does nothing if the variables disable the SDK.
 * @throws ConfigError for a variable that is wrong, a package that is missing, and a process that has a provider
 */
export async function registerOtlp(variables: Variables, warn: (message: string) => void): Promise<FlushSpans> {
  const settings = readOtlpSettings(variables)
  if (settings === undefined) return async () => {}
  const packages = await loadPackages()
  const { api, contextManager } = packages
  // Without a log level, the SDK is silent about a collector that cannot be reached.
  api.diag.setLogger(diagnosticLogger(warn), api.DiagLogLevel.WARN)
  const provider = providerOf(packages, settings)
  if (!api.trace.setGlobalTracerProvider(provider) || !api.context.setGlobalContextManager(contextManager()))
    throw new ConfigError(
      '--otlp: this process already has a tracer provider or a context manager of OpenTelemetry: ' +
        'remove --otlp, or remove the module that registers them',
    )
  return async () => {
    const { promise: limit, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`the collector did not take them within ${flushMs} ms`)), flushMs)
    try {
      await Promise.race([provider.shutdown(), limit])
    } catch (error) {
      warn(`OpenTelemetry: the last spans were not sent: ${(error as Error).message}`)
    } finally {
      clearTimeout(timer)
    }
    // Node.js emits a warning in a later turn, and the process exits after this one.
    await setImmediate()
  }
}

function providerOf({ trace, resources, OTLPTraceExporter }: Packages, { batch, limits, ...sampling }: OtlpSettings) {
  const { defaultResource, detectResources, resourceFromAttributes } = resources
  const detected = detectResources({
    detectors: [
      resources.serviceInstanceIdDetector,
      resources.resourceAttributesEnvDetector,
      resources.serviceNameEnvDetector,
    ],
  })
  return new trace.TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'headwaters' }))
      .merge(detected),
    sampler: samplerOf(trace, sampling),
    spanLimits: set(limits),
    spanProcessors: [new trace.BatchSpanProcessor({ ...set(batch), exporter: new OTLPTraceExporter() })],
  })
}

function samplerOf(trace: Packages['trace'], { sampler, samplerRatio }: Omit<OtlpSettings, 'batch' | 'limits'>) {
  const root = sampler.endsWith('always_on')
    ? new trace.AlwaysOnSampler()
    : sampler.endsWith('always_off')
      ? new trace.AlwaysOffSampler()
      : new trace.TraceIdRatioBasedSampler(samplerRatio)
  return sampler.startsWith('parentbased_') ? new trace.ParentBasedSampler({ root }) : root
}

/** Returns the fields that are set. */
function set<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof set<Fields>
  >
}
