import { durationBuckets, type Family } from './family.ts'

const seconds = { type: 'histogram', buckets: durationBuckets } as const

// Inbound requests and runs

export const serverDuration: Family = {
  ...seconds,
  name: 'http_server_request_duration_seconds',
  help: 'Duration of inbound HTTP requests.',
  labels: ['http_request_method', 'url_scheme', 'http_route', 'http_response_status_code', 'error_type', 'aggregate'],
}
export const activeRequests: Family = {
  name: 'http_server_active_requests',
  help: 'Inbound HTTP requests in flight.',
  type: 'gauge',
  labels: ['http_request_method', 'url_scheme'],
}
export const requestsRefused: Family = {
  name: 'headwaters_requests_refused_total',
  help: 'Inbound requests that were refused before a run.',
  type: 'counter',
  labels: ['code'],
}
export const runs: Family = {
  name: 'headwaters_runs_total',
  help: 'Runs of an aggregate that have ended.',
  type: 'counter',
  labels: ['aggregate', 'outcome', 'code'],
}
export const runDuration: Family = {
  ...seconds,
  name: 'headwaters_run_duration_seconds',
  help: 'Duration of the runs of an aggregate.',
  labels: ['aggregate', 'outcome'],
}
export const runDeadlineLeft: Family = {
  ...seconds,
  name: 'headwaters_run_deadline_left_seconds',
  help: 'Time between the end of a run and its deadline.',
  labels: ['aggregate'],
}
export const steps: Family = {
  name: 'headwaters_steps_total',
  help: 'Steps that have ended.',
  type: 'counter',
  labels: ['aggregate', 'step', 'state', 'code'],
}
export const stepDuration: Family = {
  ...seconds,
  name: 'headwaters_step_duration_seconds',
  help: 'Duration of steps.',
  labels: ['aggregate', 'step', 'state'],
}
export const openStreams: Family = {
  name: 'headwaters_open_streams',
  help: 'Streams whose last event was not sent.',
  type: 'gauge',
  labels: [],
}
export const streams: Family = {
  name: 'headwaters_streams_total',
  help: 'Streams that have ended.',
  type: 'counter',
  labels: ['format', 'end'],
}
export const snapshots: Family = {
  name: 'headwaters_snapshots_total',
  help: 'Snapshots of streams that were made.',
  type: 'counter',
  labels: ['result'],
}
export const batches: Family = {
  name: 'headwaters_batches_total',
  help: 'Batches that have ended.',
  type: 'counter',
  labels: ['outcome'],
}
export const batchCalls: Family = {
  name: 'headwaters_batch_calls_total',
  help: 'Calls of batches that have ended.',
  type: 'counter',
  labels: ['state'],
}

export const bulkItems: Family = {
  name: 'headwaters_bulk_items_total',
  help: 'Items of bulk runs whose results are stored.',
  type: 'counter',
  labels: ['result'],
}
export const bulkRuns: Family = {
  name: 'headwaters_bulk_runs',
  help: 'Bulk runs that have not ended.',
  type: 'gauge',
  labels: ['state'],
  merge: 'max',
}
export const bulkRunsEnded: Family = {
  name: 'headwaters_bulk_runs_ended_total',
  help: 'Bulk runs that have ended.',
  type: 'counter',
  labels: ['state'],
}
export const bulkStoreFaults: Family = {
  name: 'headwaters_bulk_store_faults_total',
  help: 'Failures of the store of bulk runs after which the work paused.',
  type: 'counter',
  labels: [],
}
export const bulkQueueAvailable: Family = {
  name: 'headwaters_bulk_queue_available',
  help: 'Processes that can use the queue of bulk runs now.',
  type: 'gauge',
  labels: [],
}

// Calls to upstreams

