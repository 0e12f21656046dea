import { ConfigError } from '../../config.ts'

/** The variables of the environment. */
export type Variables = Readonly<Record<string, string | undefined>>

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

/** The names of samplers, as the specification of OpenTelemetry has them. */
export type SamplerName = (typeof samplers)[number]

/** The settings of the SDK that its packages do not read from the environment themselves. */
export interface OtlpSettings {
  readonly sampler: SamplerName
  /** The share of traces that the samplers with `traceidratio` keep, from 0 to 1. */
  readonly samplerRatio: number
  /** The options of the batch processor. `undefined` is the default of the SDK. */
  readonly batch: {
    readonly scheduledDelayMillis: number | undefined
    readonly exportTimeoutMillis: number | undefined
    readonly maxQueueSize: number | undefined
    readonly maxExportBatchSize: number | undefined
  }
  /** The limits of a span. `undefined` is the default of the SDK. */
  readonly limits: {
    readonly attributeValueLengthLimit: number | undefined
    readonly attributeCountLimit: number | undefined
    readonly eventCountLimit: number | undefined
    readonly linkCountLimit: number | undefined
    readonly attributePerEventCountLimit: number | undefined
    readonly attributePerLinkCountLimit: number | undefined
  }
}

const maxInteger = 2 ** 31 - 1

/**
 * Reads the `OTEL_*` variables that the packages of the SDK do not read. An empty variable counts as not set.
 *
 * @returns `undefined` if the variables disable the SDK or its exporter.
 * @throws ConfigError with one line per variable that is wrong
 */
export function readOtlpSettings(variables: Variables): OtlpSettings | undefined {
  const faults: string[] = []
  const textOf = (name: string) => variables[name]?.trim() || undefined

  function oneOf<const Values extends readonly string[]>(name: string, values: Values): Values[number] | undefined {
    const text = textOf(name)?.toLowerCase()
    if (text === undefined || values.includes(text)) return text
    faults.push(`${name}: must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}, got '${text}'`)
    return undefined
  }

  function numberOf(name: string, from: number, to: number, isWhole = true): number | undefined {
    const text = textOf(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (value >= from && value <= to && (!isWhole || Number.isInteger(value))) return value
    faults.push(`${name}: must be ${isWhole ? 'an integer' : 'a number'} from ${from} to ${to}, got '${text}'`)
    return undefined
  }
  const count = (name: string) => numberOf(name, 0, maxInteger)
  const positive = (name: string) => numberOf(name, 1, maxInteger)

  const isDisabled = oneOf('OTEL_SDK_DISABLED', ['true', 'false']) === 'true'
  const exporter = oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'none'])
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']) {
    const protocol = textOf(name)
    if (protocol !== undefined && protocol !== 'http/json')
      faults.push(`${name}: must be http/json, which a collector receives at its HTTP port, got '${protocol}'`)
  }
  for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) {
    const endpoint = textOf(name)
    const protocol = endpoint === undefined ? 'http:' : URL.parse(endpoint)?.protocol
    // The text may contain a password.
    if (protocol !== 'http:' && protocol !== 'https:')
      faults.push(`${name}: must be a URL with http or https, such as http://127.0.0.1:4318`)
  }
  const sampler = oneOf('OTEL_TRACES_SAMPLER', samplers) ?? 'parentbased_always_on'
  const samplerRatio = sampler.endsWith('traceidratio') ? numberOf('OTEL_TRACES_SAMPLER_ARG', 0, 1, false) : undefined
  const maxQueueSize = positive('OTEL_BSP_MAX_QUEUE_SIZE')
  const maxExportBatchSize = positive('OTEL_BSP_MAX_EXPORT_BATCH_SIZE')
  if ((maxExportBatchSize ?? 512) > (maxQueueSize ?? 2048))
    faults.push(
      `OTEL_BSP_MAX_EXPORT_BATCH_SIZE: must be at most OTEL_BSP_MAX_QUEUE_SIZE (${maxQueueSize ?? 2048}), ` +
        `got '${maxExportBatchSize ?? 512}'`,
    )
  const settings: OtlpSettings = {
    sampler,
    samplerRatio: samplerRatio ?? 1,
    batch: {
      scheduledDelayMillis: count('OTEL_BSP_SCHEDULE_DELAY'),
      exportTimeoutMillis: positive('OTEL_BSP_EXPORT_TIMEOUT'),
      maxQueueSize,
      maxExportBatchSize,
    },
    limits: {
      attributeValueLengthLimit:
        count('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? count('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'),
      attributeCountLimit: count('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT') ?? count('OTEL_ATTRIBUTE_COUNT_LIMIT'),
      eventCountLimit: count('OTEL_SPAN_EVENT_COUNT_LIMIT'),
      linkCountLimit: count('OTEL_SPAN_LINK_COUNT_LIMIT'),
      attributePerEventCountLimit: count('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
      attributePerLinkCountLimit: count('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
    },
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return isDisabled || exporter === 'none' ? undefined : settings
}
