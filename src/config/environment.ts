import { z } from 'zod'
import { keyFault } from '../core/bearer-key.ts'
import { redisNameFault } from '../core/redis-name.ts'
import { textSchema } from '../core/schema/text-schema.ts'
import { readCorsOrigins, readKeys, readTrustProxy } from './lists.ts'
import { oneOf, percent, whole, wholeOr } from './value-schemas.ts'

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
  CORS_ORIGINS: z.string().default('').transform(readCorsOrigins),
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

/** The values of the environment variables. */
export type Values = z.output<typeof Environment>

/** Checks the variables. White space around values is removed, and an empty variable counts as not set. */
export function parseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): z.ZodSafeParseResult<Values> {
  return textSchema(Environment).safeParse(blankless(environment)) as z.ZodSafeParseResult<Values>
}

function checkAdminKey(key: string, context: z.RefinementCtx): void {
  const fault = key === '' ? undefined : keyFault(key)
  if (fault !== undefined) context.addIssue(fault)
}

function checkRedisPrefix(prefix: string, context: z.RefinementCtx): void {
  const fault = redisNameFault(prefix)
  if (fault !== undefined) context.addIssue(fault)
}

function blankless(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value !== ''),
  )
}
