import { adminFaults, adminOf, type Admin } from './config/admin.ts'
import { bulkFaults, bulkOf, type Bulk } from './config/bulk.ts'
import { parseEnvironment, type Values } from './config/environment.ts'
import { inboundOf, type Inbound } from './config/inbound.ts'
import { readOverrides } from './config/overrides.ts'
import { reasonOf } from './errors.ts'
import { readInfo, type OpenapiInfo } from './http/openapi/info.ts'
import { readRedisConfig, type RedisConfig } from './redis-config.ts'
import type { ThreadOptions } from './threads/threads.ts'
import type { Override } from './upstream/runtime.ts'

/** The configuration from the environment. It is checked and frozen. */
export interface Config {
  readonly host: string
  readonly port: number
  /** The kind of environment. In `development` the main port serves the metrics without a key. */
  readonly env: Values['HEADWATERS_ENV']
  /** The access of the operator. */
  readonly admin: Admin
  readonly logLevel: Values['LOG_LEVEL']
  /** `auto` means text if stdout is a terminal, and JSON otherwise. */
  readonly logFormat: Values['LOG_FORMAT']
  /** The share of the complete runs whose log line has the level `info`. */
  readonly logCompletePercent: number
  /** Time that requests in flight may take after SIGTERM, in ms. */
  readonly drainMs: number
  /** The share of new traces that are marked as sampled, from 0 to 100. */
  readonly traceSampledPercent: number
  /** The part of the outcomes that callers see. */
  readonly sources: Values['SOURCES']
  /** The `info` of the API document. @default the `info` of the definitions */
  readonly info?: OpenapiInfo
  /** The protection of the service from its callers. */
  readonly inbound: Inbound
  /** The bulk runs. @default no folder, so that no aggregate can have `bulk: true` */
  readonly bulk?: Bulk
  /** The threads in which offloaded functions run. */
  readonly threads: ThreadOptions
  /**
   * The number of processes. `auto` means the number of cores.
   * @default 1
   */
  readonly workers?: number | 'auto'
  /** Time without a heartbeat after which a worker is killed and replaced, in ms. 0 disables this. @default 10_000 */
  readonly heartbeatMs: number
  /** The Redis that replicas share. @default replicas share nothing */
  readonly redis?: RedisConfig
  /** Overrides by the upstream's name. */
  readonly overrides: Readonly<Record<string, Override>>
}

/** An invalid configuration. Its message has one line per fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Reads the environment. Throws a `ConfigError` with the name of each invalid variable and the reason. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  upstreams: readonly string[],
): Config {
  const faults: string[] = []
  const { success, data, error } = parseEnvironment(environment)
  if (!success) faults.push(...new Set(error.issues.map(issue => `${issue.path.join('.')}: ${reasonOf(issue)}`)))
  const overrides = readOverrides(environment, upstreams, faults)
  if (success) faults.push(...adminFaults(data))
  const info = success && data.OPENAPI_INFO !== '' ? infoOf(data.OPENAPI_INFO, faults) : undefined
  const redis = success ? readRedisConfig(data, faults) : undefined
  if (success) faults.push(...bulkFaults(data.HEADWATERS_BULK_URL, data.HEADWATERS_BULK_DIR, redis))
  if (!success || faults.length > 0) throw new ConfigError(faults.join('\n'))
  return Object.freeze({
    host: data.HOST,
    port: data.PORT,
    env: data.HEADWATERS_ENV,
    admin: adminOf(data),
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT,
    logCompletePercent: data.LOG_COMPLETE_PERCENT,
    drainMs: data.DRAIN_MS,
    heartbeatMs: data.WORKER_HEARTBEAT_MS,
    traceSampledPercent: data.TRACE_SAMPLED_PERCENT,
    sources: data.SOURCES,
    ...(info !== undefined && { info }),
    inbound: inboundOf(data),
    ...(data.HEADWATERS_BULK_DIR !== '' && { bulk: bulkOf(data) }),
    threads: Object.freeze({
      queue: data.OFFLOAD_QUEUE,
      ...(data.OFFLOAD_THREADS !== 'auto' && { count: data.OFFLOAD_THREADS }),
    }),
    ...(data.HEADWATERS_WORKERS !== 1 && { workers: data.HEADWATERS_WORKERS }),
    ...(redis !== undefined && { redis }),
    overrides,
  })
}

function infoOf(text: string, faults: string[]): OpenapiInfo | undefined {
  try {
    return Object.freeze(readInfo('OPENAPI_INFO', text))
  } catch (error) {
    faults.push((error as Error).message)
    return undefined
  }
}