export const clientDuration: Family = {
  ...seconds,
  name: 'http_client_request_duration_seconds',
  help: 'Duration of the attempts of calls to an upstream.',
  labels: [
    'upstream',
    'operation',
    'url_template',
    'http_request_method',
    'server_address',
    'server_port',
    'http_response_status_code',
    'error_type',
  ],
}
export const attempts: Family = {
  name: 'headwaters_attempts_total',
  help: 'Attempts that were started, by the number of attempts before in the same call.',
  type: 'counter',
  labels: ['upstream', 'operation', 'http_request_resend_count'],
}
export const calls: Family = {
  name: 'headwaters_calls_total',
  help: 'Calls that have ended.',
  type: 'counter',
  labels: ['upstream', 'operation', 'code'],
}
export const retries: Family = {
  name: 'headwaters_retries_total',
  help: 'Attempts that repeat a failed attempt.',
  type: 'counter',
  labels: ['upstream', 'operation', 'kind'],
}
export const hedges: Family = {
  name: 'headwaters_hedges_total',
  help: 'Second attempts that were sent while the first was in flight.',
  type: 'counter',
  labels: ['upstream', 'operation', 'result'],
}
export const coalescedCalls: Family = {
  name: 'headwaters_coalesced_calls_total',
  help: 'Calls that share the answer to an equal call in flight.',
  type: 'counter',
  labels: ['upstream', 'operation'],
}
export const waits: Family = {
  ...seconds,
  name: 'headwaters_wait_seconds',
  help: 'Times in which a call waited and was not sent.',
  labels: ['upstream', 'reason'],
}
export const cacheRequests: Family = {
  name: 'headwaters_cache_requests_total',
  help: 'Answers to calls of operations with a cache.',
  type: 'counter',
  labels: ['upstream', 'result'],
  isRead: true,
}
export const cacheRevalidations: Family = {
  name: 'headwaters_cache_revalidations_total',
  help: 'Stored answers that the upstream has confirmed.',
  type: 'counter',
  labels: ['upstream'],
  isRead: true,
}
export const cacheRefreshes: Family = {
  name: 'headwaters_cache_refreshes_total',
  help: 'Background refreshes of stored answers.',
  type: 'counter',
  labels: ['upstream'],
  isRead: true,
}
export const cacheStoreFaults: Family = {
  name: 'headwaters_cache_store_faults_total',
  help: 'Faults of the cache store.',
  type: 'counter',
  labels: ['upstream'],
  isRead: true,
}
export const cacheEntries: Family = {
  name: 'headwaters_cache_entries',
  help: 'Stored answers.',
  type: 'gauge',
  labels: ['upstream'],
  isRead: true,
}
export const cacheSize: Family = {
  name: 'headwaters_cache_size_bytes',
  help: 'Size of the stored answers.',
  type: 'gauge',
  labels: ['upstream'],
  isRead: true,
}
export const permitsInUse: Family = {
  name: 'headwaters_permits_in_use',
  help: 'Permits of the bulkhead that attempts hold.',
  type: 'gauge',
  labels: ['upstream'],
  isRead: true,
}
export const permitsLimit: Family = {
  name: 'headwaters_permits_limit',
  help: 'Limit on the permits of the bulkhead.',
  type: 'gauge',
  labels: ['upstream'],
  isRead: true,
}
export const queueLength: Family = {
  name: 'headwaters_queue_length',
  help: 'Calls that wait for a permit.',
  type: 'gauge',
  labels: ['upstream'],
  isRead: true,
}
export const retryBudgetBalance: Family = {
  name: 'headwaters_retry_budget_balance',
  help: 'Attempts beyond the first that the retry budget covers now.',
  type: 'gauge',
  labels: ['upstream'],
  isRead: true,
}
export const breakerState: Family = {
  name: 'headwaters_breaker_state',
  help: 'State of the circuit breaker: 1 for the present state.',
  type: 'gauge',
  labels: ['upstream', 'state'],
  merge: 'max',
  isRead: true,
}
export const breakerTransitions: Family = {
  name: 'headwaters_breaker_transitions_total',
  help: 'Transitions of the circuit breaker.',
  type: 'counter',
  labels: ['upstream', 'to'],
}
export const openConnections: Family = {
  name: 'http_client_open_connections',
  help: 'Open connections to an upstream.',
  type: 'gauge',
  labels: ['upstream', 'http_connection_state'],
  isRead: true,
}
export const connectionsOpened: Family = {
  name: 'headwaters_connections_opened_total',
  help: 'Connections to an upstream that were opened.',
  type: 'counter',
  labels: ['upstream'],
  isRead: true,
}
export const origins: Family = {
  name: 'headwaters_origins',
  help: 'Origins of an upstream with several, by state.',
  type: 'gauge',
  labels: ['upstream', 'state'],
  merge: 'max',
  isRead: true,
}
export const originActiveAttempts: Family = {
  name: 'headwaters_origin_active_attempts',
  help: 'Attempts in flight to an origin.',
  type: 'gauge',
  labels: ['upstream', 'origin'],
  isRead: true,
}
export const originLatency: Family = {
  name: 'headwaters_origin_latency_seconds',
  help: 'Moving average of the latency of an origin, with peaks.',
  type: 'gauge',
  labels: ['upstream', 'origin'],
  merge: 'max',
  isRead: true,
}
export const originAttempts: Family = {
  name: 'headwaters_origin_attempts_total',
  help: 'Attempts to an origin that have ended.',
  type: 'counter',
  labels: ['upstream', 'origin', 'result'],
  isRead: true,
}
export const originEjections: Family = {
  name: 'headwaters_origin_ejections_total',
  help: 'Ejections of an origin.',
  type: 'counter',
  labels: ['upstream', 'origin'],
  isRead: true,
}
export const originPanicAttempts: Family = {
  name: 'headwaters_origin_panic_attempts_total',
  help: 'Attempts whose origin was chosen among all, because too few were available.',
  type: 'counter',
  labels: ['upstream'],
  isRead: true,
}
export const dnsDuration: Family = {
  ...seconds,
  name: 'dns_lookup_duration_seconds',
  help: 'Duration of DNS lookups.',
  labels: ['error_type'],
}

