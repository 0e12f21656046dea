import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { reasonOf } from './errors.ts'
import { cut } from './log/cut.ts'
import { hidden } from './log/redaction.ts'
import { readInfo, type OpenapiInfo } from './http/openapi/info.ts'
import { isSameDatabase, readRedisConfig, readRedisUrl, shownRedisUrl, type RedisConfig } from './redis-config.ts'
import type { ThreadOptions } from './threads/threads.ts'
import { originFault } from './upstream/spec/origin.ts'
import type { OriginOptions } from './upstream/spec/origin-options.ts'
import { originSpecs } from './upstream/spec/origins-spec.ts'
import { readOrigins as readUpstreamOrigins } from './upstream/spec/read-origins.ts'
import type { Override } from './upstream/runtime.ts'
import { keyFault } from './core/bearer-key.ts'
import { isLoopback } from './core/loopback.ts'
import { redisNameFault } from './core/redis-name.ts'
import { textSchema } from './core/schema/text-schema.ts'

/** Returns a schema for an integer within bounds. Every check has the same message, which names both bounds. */
function whole(from: number, to: number, fault = `must be an integer from ${from} to ${to}`): z.ZodCoercedNumber {
  return z.coerce.number(fault).int(fault).min(from, fault).max(to, fault)
}

/** Returns a schema for an integer within bounds, or a word. */
function wholeOr<const Word extends string>(word: Word, from: number, to: number) {
  const fault = `must be an integer from ${from} to ${to}, or ${word}`
  return z.union([z.literal(word), whole(from, to, fault)], fault)
}

/** Returns a schema for a number from 0 to 100. */
function percent() {
  const fault = 'must be a number from 0 to 100'
  return z.coerce.number(fault).min(0, fault).max(100, fault)
}

