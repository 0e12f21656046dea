import { numberWithin } from '../core/bounds.ts'
import { rejectOptionsBesideRuntime, rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkBoolean, checkListener, checkTextList } from '../core/option-values.ts'
import { checkSourcesLevel } from '../fanout/sources-level.ts'
import { readBatchOptions } from '../http/batch/batch-options.ts'
import { readBulkOptions } from '../http/bulk/bulk-options.ts'
import { defaultPressureLimits, type PressureLimits } from '../http/guard/pressure.ts'
import { defaultLimits, type Limits } from '../http/guard/server-limits.ts'
import { checkInfo, type OpenapiInfo } from '../http/openapi/info.ts'
import { readMetricsOption } from '../http/operator/metrics-route.ts'
import { readStreamOptions } from '../http/stream/stream-options.ts'
import type { RuntimeOptions } from '../upstream/runtime.ts'
import { appRenames } from '../upstream/spec/renamed.ts'
import type { AppOptions } from './app-options.ts'

const knownOptions: OptionKeys<AppOptions> = {
  overrides: true,
  layers: true,
  environment: true,
  threads: true,
  runtime: true,
  partition: true,
  scale: true,
  maxConnections: true,
  logger: true,
  logCompletePercent: true,
  lostLogLines: true,
  onToken: true,
  limits: true,
  pressure: true,
  rateLimit: true,
  countRequest: true,
  shared: true,
  trustProxy: true,
  keys: true,
  corsOrigins: true,
  metrics: true,
  metricsSource: true,
  info: true,
  traceSampledPercent: true,
  sources: true,
  rehearsal: true,
  streams: true,
  batch: true,
  bulk: true,
  onEvent: true,
  drainTimeout: true,
}

/** The options that have a default of their own. */
type Defaulted =
  | 'logCompletePercent'
  | 'rateLimit'
  | 'trustProxy'
  | 'keys'
  | 'corsOrigins'
  | 'drainTimeout'
  | 'traceSampledPercent'
  | 'sources'
  | 'rehearsal'

/** The options of an app, with their defaults. */
export interface AppSettings
  extends
    Required<Pick<AppOptions, Defaulted>>,
    Pick<AppOptions, 'shared' | 'countRequest' | 'lostLogLines' | 'onEvent'> {
  /** The options of the runtime that the app creates. */
  readonly ofRuntime: RuntimeOptions
  /** Undefined if the app does not serve metrics. */
  readonly metricsRoute: ReturnType<typeof readMetricsOption>
  readonly info: OpenapiInfo
  readonly logger: NonNullable<AppOptions['logger']>
  readonly limits: Limits
  readonly pressure: PressureLimits
  readonly streams: ReturnType<typeof readStreamOptions>
  readonly batch: ReturnType<typeof readBatchOptions>
  /** Undefined if the app has no bulk runs. */
  readonly bulk: ReturnType<typeof readBulkOptions> | undefined
}

/**
 * Checks the options of an app.
 *
 * @throws `TypeError` for an option that is wrong or unknown.
 */
export function readAppOptions(options: AppOptions): AppSettings {
  rejectUnknownOptions('app', options, knownOptions, { renamed: appRenames })
  const {
    overrides,
    environment,
    layers,
    threads,
    partition,
    scale,
    onToken,
    shared,
    countRequest,
    logger = false,
    logCompletePercent = 100,
    rateLimit = 0,
    trustProxy = false,
    keys = [],
    corsOrigins = [],
    metrics = false,
    info = {},
    drainTimeout = 10_000,
    traceSampledPercent = 0,
    sources = 'full',
    rehearsal = false,
    onEvent,
  } = options
  if (options.runtime !== undefined)
    rejectOptionsBesideRuntime('app', { overrides, environment, layers, threads, partition, scale, onToken, shared })
  if (shared !== undefined && countRequest !== undefined)
    throw new TypeError('app: shared excludes countRequest, because it counts requests: remove one of them')
  checkInfo('app', info)
  numberWithin('app', 'traceSampledPercent', traceSampledPercent, 0, 100)
  checkListener('app', onEvent)
  checkSourcesLevel('app', sources)
  checkBoolean('app', 'rehearsal', rehearsal)
  numberWithin('app', 'logCompletePercent', logCompletePercent, 0, 100)
  if (typeof trustProxy !== 'boolean') checkTextList('app', 'trustProxy', trustProxy, "['10.0.0.0/8']")
  const metricsRoute = readMetricsOption('app', metrics, keys)
  const limits = { ...defaultLimits, ...options.limits }
  return {
    shared,
    countRequest,
    lostLogLines: options.lostLogLines,
    onEvent,
    ofRuntime: {
      overrides: overrides ?? {},
      environment: environment ?? {},
      layers: layers ?? {},
      threads: threads ?? {},
      partition,
      scale,
      onToken,
      shared,
    },
    logger,
    logCompletePercent,
    rateLimit,
    trustProxy,
    keys,
    corsOrigins,
    metricsRoute,
    info,
    drainTimeout,
    traceSampledPercent,
    sources,
    rehearsal,
    limits,
    pressure: { ...defaultPressureLimits, ...options.pressure },
    streams: readStreamOptions('app', options.streams, limits.replyTimeout),
    batch: readBatchOptions('app', options.batch, limits.bodyBytes),
    bulk: options.bulk && readBulkOptions('app', options.bulk),
  }
}
