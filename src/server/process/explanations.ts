import cluster from 'node:cluster'
import { maxAdminConnections } from '../../admin/admin-app.ts'
import type { Config } from '../../config.ts'
import { partition as share, type Partition } from '../../core/partition.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'
import { descriptorLimits } from '../../definitions/descriptor-limits.ts'
import { startFolder } from '../../definitions/start-folder.ts'
import { Explainer } from '../../explain/explainer.ts'
import type { ExplainedUpstream, Limit, OriginNow } from '../../explain/explanation.ts'
import type { OriginGauge } from '../../upstream/origins/types.ts'
import type { Runtime } from '../../upstream/runtime.ts'

export interface ExplanationOptions {
  /** The share of the limits that one process has. @default all of them */
  readonly partition?: Partition | undefined
  /** Returns the present state of the upstreams that were called. @default no state */
  readonly stats?: Runtime['stats']
  /** Removes secrets from a text. */
  readonly hide: (text: string) => string
  /** True if notes may have the message of an error, which may have data. @default false */
  readonly showsMessages?: boolean
}

/** The name of the variable that sets an option of an upstream, without the name of the upstream. */
const overrideVariables: Readonly<Record<string, string>> = {
  origin: 'ORIGIN',
  origins: 'ORIGINS',
  concurrency: 'CONCURRENCY',
  attemptTimeout: 'ATTEMPT_TIMEOUT_MS',
  off: 'OFF',
}

/** Returns the explainer of a catalogue: its aggregates with the limits of its configuration. */
export function explainerOf(
  catalogue: Catalogue,
  { partition, stats, hide, showsMessages }: ExplanationOptions,
): Explainer {
  const { aggregates, overrides, config, upstreams } = catalogue
  const { limits } = descriptorLimits(catalogue, {
    partition,
    threads: config.threads.count,
    hasDemoUpstreams: upstreams === 'demo' && !cluster.isWorker,
    reserved: config.admin.listener !== undefined && !cluster.isWorker ? maxAdminConnections : 0,
  })
  return new Explainer(aggregates, {
    overrides,
    variableOf: (upstream, option) => {
      const isSet = config.overrides[upstream]?.[option] !== undefined
      return isSet ? `HEADWATERS_UPSTREAM_${upper(upstream)}_${overrideVariables[option]}` : undefined
    },
    partition,
    scale: limits.scale,
    sharesState: config.redis !== undefined,
    service: serviceLimits(catalogue, partition),
    hide,
    showsMessages: showsMessages ?? false,
    folder: startFolder,
    stateOf: name => stateIn(stats?.(), name),
  })
}

function upper(upstream: string): string {
  return upstream.toUpperCase().replaceAll('-', '_')
}

function stateIn(stats: ReturnType<Runtime['stats']> | undefined, name: string): ExplainedUpstream['now'] {
  const own = stats !== undefined && Object.hasOwn(stats, name) ? stats[name] : undefined
  if (own === undefined) return undefined
  const { concurrency, active, queued, breaker, origins } = own
  return {
    breaker: breaker ?? null,
    permits: concurrency,
    active,
    queued,
    ...(origins && { origins: origins.map(originNow) }),
  }
}

function originNow({ origin, state, active, latencyMs }: OriginGauge): OriginNow {
  return { origin, state, active, latencyMs }
}

/** Returns the limits of the service, by the variables that set them. */
function serviceLimits({ config, environment }: Catalogue, partition: Partition | undefined): Limit[] {
  const { inbound } = config
  const limit = (name: string, value: number | string, unit?: Limit['unit']): Limit => ({
    name,
    value,
    ...(unit !== undefined && { unit }),
    from: isSet(environment[name]) ? name : 'default',
    ...(value === 0 && { note: name === 'BATCH_MAX_CALLS' ? 'no batches' : 'no limit' }),
  })
  const divided = (name: string, whole: number, unit?: Limit['unit']): Limit => {
    if (partition === undefined || whole === 0) return limit(name, whole, unit)
    const reducedBy = `1 of ${partition.count} workers`
    return { ...limit(name, share(whole, partition), unit), whole, reducedBy }
  }
  const { limits, pressure, streams, batch, rateLimit } = inbound
  return [
    divided('MAX_RUNS', pressure.runs),
    limit('RATE_LIMIT', rateLimit),
    limit('MAX_LOOP_DELAY_MS', pressure.loopDelay, 'ms'),
    limit('MAX_HEAP_PERCENT', pressure.heapPercent),
    limit('MAX_MEMORY_PERCENT', pressure.memoryPercent),
    divided('MAX_BODIES_BYTES', pressure.bodiesBytes, 'bytes'),
    limit('BODY_LIMIT_BYTES', limits.bodyBytes, 'bytes'),
    limit('HEADER_LIMIT_BYTES', limits.headerBytes, 'bytes'),
    limit('REQUEST_TIMEOUT_MS', limits.requestTimeout, 'ms'),
    limit('REPLY_TIMEOUT_MS', limits.replyTimeout, 'ms'),
    limit('STREAM_MAX_BYTES', streams.maxBytes, 'bytes'),
    ...batchLimits(batch, limit),
    limit('HEADWATERS_WORKERS', config.workers ?? 1),
  ]
}

function batchLimits(
  batch: Config['inbound']['batch'],
  limit: (name: string, value: number, unit?: Limit['unit']) => Limit,
): Limit[] {
  if (batch === false) return [limit('BATCH_MAX_CALLS', 0)]
  return [
    limit('BATCH_MAX_CALLS', batch.maxCalls),
    limit('BATCH_BODY_BYTES', batch.bodyBytes, 'bytes'),
    limit('BATCH_DEADLINE_MS', batch.deadline, 'ms'),
  ]
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== ''
}