/** Returns a schema for one of several values. The message lists the values. */
function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`)
}

const heartbeatFault = 'must be 0 (no heartbeat) or an integer from 1000 to 600000'

/** The environment variables of the service. A test compares them with `docs/options.md`. */
export const Environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on; 0 takes any free one.'),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_FORMAT: oneOf(['auto', 'json', 'text']).default('auto'),
  LOG_COMPLETE_PERCENT: percent().default(100),
  DRAIN_MS: whole(0, 600_000).default(10_000).describe('How long requests in flight may take after SIGTERM, in ms.'),
  TRACE_SAMPLED_PERCENT: percent().default(0),
  HEADWATERS_ENV: oneOf(['production', 'development']).default('production'),
  ADMIN_PORT: whole(0, 65_535).optional(),
  ADMIN_HOST: z.string().min(1).default('127.0.0.1'),
  ADMIN_KEY: z.string().default('').superRefine(checkAdminKey),
  DASHBOARD: oneOf(['on', 'off']).default('on'),
  KEPT_RUNS: whole(0, 100_000).default(2000),
  MAX_RUNS: whole(0, 1_000_000).default(1000),
  MAX_LOOP_DELAY_MS: whole(0, 60_000).default(100),
  MAX_HEAP_PERCENT: whole(0, 100).default(70),
  MAX_MEMORY_PERCENT: whole(0, 100).default(90),
  MAX_BODIES_BYTES: whole(0, 68_719_476_736).default(67_108_864),
  OFFLOAD_THREADS: wholeOr('auto', 1, 1024).default('auto'),
  OFFLOAD_QUEUE: whole(0, 1_000_000).default(256),
  RATE_LIMIT: whole(0, 1_000_000).default(0),
  TRUST_PROXY: z.string().default('false').transform(readTrustProxy),
  API_KEYS: z.string().default('').transform(readKeys),
  CORS_ORIGINS: z.string().default('').transform(readOrigins),
  SOURCES: oneOf(['full', 'states', 'none']).default('full'),
  OPENAPI_INFO: z.string().default('').describe('The `info` of the API document: JSON, or @ and a file.'),
  BODY_LIMIT_BYTES: whole(1, 1_073_741_824).default(1_048_576),
  HEADER_LIMIT_BYTES: whole(1024, 1_048_576).default(16_384),
  REQUEST_TIMEOUT_MS: whole(100, 3_600_000).default(30_000),
  REPLY_TIMEOUT_MS: whole(100, 3_600_000).default(30_000),
  KEEP_ALIVE_MS: whole(100, 3_600_000).default(72_000),
  STREAM_MAX_BYTES: whole(4096, 16_777_216).default(65_536),
  STREAM_HEARTBEAT_MS: whole(1000, 600_000).default(15_000),
  BATCH_MAX_CALLS: whole(0, 1000).default(100),
  BATCH_BODY_BYTES: whole(1, 1_073_741_824).default(1_048_576),
  BATCH_DEADLINE_MS: whole(1, 600_000).default(5000),
  HEADWATERS_BULK_DIR: z.string().default(''),
  HEADWATERS_BULK_URL: z.string().default(''),
  BULK_MAX_ITEMS: whole(1, 1_000_000).default(1_000_000),
  BULK_MAX_BYTES: whole(1, 68_719_476_736).default(1_073_741_824),
  BULK_MAX_RUNS: whole(1, 10_000).default(10),
  BULK_RETENTION_MS: whole(1000, 31_536_000_000).default(604_800_000),
  BULK_CONCURRENCY: whole(1, 1000).default(16),
  HEADWATERS_WORKERS: wholeOr('auto', 1, 1024).default(1),
  WORKER_HEARTBEAT_MS: whole(0, 600_000, heartbeatFault)
    .refine(ms => ms === 0 || ms >= 1000, heartbeatFault)
    .default(10_000),
  HEADWATERS_REDIS_URL: z.string().default(''),
  HEADWATERS_REDIS_OPTIONS: z.string().default(''),
  HEADWATERS_REDIS_PREFIX: z.string().default('headwaters').superRefine(checkRedisPrefix),
  HEADWATERS_REDIS_PATIENCE_MS: whole(1, 10_000).default(50),
})

const Overrides = z.object({
  ORIGIN: z
    .string()
    .superRefine((origin, context) => {
      const fault = originFault(origin)
      if (fault !== undefined) context.addIssue(fault)
    })
    .optional(),
  ORIGINS: z.string().transform(readOriginList).optional(),
  CONCURRENCY: wholeOr('adaptive', 1, 65_535).optional(),
  ATTEMPT_TIMEOUT_MS: whole(1, 600_000).optional(),
  OFF: oneOf(['0', '1']).optional(),
})

/** The protection of the service from its callers. `buildApp` describes each field. */
export interface Inbound {
  readonly limits: {
    readonly bodyBytes: number
    readonly headerBytes: number
    readonly requestTimeout: number
    readonly replyTimeout: number
    readonly keepAlive: number
  }
  readonly pressure: {
    readonly runs: number
    readonly loopDelay: number
    readonly heapPercent: number
    readonly memoryPercent: number
    readonly bodiesBytes: number
  }
  readonly rateLimit: number
  readonly trustProxy: boolean | readonly string[]
  readonly keys: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly streams: { readonly maxBytes: number; readonly heartbeat: number }
  readonly batch: { readonly maxCalls: number; readonly bodyBytes: number; readonly deadline: number } | false
}

/** The folder, the queue and the limits of bulk runs. `buildApp` describes each field. */
export interface Bulk {
  readonly dir: string
  readonly queue?: { readonly url: string }
  readonly maxItems: number
  readonly maxBytes: number
  readonly maxRuns: number
  readonly retention: number
  readonly concurrency: number
}

/** The access of the operator. */
export interface Admin {
  /** The address of the admin listener. @default no listener */
  readonly listener?: { readonly host: string; readonly port: number }
  /** The key of the operator. Without it, the admin listener is open and has a loopback address. @default none */
  readonly key?: string
  /** `true` if the admin listener serves the dashboard. */
  readonly dashboard: boolean
  /** The largest number of kept runs of the service; 0 keeps none. Without an admin listener it is not used. */
  readonly keptRuns: number
}

/** The configuration from the environment. It is checked and frozen. */
export interface Config {
  readonly host: string
  readonly port: number
  /** The kind of environment. In `development` the main port serves the metrics without a key. */
  readonly env: z.output<typeof Environment>['HEADWATERS_ENV']
  /** The access of the operator. */
  readonly admin: Admin
  readonly logLevel: z.output<typeof Environment>['LOG_LEVEL']
  /** `auto` means text if stdout is a terminal, and JSON otherwise. */
  readonly logFormat: z.output<typeof Environment>['LOG_FORMAT']
  /** The share of the complete runs whose log line has the level `info`. */
  readonly logCompletePercent: number
  /** Time that requests in flight may take after SIGTERM, in ms. */
  readonly drainMs: number
  /** The share of new traces that are marked as sampled, from 0 to 100. */
  readonly traceSampledPercent: number
  /** The part of the outcomes that callers see. */
  readonly sources: z.output<typeof Environment>['SOURCES']
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

const overridePattern =
  /^HEADWATERS_UPSTREAM_([A-Z0-9_]+?)_(ORIGINS|ORIGIN|CONCURRENCY|ATTEMPT_TIMEOUT_MS|OFF|SLOTS|TIMEOUT_MS)$/

/** Old names of variables and their new names. Until 1.0, an old name is an error that shows the new name. */
const renamedOverrides: Readonly<Record<string, string>> = { SLOTS: 'CONCURRENCY', TIMEOUT_MS: 'ATTEMPT_TIMEOUT_MS' }

/** Reads the environment. Throws a `ConfigError` with the name of each invalid variable and the reason. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  upstreams: readonly string[],
): Config {
  const faults: string[] = []
  const { success, data, error } = textSchema(Environment).safeParse(blankless(environment)) as z.ZodSafeParseResult<
    z.output<typeof Environment>
  >
  if (!success) faults.push(...new Set(error.issues.map(issue => `${issue.path.join('.')}: ${reasonOf(issue)}`)))

  const overrides: Record<string, Override> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('HEADWATERS_UPSTREAM_') || value === undefined || value.trim() === '') continue
    const fault = readOverride(variable, value, upstreams, overrides)
    if (fault !== undefined) faults.push(`${variable}: ${fault}`)
  }

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
    overrides: Object.freeze(overrides),
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

function readOverride(
  variable: string,
  value: string,
  upstreams: readonly string[],
  overrides: Record<string, Override>,
): string | undefined {
  const [, upper, key] = overridePattern.exec(variable) ?? []
  if (upper === undefined || key === undefined)
    return 'is not a known variable: an upstream has _ORIGIN, _ORIGINS, _CONCURRENCY, _ATTEMPT_TIMEOUT_MS and _OFF'
  const renamed = renamedOverrides[key]
  if (renamed !== undefined) return `was renamed to HEADWATERS_UPSTREAM_${upper}_${renamed}`
  const name = upstreams.find(each => each.toUpperCase().replaceAll('-', '_') === upper)
  if (name === undefined) return `matches no upstream: the upstreams are ${upstreams.join(', ')}`
  const { success, data, error } = textSchema(Overrides).safeParse({ [key]: value.trim() }) as z.ZodSafeParseResult<
    z.output<typeof Overrides>
  >
  if (!success) return [...new Set(error.issues.map(reasonOf))].join('; ')
  const {
    ORIGIN: origin,
    ORIGINS: origins,
    CONCURRENCY: concurrency,
    ATTEMPT_TIMEOUT_MS: attemptTimeout,
    OFF: off,
  } = data
  const before = overrides[name]
  if (
    (origin !== undefined && before?.origins !== undefined) ||
    (origins !== undefined && before?.origin !== undefined)
  )
    return `excludes HEADWATERS_UPSTREAM_${upper}_${origin === undefined ? 'ORIGIN' : 'ORIGINS'}: set one of them`
  overrides[name] = {
    ...before,
    ...(origin !== undefined && { origin }),
    ...(origins !== undefined && { origins }),
    ...(concurrency !== undefined && { concurrency }),
    ...(attemptTimeout !== undefined && { attemptTimeout }),
    ...(off !== undefined && { off: off === '1' }),
  }
  return undefined
}

/** Reads the origins of an upstream. */
function readOriginList(text: string, context: z.RefinementCtx): readonly OriginOptions[] {
  try {
    const origins = readUpstreamOrigins('origins', text)
    originSpecs('origins', origins)
    return Object.freeze(origins)
  } catch (error) {
    context.addIssue((error as Error).message)
    return z.NEVER
  }
}

function inboundOf(data: z.output<typeof Environment>): Inbound {
  return Object.freeze({
    limits: Object.freeze({
      bodyBytes: data.BODY_LIMIT_BYTES,
      headerBytes: data.HEADER_LIMIT_BYTES,
      requestTimeout: data.REQUEST_TIMEOUT_MS,
      replyTimeout: data.REPLY_TIMEOUT_MS,
      keepAlive: data.KEEP_ALIVE_MS,
    }),
    pressure: Object.freeze({
      runs: data.MAX_RUNS,
      loopDelay: data.MAX_LOOP_DELAY_MS,
      heapPercent: data.MAX_HEAP_PERCENT,
      memoryPercent: data.MAX_MEMORY_PERCENT,
      bodiesBytes: data.MAX_BODIES_BYTES,
    }),
    rateLimit: data.RATE_LIMIT,
    trustProxy: data.TRUST_PROXY,
    keys: data.API_KEYS,
    corsOrigins: data.CORS_ORIGINS,
    streams: Object.freeze({ maxBytes: data.STREAM_MAX_BYTES, heartbeat: data.STREAM_HEARTBEAT_MS }),
    batch:
      data.BATCH_MAX_CALLS > 0 &&
      Object.freeze({
        maxCalls: data.BATCH_MAX_CALLS,
        bodyBytes: data.BATCH_BODY_BYTES,
        deadline: data.BATCH_DEADLINE_MS,
      }),
  })
}

function bulkOf(data: z.output<typeof Environment>): Bulk {
  return Object.freeze({
    dir: data.HEADWATERS_BULK_DIR,
    ...(data.HEADWATERS_BULK_URL !== '' && { queue: Object.freeze({ url: data.HEADWATERS_BULK_URL }) }),
    maxItems: data.BULK_MAX_ITEMS,
    maxBytes: data.BULK_MAX_BYTES,
    maxRuns: data.BULK_MAX_RUNS,
    retention: data.BULK_RETENTION_MS,
    concurrency: data.BULK_CONCURRENCY,
  })
}

function adminOf(data: z.output<typeof Environment>): Admin {
  const { ADMIN_PORT: port, ADMIN_HOST: host, ADMIN_KEY: key, DASHBOARD: dashboard, KEPT_RUNS: keptRuns } = data
  return Object.freeze({
    ...(port !== undefined && { listener: Object.freeze({ host, port }) }),
    ...(key !== '' && { key }),
    dashboard: dashboard === 'on',
    keptRuns,
  })
}

/** Returns the faults of the queue of bulk runs. They do not contain its URL, which can have a password. */
function bulkFaults(url: string, dir: string, redis: RedisConfig | undefined): string[] {
  if (url === '') return []
  const variable = 'HEADWATERS_BULK_URL'
  const address = readRedisUrl(url)
  if (typeof address === 'string') return [`${variable}: ${address}`]
  if (dir === '')
    return [`${variable}: requires HEADWATERS_BULK_DIR: set it to a folder that all machines share, or remove the URL`]
  if (redis === undefined || !isSameDatabase(address, redis)) return []
  return [
    `${variable}: is the server and the database of HEADWATERS_REDIS_URL: set another server, because a cache may ` +
      'evict its entries and a queue must not',
  ]
}

/** Returns the faults of the variables `ADMIN_…` that depend on several variables. */
function adminFaults(data: z.output<typeof Environment>): string[] {
  const { ADMIN_PORT: port, ADMIN_HOST: host, ADMIN_KEY: key } = data
  const faults: string[] = []
  if (key === '' && host !== 'localhost' && !isLoopback(host))
    faults.push(
      `ADMIN_KEY: is required, because ADMIN_HOST ${host} is not a loopback address: ` +
        'set ADMIN_KEY to a secret of at least 16 characters, or ADMIN_HOST to 127.0.0.1',
    )
  if (key !== '' && data.API_KEYS.includes(key))
    faults.push('ADMIN_KEY: is also in API_KEYS, and callers must not have it: set another key')
  if (port !== undefined && port !== 0 && port === data.PORT)
    faults.push(`ADMIN_PORT: is the same as PORT, ${port}: set another port, or 0 for any free port`)
  return faults
}

/** Returns the entries of a comma-separated list. */
function entriesOf(list: string): string[] {
  return list
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}

/** Reads the API keys. A fault names a key by its position, so that no message shows a key. */
function readKeys(list: string, context: z.RefinementCtx): readonly string[] {
  const keys = entriesOf(list)
  // A template with secrets that are not set results in a list of commas. Without this error, the service would start
  // without authentication.
  if (keys.length === 0 && list.trim() !== '')
    context.addIssue('contains no key: set at least one key, or remove the variable to require none')
  for (const [index, key] of keys.entries()) {
    const fault = keyFault(key)
    if (fault !== undefined) context.addIssue(`key ${index + 1} ${fault}`)
  }
  return Object.freeze(keys)
}

function checkAdminKey(key: string, context: z.RefinementCtx): void {
  const fault = key === '' ? undefined : keyFault(key)
  if (fault !== undefined) context.addIssue(fault)
}

function checkRedisPrefix(prefix: string, context: z.RefinementCtx): void {
  const fault = redisNameFault(prefix)
  if (fault !== undefined) context.addIssue(fault)
}

function readOrigins(list: string, context: z.RefinementCtx): readonly string[] {
  const origins = entriesOf(list)
  if (origins.length === 0 && list.trim() !== '')
    context.addIssue('contains no origin: set at least one origin, or remove the variable')
  for (const origin of origins) {
    if (origin !== '*' && (origin.includes('*') || URL.parse(origin)?.origin !== origin))
      context.addIssue(
        `'${origin}' is not an origin as browsers send it: set scheme, host and ` +
          'port, for example https://app.example, or * alone',
      )
  }
  if (origins.length > 1 && origins.includes('*'))
    context.addIssue('* allows every origin: remove the other entries, or remove *')
  return Object.freeze(origins)
}

/** Reads `true`, `false`, or the addresses and networks of the proxies. */
function readTrustProxy(value: string, context: z.RefinementCtx): boolean | readonly string[] {
  const text = value.trim()
  if (text === 'true' || text === 'false') return text === 'true'
  const networks = entriesOf(text)
  for (const network of networks)
    if (!isNetwork(network))
      context.addIssue(`must be true, false, or a list of addresses and networks such as 10.0.0.0/8, got '${network}'`)
  return Object.freeze(networks)
}

function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/')
  if (bits === undefined || isIP(address) === 0) return isIP(text) !== 0
  try {
    new BlockList().addSubnet(
      address,
      /^\d{1,3}$/.test(bits) ? Number(bits) : -1,
      isIP(address) === 6 ? 'ipv6' : 'ipv4',
    )
    return true
  } catch {
    return false
  }
}

/**
 * Removes white space around the values, and removes empty variables. An empty variable counts as not set.
 */
function blankless(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value !== ''),
  )
}

/** Returns the value of a variable of Redis for the log. Its options can have a password at any place. */
function shownRedis(name: string, value: string): string {
  if (name === 'HEADWATERS_REDIS_URL' || name === 'HEADWATERS_BULK_URL') return shownRedisUrl(value, hidden)
  return name === 'HEADWATERS_REDIS_OPTIONS' && !value.startsWith('@') ? hidden : value
}

/** The last word of the name of a variable that holds a secret. */
const secretWords = ['KEY', 'KEYS', 'PASSWORD', 'SECRET', 'TOKEN']

/**
 * Returns the values of the variables of `Environment` for the log. A secret that is set is redacted, and a long text
 * is cut.
 *
 * @param environment - A valid environment.
 */
export function shownVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  const data = textSchema(Environment).parse(blankless(environment)) as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.keys(Environment.shape).map(name => {
      const value = data[name]
      const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
      if (!isEmpty && secretWords.includes(name.slice(name.lastIndexOf('_') + 1))) return [name, hidden]
      return [name, typeof value === 'string' ? cut(isEmpty ? value : shownRedis(name, value)) : (value ?? '')]
    }),
  )
}