// The process

export const sharedStoreAvailable: Family = {
  name: 'headwaters_shared_store_available',
  help: 'Processes that use the store which replicas share.',
  type: 'gauge',
  labels: [],
  isRead: true,
}
export const sharedStoreCommands: Family = {
  name: 'headwaters_shared_store_commands_total',
  help: 'Commands to the store which replicas share.',
  type: 'counter',
  labels: ['result'],
  isRead: true,
}
export const sharedStoreMemoryHits: Family = {
  name: 'headwaters_shared_store_memory_hits_total',
  help: 'Answers of the shared cache from the memory of a process.',
  type: 'counter',
  labels: [],
  isRead: true,
}
export const replicas: Family = {
  name: 'headwaters_replicas',
  help: 'Live replicas of the service.',
  type: 'gauge',
  labels: [],
  merge: 'max',
  isRead: true,
}
export const offloadTasks: Family = {
  name: 'headwaters_offload_tasks',
  help: 'Offloaded functions that run in a thread or wait for one.',
  type: 'gauge',
  labels: ['state'],
  isRead: true,
}
export const logLinesLost: Family = {
  name: 'headwaters_log_lines_lost_total',
  help: 'Log lines that were dropped because their reader was too slow.',
  type: 'counter',
  labels: [],
  merge: 'max',
  isRead: true,
}
export const reloads: Family = {
  name: 'headwaters_reloads_total',
  help: 'Reloads of the definitions, by result.',
  type: 'counter',
  labels: ['result'],
}
export const reloadTime: Family = {
  name: 'headwaters_reload_timestamp_seconds',
  help: 'Time of the last reload of the definitions.',
  type: 'gauge',
  labels: [],
  merge: 'max',
  isRead: true,
}
export const reloadRefused: Family = {
  name: 'headwaters_reload_refused',
  help: 'Is 1 while the last reload of the definitions was refused.',
  type: 'gauge',
  labels: [],
  merge: 'max',
}
export const heapLimit: Family = {
  name: 'headwaters_heap_limit_bytes',
  help: 'Limit of the heap of V8.',
  type: 'gauge',
  labels: [],
  isRead: true,
}
export const buildInfo: Family = {
  name: 'headwaters_build_info',
  help: 'Version of Headwaters and of Node.js.',
  type: 'gauge',
  labels: ['version', 'node'],
  merge: 'max',
  isRead: true,
}

/** All families, in the order in which they are documented. The default metrics of the process are not among them. */
export const families: readonly Family[] = [
  serverDuration,
  activeRequests,
  requestsRefused,
  runs,
  runDuration,
  runDeadlineLeft,
  steps,
  stepDuration,
  openStreams,
  streams,
  snapshots,
  batches,
  batchCalls,
  bulkItems,
  bulkRuns,
  bulkRunsEnded,
  bulkStoreFaults,
  bulkQueueAvailable,
  clientDuration,
  attempts,
  calls,
  retries,
  hedges,
  coalescedCalls,
  waits,
  cacheRequests,
  cacheRevalidations,
  cacheRefreshes,
  cacheStoreFaults,
  cacheEntries,
  cacheSize,
  permitsInUse,
  permitsLimit,
  queueLength,
  retryBudgetBalance,
  breakerState,
  breakerTransitions,
  openConnections,
  connectionsOpened,
  origins,
  originActiveAttempts,
  originLatency,
  originAttempts,
  originEjections,
  originPanicAttempts,
  dnsDuration,
  sharedStoreAvailable,
  sharedStoreCommands,
  sharedStoreMemoryHits,
  replicas,
  offloadTasks,
  logLinesLost,
  reloads,
  reloadTime,
  reloadRefused,
  heapLimit,
  buildInfo,
]
